import type { Contingency } from '../model/index.ts';
import type { RunEvent } from './events.ts';
import { tracksOf } from './away.ts';
import type { PlanIndex } from './lines.ts';
import type { Out, RunState } from './state.ts';
import { unprovenServers } from './unproven.ts';

/**
 * Servers that fell out of the line and may be in its way, of one group at a time, once nothing else has them. On the
 * way home a server is brought back as it was, so only whoever cannot be vouched for at its end is taken out.
 */
export function quarantined(state: RunState, index: PlanIndex): RunEvent | null {
  for (const contingency of index.plan.header.contingencies) {
    if (contingency.when !== 'out') continue;
    const servers = (state.mode === 'forward' ? fallen(state, index) : leftBehind(state, index)).filter(
      (server) => tracksOf(state, index, server).length === 0 && groupOf(index, server) === contingency.group,
    );
    if (servers.length > 0) return armedFor(state, contingency, servers);
  }
  return null;
}

/** Behind a broken path of neap's own nobody is taken out: it is one fault, and no server's. */
function fallen(state: RunState, { plan }: PlanIndex): string[] {
  const recovers = plan.header.contingencies.some(({ when }) => when === 'hung');
  const isDue = ({ fate, path }: Out): boolean =>
    path === null && fate !== 'undiagnosed' && (fate !== 'hung' || !recovers);
  return Object.entries(state.out).flatMap(([server, out]) => (isDue(out) ? [server] : []));
}

function leftBehind(state: RunState, index: PlanIndex): string[] {
  const isUnderWay = state.tracks.some(({ status }) => status === 'running' || status === 'draining');
  if (isUnderWay || !state.tracks.some(({ kind }) => kind === 'home')) return [];
  return unprovenServers(state, index).filter((server) => (state.out[server]?.path ?? null) === null);
}

function armedFor(state: RunState, { id, suspectAbove }: Contingency, servers: readonly string[]): RunEvent {
  const before = state.tracks.filter(({ kind, contingency }) => kind === 'contingency' && contingency === id);
  const taken = before.reduce((sum, track) => sum + track.servers.length, 0);
  return {
    type: 'armed',
    contingency: id,
    track: before.length === 0 ? id : `${id}-${before.length + 1}`,
    servers,
    // neap takes out by itself as many as may fail, and no more: a check that is wrong must not empty the balancer.
    suspect: taken + servers.length > suspectAbove,
  };
}

function groupOf({ plan }: PlanIndex, server: string): string | null {
  for (const { servers } of plan.slices) {
    const found = servers.find(({ name }) => name === server);
    if (found) return found.group;
  }
  return null;
}
