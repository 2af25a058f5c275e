import type { ActStep } from '../model/index.ts';
import type { Outcome, RunEvent } from './events.ts';
import { actStepOf, trackOf, type PlanIndex } from './lines.ts';
import { pagesDue } from './pages.ts';
import type { RunState, TargetState, Track } from './state.ts';
import { nameServers } from './words.ts';

/** How many servers a summary tells the reasons of. */
const SHOWN_MAX = 8;

/** The run's end, when every track has come to rest; null while anything is left to do. */
export function closing(state: RunState, index: PlanIndex): Extract<RunEvent, { type: 'closed' }> | null {
  const main = trackOf(state, 'main');
  if (!main || Object.keys(state.flying).length > 0) return null;
  if (Object.values(state.out).some(({ fate }) => fate === 'undiagnosed')) return null;
  if (state.tracks.some((track) => track.status === 'running' || track.status === 'draining')) return null;
  if (state.mode === 'home' && !state.tracks.some((track) => track.kind === 'home')) return null;
  // Whoever must be told is told first.
  if (pagesDue(state, index).some(({ key }) => !state.paged[key])) return null;
  const unproven = unprovenServers(state, index);
  const outcome = outcomeOf(state, unproven);
  return {
    type: 'closed',
    outcome,
    exitCode: { done: 0, home: 1, human: 5, stale: 6 }[outcome],
    summary: `${summaryOf(state, outcome, unproven, index)} ${windowWords(state, index.plan.header.window.limitMs)}`,
  };
}

function outcomeOf(state: RunState, unproven: readonly string[]): Outcome {
  if (unproven.length > 0) return 'human';
  if (state.mode === 'forward') return 'done';
  return state.homeWhy?.code === 'drift' ? 'stale' : 'home';
}

/**
 * Servers whose state the run cannot vouch for: an undo that failed, a recovery that did not come through, an effect
 * that is unknown, and a change that was begun, failed or was cut short, and was not taken back.
 */
export function unprovenServers(state: RunState, index: PlanIndex): string[] {
  const stuck = new Set<string>();
  const backBy = new Map<string, Set<string>>();
  for (const { track, step, server, target } of everyTarget(state, index)) {
    if (track.kind !== 'main' && (target.phase === 'failed' || target.phase === 'unknown')) stuck.add(server);
    if (track.kind === 'home' && target.phase === 'done')
      backBy.set(server, (backBy.get(server) ?? new Set()).add(step.kind.name));
  }
  for (const { track, step, server, target } of everyTarget(state, index)) {
    if (track.kind !== 'main' || !target.dirty || step.leavesNothing) continue;
    // What a step gave or mended, and no later step could complete: the line ended before, or the server fell out of it.
    const midway =
      step.nature === 'restore' &&
      step.releases === null &&
      (track.status !== 'finished' || state.out[server] !== undefined);
    if (
      (target.phase === 'failed' || midway) &&
      !backBy.get(server)?.has(step.kind.name) &&
      state.out[server]?.recovered !== true
    )
      stuck.add(server);
  }
  const takes = index.plan.header.steps.some((step) => step.step === 'act' && step.nature === 'risk');
  for (const [server, out] of Object.entries(state.out)) {
    const given = out.fate === 'hung' && !out.recovered;
    const doubtful = out.fate === 'unknown' && !backBy.has(server);
    // Where the line is there to bring servers back, one that it could not bring back is not merely left out.
    const missed = !takes && !out.recovered;
    if (given || doubtful || missed) stuck.add(server);
  }
  return [...stuck].toSorted();
}

interface Part {
  readonly track: Track;
  readonly step: ActStep;
  readonly server: string;
  readonly target: TargetState;
}

function everyTarget(state: RunState, index: PlanIndex): Part[] {
  return state.tracks.flatMap((track) =>
    track.steps.flatMap((act, at) => {
      if (act.step !== 'act') return [];
      const step = actStepOf(index, track, at);
      return act.waves.flatMap(({ targets }) =>
        Object.entries(targets).map(([server, target]): Part => ({ track, step, server, target })),
      );
    }),
  );
}

/** Why: what failed last on the way back, else why it fell out. */
function doubtsOf(state: RunState, index: PlanIndex, server: string): string {
  const last = everyTarget(state, index).findLast(
    ({ track, server: name, target }) => name === server && track.kind !== 'main' && target.failure !== null,
  );
  const why = last?.target.failure?.what ?? state.out[server]?.failure.what;
  return why === undefined ? server : `${server} (${why})`;
}

function summaryOf(state: RunState, outcome: Outcome, unproven: readonly string[], index: PlanIndex): string {
  const recovered = Object.entries(state.out)
    .filter(([, out]) => out.recovered)
    .map(([server]) => server);
  const out = Object.entries(state.out).filter(([server, each]) => !each.recovered && !unproven.includes(server));
  const parts = [headline(state, outcome)];
  if (recovered.length > 0) parts.push(`Recovered on the way: ${nameServers(recovered)}.`);
  if (out.length > 0)
    parts.push(`Left out: ${few(out.map(([server, { failure }]) => `${server} (${failure.what})`))}.`);
  if (unproven.length > 0)
    parts.push(`State not proven: ${few(unproven.map((server) => doubtsOf(state, index, server)))}.`);
  return parts.join(' ');
}

/** The first few of many, and how many more there are. */
function few(words: readonly string[]): string {
  const more = words.length > SHOWN_MAX ? ` and ${words.length - SHOWN_MAX} more` : '';
  return `${words.slice(0, SHOWN_MAX).join('; ')}${more}`;
}

function headline({ homeWhy }: RunState, outcome: Outcome): string {
  if (outcome === 'done') return 'Done.';
  const why = homeWhy ? ` It turned for home because ${homeWhy.why}.` : '';
  if (outcome === 'human') return `A person is needed.${why}`;
  return `Home and clean.${why}`;
}

/** Whether the window was kept. */
function windowWords({ openedAtMs, nowMs }: RunState, limitMs: number): string {
  const minutes = (ms: number): number => Math.ceil(ms / 60_000);
  const tookMs = nowMs - openedAtMs;
  return `It took ${minutes(tookMs)} min of a window of ${minutes(limitMs)} min${tookMs > limitMs ? ', and so overran it' : ''}.`;
}
