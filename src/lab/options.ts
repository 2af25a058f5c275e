import { z } from 'zod';

/** Named starting points; see `setScene` for what each one is. */
export const scenarioSchema = z.enum([
  'healthy',
  'feb-2021',
  'half-applied',
  'dead-server',
  'dead-fleet',
  'bmc-down',
  'partition',
  'synchronised',
  'canary-takes-all',
  'few-connections',
]);
export type Scenario = z.output<typeof scenarioSchema>;

export const labNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'a lab name is small letters, digits and dashes, at most 40');

/** What a lab is made of. All times but `timeLapse` are in its own time. */
export const labOptionsSchema = z.strictObject({
  name: labNameSchema,
  /** Its folder: keys, fleet file, record. Made with mode 0700. */
  dir: z.string().startsWith('/'),
  servers: z.number().int().min(1).max(1_000),
  /** So many lab seconds pass in a real one. */
  timeLapse: z.number().positive().max(1_000),
  scenario: scenarioSchema,
  seed: z.number().int().nonnegative(),
  ttl: z
    .strictObject({
      minMs: z.number().positive(),
      maxMs: z.number().positive(),
      drawn: z.enum(['per-server', 'per-refresh']),
    })
    .refine(({ minMs, maxMs }) => minMs <= maxMs, 'minMs is at most maxMs')
    .default({ minMs: 180_000, maxMs: 240_000, drawn: 'per-server' }),
  /** Departures from the scenario's model. */
  model: z
    .strictObject({
      requestsPerSecond: z.number().nonnegative(),
      databaseTimeoutMs: z.number().int().positive().max(600_000),
      concurrencyLimit: z.number().int().positive().nullable(),
      capacityPerSecond: z.number().positive(),
      bootMs: z.number().int().positive(),
      needsCacheOffline: z.boolean(),
      staleOnError: z.boolean(),
      halfAppliedByReset: z.boolean(),
    })
    .partial()
    .default({}),
});
export type LabOptions = z.output<typeof labOptionsSchema>;
export type LabOptionsInput = z.input<typeof labOptionsSchema>;
