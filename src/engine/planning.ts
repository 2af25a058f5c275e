import { readFile } from 'node:fs/promises';
import { randomInt } from 'node:crypto';
import { servingJudge } from '../herd/index.ts';
import { root } from '../launch/index.ts';
import {
  FailureError,
  type Finding,
  type Fleet,
  type Json,
  type Plan,
  type Runbook,
  type Server,
} from '../model/index.ts';
import {
  compile,
  experienced,
  outline,
  PLAN_HOLDS_MS,
  refuse,
  withServing,
  type CompileInput,
  type Foresight,
  type Outline,
} from '../plan/index.ts';
import { groupsOf, takeOut } from '../steps/index.ts';
import { eachAtOnce } from './at-once.ts';
import { planClock } from './clock.ts';
import { connectionsNow } from './connections.ts';
import { lastResort } from './countdown.ts';
import { capturedPaths, expectedFiles } from './expected.ts';
import { askedOf, forecastOf, type Asked } from './forecast.ts';
import { counter, guardFindings, guardReader, readNow, type GuardNow } from './guards.ts';
import { historyOf } from './history.ts';
import type { Loaded } from './load.ts';
import { loadWords, readLoads } from './loads.ts';
import { observeServer } from './observe.ts';
import type { Quarantined } from './quarantine.ts';
import { quarantineFindings } from './quarantine-findings.ts';
import { createReach, type Reach, type ReachCommand } from './reach/index.ts';
import { believing, capped, rehearsedFor } from './rehearsed.ts';
import { foreseeSlots } from './slot-forecast.ts';
import { surroundingsOf, type Surroundings } from './surroundings.ts';

/** So many servers are read at a time. */
const READ_AT_ONCE = 32;

export interface PlanWish extends Surroundings {
  readonly runbook: Loaded<Runbook>;
  readonly fleet: Loaded<Fleet>;
  readonly inputs: { readonly [name: string]: Json };
  readonly except: readonly { readonly server: string; readonly reason: string }[];
  /** When it may be run, in absolute instants. */
  readonly window?: CompileInput['window'];
  /** The plan is for these servers of the runbook's only. */
  readonly only?: readonly string[];
  /** Who is kept out until proven. */
  readonly quarantined?: readonly Quarantined[];
  /** Where earlier runs lie, whose times are expected again. */
  readonly earlier?: string;
  /** Called as servers are read. */
  readonly onRead?: (done: number, of: number) => void;
}

/** A plan, and every command that making it sent to a server: none of them writes. */
export interface Preview {
  readonly plan: Plan;
  readonly commands: readonly ReachCommand[];
  /** What the plan's guards said meanwhile. */
  readonly guards: readonly GuardNow[];
  /** What was asked of the fuse; null: the plan speaks of no outage. */
  readonly asked: Asked | null;
}

/** Observes every server and compiles. Writes nothing anywhere (promise 1). */
export async function makePlan(wish: PlanWish): Promise<Preview> {
  const { runbook, fleet, inputs, except, window } = wish;
  const declared = await laidOut(wish);
  const commands: ReachCommand[] = [];
  const reach = createReach(fleet.value, { onCommand: (command) => commands.push(command) });
  try {
    const read = await readWorld(wish, declared, reach);
    const seed = randomInt(2 ** 31);
    const foreseen = await foresee(wish, read, seed, reach, (command) => void commands.push(command));
    const plan = compile({
      neap: await ownVersion(),
      runbook: runbook.value,
      outline: foreseen.outline,
      fleet: fleet.value,
      digests: { runbookPath: runbook.path, runbook: runbook.digest, fleetPath: fleet.path, fleet: fleet.digest },
      inputs,
      nowMs: Math.round(read.nowMs()),
      seed,
      foresights: read.foresights,
      captured: read.captured,
      except: await Promise.all(
        except.map(async (each) => ({ ...each, traffic: await trafficOf(fleet.value, each.server, reach) })),
      ),
      ...(window === undefined ? {} : { window }),
      ...read.surroundings,
      forecast: foreseen.forecast,
      countdown: foreseen.countdown,
      rehearsals: read.rehearsals,
      findings: [...foreseen.findings, ...read.findings],
    });
    return {
      plan,
      commands,
      guards: read.guards,
      asked: askedOf(read.laid.steps, read.believed, read.laid.failures),
    };
  } finally {
    await reach.close();
  }
}

/** What is there: servers, loads, connections, guards, calendars, and what rehearsals have shown. */
async function readWorld(wish: PlanWish, declared: Outline, reach: Reach) {
  const { runbook, fleet, quarantined, onRead } = wish;
  const { nowMs } = planClock(fleet.value.clock);
  const loads = await readLoads(declared.servers, counter(runbook.path, reach.redactor), nowMs);
  const laid = { ...declared, servers: loads.servers };
  const span = { fromMs: nowMs(), toMs: nowMs() + PLAN_HOLDS_MS + runbook.value.window.limitMs };
  const readingAround = surroundingsOf(wish, fleet.value, laid.servers, reach, span);
  const readingGuards = readNow(laid.guards, runbook.path, reach.redactor);
  const readingConnections = connectionsNow(fleet.value, runbook.path, reach.redactor);
  const { foresights, captured } = await readAll(laid, reach, fleet.path, nowMs, onRead);
  const connections = await readingConnections;
  const shown = await rehearsedFor({
    ...laid,
    fleet: fleet.value,
    fleetPath: fleet.path,
    stateDir: wish.earlier ?? null,
    captured,
    reach,
    nowMs: nowMs(),
  });
  const rehearsals = shown.map(({ rehearsal }) => rehearsal);
  const guards = await readingGuards;
  const { findings: aroundFound, ...surroundings } = await readingAround;
  const findings: readonly Finding[] = [
    ...shown.flatMap((each) => each.findings),
    ...loads.findings,
    ...coverage(fleet.value),
    ...overload(laid),
    ...connections.findings,
    ...guardFindings(guards),
    ...aroundFound,
    ...quarantineFindings(laid, quarantined ?? [], foresights, fleet.path),
  ];
  const sources = loadWords(laid.servers, loads.readings);
  const believed = believing(laid.servers, rehearsals);
  return {
    nowMs,
    laid,
    sources,
    foresights,
    captured,
    counts: connections.counts,
    shown,
    rehearsals,
    believed,
    guards,
    surroundings,
    findings,
  };
}

/** What will come of it: the load on those who serve, the slots, the fuse, and the last resort. */
async function foresee(
  { runbook, fleet, except, quarantined, earlier }: PlanWish,
  { laid, foresights, counts, believed, sources, shown }: Awaited<ReturnType<typeof readWorld>>,
  seed: number,
  reach: Reach,
  report: (command: ReachCommand) => void,
) {
  const serving = withServing({
    fleet: fleet.value,
    laid,
    foresights,
    leftOut: [...except, ...(quarantined ?? [])].map(({ server }) => server),
    connections: counts,
    judge: servingJudge,
  });
  const slots = foreseeSlots(serving.laid, foresights, seed);
  const forecast = capped(forecastOf(slots.steps, believed, laid.failures, sources), shown);
  const resort = await lastResort({
    forecast: forecast?.forecast ?? null,
    fleet: fleet.value,
    servers: believed,
    steps: laid.steps,
    read: guardReader(runbook.path, reach.redactor),
    report,
    earlier: earlier ?? null,
  });
  return {
    outline: { ...serving.laid, steps: slots.steps },
    forecast: forecast?.forecast ?? null,
    countdown: resort.countdown,
    findings: [...(forecast?.findings ?? []), ...resort.findings, ...serving.findings, ...slots.findings],
  };
}

/** The runbook laid over the servers that are meant, with what earlier runs showed of its steps. */
async function laidOut({ runbook, fleet, inputs, except, only, earlier }: PlanWish): Promise<Outline> {
  const names = new Set(except.map(({ server }) => server));
  for (const { name } of fleet.value.servers) if (only !== undefined && !only.includes(name)) names.add(name);
  for (const { server } of except) {
    if (!fleet.value.servers.some(({ name }) => name === server))
      refuse(
        `--except names ${server}, which the fleet does not have`,
        fleet.path,
        'Correct the name; `neap fleet check` lists the servers',
      );
  }
  const laid = outline(runbook.value, groupsOf(runbook.value.reach), inputs, fleet.value, names, takeOut);
  return earlier === undefined ? laid : experienced(laid, await historyOf(earlier, fleet.value));
}

async function readAll(
  laid: Outline,
  reach: Reach,
  fleetPath: string,
  nowMs: () => number,
  onRead: PlanWish['onRead'],
): Promise<Pick<CompileInput, 'foresights' | 'captured'>> {
  const foresights = new Map<string, Foresight>();
  const captured = new Map<string, Readonly<Record<string, string>>>();
  await eachAtOnce(laid.servers, READ_AT_ONCE, async (server) => {
    const read = reach.reader(server);
    const held = await captureOf(server, reach);
    if (held !== null) captured.set(server.name, held);
    const expected = await expectedFiles(server, fleetPath, held ?? {});
    foresights.set(server.name, await observeServer({ outline: laid, server, read, expected, nowMs }));
    onRead?.(foresights.size, laid.servers.length);
  });
  return { foresights, captured };
}

async function captureOf(server: Server, reach: Reach): Promise<Record<string, string> | null> {
  const paths = capturedPaths(server);
  if (paths.length === 0) return null;
  try {
    const files = await reach.reader(server).files(paths);
    return Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256]));
  } catch (error) {
    // The steps that read it say so again, with all that there is to say.
    if (error instanceof FailureError) return null;
    throw error;
  }
}

async function trafficOf(fleet: Fleet, name: string, reach: Reach): Promise<'in' | 'out' | null | 'unknown'> {
  const server = fleet.servers.find((each) => each.name === name);
  if (!server?.service.traffic) return null;
  try {
    const answer = await reach.reader(server).ask('traffic');
    return answer === 'in' || answer === 'out' ? answer : 'unknown';
  } catch (error) {
    if (error instanceof FailureError) return 'unknown';
    throw error;
  }
}

/** A refresh that is paced above what a dependency is declared to serve would be an outage of its own. */
function overload({ steps, servers }: Outline): CompileInput['findings'] {
  const capacities = servers.flatMap(({ service }) =>
    Object.values(service.dependencies).flatMap(({ capacityPerSecond }) => capacityPerSecond ?? []),
  );
  const capacity = Math.min(...capacities);
  const clocks = Math.max(1, ...servers.map(({ service }) => service.clocks.length));
  return steps.flatMap((step) => {
    const paced = step.step === 'act' && step.needs.some(({ need }) => need === 'answers') ? step.perSecond : null;
    if (paced === null || paced * clocks <= capacity) return [];
    return [
      {
        severity: 'refusal' as const,
        code: 'capacity',
        what: `step ${step.id} (${step.title}) would ask for ${paced * clocks} refreshes a second, and the fleet declares a capacity of ${capacity}`,
        cures: [`Pace it at ${capacity / clocks} servers a second or fewer`],
      },
    ];
  });
}

/** What neap cannot know of this fleet, said beforehand. */
function coverage(fleet: Fleet): CompileInput['findings'] {
  const bmcs = fleet.servers.some((server) => server.bmc !== undefined);
  if (!bmcs || fleet.control.length > 0) return [];
  return [
    {
      severity: 'warning',
      code: 'control',
      what: 'the fleet names no control target outside it, so neap cannot tell a hung server from a broken path of its own, and will reset none',
      cures: ['Add something to `control` in the fleet that answers over another path'],
    },
  ];
}

/** The version of this copy of neap. */
export async function ownVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };
  return version;
}
