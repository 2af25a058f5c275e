import { DATABASE } from './stories/database.ts';
import { ENGINE } from './stories/engine.ts';
import { PEOPLE } from './stories/people.ts';
import { SERVERS } from './stories/servers.ts';
import { STOPPED } from './stories/stopped.ts';
import type { Story } from './teller.ts';

/** The most telling ones, each a file beside this one. */
export const STORIES: readonly Story[] = [...DATABASE, ...SERVERS, ...PEOPLE, ...ENGINE, ...STOPPED];
