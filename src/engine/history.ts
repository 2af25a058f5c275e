import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJournal } from '../journal/index.ts';
import { FailureError, type Fleet } from '../model/index.ts';
import type { History } from '../plan/index.ts';
import type { RunEvent } from '../run/index.ts';
import { durationsOf } from './durations.ts';
import { listRuns, placeOf, readPlan, type RunPlace } from './runs.ts';

/** The newest runs that count, and how many are looked at to find them. */
const RUNS_MAX = 20;
const LOOKED_AT_MAX = 100;

/** A journal that is larger is not read for this: a preview is not kept waiting. */
const JOURNAL_MAX_BYTES = 256 * 1024 * 1024;

/** What one run showed, kept beside its journal: that is read once. */
const durationsSchema = z.strictObject({
  format: z.literal(1),
  fleet: z.string(),
  /** Lab time at one rate says nothing of another, nor of real time. */
  rate: z.number(),
  tookMs: z.record(z.string(), z.array(z.number())),
});
type Durations = z.output<typeof durationsSchema>;

/**
 * How long things took in earlier runs on this fleet, from the journals of this state folder. A run that is under way, or
 * cannot be read, is passed over: it is of no use for expectations, and whoever looks at it is told there.
 */
export async function historyOf(stateDir: string, fleet: Fleet): Promise<History> {
  const history = new Map<string, { runs: number; tookMs: number[] }>();
  const rate = fleet.clock?.rate ?? 1;
  let counted = 0;
  for (const run of listRuns(stateDir).toReversed().slice(0, LOOKED_AT_MAX)) {
    const durations = await durationsIn(placeOf(stateDir, run), fleet);
    if (durations?.fleet !== fleet.name || durations.rate !== rate) continue;
    for (const [key, tookMs] of Object.entries(durations.tookMs)) {
      const sofar = history.get(key) ?? { runs: 0, tookMs: [] };
      history.set(key, { runs: sofar.runs + 1, tookMs: [...sofar.tookMs, ...tookMs] });
    }
    counted += 1;
    if (counted === RUNS_MAX) break;
  }
  return history;
}

/** Null: it is not over, or not to be read. */
async function durationsIn(place: RunPlace, fleet: Fleet): Promise<Durations | null> {
  const path = join(place.dir, 'durations.json');
  const kept = durationsSchema.safeParse(jsonOf(await readFile(path, 'utf8').catch(() => 'null')));
  if (kept.success) return kept.data;
  try {
    if ((await stat(place.journal)).size > JOURNAL_MAX_BYTES) return null;
    const plan = await readPlan(place.plan);
    if (plan.header.fleet.name !== fleet.name) return null;
    const rows = await readJournal(place.journal, { run: place.run });
    if (rows.at(-1)?.event['type'] !== 'closed') return null;
    const events = rows.map((row) => ({ atMs: row.atMs, event: row.event as unknown as RunEvent }));
    const durations: Durations = {
      format: 1,
      fleet: plan.header.fleet.name,
      rate: plan.header.fleet.rate,
      tookMs: Object.fromEntries(durationsOf(events, plan)),
    };
    await keep(path, durations);
    return durations;
  } catch (error) {
    if (error instanceof FailureError || (error instanceof Error && 'code' in error)) return null;
    throw error;
  }
}

/** Only spares reading the journal again: where it cannot be written, it is read again. */
async function keep(path: string, durations: Durations): Promise<void> {
  const beside = `${path}.${process.pid}`;
  await writeFile(beside, `${JSON.stringify(durations)}\n`, { mode: 0o600 });
  await rename(beside, path);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
