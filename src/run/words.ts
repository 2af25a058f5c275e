import type { ActStep, GateStep, Guard } from '../model/index.ts';
import type { PlanIndex } from './lines.ts';
import { awayOf } from './away.ts';
import { fuseFallsShort, isFuseOverridden } from './fuse.ts';
import type { RunState, Track } from './state.ts';

/** How many servers a sentence names. */
const NAMED_MAX = 8;

/** What a person is asked, with the figures to decide on. */
export function gateText(state: RunState, track: Track, step: GateStep, note: string | null, index: PlanIndex): string {
  const lines = [step.title];
  if (track.kind === 'contingency') lines.push(`For ${nameServers(track.servers)}.`);
  if (step.fuse && state.fuse) {
    const { expiresAtMs, server, clock } = state.fuse;
    const leftMs = expiresAtMs - state.nowMs;
    lines.push(
      `Fuse ${seconds(leftMs)} s (${clock} on ${server} expires first); planned outage ${seconds(step.fuse.outageMs)} s, margin ${seconds(step.fuse.marginMs)} s.`,
      `The database must be back by ${clockTime(expiresAtMs - step.fuse.marginMs)}; work may start until ${clockTime(expiresAtMs - step.fuse.outageMs - step.fuse.marginMs)}.`,
    );
  }
  if (fuseFallsShort(state, step.fuse) && isFuseOverridden(state))
    lines.push(
      'MIND: the fuse does not cover the outage, and a person overrode that: load is shed before the first expiry, or every server hangs.',
    );
  if (track.kind === 'main') lines.push(...outLines(state, step, index), ...guardLines(state, step, index));
  if (note !== null) lines.push(note);
  return lines.join('\n');
}

/** Who is out of the run, and whether the balancer still gives them traffic. */
function outLines(state: RunState, step: GateStep, index: PlanIndex): string[] {
  const out = Object.keys(state.out);
  if (out.length === 0) return [];
  const away = out.filter((server) => awayOf(state, index, server) === 'out');
  const others = out.filter((server) => !away.includes(server));
  const warning = step.fuse
    ? ' Whoever of them still takes traffic hangs when the database goes away: take them out of the balancer first.'
    : '';
  return [
    ...(away.length > 0 ? [`Out of this run and out of the balancer: ${nameServers(away)}.`] : []),
    ...(others.length > 0
      ? [`Out of this run, and not proven out of the balancer: ${nameServers(others)}.${warning}`]
      : []),
  ];
}

/** Guards that cover the gate and are not clear: whoever answers is told. */
function guardLines(state: RunState, { id }: GateStep, { plan }: PlanIndex): string[] {
  return plan.header.guards
    .filter((guard) => guard.covers.includes(id) && (state.guards[guard.id]?.standing ?? 'clear') !== 'clear')
    .map((guard) => `Mind: ${guardWords(state, guard)}.`);
}

/** `guard "Error rate" is tripped since 14:03:20 UTC: 7.2 is above 5`. */
export function guardWords({ guards }: RunState, { id, title }: Guard): string {
  const stands = guards[id];
  if (!stands) return `guard "${title}" was not read yet`;
  const words = { clear: 'is clear', warn: 'warns', trip: 'is tripped', 'no-data': 'has no data' }[stands.standing];
  return `guard "${title}" ${words} since ${clockTime(stands.onsetAtMs)}: ${stands.seen}`;
}

/** A step's title on the way back from it; a way back's own steps say so themselves. */
export function partTitle({ title, undoes }: ActStep, does: 'perform' | 'undo'): string {
  return (does === 'undo') === (undoes === null) ? `undo: ${title}` : title;
}

/** The command that answers a gate, as it can be typed, with the other answers behind it. */
export function approveCommand(run: string, gate: string, answers: readonly string[]): string {
  const [first = '', ...others] = answers.map((answer) => (answer.includes(' ') ? `"${answer}"` : answer));
  return `neap approve ${run} ${gate} ${first}${others.length > 0 ? ` (or: ${others.join(', ')})` : ''}`;
}

export function nameServers(servers: readonly string[]): string {
  const shown = servers.slice(0, NAMED_MAX).join(', ');
  return servers.length > NAMED_MAX ? `${shown} and ${servers.length - NAMED_MAX} more` : shown;
}

/** `1 h 02 min`, `3 min 20 s`, `45 s`; what is negative is no time at all. */
export function duration(ms: number): string {
  const inAll = Math.max(0, Math.round(ms / 1000));
  if (inAll < 120) return `${inAll} s`;
  const minutes = Math.floor(inAll / 60);
  if (minutes < 120) return inAll % 60 === 0 ? `${minutes} min` : `${minutes} min ${inAll % 60} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** HH:MM:SS in UTC: pure code knows no zones, and neither does a bastion at night. */
export function clockTime(atMs: number): string {
  const ofDay = Math.floor(atMs / 1000) % 86_400;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(ofDay / 3600))}:${two(Math.floor(ofDay / 60) % 60)}:${two(ofDay % 60)} UTC`;
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
