import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { attach } from '../../src/cli/session.ts';
import { createReach, engineOf, findRun, listRuns, placeOf } from '../../src/engine/index.ts';
import {
  labDown,
  labRecord,
  labUp,
  tellLab,
  type LabCommand,
  type LabStatus,
  type LabWish,
  type RecordEntry,
} from '../../src/lab/index.ts';
import { fleetSchema, type Server } from '../../src/model/index.ts';
import type { Hands } from '../../src/ports/index.ts';
import { allFlying, type RunState } from '../../src/run/index.ts';
import { neap, type NeapRan } from './neap.ts';

/** A state folder of a test's own with its labs, all taken down by `await using`: engines first, then labs, then the folder. */
export interface Scene extends AsyncDisposable {
  readonly stateDir: string;
  neap(...words: string[]): Promise<NeapRan>;
  /** Starts a lab: six servers, `feb-2021`, caches that last two hours, unless it is wished otherwise. */
  lab(wish: SceneWish): Promise<SceneLab>;
  /** Previews a runbook that must be accepted, and gives the plan's path. */
  plan(lab: SceneLab, ...words: string[]): Promise<string>;
  /** Starts `neap run` in the background, and resolves when the run's engine stands. Rejects with what it said if none does. */
  run(...words: string[]): Promise<Underway>;
  /** `neap resume`, and nobody watches. */
  goOn(run: string): Promise<void>;
  /** `kill -9`, and resolves when the process is gone. */
  killEngine(run: string): Promise<void>;
  /** Resolves when the engine of a run that is over is gone: what it tells outside last may come after the run's end. */
  engineGone(run: string): Promise<void>;
}

export interface SceneWish extends Partial<Omit<LabWish, 'stateDir'>> {
  /** Servers that are to be silent: that is listened to for some seconds only. Every other answer is waited for longer than a busy machine pauses. */
  readonly silent?: readonly string[];
  /** What the fleet file says of one server, changed. */
  readonly edit?: (server: Server) => Server;
}

/** One lab, with what it says of itself: the witness that neap has no part in. */
export interface SceneLab {
  readonly name: string;
  readonly fleet: string;
  tell(command: LabCommand): Promise<void>;
  status(): Promise<LabStatus>;
  record(): Promise<readonly RecordEntry[]>;
  /** Somebody else changes a server, as the lab's own account and behind neap's back. */
  byHand(server: string, work: (hands: Hands) => Promise<void>): Promise<void>;
}

/** A run whose `neap run` still watches it. */
export interface Underway {
  readonly run: string;
  /** The end of `neap run` itself. */
  readonly ended: Promise<NeapRan>;
  /** The first state for which it holds, from now on. Rejects when the run ends without. With `halt` no new work is begun from there, and what was under way is over. */
  until(holds: (state: RunState) => boolean, what?: 'halt'): Promise<RunState>;
}

/** An outage that a lab gets through in three seconds, with a margin that a busy machine keeps: the canary's cut lasts four more. */
export const SHORT = ['--input', 'outageMs=10000', '--input', 'marginMs=40000'];

/** Caches that outlive every test, where the fuse is not what it is about. */
export const PATIENT_TTL = { minMs: 7_200_000, maxMs: 10_800_000, drawn: 'per-refresh' } as const;

/** What a voyage of twenty seconds may take on a machine with other things to do. */
export const VOYAGE_MS = 300_000;

/** A run's engine stands within this, in real milliseconds, on such a machine. */
const STANDS_WITHIN_MS = 120_000;

/** So much longer than a lab's fleet file says is an answer waited for, where no server is to be silent. */
const PATIENCE = 6;

/** How long a login is waited for where a server is to fall silent, in real milliseconds: before that it has to answer within it. */
const SILENCE_MS = 6_000;

/** Whose test ran out of time is taken down with its file. */
const open = new Set<string>();
afterAll(async () => {
  for (const stateDir of open) await takeDown(stateDir);
}, 120_000);

export async function openScene(): Promise<Scene> {
  const stateDir = await mkdtemp(join(tmpdir(), 'neap-cli-'));
  open.add(stateDir);
  return {
    stateDir,
    neap: (...words) => neap(stateDir, words),
    lab: (wish) => openLab(stateDir, wish),
    async plan(lab, ...words) {
      const out = join(stateDir, `plan-${lab.name}.json`);
      const { code, stdout, stderr } = await neap(stateDir, [
        'plan',
        'database-upgrade',
        '--fleet',
        lab.fleet,
        ...SHORT,
        ...words,
        '--out',
        out,
      ]);
      if (code !== 0) throw new Error(`no plan (${code}): ${stderr}${stdout}`);
      return out;
    },
    run: (...words) => startRun(stateDir, words),
    async goOn(run) {
      const { code, stdout, stderr } = await neap(stateDir, ['resume', run, '--detach']);
      if (code !== 0) throw new Error(`it does not go on (${code}): ${stderr}${stdout}`);
    },
    killEngine: (run) => killEngine(stateDir, run),
    async engineGone(run) {
      const pid = (await engineOf(placeOf(stateDir, run)))?.pid;
      while (pid !== undefined && isThere(pid)) await wait(10);
    },
    [Symbol.asyncDispose]: () => takeDown(stateDir),
  };
}

async function takeDown(stateDir: string): Promise<void> {
  open.delete(stateDir);
  for (const run of listRuns(stateDir)) await killEngine(stateDir, run);
  await labDown({ stateDir, all: true });
  // Whoever was killed may still be dying.
  await rm(stateDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

async function openLab(
  stateDir: string,
  { silent = [], edit = (server) => server, ...wish }: SceneWish,
): Promise<SceneLab> {
  const { name, fleetFile } = await labUp({
    servers: 6,
    timeLapse: 20,
    scenario: 'feb-2021',
    seed: 5,
    ttl: PATIENT_TTL,
    ...wish,
    stateDir,
  });
  const where = { stateDir, name };
  const fleet = join(stateDir, `${name}.ts`);
  // The lab writes JSON in a call: read as text, so that no module loader remembers an older one.
  const read = async (file: string) =>
    fleetSchema.parse(JSON.parse(/defineFleet\((.*)\);/s.exec(await readFile(file, 'utf8'))?.[1] ?? 'null'));
  const copy = async () => {
    const given = await read(fleetFile);
    const servers = given.servers.map((server) =>
      edit(silent.includes(server.name) ? quick(server, SILENCE_MS) : patient(server)),
    );
    await writeFile(
      fleet,
      `import { defineFleet } from 'neap';\nexport default defineFleet(${JSON.stringify({ ...given, servers }, null, 2)});\n`,
    );
  };
  await copy();
  return {
    name,
    fleet,
    async tell(command) {
      await tellLab(where, command);
      // The lab's own fleet file has the new clock.
      if (command.tell === 'skip') await copy();
    },
    async status() {
      const { status } = await tellLab(where, { tell: 'status' });
      if (!status) throw new Error('the lab does not say how it is');
      return status;
    },
    record: () => labRecord(where),
    async byHand(server, work) {
      const known = await read(fleet);
      const reach = createReach(known, { guard: null });
      try {
        await work(reach.hands(known.servers.find(({ name: each }) => each === server)!));
      } finally {
        await reach.close();
      }
    },
  };
}

function quick(server: Server, connectTimeoutMs: number): Server {
  return typeof server.ssh === 'object' ? { ...server, ssh: { ...server.ssh, connectTimeoutMs } } : server;
}

function patient(server: Server): Server {
  return { ...quick(server, 30_000), service: longer(server.service) as Server['service'] };
}

/** Every deadline of a call or a probe in what a fleet file says, made longer; what it says of the database stays. */
function longer(said: unknown): unknown {
  if (Array.isArray(said)) return said.map(longer);
  if (typeof said !== 'object' || said === null) return said;
  const isCall = 'run' in said || 'get' in said || 'send' in said;
  return Object.fromEntries(
    Object.entries(said).map(([key, value]) =>
      typeof value === 'number' && (key === 'withinMs' || (isCall && key === 'timeoutMs'))
        ? [key, value * PATIENCE]
        : [key, longer(value)],
    ),
  );
}

async function startRun(stateDir: string, words: readonly string[]): Promise<Underway> {
  const known = new Set(listRuns(stateDir));
  let over: NeapRan | null = null;
  const ended = neap(stateDir, ['run', ...words]).then((ran) => (over = ran));
  const untilMs = Date.now() + STANDS_WITHIN_MS;
  for (;;) {
    const run = listRuns(stateDir).find((each) => !known.has(each));
    if (run !== undefined && (await engineOf(placeOf(stateDir, run))))
      return { run, ended, until: (holds, what) => reached(stateDir, run, holds, what) };
    if (over !== null || Date.now() > untilMs) throw new Error(`no engine: ${JSON.stringify(over)}`);
    await wait(10);
  }
}

async function killEngine(stateDir: string, run: string): Promise<void> {
  const place = placeOf(stateDir, run);
  const engine = await engineOf(place);
  if (!engine) return;
  try {
    process.kill(engine.pid, 'SIGKILL');
  } catch {
    // It ended by itself in this moment.
  }
  while (await engineOf(place)) await wait(10);
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Paging goes on for as long as there is something to page. */
function isAtWork({ flying }: RunState): boolean {
  return allFlying(flying).some(({ effect }) => effect !== 'page');
}

async function reached(
  stateDir: string,
  run: string,
  holds: (state: RunState) => boolean,
  what?: 'halt',
): Promise<RunState> {
  let found: RunState | null = null;
  let tell = (): void => undefined;
  const reachedIt = new Promise<void>((resolve) => (tell = resolve));
  const look = () =>
    attach(findRun(stateDir, run), (_event, state, fresh) => {
      if (!fresh || found !== null || !holds(state)) return;
      found = state;
      tell();
    });
  let session = await look();
  // An engine stands before it has written the first line of its run.
  while (!session && (await engineOf(placeOf(stateDir, run)))) session = await look();
  if (!session) throw new Error(`run ${run} has no engine`);
  const { state, ended } = session;
  let isOver = false;
  void ended.then(() => (isOver = true));
  if (found === null && holds(state())) found = state();
  else await Promise.race([reachedIt, ended]);
  if (found !== null && what === 'halt') {
    const refused = await session.ask({ ask: 'halt', by: 'test' });
    if (refused !== null) throw new Error(`run ${run} cannot be halted: ${refused}`);
    while (!isOver && (!state().halted || isAtWork(state()))) await wait(10);
  }
  session.close();
  if (found === null || (what === 'halt' && isOver))
    throw new Error(`run ${run} ended before that: ${state().closed?.summary}`);
  return found;
}
