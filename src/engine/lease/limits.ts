/** Bounds of the lease, in real milliseconds, with their reasons. */

/** How often an engine says that it is alive; after a failure sooner. */
export const RENEW_MS = 10_000;
export const RENEW_AGAIN_MS = 2_000;

/** A lease that was renewed within this is still held, without asking: nobody takes one over before `SILENT_MS`. */
export const FRESH_MS = 25_000;

/** Right before what no server can check it is asked for anew, unless that was just now. */
export const JUST_NOW_MS = 1_000;

/** A holder that was not heard of for so long is gone: six renewals missed, by the store's own clock. */
export const SILENT_MS = 60_000;

/** Servers whose fence is claimed or released at a time. */
export const FENCES_AT_ONCE = 32;
