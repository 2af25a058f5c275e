import { z } from 'zod';

/** What a dependency that is away does to who asks it: refuses at once, drops what is sent, or accepts and never answers. */
export const mannerSchema = z.enum(['refuse', 'drop', 'hang']);
export type Manner = z.output<typeof mannerSchema>;

/** As a runbook gives it: a share of what one server gets in production. */
export const trafficShareSchema = z.number().positive().max(1);

/** What became of requests that were sent while a step looked, in plan time; see `Driven`. */
export const drivenSchema = z.strictObject({
  share: z.number(),
  productionPerSecond: z.number().nullable(),
  perSecond: z.number(),
  fromMs: z.number(),
  untilMs: z.number(),
  sent: z.number(),
  alone: z.number(),
  failure: z.strictObject({ atMs: z.number(), request: z.string(), why: z.string() }).nullable(),
  gap: z.string().nullable(),
});

/** A fleet's rule for what counts as rehearsed. */
export const rehearsalRuleSchema = z.strictObject({
  /** A rehearsal that is older shows nothing any more; plan milliseconds. */
  maxAgeMs: z
    .number()
    .positive()
    .default(30 * 24 * 60 * 60_000),
  /** Nor one whose traffic has grown by more than this share since. */
  maxGrowth: z.number().nonnegative().default(0.2),
  /** The share of one server's production rate that a rehearsal sends, unless it says another. */
  traffic: z.number().positive().max(1).default(0.05),
});
export type RehearsalRule = z.output<typeof rehearsalRuleSchema>;

/** What was rehearsed: the software and its configuration, as the canary had them when its path was cut. */
export const rehearsedSoftwareSchema = z.strictObject({
  /** Null: the fleet file does not say how it is read, or it could not be. */
  version: z.string().nullable(),
  /** Over path, digest, mode and owner of the files that make its configuration; null likewise. */
  configuration: z.string().nullable(),
});
export type RehearsedSoftware = z.output<typeof rehearsedSoftwareSchema>;

/** What the server tells of itself when its path is seen cut. */
export const rehearsedCutSchema = z.strictObject({
  cutAtMs: z.number(),
  manner: mannerSchema.nullable(),
  dependencyTimeoutMs: z.number().nonnegative(),
  software: rehearsedSoftwareSchema,
  /** The clocks as the fleet declares them. */
  declared: z.array(z.strictObject({ name: z.string(), maxMs: z.number(), whenExpired: z.string() })),
});
export type RehearsedCut = z.output<typeof rehearsedCutSchema>;

/** What one rehearsal showed, on one server whose path to a dependency was cut while it was offline. */
export const rehearsedSchema = z.strictObject({
  step: z.string(),
  server: z.string(),
  group: z.string(),
  dependency: z.string(),
  manner: mannerSchema.nullable(),
  /** When the cut was seen in force; everything counts from there. */
  cutAtMs: z.number(),
  plannedMs: z.number().nonnegative(),
  /** `failed`: requests failed from `lastedMs` on, which is the measured fuse. `void`: it was not watched without a gap, and shows nothing. */
  result: z.enum(['survived', 'failed', 'void']),
  lastedMs: z.number().nonnegative(),
  /** What failed, or why it shows nothing. */
  why: z.string().nullable(),
  software: rehearsedSoftwareSchema,
  /** What the fleet declared of its clocks. */
  clocks: z.array(z.strictObject({ name: z.string(), maxMs: z.number(), whenExpired: z.string() })),
  dependencyTimeoutMs: z.number().nonnegative(),
  traffic: z.strictObject({
    /** What was meant, as a share of production's rate; and that rate for one server (null: not declared). */
    share: z.number(),
    productionPerSecond: z.number().nullable(),
    /** What was sent, in plan seconds, and how many requests that were. */
    perSecond: z.number(),
    sent: z.number(),
  }),
});
export type Rehearsed = z.output<typeof rehearsedSchema>;

/** What a plan knows of rehearsals for the outage that its gate speaks of. */
export const planRehearsalSchema = z.strictObject({
  group: z.string(),
  dependency: z.string().nullable(),
  /** The canary step of this plan that is its own rehearsal. */
  carriedBy: z.string().nullable(),
  /** The run and server that showed it before; null: nobody did. */
  run: z.string().nullable(),
  server: z.string().nullable(),
  result: z.enum(['survived', 'failed']).nullable(),
  lastedMs: z.number().nullable(),
  /** Servers of it have no clock declared: what a rehearsal shows is all that is known of their fuse. */
  blind: z.boolean(),
  /** Clocks whose expiry is believed to be harmless, since that was shown or will be. All others are fatal. */
  believed: z.array(z.string()),
});
export type PlanRehearsal = z.output<typeof planRehearsalSchema>;

/** A rehearsal as it is kept in a state folder: what it showed, and where the journal says so. */
export const rehearsalRecordSchema = z.strictObject({
  format: z.literal(1),
  fleet: z.string(),
  run: z.string(),
  /** The event that tells it, by its number and hash: the head of the journal as it stood then. */
  journal: z.strictObject({ seq: z.number().int().positive(), hash: z.string() }),
  rehearsal: rehearsedSchema,
});
export type RehearsalRecord = z.output<typeof rehearsalRecordSchema>;
