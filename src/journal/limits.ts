/** Every bound of the journal, with its reason. */

/** One commit takes at most so many events, so that a flood cannot hold back the answer to the first of them. */
export const GROUP_EVENTS_MAX = 2_000;

/** Events of one `append`, which are written together or not at all. */
export const APPEND_EVENTS_MAX = 10_000;

/** Events that may wait for a commit. More means that the disk has stopped, and memory is the next to go. */
export const WAITING_EVENTS_MAX = 100_000;

/** One event's canonical text, in UTF-16 code units. Output of targets is cut long before this. */
export const EVENT_LENGTH_MAX = 1024 * 1024;

/** Real time for one commit or one read. A disk that needs longer is taken for gone. */
export const ANSWER_TIMEOUT_MS = 60_000;

/** Real time for opening: quick_check and the chain of a long journal are read whole. */
export const OPEN_TIMEOUT_MS = 300_000;

/** For so long an opener waits for somebody who is only reading; an engine holds the file for hours. */
export const OPEN_WAIT_MS = 1_000;

/** Rows that one message from the worker carries. */
export const PAGE_ROWS = 5_000;

/** What is kept free beside the journal for a full disk, at least: some thousand events, enough to go home and say so. */
export const RESERVE_BYTES = 4 * 1024 * 1024;

/** Pages of the write-ahead log (4 KiB each) on a disk without reserve. SQLite's own 1000 would fill the reserve alone. */
export const SPARING_LOG_PAGES = 64;

/** A small database that is shared: each try is a few milliseconds of somebody else's transaction; together at most 5 s. */
export const SHARED_TRIES_MAX = 200;
export const SHARED_WAIT_MS = 25;
