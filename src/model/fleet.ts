import { z } from 'zod';
import { edgeSchema } from './edge.ts';
import { jsonSchema } from './json.ts';
import { clockAnswerSchema, sourceSchema } from './reading.ts';
import { balancerSchema, countReadSchema, sharedDependencySchema } from './serving.ts';
import { mannerSchema, rehearsalRuleSchema } from './rehearsal.ts';

/**
 * The machines, and how *this* service is read and changed on them. Users write it with `defineFleet`; the lab
 * writes the same. Everything here is data: what differs from server to server is rendered when the file loads.
 */

/** In which ways a server can be reached; a step kind names those that it cannot do without. */
export const waySchema = z.enum(['ssh', 'http', 'bmc']);
export type Way = z.output<typeof waySchema>;

const timeoutMs = z.number().int().positive().max(600_000);

/** A reference to a secret (`env:NAME`, `file:/path`, `command:...`), never the secret (promise 13). */
export const secretRefSchema = z
  .string()
  .regex(/^(env|file|command):.+/, 'a secret is a reference: env:NAME, file:/path or command:...');

/** Reads: a shell command on the server itself, or an HTTP GET from the engine. It must change nothing. */
export const readCallSchema = z.union([
  z.strictObject({
    run: z.string().min(1),
    become: z.boolean().optional(),
    field: z.string().optional(),
    timeoutMs: timeoutMs.optional(),
  }),
  z.strictObject({
    get: z.url(),
    field: z.string().optional(),
    timeoutMs: timeoutMs.optional(),
  }),
]);
/** `field` picks a value out of a JSON answer by a dotted path; without it the trimmed text is the answer. */
export type ReadCall = z.output<typeof readCallSchema>;

/** Changes something: a shell command on the server itself, or an HTTP request from the engine. */
export const writeCallSchema = z.union([
  z.strictObject({ run: z.string().min(1), become: z.boolean().optional(), timeoutMs: timeoutMs.optional() }),
  z.strictObject({
    send: z.url(),
    method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']),
    body: jsonSchema.optional(),
    timeoutMs: timeoutMs.optional(),
  }),
]);
export type WriteCall = z.output<typeof writeCallSchema>;

const answered = { gives: clockAnswerSchema.optional(), source: sourceSchema.optional() };

/** How a clock is read: a call with what its answer means, or a query of Prometheus. See `reading`. */
export const clockReadSchema = z.union([
  readCallSchema.options[0].extend(answered),
  readCallSchema.options[1].extend(answered),
  countReadSchema.options[2].extend(answered),
]);
export type ClockRead = z.output<typeof clockReadSchema>;

/** Anything on a server that expires: a cache, a key, a session, a token. The shortest one counts. */
export const clockSchema = z.strictObject({
  name: z.string(),
  /** A value that is absent counts as expired. Not given: its age cannot be read, and is what is left of a refresh of neap's own. */
  read: clockReadSchema.optional(),
  /** A cache that servers share is one clock for all that name it: one of them refreshes it, and nothing is staggered. */
  shared: z.string().min(1).optional(),
  /** Which server refreshes what is shared: the first that names it, unless it is said. */
  tendedBy: z.string().optional(),
  refresh: writeCallSchema,
  /** The range that a fresh value's time to live is drawn from. */
  ttlMs: z.strictObject({ min: z.number().positive(), max: z.number().positive() }),
  /** What an expiry that cannot be refreshed does in offline mode. Unless somebody has shown otherwise: fatal. */
  whenExpired: z.enum(['fatal', 'stale-served', 'not-needed']).default('fatal'),
});
export type Clock = z.output<typeof clockSchema>;

/** Something that every server needs while it is in service, e.g. the database. */
export const dependencySchema = z.strictObject({
  /** Succeeds (exit 0, or 2xx) when the dependency answers from this server. */
  answers: readCallSchema,
  /** Cuts this server's own path to it, by something that removes itself after `{seconds}` whatever happens to neap. */
  cut: writeCallSchema.optional(),
  restore: writeCallSchema.optional(),
  /** What that cut does to who asks; without it a rehearsal shows no more than a dependency that refuses. */
  cutManner: mannerSchema.optional(),
  /** Answers `cut` or `open`. */
  path: readCallSchema.optional(),
  /** How long a request waits for it, attempts included. */
  timeoutMs: z.number().positive(),
  /** How one request tries: then what it waits is reckoned from this, by how the dependency is away. */
  tries: z
    .strictObject({
      attempts: z.number().int().min(1).max(100).default(1),
      /** Until a connection that nobody answers is given up, and an answer on one that was accepted; milliseconds. */
      connectTimeoutMs: z.number().positive(),
      answerTimeoutMs: z.number().positive(),
      /** Until a refusal has come. */
      refusedMs: z.number().positive().default(100),
      /** Between attempts, one after the other; the last counts for all further ones. */
      backoffMs: z.array(z.number().nonnegative()).default([]),
    })
    .optional(),
  /** How many refreshes a second it can serve. */
  capacityPerSecond: z.number().positive().optional(),
  /** Answers how many milliseconds a query waits in it now: read while slots are given, which slow down on it. */
  delay: readCallSchema.optional(),
  /** Connections that this server opens to it at most, while it is in service. */
  pool: z.number().int().positive().optional(),
});
export type Dependency = z.output<typeof dependencySchema>;

/** One file of the expected configuration: declared, rendered for the server, or captured at plan time; never a majority. */
export const configFileSchema = z.strictObject({
  path: z.string().startsWith('/'),
  expect: z.union([
    z.strictObject({ text: z.string() }),
    z.strictObject({ from: z.string() }),
    z.strictObject({ rendered: z.string() }),
    z.literal('captured'),
  ]),
  mode: z.string().regex(/^0[0-7]{3}$/),
  owner: z.string().regex(/^[\w.-]+:[\w.-]+$/),
  /** Show contents in previews, not just digests. */
  show: z.boolean().optional(),
});
export type ConfigFile = z.output<typeof configFileSchema>;

export const probeSchema = z.strictObject({
  path: z.string().startsWith('/'),
  headers: z.record(z.string(), z.string()).optional(),
  /** Slower than this counts as failed. */
  withinMs: timeoutMs,
});

const eachLoad = {
  requestsPerSecond: z.number().nonnegative(),
  memoryPerRequestBytes: z.number().positive(),
  concurrencyLimit: z.number().int().positive().optional(),
};

/** What a server bears: requests a second that need its clocks, and the memory that requests which wait take. */
export const loadSchema = z.union([
  z.strictObject({ ...eachLoad, memoryFreeBytes: z.number().positive() }),
  /** What it takes without a request, and how much there is. */
  z
    .strictObject({
      ...eachLoad,
      memory: z
        .strictObject({ baseBytes: z.number().nonnegative(), limitBytes: z.number().positive() })
        .refine(({ baseBytes, limitBytes }) => baseBytes < limitBytes, 'baseBytes is below limitBytes'),
    })
    .transform(({ memory, ...load }) => ({ ...load, memoryFreeBytes: memory.limitBytes - memory.baseBytes })),
]);
export type Load = z.output<typeof loadSchema>;

/** Numbers of one server, asked for from the machine that neap runs on. */
export const measuredSchema = z.strictObject({
  requestsPerSecond: countReadSchema.optional(),
  memoryPerRequestBytes: countReadSchema.optional(),
  memoryBaseBytes: countReadSchema.optional(),
  memoryLimitBytes: countReadSchema.optional(),
  concurrencyLimit: countReadSchema.optional(),
});
export type Measured = z.output<typeof measuredSchema>;

/** How this service is switched, read and proven on one server. */
export const serviceSchema = z.strictObject({
  offline: z.strictObject({ read: readCallSchema, on: writeCallSchema, off: writeCallSchema }),
  /** Answers which version of its software runs: what was rehearsed with another shows nothing. */
  version: readCallSchema.optional(),
  clocks: z.array(clockSchema).default([]),
  dependencies: z.record(z.string(), dependencySchema).default({}),
  configuration: z
    .strictObject({
      files: z.array(configFileSchema),
      /** Prints what the running process holds, one `sha256  path` a line. */
      running: readCallSchema,
      reload: writeCallSchema,
      become: z.boolean().optional(),
    })
    .optional(),
  traffic: z
    .strictObject({
      /** Answers `in` or `out`. */
      read: readCallSchema,
      /** The balancer's own check of this server: `up` or `down`. A second pair of eyes (promise 10). */
      health: readCallSchema,
      in: writeCallSchema,
      out: writeCallSchema,
      /** How the balancer is made to send this server no more than `perSecond` requests a second, and answer the rest itself. */
      admission: z
        .strictObject({
          perSecond: z.number().positive(),
          /** Answers `held` or `free`. */
          read: readCallSchema,
          hold: writeCallSchema,
          free: writeCallSchema,
        })
        .optional(),
    })
    .optional(),
  /** Requests to the server's `url`. `health` is what neap itself looks at. */
  probes: z.strictObject({ health: probeSchema, anonymous: probeSchema, loggedIn: probeSchema }),
  /** Refines the forecast; without it every expiry is taken as fatal. */
  load: loadSchema.optional(),
  /** The same, read when a plan is made; what is read counts before what is declared. */
  measured: measuredSchema.optional(),
});
export type Service = z.output<typeof serviceSchema>;

export const bmcSchema = z.strictObject({
  protocol: z.literal('redfish'),
  url: z.url({ protocol: /^https$/ }),
  system: z.string().optional(),
  user: z.string(),
  password: secretRefSchema,
  /** SHA-256 of the BMC's own certificate, enrolled by hand: a changed certificate is an error. */
  fingerprint: z.string().regex(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
});
export type Bmc = z.output<typeof bmcSchema>;

/** Absent: everything comes from the user's OpenSSH configuration (`ssh -G`). Present: exactly this. */
export const sshSchema = z.strictObject({
  host: z.string(),
  port: z.number().int().min(1).max(65_535).default(22),
  user: z.string(),
  identityFile: z.string(),
  knownHostsFile: z.string(),
  /** As OpenSSH's ConnectTimeout. */
  connectTimeoutMs: timeoutMs.optional(),
});
export type SshAddress = z.output<typeof sshSchema>;

/** A name goes to commands, files and screens: letters, digits, dot, dash, underscore; never a leading dash. */
export const serverNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'a server name is letters, digits, . _ - and starts with a letter or digit',
  )
  // What is known of servers is kept by name, in records whose prototype has these.
  .refine((name) => !(name in {}), 'this name means something to every JavaScript object: call the server otherwise');

export const serverSchema = z.strictObject({
  name: serverNameSchema,
  group: z.string(),
  /** What fails together: rack, site, power feed. */
  domain: z.string(),
  /** What it shares with others, by name: `{ shard: 'db-3', bastion: 'b1' }`. Slots that need a token of each part go by it. */
  uses: z.record(z.string(), z.string().min(1)).optional(),
  ssh: z.union([z.literal('openssh'), sshSchema]).default('openssh'),
  /** Where its HTTP lies. */
  url: z.url().optional(),
  bmc: bmcSchema.optional(),
  service: serviceSchema,
});
export type Server = z.output<typeof serverSchema>;

/** Something outside the fleet that must answer; when it does not, the fault is neap's own path (promise 10). */
export const controlSchema = z.strictObject({ name: z.string(), get: z.url(), timeoutMs: timeoutMs.default(3_000) });
export type ControlTarget = z.output<typeof controlSchema>;

export const fleetSchema = z.strictObject({
  name: z.string().min(1),
  /** A lab's clock: plan time = anchorPlanMs + (now - anchorRealMs) * rate. Real fleets have none. */
  clock: z.strictObject({ anchorRealMs: z.number(), anchorPlanMs: z.number(), rate: z.number().positive() }).optional(),
  /** The one who may open gates unattended. Only a lab has one. */
  unattendedApprover: z.string().optional(),
  control: z.array(controlSchema).default([]),
  /**
   * Where each server keeps its record of which run acts on it; a directory that survives a reboot. Without this it
   * is `~/.local/state/neap` of the account that neap logs in with, and keeps those apart who use the same one.
   * `become`: the record is written by sudo.
   */
  fence: z.strictObject({ directory: z.string().startsWith('/'), become: z.boolean().default(false) }).optional(),
  /** An OpenSSH configuration file to use in place of the user's own. */
  sshConfig: z.string().optional(),
  /** The balancer's page, for all servers at once: what a run sheds load by. */
  edge: edgeSchema.optional(),
  /** What counts as rehearsed; without it thirty days, a fifth more traffic, and 5% of production's rate. */
  rehearsal: rehearsalRuleSchema.optional(),
  /** By group: what its balancer does with an offline server, and what a server bears. */
  balancers: z.record(z.string(), balancerSchema).optional(),
  /** By the name that servers list it under: what they share of it. */
  dependencies: z.record(z.string(), sharedDependencySchema).optional(),
  servers: z.array(serverSchema).min(1, 'a fleet has at least one server'),
});
export type Fleet = z.output<typeof fleetSchema>;
export type FleetInput = z.input<typeof fleetSchema>;

/** A fleet file's default export. What differs from server to server is rendered here, by ordinary TypeScript. */
export function defineFleet(fleet: FleetInput): FleetInput {
  return fleet;
}
