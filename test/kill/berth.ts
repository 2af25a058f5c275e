import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadFleet, loadRunbook, makePlan, parseOrder, prepareRun, type RunPlace } from '../../src/engine/index.ts';
import { readJournal, verifyChain } from '../../src/journal/index.ts';
import { labDown, labRecord, labUp, tellLab, type RecordEntry } from '../../src/lab/index.ts';
import type { Plan } from '../../src/model/index.ts';
import { chance } from './chance.ts';
import { AT_A_TIME, type Point } from './points.ts';
import { ROUND_TRIP, runTraced, type TracedEnd } from './traced.ts';

const SERVERS = 4;
const TIME_LAPSE = 40;

/** A cache that expires while its run has no engine makes itself anew, and then nothing is left to be done. */
const UNHURRIED_TTL = { minMs: 7_200_000, maxMs: 9_000_000, drawn: 'per-refresh' } as const;

/** A plan is used for so many voyages: at the lab's pace its week is over in hours. */
const VOYAGES_A_PLAN = 25;

/** After this many engines a run must have come to its end. */
const ENGINES_MAX = 4;

export interface Struck {
  /** The run got as far as the point. */
  readonly struck: boolean;
  /** How the first engine ended, in a word. */
  readonly end: string;
  readonly wrong: readonly string[];
}

/** One lab on which one voyage after another is struck, resumed and judged by the lab's own record. */
export class Berth {
  readonly #stateDir: string;
  readonly #lab: string;
  readonly #fleet: string;
  #plan: { readonly plan: Plan; voyages: number } | null = null;
  #wanted: readonly string[] = [];
  /** How long a voyage takes that nothing happens to, in real milliseconds. */
  #tookMs = 0;
  run = '';

  private constructor(stateDir: string, lab: string, fleet: string) {
    this.#stateDir = stateDir;
    this.#lab = lab;
    this.#fleet = fleet;
  }

  /** A lab of its own. */
  static async open(root: string, name: string): Promise<Berth> {
    const stateDir = join(root, name);
    await mkdir(stateDir, { mode: 0o700 });
    const lab = await labUp({
      stateDir,
      name,
      servers: SERVERS,
      timeLapse: TIME_LAPSE,
      scenario: 'feb-2021',
      seed: 7,
      ttl: UNHURRIED_TTL,
    });
    return new Berth(stateDir, name, lab.fleetFile);
  }

  /** One voyage that nothing happens to: what the others must come to. Throws when that fails. */
  async rehearse(): Promise<void> {
    const before = (await labRecord(this.#where)).length;
    const place = await this.#prepare();
    const fromMs = performance.now();
    const { code } = await this.#engine(place, 'start', null);
    this.#tookMs = Math.round(performance.now() - fromMs);
    if (code !== 0) throw new Error(`the voyage that nothing happens to ended with ${code}: see ${place.log}`);
    this.#wanted = changesIn((await labRecord(this.#where)).slice(before));
  }

  /** Strikes a new voyage at the `at`-th call of that sort, brings it to its end, and judges. */
  async strike(point: Point, at: number): Promise<Struck> {
    const before = (await labRecord(this.#where)).length;
    let place = await this.#prepare();
    this.run = place.dir;
    const ends = [await this.#struck(place, point, at)];
    const trace = existsSync(this.#trace) ? readFileSync(this.#trace, 'utf8') : '';
    const struck = ends[0]?.signal === 'SIGKILL' || /INJECTED|killed by SIGKILL/.test(trace);
    const wrong: string[] = [];
    const paged = existsSync(join(place.dir, 'pages')) ? readFileSync(join(place.dir, 'pages'), 'utf8') : '';
    wrong.push(...wrongEnd(ends[0], point, paged));
    // A run that was met before its first event never began: the plan is run anew, whatever the first left behind.
    for (let more = 1; more < ENGINES_MAX && !(await isClosed(place)); more += 1) {
      const mode = (await hasBegun(place)) ? 'resume' : 'start';
      if (mode === 'start') place = await this.#prepare();
      ends.push(await this.#engine(place, mode, null));
    }
    const rows = await readJournal(place.journal).catch(() => []);
    // An engine that was met behind its last line has no exit code of its own.
    const closed = rows.at(-1)?.event;
    if (closed?.['type'] !== 'closed' || closed['exitCode'] !== 0)
      wrong.push(
        `after ${ends.length} engines the run is not done: ${JSON.stringify(closed?.['summary'] ?? 'it is open')}`,
      );
    if (!verifyChain(rows).ok) wrong.push('the chain is broken');
    for (const { told } of ends)
      for (const [seq, hash] of told)
        if (rows[seq - 1]?.hash !== hash) wrong.push(`row ${seq} was acknowledged and is gone`);
    const record = (await labRecord(this.#where)).slice(before);
    wrong.push(...wrongRecord(record, this.#wanted), ...(await this.#wrongWorld()));
    // A run that was met behind its last line still holds its servers: whoever comes next has to find that it is over.
    if (wrong.length === 0 && ends.at(-1)?.signal === null) await rm(place.dir, { recursive: true, force: true });
    return { struck, end: endWord(ends[0]), wrong };
  }

  async close(): Promise<void> {
    await labDown(this.#where);
  }

  get #where(): { readonly stateDir: string; readonly name: string } {
    return { stateDir: this.#stateDir, name: this.#lab };
  }

  get #trace(): string {
    return join(this.#stateDir, 'trace');
  }

  async #prepare(): Promise<RunPlace> {
    if (this.#plan === null || this.#plan.voyages >= VOYAGES_A_PLAN) {
      const runbook = await loadRunbook(ROUND_TRIP, this.#stateDir);
      const fleet = await loadFleet(this.#fleet, this.#stateDir);
      this.#plan = { plan: (await makePlan({ runbook, fleet, inputs: {}, except: [] })).plan, voyages: 0 };
    }
    this.#plan.voyages += 1;
    const wish = {
      run: '',
      by: 'exact',
      host: 'here',
      cwd: this.#stateDir,
      unattended: true,
      lease: 'local',
      journal: {},
    };
    const order = parseOrder(JSON.stringify({ ...wish, page: ['sh', '-c', 'cat >> "$0"', 'pages'] }));
    if (order === null) throw new Error('an order is made of other things now');
    const place = await prepareRun(this.#stateDir, this.#plan.plan, order);
    // Pages are told beside the journal that they speak of.
    const text = JSON.stringify({
      ...order,
      run: place.run,
      page: ['sh', '-c', 'cat >> "$0"', join(place.dir, 'pages')],
    });
    await writeFile(place.order, text);
    return place;
  }

  #struck(place: RunPlace, point: Point, at: number): Promise<TracedEnd> {
    if (point === AT_A_TIME) return this.#engine(place, 'start', null, chance(at).whole(0, this.#tookMs));
    const injected = { call: point.call, what: point.what, when: point.lasting ? `${at}+` : String(at) };
    return this.#engine(place, 'start', { ...injected, files: point.files });
  }

  async #engine(
    place: RunPlace,
    mode: 'start' | 'resume',
    injection: {
      readonly call: string;
      readonly what: string;
      readonly when: string;
      readonly files: Point['files'];
    } | null,
    killAfterMs: number | null = null,
  ): Promise<TracedEnd> {
    const { journal, dir } = place;
    const claims = join(this.#stateDir, 'registry.db');
    const files =
      injection?.files === 'claims'
        ? [claims, `${claims}-journal`, this.#stateDir]
        : [journal, `${journal}-wal`, `${journal}-reserve`, dir];
    await rm(this.#trace, { force: true });
    return runTraced(place, { stateDir: this.#stateDir, mode, files, injection, killAfterMs, trace: this.#trace });
  }

  async #wrongWorld(): Promise<string[]> {
    const { status } = await tellLab(this.#where, { tell: 'status' });
    return (status?.servers ?? []).flatMap(({ name, hung, offline, inRotation }) => [
      ...(hung ? [`${name} hangs`] : []),
      ...(offline ? [`${name} was left offline`] : []),
      ...(inRotation ? [] : [`${name} takes no traffic`]),
    ]);
  }
}

/**
 * What the first engine came to. An error of the disk that passes is survived, and one that comes again and again ends
 * in a page: strace counts by thread, and each opening of a journal is a thread of its own.
 */
function wrongEnd(end: TracedEnd | undefined, { what }: Point, paged: string): string[] {
  if (what.startsWith('signal')) return [];
  if (end?.signal) return [`the engine was ended by ${end.signal}`];
  if (end?.code === 0) return [];
  if (end?.code !== 5) return [`the engine ended with ${String(end?.code)}`];
  // Met before it could begin anything, an engine refuses, and says so to who asked.
  const began = (end?.told.size ?? 0) > 3;
  return began && !paged.includes('cannot be written') ? ['nobody was paged'] : [];
}

function endWord(end: TracedEnd | undefined): string {
  if (end?.signal) return 'killed';
  if (end?.code === 0) return 'went on to its end';
  return (end?.told.size ?? 0) > 3 ? `stopped with ${String(end?.code)}` : `did not begin (${String(end?.code)})`;
}

async function hasBegun(place: RunPlace): Promise<boolean> {
  if (!existsSync(place.journal)) return false;
  const rows = await readJournal(place.journal).catch(() => null);
  return rows !== null && rows.length > 0;
}

async function isClosed(place: RunPlace): Promise<boolean> {
  const rows = await readJournal(place.journal).catch(() => []);
  return rows.at(-1)?.event['type'] === 'closed';
}

/** What was changed, server by server; the claims that engines leave on servers are their own affair. */
function changesIn(record: readonly RecordEntry[]): string[] {
  return record
    .filter(({ via, writes, changed, what }) => via !== 'control' && writes && changed && !what.startsWith('fence '))
    .map(({ server, what }) => `${server}: ${what}`)
    .toSorted();
}

function wrongRecord(record: readonly RecordEntry[], wanted: readonly string[]): string[] {
  const repeated = record
    .filter(
      ({ via, writes, changed, ok, what }) =>
        via !== 'control' && writes && ok && !changed && !what.startsWith('fence '),
    )
    .map(({ server, what }) => `repeated on ${server}: ${what}`);
  const changes = changesIn(record);
  const missing = wanted.filter((change) => !changes.includes(change)).map((change) => `not done: ${change}`);
  const twice = changes.filter((change, at) => changes.indexOf(change) !== at || !wanted.includes(change));
  return [...repeated, ...missing, ...twice.map((change) => `done once too often: ${change}`)];
}
