/** Every bound of reaching servers, in real units, with its reason. */

/** Logins under way over the whole fleet at once: above this two cores spend their time on handshakes. */
export const LOGINS_AT_ONCE = 32;

/** A read call, a write call and a file script, where the fleet gives no `timeoutMs`. */
export const READ_TIMEOUT_MS = 10_000;
export const WRITE_TIMEOUT_MS = 30_000;
export const FILES_TIMEOUT_MS = 30_000;

/** Vital signs are asked at once and in parallel: whatever has not answered by then is silent. */
export const VITALS_TIMEOUT_MS = 5_000;

/** Control targets are the same for every server: one look serves all who ask within this time. */
export const CONTROL_FRESH_MS = 1_000;

/** Of an answer that is kept; longer ones are cut. */
export const ANSWER_CHARACTERS = 256 * 1024;

/** Of a server's own words in a message. */
export const QUOTED_CHARACTERS = 300;

/** Of paths in one command line: Linux takes 128 KiB in one argument, and the script needs room too. */
export const PATHS_BYTES = 48 * 1024;

/** A file that neap writes: configuration, not data. */
export const WRITTEN_BYTES = 1024 * 1024;

/** A secret's command, and what it may print. */
export const SECRET_TIMEOUT_MS = 30_000;
export const SECRET_BYTES = 64 * 1024;

/** Whoever writes waits so long for a command of an earlier engine; whoever takes a server over waits longer. */
export const FENCE_WAIT_MS = 3_000;
export const FENCE_CLAIM_WAIT_MS = 10_000;
export const FENCE_TIMEOUT_MS = 20_000;
/** Before a request that no server checks: how long its own fence may take to answer. */
export const FENCE_ASK_MS = 3_000;
