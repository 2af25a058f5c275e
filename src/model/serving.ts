import { z } from 'zod';

/** I/O deadline of one call, in real milliseconds. */
const timeoutMs = z.number().int().positive().max(60_000).default(5_000);

/** A number that is asked for from the machine that neap runs on. It changes nothing. */
export const countReadSchema = z.union([
  z.strictObject({ get: z.url(), field: z.string().optional(), timeoutMs }),
  /** Word by word and without a shell; it prints the number, or JSON that has it at `field`. */
  z.strictObject({ command: z.array(z.string().min(1)).min(1), field: z.string().optional(), timeoutMs }),
  /** An instant query; its samples are added up. One older than `staleMs`, or none, is no reading. */
  z.strictObject({
    prometheus: z.url(),
    query: z.string().min(1),
    staleMs: z.number().positive().default(60_000),
    timeoutMs,
  }),
]);
export type CountRead = z.output<typeof countReadSchema>;

/** What a group's balancer does, and what each of its servers bears. */
export const balancerSchema = z.strictObject({
  /** Whether a server in offline mode goes on `answers`, or `leaves`: then the others get its load. */
  offline: z.enum(['answers', 'leaves']),
  /** Requests a second to the whole group. Without it the sum of what its servers declare under `load`. */
  requestsPerSecond: z.number().positive().optional(),
  /** Requests a second that one server bears. Without it load is shown and not judged. */
  serverCapacityPerSecond: z.number().positive().optional(),
  /** The balancer sends one server no more than this, and answers the rest itself. */
  limitPerSecond: z.number().positive().optional(),
  /** So many times its usual traffic comes when a service is back: users who waited try again. 1: none. */
  returnSurge: z.number().min(1),
});
export type Balancer = z.output<typeof balancerSchema>;

/** What a dependency that all share accepts in connections, and who besides the fleet has some. */
export const connectionLimitsSchema = z.strictObject({
  /** Connections at one time, what it keeps for its operators taken off. */
  max: z.number().int().positive(),
  /** New connections that it completes a second, beyond what is opened in ordinary times. */
  perSecond: z.number().positive(),
  /** Something in front of it (a pooler, a proxy) lets so many new ones through a second, and the others wait. */
  limitPerSecond: z.number().positive().optional(),
  /** Who else connects: pods of another infrastructure, as many as there are, or from an autoscaler's least to its most. */
  others: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        /** Connections of one pod at most. */
        pool: z.number().int().positive(),
        pods: z.union([
          z.number().int().nonnegative(),
          z
            .strictObject({ min: z.number().int().nonnegative(), max: z.number().int().nonnegative() })
            .refine(({ min, max }) => min <= max, 'min is at most max'),
        ]),
      }),
    )
    .default([]),
  /** How many connections it has now. Without it they are reckoned from pools alone. */
  now: countReadSchema.optional(),
});
export type ConnectionLimits = z.output<typeof connectionLimitsSchema>;

/** A dependency as its own limits have it, the same for every server. */
export const sharedDependencySchema = z.strictObject({ connections: connectionLimitsSchema.optional() });
export type SharedDependency = z.output<typeof sharedDependencySchema>;

/** What a step does to a server's part in the service, as the balancer and the database see it. */
export const servingSchema = z.enum([
  'goes-offline',
  'comes-online',
  'leaves-traffic',
  'takes-traffic',
  /** It is away while it is acted upon, and opens its connections anew. */
  'restarts',
  /** It fetches values over connections of its own. */
  'refreshes',
  /** The balancer sends it no more than its fleet file says, or again whatever comes. */
  'holds-admission',
  'frees-admission',
]);
export type Serving = z.output<typeof servingSchema>;

/** What a step's waves do to those who serve meanwhile. Requests a second on each of them. */
export const loadOfStepSchema = z.strictObject({
  group: z.string(),
  offline: z.enum(['answers', 'leaves']),
  trafficPerSecond: z.number().positive(),
  returnSurge: z.number().min(1),
  capacityPerSecond: z.number().positive().nullable(),
  limitPerSecond: z.number().positive().nullable(),
  /** Who serves before the first wave. */
  serving: z.number().int().nonnegative(),
  waves: z.array(
    z.strictObject({
      /** Who serves when the wave is through; of a wave that restarts, meanwhile. */
      serving: z.number().int().nonnegative(),
      /** At its worst moment. */
      perSecond: z.number().nonnegative(),
      /** At the worst moment of its way home; null: it has none. */
      homePerSecond: z.number().nonnegative().nullable(),
      /** The share of all requests that the balancer answers itself at the worse of the two, by its limit. */
      edgeShare: z.number().min(0).max(1),
    }),
  ),
  /** What a server gets at most, in every wave and both directions: a run never goes above it by its own doing. */
  peakPerSecond: z.number().nonnegative(),
  /** Waves were cut to fewer than so many, so that those who serve bear it. */
  resizedFrom: z.number().int().positive().nullable(),
});
export type LoadOfStep = z.output<typeof loadOfStepSchema>;

/** What a step's waves open in connections to one dependency. */
export const connectionsOfStepSchema = z.strictObject({
  dependency: z.string(),
  max: z.number().int().positive(),
  perSecond: z.number().positive(),
  /** What one server opens, at most. */
  each: z.number().int().positive(),
  /** What was read when the plan was made; null: it was not. */
  now: z.number().nonnegative().nullable(),
  /** Whether the numbers begin with that reading, or with all declared pools full, where that is more. */
  from: z.enum(['reading', 'declared']),
  waves: z.array(z.strictObject({ before: z.number().nonnegative(), after: z.number().nonnegative() })),
  /** New ones in one second, at most, and the same on the way home (null: none are opened there). */
  newPerSecond: z.number().nonnegative(),
  homePerSecond: z.number().nonnegative().nullable(),
});
export type ConnectionsOfStep = z.output<typeof connectionsOfStepSchema>;

/** Both, for one step; absent where the fleet file declares neither, or the step changes nothing of it. */
export const servingOfStepSchema = z.strictObject({
  does: servingSchema,
  load: loadOfStepSchema.nullable(),
  connections: z.array(connectionsOfStepSchema),
});
export type ServingOfStep = z.output<typeof servingOfStepSchema>;
