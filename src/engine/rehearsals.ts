import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJournal, verifyChain } from '../journal/index.ts';
import { FailureError, rehearsalRecordSchema, type RehearsalRecord } from '../model/index.ts';
import { canonicalJson } from '../plan/index.ts';
import { placeOf } from './runs.ts';

/** A journal that is larger is not read for this. */
const JOURNAL_MAX_BYTES = 256 * 1024 * 1024;

/** What rehearsals of a fleet this state folder knows of: the latest of each group, dependency and manner. Other machines do not see it. */
export async function listRehearsals(stateDir: string, fleet: string): Promise<RehearsalRecord[]> {
  const folder = folderOf(stateDir, fleet);
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => readRecord(join(folder, name))));
}

/** Keeps a record in place of an earlier one, on disk when it resolves; a later one stays. */
export async function keepRehearsal(stateDir: string, record: RehearsalRecord): Promise<void> {
  const { group, dependency, manner } = record.rehearsal;
  const folder = folderOf(stateDir, record.fleet);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${[group, dependency, manner ?? 'unsaid'].map(encodeURIComponent).join('@')}.json`);
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known !== null && (await readRecord(path)).rehearsal.cutAtMs > record.rehearsal.cutAtMs) return;
  const beside = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

/** Why the journal of its run does not bear a record out; null: it does, event and hash. */
export async function flawOf(stateDir: string, { run, journal, rehearsal }: RehearsalRecord): Promise<string | null> {
  const place = placeOf(stateDir, run);
  const size = await stat(place.journal).catch(() => null);
  if (size === null) return `the journal of run ${run} is not in this state folder any more`;
  if (size.size > JOURNAL_MAX_BYTES) return `the journal of run ${run} is too large to be read for this`;
  try {
    const rows = await readJournal(place.journal, { run });
    const check = verifyChain(rows);
    if (!check.ok) return `the journal of run ${run} is not what was written (${check.why})`;
    const row = rows.find(({ seq }) => seq === journal.seq);
    const told = row?.hash === journal.hash && row.event['type'] === 'rehearsed' ? row.event['rehearsal'] : null;
    return canonicalJson(told) === canonicalJson(rehearsal) ? null : `the journal of run ${run} does not say so`;
  } catch (error) {
    if (error instanceof FailureError) return `the journal of run ${run} cannot be read (${error.failure.what})`;
    throw error;
  }
}

/** A fleet may be called `..` or hold a slash: its folder is none of that. */
function folderOf(stateDir: string, fleet: string): string {
  return join(stateDir, 'rehearsals', `of-${encodeURIComponent(fleet)}`);
}

async function readRecord(path: string): Promise<RehearsalRecord> {
  const text = await readFile(path, 'utf8');
  const parsed = rehearsalRecordSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new FailureError({
    kind: 'condition',
    what: `a record of a rehearsal cannot be read (${z.prettifyError(parsed.error).split('\n')[0]})`,
    where: path,
    state: 'Nothing was contacted',
    remedy: 'Remove the file, then rehearse it again: neap rehearse',
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
