import { createWriteStream, existsSync, statSync } from 'node:fs';
import { chmod, readFile, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { findRun, loadConfig, orderForOthers, readOrder, type RunPlace } from '../../engine/index.ts';
import {
  auditExport,
  Auditor,
  exportedRun,
  exportLines,
  JournalFailure,
  readStoredRows,
  toStored,
  type Anchor,
  type Audit,
  type StoredRow,
} from '../../journal/index.ts';
import { FailureError } from '../../model/index.ts';
import { collectAnchors } from '../anchors.ts';
import { linesOf } from '../lines.ts';
import { attach } from '../session.ts';
import { usage } from '../usage.ts';
import { auditJson, auditText, type AuditSource } from '../views/audit.ts';

/** `neap audit verify`: whether a run's journal, or an export of one, is what was written. 0: sound; 1: not. */
export async function verify(
  what: string | undefined,
  { anchor, json }: { readonly anchor: readonly string[]; readonly json?: boolean },
): Promise<number> {
  const { audit, source } = isFile(what) ? await verifyExport(what, anchor) : await verifyRun(what, anchor);
  process.stdout.write(json ? `${JSON.stringify(auditJson(audit, source), null, 2)}\n` : auditText(audit, source));
  return audit.flaws.length === 0 ? 0 : 1;
}

/** `neap audit export`: plan, order and all events in one file, readable by its owner only. */
export async function exportRun(
  run: string | undefined,
  { out, force }: { readonly out: string; readonly force?: boolean },
): Promise<number> {
  const place = findRun((await loadConfig(process.cwd())).stateDir, run);
  if (existsSync(out) && !force) throw taken(out);
  const { rows } = await rowsOf(place);
  const lines = exportLines({
    run: place.run,
    order: orderForOthers(await readOrder(place)),
    plan: await jsonFile(place.plan),
    rows,
  });
  await writeNew(out, lines, force === true);
  const last = rows.at(-1);
  process.stdout.write(
    `Run ${place.run}: ${rows.length} events in ${out}, up to ${last ? `${last.seq}:${last.hash}` : 'none'}\nVerify it anywhere: neap audit verify ${out}\n`,
  );
  return 0;
}

interface Verified {
  readonly audit: Audit;
  readonly source: AuditSource;
}

async function verifyExport(path: string, given: readonly string[]): Promise<Verified> {
  const run = await exportedRunOf(path);
  if (run === null)
    throw usage(`${path} is no export of a run`, 'Give a run by its name, or a file that `neap audit export` wrote');
  const anchors = await collectAnchors(given, run);
  return { audit: await auditExport(linesOf(path), anchors), source: { of: 'export', path } };
}

async function verifyRun(wanted: string | undefined, given: readonly string[]): Promise<Verified> {
  const place = findRun((await loadConfig(process.cwd())).stateDir, wanted);
  const anchors = await collectAnchors(given, place.run);
  try {
    const { rows, live } = await rowsOf(place);
    return {
      audit: await auditRun(place, rows, anchors),
      source: { of: live ? 'engine' : 'journal', path: place.journal },
    };
  } catch (error) {
    // What SQLite itself finds wrong is a finding, and no reason not to have looked.
    if (!(error instanceof JournalFailure) || error.reason !== 'damaged') throw error;
    const auditor = new Auditor(anchors);
    auditor.add({ about: 'file', seq: null, what: error.failure.what });
    return { audit: auditor.result({ run: place.run }), source: { of: 'journal', path: place.journal } };
  }
}

async function auditRun(place: RunPlace, rows: readonly StoredRow[], anchors: readonly Anchor[]): Promise<Audit> {
  const auditor = new Auditor(anchors);
  for (const row of rows) auditor.take(row);
  return auditor.result({ run: place.run, plan: await jsonFile(place.plan), order: await jsonFile(place.order) });
}

/** From the run's engine while it lives, since it has the file locked; else from the file. */
async function rowsOf(place: RunPlace): Promise<{ readonly rows: readonly StoredRow[]; readonly live: boolean }> {
  const rows: StoredRow[] = [];
  const session = await attach(place, (_event, _state, _fresh, row) => rows.push(toStored(row)));
  if (session) {
    session.close();
    return { rows, live: true };
  }
  return { rows: await readStoredRows(place.journal, { run: place.run }), live: false };
}

/** A file that was there is not written over unless it was asked for, and then whole or not at all. */
async function writeNew(path: string, lines: Iterable<string>, over: boolean): Promise<void> {
  const to = over ? `${path}.new` : path;
  try {
    const file = createWriteStream(to, { flags: over ? 'w' : 'wx', mode: 0o600 });
    await pipeline(Readable.from(ended(lines)), file);
    if (!over) return;
    await chmod(to, 0o600);
    await rename(to, path);
  } catch (error) {
    if (isCode(error, 'EEXIST')) throw taken(path);
    if (!isCode(error, 'ENOENT') && !isCode(error, 'EACCES')) await rm(to, { force: true });
    throw unwritten(path, error);
  }
}

function* ended(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}

function isFile(what: string | undefined): what is string {
  return what !== undefined && statSync(what, { throwIfNoEntry: false })?.isFile() === true;
}

async function exportedRunOf(path: string): Promise<string | null> {
  for await (const line of linesOf(path)) return exportedRun(line);
  return null;
}

/** What lies there, parsed; null when it is no JSON or is not there, which no check takes for what it should be. */
async function jsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
}

function taken(path: string): FailureError {
  return usage(`${path} is there already`, 'Name another file, or give --force to write over it');
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function unwritten(path: string, cause: unknown): FailureError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new FailureError(
    {
      kind: 'condition',
      what: `the export cannot be written: ${why}`,
      where: path,
      state: 'The run is as it was',
      remedy: 'Name a file in a folder that exists and that you may write to',
    },
    { cause },
  );
}
