/**
 * The shape of the program as data: which folder may import which, what pure code must not touch, and who may look at
 * a clock. The reasons are in ARCHITECTURE.md; test/tidy.test.ts holds the code to them.
 */

/**
 * Folders of src/ from the lowest level up. A folder imports folders of lower levels only, through their index.ts,
 * and never one of its own level. `index.ts` is what the author of a runbook imports, `bin` is the launcher.
 */
export const levels: readonly (readonly string[])[] = [
  ['model', 'launch'],
  ['plan', 'herd'],
  ['run'],
  ['ports'],
  ['steps', 'guards', 'people', 'power', 'transport', 'journal', 'lease'],
  ['engine', 'lab', 'report', 'index.ts'],
  ['cli'],
];

/** No I/O, no clock, no chance, no process: the same code runs in a simulation, and wherever a lane is hosted. */
export const pure: readonly RegExp[] = [/^src\/(?:model|plan|herd|run)\//, /^src\/steps\/[^/]+\/decide\.ts$/];

/** The only packages that pure code may import. */
export const purePackages: readonly string[] = ['zod', '@noble/hashes'];

/** Names that pure code must not say, as a global or as `object.member`, and what there is in their place. */
export const impure: Readonly<Record<string, string>> = {
  Date: 'an instant is a number of milliseconds, given from outside (event.atMs)',
  Temporal: 'zone times become instants once, at the edge',
  Intl: 'what people read is made in src/cli and src/report',
  'Math.random': 'chance comes from the seed in the plan',
  crypto: 'SHA-256 comes from @noble/hashes',
  performance: 'time is given from outside',
  setTimeout: 'waiting is the effect wakeAt',
  setInterval: 'waiting is the effect wakeAt',
  setImmediate: 'return effects; the host does them in order',
  queueMicrotask: 'return effects; the host does them in order',
  process: 'what the process knows is given as an argument',
  console: 'return what is to be said',
  structuredClone: 'data is readonly: build a new value',
  fetch: 'return an effect',
  globalThis: 'name what is needed as an argument',
  Buffer: 'text is a string; bytes belong to the edge',
  TextEncoder: 'utf8ToBytes comes from @noble/hashes',
  WeakRef: 'what the collector does is not the same everywhere',
};

/** What reads or waits on the machine's own clock. */
export const timekeeping: readonly string[] = [
  'setTimeout',
  'setInterval',
  'Date.now',
  'new Date()',
  'performance.now',
  'node:timers',
  'node:timers/promises',
];

/** The only places that may; everything else is given a Clock (plan time) or hands a deadline down. */
export const timekeepers: readonly { readonly path: RegExp; readonly because: string }[] = [
  { path: /^src\/engine\/clock\.ts$/, because: 'it is the Clock: plan time for everybody else' },
  { path: /^src\/lab\//, because: 'the lab is the world outside: it has a time of its own' },
  { path: /^src\/transport\//, because: 'deadlines of I/O are real milliseconds' },
  { path: /^src\/power\//, because: 'deadlines of I/O are real milliseconds' },
  { path: /^src\/journal\/thread\.ts$/, because: 'a disk that does not answer is given up after real milliseconds' },
  { path: /^src\/journal\/small-database\.ts$/, because: 'a locked file is tried again after real milliseconds' },
  { path: /^(?:test|bench)\//, because: 'a test stands outside and measures' },
];

/** Names under which anything could hide. */
export const shapelessNames: readonly string[] = ['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'shared'];

/** Lines a file has at most, blank lines and comments included. */
export const maxLines = { test: 500, other: 350 } as const;
