import { z } from 'zod';
import { countdownSchema } from './edge.ts';
import { failureSchema } from './failure.ts';
import { jsonSchema } from './json.ts';
import { slotRuleSchema } from './slots.ts';
import { servingOfStepSchema } from './serving.ts';
import { mannerSchema, planRehearsalSchema } from './rehearsal.ts';

/**
 * The plan: everything that a run will do, as data. Its canonical JSON has a hash; approvals name that hash; a run
 * does what it says and nothing else. The schemas are the file format of `plan.json`.
 */

export const verdictSchema = z.discriminatedUnion('verdict', [
  z.strictObject({ verdict: z.literal('nothing') }),
  z.strictObject({ verdict: z.literal('change'), change: jsonSchema, diff: z.array(z.string()) }),
  z.strictObject({ verdict: z.literal('refused'), why: z.string(), remedy: z.string() }),
  /** An earlier pending step alters what this one reads: decided then, within the kind's bounds. */
  z.strictObject({ verdict: z.literal('unknown'), untilStep: z.string() }),
  /** The server could not be read. */
  z.strictObject({ verdict: z.literal('failed'), failure: failureSchema }),
  /** Found hung: left to the contingency that stands ready for it. */
  z.strictObject({ verdict: z.literal('contingency'), contingency: z.string() }),
]);
export type PlanVerdict = z.output<typeof verdictSchema>;

export const needSchema = z.discriminatedUnion('need', [
  z.strictObject({ need: z.literal('answers'), dependency: z.string() }),
  z.strictObject({ need: z.literal('converged') }),
  z.strictObject({ need: z.literal('warm') }),
  /** A dependency has room for so many connections more (`each`), of `max`. What the fleet file says, not a kind. */
  z.strictObject({
    need: z.literal('connections'),
    dependency: z.string(),
    each: z.number().int().positive(),
    max: z.number().int().positive(),
  }),
]);
export type PlanNeed = z.output<typeof needSchema>;

export const actStepSchema = z.strictObject({
  step: z.literal('act'),
  /** Unique in the plan, and what people call it: `3`, `4.1`, `c1.2`. */
  id: z.string(),
  title: z.string(),
  kind: z.strictObject({ name: z.string(), version: z.number().int() }),
  nature: z.enum(['risk', 'restore', 'check']),
  input: jsonSchema,
  idempotent: z.boolean(),
  onUnmet: z.enum(['fail', 'hold', 'end']),
  /** A server that fails here ends the run: it is the canary, or the condition is about all of them. */
  failureEnds: z.boolean(),
  needs: z.array(needSchema),
  undoNeeds: z.array(needSchema),
  /** Why there is no way back behind this step; null where undo takes it back. */
  irreversible: z.string().nullable(),
  leavesNothing: z.boolean(),
  /** Aspects of a server that it changes. */
  alters: z.array(z.enum(['offline', 'cache', 'config', 'power', 'traffic', 'path'])).default([]),
  /** Names of servers, wave by wave. A contingency's steps have none: they go to whom it is armed for. */
  waves: z.array(z.array(z.string())),
  /** At most so many at a time. The failure budget can make it fewer (promise 6). */
  atMost: z.number().int().positive(),
  /** Starts at most so many a second; null: as the budget allows. */
  perSecond: z.number().positive().nullable(),
  /** The rule of its slots, where they have more of one than a rate. */
  slots: slotRuleSchema.optional(),
  /** What its waves do to those who serve meanwhile, and to the connections of what they depend on. */
  serving: servingOfStepSchema.optional(),
  /** For a hold: the step that releases it. */
  releasedBy: z.string().nullable(),
  /** This step takes back that hold, by its undo. */
  releases: z.string().nullable(),
  soakMs: z.number().nonnegative(),
  expectedMs: z.number().nonnegative(),
  /** Where `expectedMs` comes from: what the kind says, or how long it took in earlier runs (p95 is what the window reckons with). */
  expectedFrom: z
    .discriminatedUnion('from', [
      z.strictObject({ from: z.literal('kind') }),
      z.strictObject({
        from: z.literal('history'),
        runs: z.number().int().positive(),
        samples: z.number().int().positive(),
        medianMs: z.number().nonnegative(),
        p95Ms: z.number().nonnegative(),
        /** What the kind says. */
        kindMs: z.number().nonnegative(),
      }),
    ])
    .default({ from: 'kind' }),
  /** This step takes back what that step of an earlier run did; its changes are the plan's verdicts. */
  undoes: z.strictObject({ run: z.string(), step: z.string() }).nullable().default(null),
  /** A person is asked before its undo begins. */
  askBeforeUndo: z.boolean().default(false),
  /** In a contingency, where nothing counts as risk: this takes something away all the same. */
  takes: z.boolean().optional(),
});
export type ActStep = z.output<typeof actStepSchema>;

export const gateStepSchema = z.strictObject({
  step: z.literal('gate'),
  id: z.string(),
  title: z.string(),
  role: z.string(),
  answers: z.record(z.string(), z.enum(['go-on', 'ask-again', 'go-home'])),
  /** `manner`: how the dependency will be away; without it the worst is taken. */
  fuse: z.strictObject({ outageMs: z.number(), marginMs: z.number(), manner: mannerSchema.optional() }).nullable(),
  freshMs: z.number().positive().nullable(),
  expiresMs: z.number().positive(),
  onTimeout: z.enum(['hold', 'abort']),
  /** May be answered before it is asked, e.g. before the window. */
  ahead: z.boolean().default(false),
  /** Where the line goes back to when the fuse no longer covers the outage before somebody has answered. */
  renewFrom: z.string().nullable(),
});
export type GateStep = z.output<typeof gateStepSchema>;

export const rejoinStepSchema = z.strictObject({ step: z.literal('rejoin'), id: z.string(), title: z.string() });

export const planStepSchema = z.discriminatedUnion('step', [actStepSchema, gateStepSchema, rejoinStepSchema]);
export type PlanStep = z.output<typeof planStepSchema>;

/** What stands in the way of a plan. A refusal ends it; a warning is shown and never dropped. */
export const findingSchema = z.strictObject({
  severity: z.enum(['refusal', 'warning']),
  /** `fuse`, `bmc`, `unreachable`, `budget`, `except` ...: what a script may look at. */
  code: z.string(),
  what: z.string(),
  /** What would mend it, best first, each with its numbers. */
  cures: z.array(z.string()),
});
export type Finding = z.output<typeof findingSchema>;

export const forecastSchema = z.strictObject({
  outageMs: z.number(),
  marginMs: z.number(),
  /** From the cut (the last slot's end and what comes behind it) to the first fatal expiry; null: no expiry is fatal. */
  fuseMs: z.number().nullable(),
  /** What the fuse is made of, in words with numbers. */
  because: z.array(z.string()),
});
export type Forecast = z.output<typeof forecastSchema>;

/**
 * What arms a contingency: a server found hung; one that fell out of the line and may still be in the way (`out`);
 * a person; a guard's positive reading.
 */
export const armedBySchema = z.union([
  z.literal('hung'),
  z.literal('out'),
  z.literal('hand'),
  z.strictObject({ guard: z.string() }),
]);
export type ArmedBy = z.output<typeof armedBySchema>;

export const contingencySchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  when: armedBySchema,
  group: z.string(),
  suspectAbove: z.number().int().positive(),
  steps: z.array(planStepSchema),
  /** What the main line does when it is through: goes on as planned, turns for home, or ends where it stands. Until then it takes no risk. */
  afterwards: z.enum(['return', 'home', 'end']).default('return'),
});
export type Contingency = z.output<typeof contingencySchema>;

/** How a guard is read. */
export const guardReadSchema = z.discriminatedUnion('guard', [
  /** Bad when it answers otherwise than with a 2xx, or not within `withinMs` (real milliseconds); without a connection it is no data. */
  z.strictObject({ guard: z.literal('probe'), get: z.url(), withinMs: z.number().positive() }),
  /** A command on this machine, word by word and without a shell: exit 0 is clear, 1 is warn, 2 is bad; anything else is no data. */
  z.strictObject({
    guard: z.literal('command'),
    run: z.array(z.string()).min(1),
    timeoutMs: z.number().positive(),
  }),
  /** An instant query whose every sample is held against the limits; a sample older than `staleMs`, or none, is no data. */
  z.strictObject({
    guard: z.literal('prometheus'),
    url: z.url(),
    query: z.string(),
    warnAbove: z.number().nullable(),
    tripAbove: z.number().nullable(),
    warnBelow: z.number().nullable(),
    tripBelow: z.number().nullable(),
    staleMs: z.number().positive(),
    timeoutMs: z.number().positive(),
  }),
]);
export type GuardRead = z.output<typeof guardReadSchema>;

/** A machine's question, asked in the background while the steps that it covers are under way. */
export const guardSchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  read: guardReadSchema,
  /** Read so often, in plan milliseconds. */
  everyMs: z.number().positive(),
  /** Bad for so long trips it; clear for so long clears it again. */
  forMs: z.number().nonnegative(),
  clearForMs: z.number().nonnegative(),
  /** No reading for so long is no data. */
  noDataMs: z.number().positive(),
  /** Ids of the steps of the main line that it covers. */
  covers: z.array(z.string()),
  /** What a positive bad reading starts, besides stopping risk and paging: nothing, the way home, or a contingency by its id. */
  onTrip: z.union([z.literal('stop'), z.literal('home'), z.strictObject({ contingency: z.string() })]),
});
export type Guard = z.output<typeof guardSchema>;

/** The verdicts of up to 200 servers, step by step: `verdicts[step][server]`. */
export const sliceSchema = z.strictObject({
  lane: z.number().int().nonnegative(),
  servers: z.array(z.strictObject({ name: z.string(), group: z.string(), domain: z.string() })),
  verdicts: z.record(z.string(), z.record(z.string(), verdictSchema)),
  /** Digests of files whose expected configuration is what they were when the plan was made: `captured[server][path]`. */
  captured: z.record(z.string(), z.record(z.string(), z.string())),
});
export type Slice = z.output<typeof sliceSchema>;

export const planHeaderSchema = z.strictObject({
  format: z.literal(1),
  neap: z.string(),
  title: z.string(),
  runbook: z.strictObject({ path: z.string(), digest: z.string() }),
  /** `rate`: how fast its time runs; only a lab's is not 1. */
  fleet: z.strictObject({
    name: z.string(),
    path: z.string(),
    digest: z.string(),
    rate: z.number().positive().default(1),
  }),
  inputs: z.record(z.string(), jsonSchema),
  kinds: z.array(z.strictObject({ name: z.string(), version: z.number().int() })),
  madeAtMs: z.number(),
  notAfterMs: z.number(),
  /** Chance in this run comes from here. */
  seed: z.number().int(),
  canaries: z.array(z.string()),
  except: z.array(z.strictObject({ server: z.string(), reason: z.string() })),
  /** `percent`: what the runbook said of the fleet, where that made it fewer. */
  budget: z.strictObject({
    failures: z.number().int().positive(),
    percent: z.number().positive().nullable().default(null),
  }),
  /** Absolute instants; `zone` is the one they were said in. */
  window: z.strictObject({
    limitMs: z.number().positive(),
    expectedMs: z.number().nonnegative(),
    homeMs: z.number().nonnegative(),
    opensAtMs: z.number().nullable().default(null),
    closesAtMs: z.number().nullable().default(null),
    plannedMs: z.number().positive().nullable().default(null),
    zone: z.string().nullable().default(null),
  }),
  /** Spans in which nothing may be begun, as far as the calendars told when the plan was made. */
  freezes: z.array(z.strictObject({ title: z.string(), fromMs: z.number(), toMs: z.number() })).default([]),
  guards: z.array(guardSchema).default([]),
  /** Where claims are kept, and whom they guard against. */
  lease: z
    .strictObject({ store: z.string(), guards: z.enum(['this machine only', 'all operators']) })
    .default({ store: 'local', guards: 'this machine only' }),
  /** Where the journal is copied to; null: nowhere. */
  mirror: z.string().nullable().default(null),
  /** This plan is the way back of a run that is done. */
  rollbackOf: z
    .strictObject({
      run: z.string(),
      to: z.string().nullable(),
      only: z.array(z.string()).nullable(),
      title: z.string().default(''),
      /** How and when that run ended. */
      outcome: z.string().default('done'),
      closedAtMs: z.number().default(0),
      /** Whom that run left out. */
      except: z.array(z.string()).default([]),
      /** What is not taken back, and why: it has no way back, or nothing of it is left. */
      left: z
        .array(
          z.strictObject({
            step: z.string(),
            title: z.string(),
            because: z.enum(['no-way-back', 'nothing']),
            why: z.string(),
            servers: z.array(z.string()),
          }),
        )
        .default([]),
    })
    .nullable()
    .default(null),
  steps: z.array(planStepSchema),
  contingencies: z.array(contingencySchema),
  forecast: forecastSchema.nullable(),
  /** How the fuse is watched while it burns; a plan without an outage, or of an earlier neap, has none. */
  countdown: countdownSchema.optional(),
  /** What is shown of that outage by rehearsals, group by group; a plan without an outage, or of an earlier neap, has none. */
  rehearsals: z.array(planRehearsalSchema).optional(),
  findings: z.array(findingSchema),
  slices: z.array(z.string()),
});
export type PlanHeader = z.output<typeof planHeaderSchema>;

/** The plan as written to a file. Its hash is the header's; the header holds each slice's. */
export const planSchema = z.strictObject({ hash: z.string(), header: planHeaderSchema, slices: z.array(sliceSchema) });
export type Plan = z.output<typeof planSchema>;
