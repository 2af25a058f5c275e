/** Every bound of this folder, in real units, with its reason. */

/** BMCs are slow: an answer may take seconds while one boots or is asked by many. */
export const REQUEST_TIMEOUT_MS = 15_000;

/** Reading again when the BMC says that it is busy (429, 5xx): so often, and so far apart at the most. */
export const READ_ATTEMPTS = 3;
export const READ_WAIT_MS = { least: 500, most: 5_000 } as const;

/** How long a task that the BMC made of a reset, or the power going off, is watched. */
export const SETTLE_MS = 60_000;
export const POLL_MS = 1_000;

/** Of an answer; Redfish resources of one system are a few KiB. */
export const ANSWER_BYTES = 1024 * 1024;
