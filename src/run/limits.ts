/** Every wait and retry of a run, in plan milliseconds or counts, with its reason (promise 12). */

/** How often an unmet need or condition is read again. */
export const ASK_AGAIN_MS = 5_000;

/** How long a safe state is held for a need that stays unmet, before a person must take over (exit code 5). */
export const HELD_MAX_MS = 24 * 60 * 60_000;

/** Between two looks at a server that did not answer. */
export const RETRY_MS = 5_000;

/** How often a server is looked at before silence counts as failure: a lost packet is not a lost server. */
export const LOOKS_MAX = 3;

/** How often one change is tried on one server when the connection fails, and how often an undo is tried at all. */
export const ATTEMPTS_MAX = 3;

/** A confirmation may take so many times what the step is expected to. */
export const CONFIRM_FACTOR = 5;

/** And at least so long: reading again over a slow path takes its time. */
export const CONFIRM_MIN_MS = 60_000;

/** What was sent and not answered comes through within this, or never. One that may never have begun is not waited for longer: the fuse may burn meanwhile, and acting again is decided by another look. */
export const DOUBT_MIN_MS = 15_000;

/** How long a broken path (a jump host) may stay broken before the servers behind it count as unreachable. */
export const PATH_BROKEN_MAX_MS = 15 * 60_000;

/** How often a gate may send the line back to refresh, because nobody answered while the fuse was long enough: two hours at a quarter of a minute. */
export const RENEWALS_MAX = 500;

/** How often what time has spoilt is done again: once can be an engine that was away, thrice is a plan that does not fit. */
export const REDONE_MAX = 3;

/** Between two attempts at the balancer's page, and how many are made so close together. */
export const SHED_AGAIN_MS = 2_000;
export const SHED_ATTEMPTS_MAX = 10;
