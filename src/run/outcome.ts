import { isAnyFlying } from './flying.ts';
import type { Outcome, RunEvent } from './events.ts';
import { trackOf, type PlanIndex } from './lines.ts';
import { pagesDue } from './pages.ts';
import { awayOf, keptOut, rejoinCommand } from './away.ts';
import { spentOf } from './budget.ts';
import type { RunState } from './state.ts';
import { keptBySummoned, summonedWords } from './given-back.ts';
import { staysOf, staysWords } from './stays.ts';
import { everyTarget, unprovenServers } from './unproven.ts';
import { holdsPage, pageIsLeft } from './shed.ts';
import { closesAtMs } from './window.ts';
import { nameServers } from './words.ts';

const PAGE_LEFT = 'The balancer still answers with its page: see that the database answers, and turn it off by hand.';

/** How many servers a summary tells the reasons of. */
const SHOWN_MAX = 8;

/** The run's end, when every track has come to rest and whoever must be told was told; null while anything is left to do. */
export function closing(state: RunState, index: PlanIndex): Extract<RunEvent, { type: 'closed' }> | null {
  const end = endOf(state, index);
  return end?.outcome === 'human' && !state.paged['human'] ? null : end;
}

/** How the run would end now; null while anything is left to do. */
export function endOf(state: RunState, index: PlanIndex): Extract<RunEvent, { type: 'closed' }> | null {
  const main = trackOf(state, 'main');
  if (!main || isAnyFlying(state.flying)) return null;
  if (Object.values(state.out).some(({ fate }) => fate === 'undiagnosed')) return null;
  if (state.tracks.some((track) => track.status === 'running' || track.status === 'draining')) return null;
  if (state.mode === 'home' && !state.tracks.some((track) => track.kind === 'home')) return null;
  // What it holds is given back first.
  if (holdsPage(state)) return null;
  // Whoever must be told is told first.
  if (pagesDue(state, index).some(({ key }) => !state.paged[key])) return null;
  const unproven = unprovenServers(state, index);
  const outcome = outcomeOf(state, unproven, index);
  return {
    type: 'closed',
    outcome,
    exitCode: { done: 0, home: 1, human: 5, stale: 6 }[outcome],
    summary: `${summaryOf(state, outcome, unproven, index)} ${windowWords(state, index)}`,
  };
}

function outcomeOf(state: RunState, unproven: readonly string[], index: PlanIndex): Outcome {
  if (unproven.length > 0 || pageIsLeft(state)) return 'human';
  // Something taken is still in place, because a person asked for it.
  if (index.plan.header.rollbackOf === null && staysOf(state, index).length > 0) return 'human';
  if (keptBySummoned(state, index).length > 0) return 'human';
  // Behind the last risk nothing turns the line for home; too many that fell out there are still a failed run.
  if (state.mode === 'forward' && spentOf(state) >= index.plan.header.budget.failures) return 'home';
  if (state.mode === 'forward') return 'done';
  return state.homeWhy?.code === 'drift' ? 'stale' : 'home';
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
  const kept = new Set(keptOut(state, index).filter((server) => awayOf(state, index, server) === 'out'));
  const others = out.filter(([server]) => !kept.has(server));
  const named = [...kept].filter((server) => !unproven.includes(server));
  if (named.length > 0)
    parts.push(
      `Quarantined, out of the balancer until they are proven: ${few(named.map((server) => doubtsOf(state, index, server)))}. Bring them back: ${rejoinCommand(named, index)}.`,
    );
  if (others.length > 0)
    parts.push(`Left out: ${few(others.map(([server, { failure }]) => `${server} (${failure.what})`))}.`);
  if (unproven.length > 0)
    parts.push(`State not proven: ${few(unproven.map((server) => doubtsOf(state, index, server)))}.`);
  parts.push(...staysWords(state, index), ...summonedWords(state, index));
  if (pageIsLeft(state)) parts.push(PAGE_LEFT);
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
  const spent = homeWhy ? '' : ' The failure budget was spent while the line gave back.';
  return `Home and clean.${why}${spent}`;
}

/** Whether the window was kept. */
function windowWords(state: RunState, index: PlanIndex): string {
  const { begunAtMs, nowMs } = state;
  if (begunAtMs === null) return 'Its window had not opened.';
  const minutes = (ms: number): number => Math.ceil(ms / 60_000);
  const tookMs = nowMs - begunAtMs;
  const lengthMs = closesAtMs(state, index) - begunAtMs;
  return `It took ${minutes(tookMs)} min of a window of ${minutes(lengthMs)} min${tookMs > lengthMs ? ', and so overran it' : ''}.`;
}
