import type { ActStep } from '../../../model/index.ts';
import { expectedOf, homeOf } from '../../../plan/index.ts';
import { lineOf, type ActState, type Machine, type RunState, type Track } from '../../../run/index.ts';
import { countsOf } from './counts.ts';

/** Plan milliseconds that the run still expects to take, waiting for people left out. A forecast, made of the plan's own. */
export function leftMs(state: RunState, machine: Machine, nowMs: number): number {
  return state.tracks.reduce((longest, track) => Math.max(longest, trackLeftMs(track, machine, nowMs)), 0);
}

/** How much of its expected work a run has behind it, from 0 to 1. */
export function progressOf(state: RunState, machine: Machine, nowMs: number): number {
  const { expectedMs } = machine.index.plan.header.window;
  if (state.closed) return 1;
  if (expectedMs <= 0 || state.mode === 'home') return 0;
  return Math.min(0.99, Math.max(0, 1 - leftMs(state, machine, nowMs) / expectedMs));
}

/** What is left of one step under way, by its servers and its soak. */
export function stepLeftMs(act: ActState, step: ActStep, failures: number, nowMs: number): number {
  const { total, done, failed } = countsOf(act);
  const share = total === 0 ? 0 : 1 - (done + failed.length) / total;
  const soaks = act.waves[act.wave]?.targets ?? {};
  const soakMs = Object.values(soaks).reduce(
    (longest, { soakUntilMs }) => Math.max(longest, (soakUntilMs ?? 0) - nowMs),
    0,
  );
  const whole = act.does === 'undo' ? homeOf(step) : expectedOf(step, failures);
  return Math.max(0, soakMs, soakMs > 0 ? 0 : whole * share);
}

function trackLeftMs(track: Track, machine: Machine, nowMs: number): number {
  if (track.status === 'finished' || track.status === 'stopped') return 0;
  const line = lineOf(machine.index, track);
  const { failures } = machine.index.plan.header.budget;
  let sum = track.kind === 'main' ? outageLeftMs(track, machine, nowMs) : 0;
  for (const act of track.steps.slice(track.cursor)) {
    const step = line[act.plan];
    if (act.step === 'act' && step?.step === 'act') sum += stepLeftMs(act, step, failures, nowMs);
  }
  return sum;
}

/** The planned outage counts from the answer that lets it begin, until the first step behind it has. */
function outageLeftMs({ steps, cursor }: Track, machine: Machine, nowMs: number): number {
  const line = machine.index.plan.header.steps;
  const at = line.findIndex((step) => step.step === 'gate' && step.fuse !== null);
  const gate = line[at];
  const behind = line.findIndex((step, position) => position > at && step.step === 'act');
  if (gate?.step !== 'gate' || gate.fuse === null || (behind >= 0 && cursor >= behind)) return 0;
  const given = steps[at];
  const sinceMs = given?.step === 'gate' && given.phase === 'passed' ? (given.answer?.atMs ?? null) : null;
  return sinceMs === null ? gate.fuse.outageMs : Math.max(0, sinceMs + gate.fuse.outageMs - nowMs);
}
