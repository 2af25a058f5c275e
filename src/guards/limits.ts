/** Every bound of this folder, with its reason. Zero never means for ever. */

/** What a command says is for people: one line of it. More is not kept. */
export const KEPT_BYTES = 4 * 1024;

/** A command that prints more than this is stopped. */
export const FLOOD_BYTES = 1024 * 1024;

/** A guard is one question: an answer of more samples is to another one. */
export const SAMPLES_MAX = 100;

/** How much of what was seen goes into the journal. */
export const SEEN_CHARACTERS = 200;
