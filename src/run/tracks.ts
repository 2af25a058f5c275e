import type { ActStep, Contingency, GateStep, PlanStep } from '../model/index.ts';
import type { RunEvent } from './events.ts';
import { DOUBT_MIN_MS } from './limits.ts';
import { trackOf, type PlanIndex } from './lines.ts';
import { staysOut } from './away.ts';
import { nameServers } from './words.ts';
import {
  FRESH_TARGET,
  freshGate,
  freshStep,
  type ActState,
  type RunState,
  type StepState,
  type TargetState,
  type Track,
} from './state.ts';

/** How long a disarmed power gate waits for a person. */
const REARM_EXPIRES_MS = 4 * 60 * 60_000;

/** The plan's own line. */
export function mainTrack(index: PlanIndex): Track {
  const { plan } = index;
  const steps = plan.header.steps.map((step, at) =>
    withChanges(freshStep(step, at, step.step === 'act' ? step.waves : []), step, index),
  );
  return {
    id: 'main',
    kind: 'main',
    status: 'running',
    cursor: 0,
    steps,
    renewals: 0,
    redone: 0,
    servers: [],
    contingency: null,
  };
}

/** The undo of an earlier run's step takes back what the plan says that it did. */
function withChanges(state: StepState, step: PlanStep, index: PlanIndex): StepState {
  if (state.step !== 'act' || step.step !== 'act' || step.undoes === null) return state;
  const known = (server: string, target: TargetState): TargetState => {
    const verdict = index.verdict(step.id, server);
    return verdict.verdict === 'change' ? { ...target, change: verdict.change, decided: true } : target;
  };
  const waves = state.waves.map(({ targets }) => ({
    targets: Object.fromEntries(Object.entries(targets).map(([server, target]) => [server, known(server, target)])),
  }));
  return { ...state, waves };
}

/** A contingency's line, for the servers that it was armed for. When many are silent at once, a person re-arms power first. */
export function armTrack(event: Extract<RunEvent, { type: 'armed' }>, atMs: number, { plan }: PlanIndex): Track {
  const contingency = plan.header.contingencies.find((each) => each.id === event.contingency);
  if (!contingency) throw new Error(`the plan has no contingency ${event.contingency}`);
  const steps = contingency.steps.map((step, at) => freshStep(step, at, [event.servers]));
  return {
    id: event.track,
    kind: 'contingency',
    status: 'running',
    cursor: 0,
    steps: event.suspect ? [freshGate(-1, rearmGate(contingency, event.servers)), ...steps] : steps,
    renewals: 0,
    redone: 0,
    servers: event.servers,
    contingency: contingency.id,
    armedAtMs: atMs,
  };
}

function rearmGate({ when, suspectAbove }: Contingency, servers: readonly string[]): GateStep {
  const isQuarantine = when === 'out';
  return {
    step: 'gate',
    id: 'rearm',
    title: isQuarantine
      ? `More than ${suspectAbove} servers fell out, and without them the others carry the load: neap takes no more of them out of the balancer by itself. Take out ${nameServers(servers)} too?`
      : `More than ${suspectAbove} servers are silent: that is first taken for a fault of the path from here, and power is disarmed for ${nameServers(servers)}. Are they hung, seen from elsewhere too?`,
    role: isQuarantine ? 'operations' : 'power',
    answers: { yes: 'go-on', no: 'go-home' },
    fuse: null,
    freshMs: null,
    expiresMs: REARM_EXPIRES_MS,
    onTimeout: isQuarantine ? 'abort' : 'hold',
    ahead: false,
    renewFrom: null,
  };
}

/**
 * The way home: the undo of every risk step that changed something, last first, wave by wave as it went in. Servers
 * that a contingency has are brought back by it. `servers` null: all.
 */
export function homeTrack(state: RunState, servers: readonly string[] | null, index: PlanIndex): Track {
  const main = trackOf(state, 'main');
  const wanted = servers === null ? null : new Set(servers);
  const to = index.plan.header.steps.findIndex(({ id }) => id === state.homeWhy?.to);
  const steps = (main?.steps ?? []).flatMap((act, at): StepState[] => {
    const step = index.plan.header.steps[at];
    if (act.step !== 'act' || step?.step !== 'act' || step.releases !== null || !isUndone(step)) return [];
    // No run that is over holds anything.
    if (at <= to && step.releasedBy === null) return [];
    const released = releasedServers(
      main,
      index.plan.header.steps.findIndex((each) => each.id === step.releasedBy),
    );
    const waves = act.waves
      .map((wave) => ({ targets: undoTargets(state, wave.targets, wanted, released, step.alters, index) }))
      .filter((wave) => Object.keys(wave.targets).length > 0)
      .toReversed();
    if (waves.length === 0) return [];
    const undo: ActState = {
      step: 'act',
      plan: at,
      // What the way back of an earlier run took again is done again.
      does: step.undoes === null ? 'undo' : 'perform',
      wave: 0,
      behind: [],
      waves,
      startedAtMs: null,
      endedAtMs: null,
      lastStartMs: null,
    };
    // A flagged step's undo waits for a person. In reverse: the gate comes before it.
    const servers = waves.flatMap(({ targets }) => Object.keys(targets));
    return step.askBeforeUndo && step.undoes === null ? [undo, freshGate(at, askGate(step, servers))] : [undo];
  });
  const id = `home${state.tracks.filter((track) => track.kind === 'home').length + 1}`;
  return {
    id,
    kind: 'home',
    status: 'running',
    cursor: 0,
    steps: steps.toReversed(),
    renewals: 0,
    redone: 0,
    servers: servers ?? [],
    contingency: null,
  };
}

function askGate({ id, title }: ActStep, servers: readonly string[]): GateStep {
  return {
    step: 'gate',
    id,
    title: `Take back step ${id}, "${title}", on ${nameServers(servers)}? If not, it stays as it is.`,
    role: 'operator',
    answers: { yes: 'go-on', no: 'go-home' },
    fuse: null,
    freshMs: null,
    expiresMs: REARM_EXPIRES_MS,
    onTimeout: 'hold',
    ahead: false,
    renewFrom: null,
  };
}

/** Only what took something away, or holds something, is taken back; giving back is not undone by going home. */
function isUndone(step: ActStep): boolean {
  return (step.nature === 'risk' || step.releasedBy !== null) && step.irreversible === null && !step.leavesNothing;
}

/** Who has let go of a hold already, at the step that releases it. */
function releasedServers(main: Track | undefined, at: number): ReadonlySet<string> {
  const release = main?.steps[at];
  if (release?.step !== 'act') return new Set();
  return new Set(
    release.waves.flatMap(({ targets }) =>
      Object.entries(targets).flatMap(([server, { phase }]) => (phase === 'done' ? [server] : [])),
    ),
  );
}

function undoTargets(
  state: RunState,
  targets: Readonly<Record<string, TargetState>>,
  wanted: ReadonlySet<string> | null,
  released: ReadonlySet<string>,
  alters: readonly string[],
  index: PlanIndex,
): Record<string, TargetState> {
  const changed = Object.entries(targets).filter(
    ([server, target]) =>
      (target.dirty || (target.perhaps && target.change !== null)) &&
      (wanted === null || wanted.has(server)) &&
      state.out[server]?.fate !== 'hung' &&
      !released.has(server) &&
      !staysOut(state, index, server, alters),
  );
  return Object.fromEntries(
    changed.map(([server, { change, inDoubt }]) => {
      // What was sent and not answered can still come through: "as before" is believed only when that has had its time.
      const lookAtMs = inDoubt ? state.nowMs + DOUBT_MIN_MS : null;
      return [server, { ...FRESH_TARGET, change, decided: true, lookAtMs }];
    }),
  );
}
