import { setTimeout as wait } from 'node:timers/promises';
import { attach } from '../../src/cli/session.ts';
import { engineOf, findRun, type RunPlace } from '../../src/engine/index.ts';
import { labDown, labRecord, labUp, tellLab, type LabStatus, type RecordEntry } from '../../src/lab/index.ts';
import type { RunEvent } from '../../src/run/index.ts';
import { chance, type Chance } from './chance.ts';
import { neap } from '../support/neap.ts';

/** What a voyage was, for whoever must look at it. */
export interface Voyage {
  readonly seed: number;
  readonly story: Story;
  readonly kills: readonly string[];
  readonly exitCode: number | null;
  readonly faults: readonly string[];
  readonly tookMs: number;
}

/** `plain` ends well; `hang` has a server hang and recovered; `rollback` is aborted on the way. */
export type Story = 'plain' | 'hang' | 'rollback';
export const STORIES: readonly Story[] = ['plain', 'hang', 'rollback'];

const SERVERS = 6;
const TIME_LAPSE = 40;
const KILLS_MAX = 3;
const HANGS = 'api-04';
/** A process that was ended is gone within a minute, in steps of 10 ms. */
const GONE_TURNS = 6_000;

/**
 * One seeded voyage through a lab of its own: the engine is killed at random moments, and at the moments that matter
 * most, and resumed each time. What the lab then holds and what it recorded is judged, not what neap says.
 */
export async function voyage(seed: number, stateDir: string): Promise<Voyage> {
  const from = Date.now();
  const random = chance(seed);
  const story = STORIES[seed % STORIES.length] ?? 'plain';
  const lab = await labUp({
    stateDir,
    name: `kill-${seed}`,
    servers: SERVERS,
    timeLapse: TIME_LAPSE,
    scenario: 'feb-2021',
    seed,
    // What dies here is engines: caches, cuts and margins outlast them on a busy machine too.
    ttl: { minMs: 7_200_000, maxMs: 10_800_000, drawn: 'per-refresh' },
  });
  const where = { stateDir, name: lab.name };
  try {
    if (story === 'hang') await tellLab(where, { tell: 'half-apply', server: 'api-02' });
    const started = await neap(stateDir, [
      'run',
      'database-upgrade',
      '--fleet',
      lab.fleetFile,
      '--unattended',
      '--detach',
      '--input',
      'outageMs=10000',
      '--input',
      'marginMs=60000',
    ]);
    // Several voyages share a state folder: the run is the one that it says it started.
    const run = /^Run (\S+) goes on/m.exec(started.stdout)?.[1];
    if (started.code !== 0 || run === undefined)
      return {
        seed,
        story,
        kills: [],
        exitCode: started.code,
        faults: [`it did not start: ${started.stdout}${started.stderr}`],
        tookMs: Date.now() - from,
      };
    const place = findRun(stateDir, run);
    const kills: string[] = [];
    const weather = { hung: false, aborted: false };
    for (let turn = 0; turn <= KILLS_MAX; turn += 1) {
      const killed = await sail(place, { random, story, weather, where, last: turn === KILLS_MAX });
      if (killed === null) break;
      kills.push(killed);
      const resumed = await neap(stateDir, ['resume', run, '--detach']);
      if (resumed.code !== 0 && !resumed.stderr.includes('is closed'))
        return {
          seed,
          story,
          kills,
          exitCode: resumed.code,
          faults: [`resume failed: ${resumed.stderr}`],
          tookMs: Date.now() - from,
        };
    }
    const status = await neap(stateDir, ['status', run, '--json']);
    if (status.stdout === '')
      return {
        seed,
        story,
        kills,
        exitCode: status.code,
        faults: [`no status: ${status.stderr}`],
        tookMs: Date.now() - from,
      };
    const exitCode = (JSON.parse(status.stdout) as { closed: { exitCode: number } | null }).closed?.exitCode ?? null;
    const world = (await tellLab(where, { tell: 'status' })).status;
    const faults = [
      ...judgeEnd(story, exitCode, weather.aborted),
      ...(world ? judgeWorld(world, story) : ['the lab says nothing']),
      ...judgeRecord(await labRecord(where)),
    ];
    return { seed, story, kills, exitCode, faults, tookMs: Date.now() - from };
  } finally {
    await labDown(where);
  }
}

interface Sailing {
  readonly random: Chance;
  readonly story: Story;
  readonly weather: { hung: boolean; aborted: boolean };
  readonly where: { readonly stateDir: string; readonly name: string };
  /** No more kills: it may end. */
  readonly last: boolean;
}

/** Watches until the run is closed (null), or kills its engine at a moment that the seed chose and says which. */
async function sail(place: RunPlace, { random, story, weather, where, last }: Sailing): Promise<string | null> {
  const engine = await engineOf(place);
  const killAfter = random.whole(1, 160);
  const atPower = story === 'hang' && random.whole(0, 2) > 0;
  const atHome = story === 'rollback' && random.whole(0, 2) > 0;
  const homeAfter = random.whole(1, 40);
  let seen = 0;
  let home = 0;
  let killed: string | null = null;
  let sayAbort: () => void = () => undefined;
  const kill = (why: string): void => {
    if (last || killed !== null || !engine) return;
    killed = why;
    try {
      process.kill(engine.pid, 'SIGKILL');
    } catch {
      // It ended by itself in the same moment: then the run is closed, and that is judged.
    }
  };
  const session = await attach(place, ({ event }, state, fresh) => {
    if (story === 'hang' && !weather.hung && isSoaking(event)) {
      weather.hung = true;
      void tellLab(where, { tell: 'hang', server: HANGS });
    }
    // A word counts once the journal has it: an engine that is killed first never heard it.
    weather.aborted ||= event.type === 'abort';
    if (!fresh) return;
    seen += 1;
    if (
      story === 'rollback' &&
      !weather.aborted &&
      state.tracks[0] !== undefined &&
      state.tracks[0].cursor >= 6 &&
      (atHome || seen > killAfter / 4)
    ) {
      sayAbort();
    }
    if (atPower && isPower(event)) kill(`power reset intended, event ${seen}`);
    home += state.mode === 'home' ? 1 : 0;
    if (atHome && home === homeAfter) kill(`event ${home} of the way home (${event.type})`);
    if (!atPower && !atHome && seen === killAfter) kill(`event ${seen} (${event.type}, ${state.mode})`);
  });
  if (!session) return null;
  let said = false;
  sayAbort = () => {
    if (!said) void session.ask({ ask: 'abort', by: 'kill-campaign', reason: 'chosen by seed' });
    said = true;
  };
  await session.ended;
  // The process is gone when its number is: only then may another engine open the journal.
  for (let turn = 0; turn < GONE_TURNS && (await engineOf(place)); turn += 1) await wait(10);
  return session.state().closed ? null : (killed ?? 'the engine ended by itself');
}

function isSoaking(event: RunEvent): boolean {
  return event.type === 'intended' && event.effect.effect === 'look' && event.effect.soakUntilMs !== null;
}

function isPower(event: RunEvent): boolean {
  return (
    event.type === 'intended' &&
    event.effect.effect === 'perform' &&
    event.effect.place.track !== 'main' &&
    JSON.stringify(event.effect.change).includes('"reset"')
  );
}

function judgeEnd(story: Story, exitCode: number | null, aborted: boolean): string[] {
  const wanted = story === 'rollback' && aborted ? 1 : 0;
  return exitCode === wanted ? [] : [`it ended with ${exitCode}, not ${wanted}`];
}

function judgeWorld({ servers }: LabStatus, story: Story): string[] {
  return servers.flatMap(({ name, hung, offline, inRotation, seenUp, resets }) => [
    ...(hung ? [`${name} hangs`] : []),
    ...(offline ? [`${name} was left offline`] : []),
    ...(inRotation && seenUp ? [] : [`${name} takes no traffic`]),
    ...(resets > (story === 'hang' && name === HANGS ? 1 : 0) ? [`${name} was reset ${resets} times`] : []),
  ]);
}

/** What was asked of the lab twice without need: a write that changed nothing because it was done already. */
function judgeRecord(record: readonly RecordEntry[]): string[] {
  return (
    record
      // What engines write there of themselves is theirs to repeat.
      .filter(({ what }) => !what.startsWith('fence '))
      .filter((entry) => entry.writes && entry.via !== 'control' && entry.ok && !entry.changed)
      .map((entry) => `repeated on ${entry.server}: ${entry.via} ${entry.what}`)
  );
}
