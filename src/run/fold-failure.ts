import type { Failure } from '../model/index.ts';
import type { RunEvent } from './events.ts';
import { flyingOf, landed } from './flying.ts';
import type { PlanIndex } from './lines.ts';
import { slowDown } from './pace.ts';
import type { RunState, TargetState } from './state.ts';

/** A server that failed leaves the main line; what became of it is found out next. */
export function noteFailure(
  state: RunState,
  server: string,
  { phase, failure }: TargetState,
  step: string,
  title: string,
  atMs: number,
): RunState {
  if ((phase !== 'failed' && phase !== 'unknown') || failure === null || state.out[server]) return state;
  const silent =
    failure.kind === 'unreachable' ||
    failure.kind === 'timeout' ||
    failure.kind === 'lost' ||
    failure.kind === 'not-confirmed';
  const fate =
    phase === 'unknown' ? 'unknown' : failure.kind === 'drift' ? 'drifted' : silent ? 'undiagnosed' : 'failed';
  const path = failure.kind === 'path' ? (failure.path ?? null) : null;
  return {
    ...state,
    slowed: path === null ? slowDown(state.slowed, step) : state.slowed,
    out: { ...state.out, [server]: { step, title, failure, fate, sinceMs: atMs, track: null, recovered: false, path } },
  };
}

/** A path that broke is one fault, however many servers lie behind it. */
export function notePath(state: RunState, { failure }: TargetState, atMs: number): RunState {
  if (failure?.kind !== 'path' || failure.path === undefined || state.paths[failure.path]) return state;
  return { ...state, paths: { ...state.paths, [failure.path]: { sinceMs: atMs } } };
}

/** What became of a server that fell silent. */
export function diagnosed(
  state: RunState,
  { id, condition, seen }: Extract<RunEvent, { type: 'diagnosed' }>,
  { plan }: PlanIndex,
): RunState {
  const effect = flyingOf(state.flying, id);
  const rest = { ...state, flying: landed(state.flying, id) };
  if (effect?.effect !== 'diagnose') return rest;
  const out = rest.out[effect.target];
  if (!out) return rest;
  const fate = condition === 'alive' ? 'failed' : condition;
  const remedy =
    plan.header.contingencies.length > 0
      ? 'The contingency for hung servers has it: answer its gate'
      : 'Bring it back: neap run recover-fleet';
  const hung: Failure = {
    ...out.failure,
    kind: 'hung',
    what: `it is hung (${seen}); before that: ${out.failure.what}`,
    state: 'It does nothing until it is reset',
    remedy,
  };
  const failure = condition === 'hung' ? hung : out.failure;
  return { ...rest, out: { ...rest.out, [effect.target]: { ...out, fate, failure } } };
}
