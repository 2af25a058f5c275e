import type { Outcome, RunEvent } from './events.ts';
import { trackOf, type PlanIndex } from './lines.ts';
import type { RunState } from './state.ts';
import { nameServers } from './words.ts';

/** The run's end, when every track has come to rest; null while anything is left to do. */
export function closing(state: RunState, _index: PlanIndex): Extract<RunEvent, { type: 'closed' }> | null {
  const main = trackOf(state, 'main');
  if (!main || Object.keys(state.flying).length > 0) return null;
  if (state.tracks.some((track) => track.status === 'running' || track.status === 'draining')) return null;
  if (state.mode === 'home' && !state.tracks.some((track) => track.kind === 'home')) return null;
  const unproven = unprovenServers(state);
  const outcome = outcomeOf(state, unproven);
  return { type: 'closed', outcome, exitCode: { done: 0, home: 1, human: 5, stale: 6 }[outcome], summary: summaryOf(state, outcome, unproven) };
}

function outcomeOf(state: RunState, unproven: readonly string[]): Outcome {
  if (unproven.length > 0) return 'human';
  if (state.mode === 'forward') return 'done';
  return state.homeWhy?.code === 'drift' ? 'stale' : 'home';
}

/** Servers whose state the run cannot vouch for: an undo that failed, a recovery that did not come through, an unknown effect. */
function unprovenServers(state: RunState): string[] {
  const stuck = new Set<string>();
  const cleared = new Set<string>();
  for (const track of state.tracks) {
    for (const act of track.steps) {
      if (act.step !== 'act') continue;
      for (const { targets } of act.waves) {
        for (const [server, target] of Object.entries(targets)) {
          if (track.kind !== 'main' && (target.phase === 'failed' || target.phase === 'unknown')) stuck.add(server);
          if (track.kind === 'home' && target.phase === 'done') cleared.add(server);
        }
      }
    }
  }
  for (const [server, out] of Object.entries(state.out)) {
    const given = out.fate === 'hung' && !out.recovered;
    const doubtful = out.fate === 'unknown' && !cleared.has(server);
    if (given || doubtful) stuck.add(server);
  }
  return [...stuck].toSorted();
}

function summaryOf(state: RunState, outcome: Outcome, unproven: readonly string[]): string {
  const recovered = Object.entries(state.out).filter(([, out]) => out.recovered).map(([server]) => server);
  const out = Object.entries(state.out).filter(([server, each]) => !each.recovered && !unproven.includes(server));
  const parts = [headline(state, outcome)];
  if (recovered.length > 0) parts.push(`Recovered on the way: ${nameServers(recovered)}.`);
  if (out.length > 0) parts.push(`Left out: ${out.slice(0, 8).map(([server, { failure }]) => `${server} (${failure.what})`).join('; ')}.`);
  if (unproven.length > 0) parts.push(`State not proven: ${nameServers(unproven)}.`);
  return parts.join(' ');
}

function headline({ homeWhy }: RunState, outcome: Outcome): string {
  if (outcome === 'done') return 'Done.';
  const why = homeWhy ? ` It turned for home because ${homeWhy.why}.` : '';
  if (outcome === 'human') return `A person is needed.${why}`;
  return `Home and clean.${why}`;
}
