import { z } from 'zod';
import { jsonSchema } from './json.ts';

/** I/O deadline of one call, in real milliseconds. */
const timeoutMs = z.number().int().positive().max(60_000).default(5_000);

/** A command on the machine that neap runs on, word by word and without a shell. */
const command = z.array(z.string().min(1)).min(1);

/**
 * The balancer's page: with it on, the balancer answers every request itself, with 503 and Retry-After, and nothing
 * reaches a server. It is what a run sheds load by when an outage outlasts the fuse.
 */
export const edgeSchema = z.strictObject({
  /** Answers `on` or `off` (or true and false); as a command: exit 0 is on, 1 is off. It changes nothing. */
  read: z.union([
    z.strictObject({ get: z.url(), field: z.string().optional(), timeoutMs }),
    z.strictObject({ command, timeoutMs }),
  ]),
  on: z.union([
    z.strictObject({
      send: z.url(),
      method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']),
      body: jsonSchema.optional(),
      timeoutMs,
    }),
    z.strictObject({ command, timeoutMs }),
  ]),
  off: z.union([
    z.strictObject({
      send: z.url(),
      method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']),
      body: jsonSchema.optional(),
      timeoutMs,
    }),
    z.strictObject({ command, timeoutMs }),
  ]),
  /** From the call until no request reaches a server any more, those under way included; plan milliseconds. */
  takesMs: z.number().positive().max(600_000).default(5_000),
});
export type Edge = z.output<typeof edgeSchema>;

/** What is done when an outage is about to outlast the fuse: approved with the plan, taken back when the database answers. */
export const shedSchema = z.strictObject({
  /** The balancer answers with its page. */
  by: z.literal('edge'),
  /** So long before the first fatal expiry: one dependency timeout and the time that shedding takes. */
  actMs: z.number().positive(),
  timeoutMs: z.number().nonnegative(),
  takesMs: z.number().positive(),
  /** Whether an earlier run measured `takesMs`, or the fleet file declares it. */
  takesFrom: z.enum(['declared', 'measured']),
  /** Before load comes back, caches that expired are refreshed at so many servers a second; null: the plan has no rule for that. */
  warmPerSecond: z.number().positive().nullable(),
});
export type Shed = z.output<typeof shedSchema>;

/** How a fuse is watched while it burns: the clocks are read again so often, and `shed` is done before it is over. */
export const countdownSchema = z.strictObject({
  everyMs: z.number().positive(),
  /** Null: nothing is declared that could be done. */
  shed: shedSchema.nullable(),
});
export type Countdown = z.output<typeof countdownSchema>;
