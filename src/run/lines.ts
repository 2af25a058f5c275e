import type { ActStep, GateStep, Plan, PlanStep, PlanVerdict } from '../model/index.ts';
import type { ActState, GateState, RunState, StepState, Track } from './state.ts';

/** What the machine looks up in its plan, indexed once. */
export interface PlanIndex {
  readonly plan: Plan;
  verdict(step: string, server: string): PlanVerdict;
  /** In which wave of a step of the main line a server is. */
  waveOf(step: string, server: string): number | undefined;
  domainOf(server: string): string;
  groupOf(server: string): string;
}

export function indexPlan(plan: Plan): PlanIndex {
  const lanes = new Map(plan.slices.flatMap((slice) => slice.servers.map((server) => [server.name, slice] as const)));
  const domains = new Map(
    plan.slices.flatMap(({ servers }) => servers.map(({ name, domain }) => [name, domain] as const)),
  );
  const groups = new Map(
    plan.slices.flatMap(({ servers }) => servers.map(({ name, group }) => [name, group] as const)),
  );
  const waves = new Map<string, ReadonlyMap<string, number>>();
  for (const step of plan.header.steps) {
    if (step.step === 'act')
      waves.set(step.id, new Map(step.waves.flatMap((names, at) => names.map((name) => [name, at] as const))));
  }
  return {
    plan,
    waveOf: (step, server) => waves.get(step)?.get(server),
    domainOf: (server) => domains.get(server) ?? '',
    groupOf: (server) => groups.get(server) ?? '',
    // What a plan says nothing of (a contingency's step) is decided when it comes, within the kind's bounds.
    verdict: (step, server) => lanes.get(server)?.verdicts[step]?.[server] ?? { verdict: 'unknown', untilStep: step },
  };
}

/** In which wave of a step a server is now: the plan's, unless its slots moved it into another. */
export function waveIn(act: ActState, step: string, server: string, index: PlanIndex): number | undefined {
  const planned = index.waveOf(step, server);
  if (planned === undefined || act.waves[planned]?.targets[server] !== undefined) return planned;
  const moved = act.waves.findIndex(({ targets }) => targets[server] !== undefined);
  return moved < 0 ? undefined : moved;
}

/** The plan's steps that a track goes along. */
export function lineOf({ plan }: PlanIndex, track: Track): readonly PlanStep[] {
  if (track.contingency === null) return plan.header.steps;
  return plan.header.contingencies.find((each) => each.id === track.contingency)?.steps ?? [];
}

export function actStepOf(index: PlanIndex, track: Track, position: number): ActStep {
  const step = lineOf(index, track)[track.steps[position]?.plan ?? -1];
  if (step?.step !== 'act') throw new Error(`track ${track.id} has no act step at ${position}`);
  return step;
}

export function gateStepOf(index: PlanIndex, track: Track, gate: GateState): GateStep {
  const step = gate.gate ?? lineOf(index, track)[gate.plan];
  if (step?.step !== 'gate') throw new Error(`track ${track.id} has no gate at ${gate.plan}`);
  return step;
}

/** What people call a gate: the step's id, and in a contingency the track's with it. */
export function gateIdOf(track: Track, step: GateStep): string {
  return track.kind === 'main' ? step.id : `${track.id}:${step.id}`;
}

export function trackOf(state: RunState, id: string): Track | undefined {
  return state.tracks.find((track) => track.id === id);
}

export function currentOf(track: Track): StepState | undefined {
  return track.steps[track.cursor];
}

/** Puts a track back into the state. */
export function withTrack(state: RunState, track: Track): RunState {
  return { ...state, tracks: state.tracks.map((each) => (each.id === track.id ? track : each)) };
}

export function withStep(track: Track, position: number, step: StepState): Track {
  return { ...track, steps: track.steps.with(position, step) };
}
