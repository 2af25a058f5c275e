import { FailureError, type Fleet } from '../model/index.ts';
import type { Journal } from '../ports/index.ts';
import type { RunEvent, Stamped } from '../run/index.ts';
import { showEngine } from './engine-file.ts';
import type { Host } from './host.ts';
import { spaceOf, type LastingJournal } from './lasting.ts';
import type { EngineEvent } from './lease/hold.ts';
import type { Tenure } from './lease/tenure.ts';
import type { LoadedRun } from './loaded-run.ts';
import type { HomeWord } from './messages.ts';
import type { RunPlace } from './runs.ts';
import { nameOf } from './views.ts';

/** Rows that are folded at a time. */
const REPLAY_ROWS = 5_000;

/** Folds what earlier engines wrote, page by page: a journal can be longer than what should lie in memory. Gives how each of them began. */
export async function replay(journal: Journal, host: Host): Promise<EngineEvent[]> {
  const engines: EngineEvent[] = [];
  for (let next = 1; ;) {
    const rows = await journal.read(next, REPLAY_ROWS);
    const last = rows.at(-1);
    if (last === undefined) return engines;
    const events = rows.map((row): Stamped => ({ atMs: row.atMs, event: row.event as unknown as RunEvent }));
    for (const { event } of events) if (event.type === 'engine') engines.push(event);
    host.replay(events);
    next = last.seq + 1;
  }
}

export interface Announcement extends Pick<LoadedRun, 'order' | 'plan' | 'neap'> {
  readonly host: Host;
  readonly tenure: Tenure;
  readonly journal: LastingJournal;
}

/** Tells the host the first lines of a new run, and the line that an engine begins with; then others can find it at `socket`. */
export async function announce(
  place: RunPlace,
  { order, plan: { hash, header }, neap, host, tenure, journal }: Announcement,
  socket: string,
): Promise<void> {
  const self = { ...tenure.self, neap };
  if (journal.lastSeq === 0) {
    const { by, host: machine, user, key, ticket } = order;
    const who = { by, host: machine, user, key, ticket };
    host.tell({ type: 'opened', run: place.run, plan: hash, title: header.title, ...who });
    const overriding = order.overrides.length > 0 ? { overriding: order.overrides } : {};
    host.tell({ type: 'approved', plan: hash, by: order.by, ...overriding });
    for (const { class: overridden, reason } of order.overrides)
      // Which freezes stand in the way is for the calendars to say.
      if (overridden === 'fuse') host.tell({ type: 'overrode', class: 'fuse', about: 'fuse', by: order.by, reason });
  }
  const { restored } = order;
  const from = restored?.lastSeq === journal.lastSeq ? { from: restored.mirror } : {};
  host.tell({ type: 'engine', ...self, ...from, ...spaceOf(journal) });
  await showEngine(place, { ...self, socket });
}

/**
 * Tells the host the word that its engine was started with, right behind the line that the engine begins with: from its
 * first decision on the run goes home. Throws FailureError where the run cannot be taken back so.
 */
export function turnForHome(run: string, host: Host, word: HomeWord, { unattendedApprover }: Fleet): void {
  const refused = host.request({ ask: 'abort', id: 0, ...word }, nameOf(word.by, unattendedApprover));
  if (refused === null) return;
  throw new FailureError({
    kind: 'condition',
    what: refused,
    where: `run ${run}`,
    state: 'Nothing was done',
    remedy: `Take all of it home: neap abort ${run}`,
  });
}
