/** Every bound of this folder, in real units, with its reason. Zero never means for ever. */

/** From the first packet to the end of the login: a server that stalls before its banner costs no more than this. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** How long to wait before a server that hung up without a greeting is tried again; so often, and no more. */
export const DROPPED_WAITS_MS = [250, 500] as const;

/** A connection that misses this many answers in a row is lost: 15 to 20 s of silence. */
export const KEEPALIVE = { intervalMs: 5_000, misses: 3 } as const;

/** Quicker than the servers' own, so that the death of a jump host is seen as what it is before theirs is. */
export const JUMP_KEEPALIVE = { intervalMs: 2_000, misses: 3 } as const;

/** How long a jump host may take to say that it is alive when a server behind it fell silent. */
export const JUMP_PROBE_MS = 3_000;

/** sshd's MaxStartups begins to drop logins at 10 that are not finished; each server behind a jump host counts there. */
export const LOGINS_A_JUMP = 8;

/** sshd's MaxSessions is 10 for one connection. */
export const COMMANDS_A_CONNECTION = 8;

/** Of standard output and of standard error each; what comes after is dropped. */
export const OUTPUT_BYTES = 1024 * 1024;

/** A command that prints more than this is stopped. */
export const FLOOD_BYTES = 64 * 1024 * 1024;

/** A command that ended may leave a child that holds its output open: so long is the rest of the output waited for. */
export const EXIT_GRACE_MS = 2_000;

/** Jump hosts in front of jump hosts. */
export const JUMPS_IN_A_ROW = 4;

/** `ssh -G` reads files only, unless the user's configuration has `Match exec`. */
export const SSH_CONFIG_TIMEOUT_MS = 10_000;

/** Of an HTTP answer; the rest is dropped. */
export const BODY_BYTES = 256 * 1024;
