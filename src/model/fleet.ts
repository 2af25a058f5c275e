import { z } from 'zod';
import { jsonSchema } from './json.ts';

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

/** Anything on a server that expires. The shortest one counts. */
export const clockSchema = z.strictObject({
  name: z.string(),
  /** Answers JSON `{"ageMs": n, "ttlMs": n}`; a value that is absent counts as expired. */
  read: readCallSchema,
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
  /** Answers `cut` or `open`. */
  path: readCallSchema.optional(),
  /** How long a request waits for it, attempts included. */
  timeoutMs: z.number().positive(),
  /** How many refreshes a second it can serve. */
  capacityPerSecond: z.number().positive().optional(),
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

/** How this service is switched, read and proven on one server. */
export const serviceSchema = z.strictObject({
  offline: z.strictObject({ read: readCallSchema, on: writeCallSchema, off: writeCallSchema }),
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
    })
    .optional(),
  /** Requests to the server's `url`. `health` is what neap itself looks at. */
  probes: z.strictObject({ health: probeSchema, anonymous: probeSchema, loggedIn: probeSchema }),
  /** Refines the forecast; without it every expiry is taken as fatal. */
  load: z
    .strictObject({
      requestsPerSecond: z.number().nonnegative(),
      memoryPerRequestBytes: z.number().positive(),
      memoryFreeBytes: z.number().positive(),
      concurrencyLimit: z.number().int().positive().optional(),
    })
    .optional(),
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
  servers: z.array(serverSchema).min(1, 'a fleet has at least one server'),
});
export type Fleet = z.output<typeof fleetSchema>;
export type FleetInput = z.input<typeof fleetSchema>;

/** A fleet file's default export. What differs from server to server is rendered here, by ordinary TypeScript. */
export function defineFleet(fleet: FleetInput): FleetInput {
  return fleet;
}
