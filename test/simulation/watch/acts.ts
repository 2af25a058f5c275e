import type { ActStep } from '../../../src/model/index.ts';
import { canonicalJson } from '../../../src/plan/index.ts';
import { trackOf, type RunState, type Track } from '../../../src/run/index.ts';
import { Broken, keyOf, type Record, type Targeted, type WatchInput } from './record.ts';

type Act = Extract<Targeted, { effect: 'perform' | 'undo' }>;

/** Judges the intention of a change: promises 2, 3, 7, 8, 9, 10. */
export function demandAct(
  record: Record,
  input: WatchInput,
  state: RunState,
  track: Track,
  step: ActStep,
  effect: Act,
): void {
  const { place, id } = effect;
  if (track.kind === 'main' && state.halted && step.releases === null)
    throw new Broken('promise 8', `${id} was made while halted`);
  if (track.kind === 'main' && state.mode === 'home')
    throw new Broken('promise 7', `${id} was made after the run turned for home`);
  if (record.inDoubt.has(keyOf(effect)))
    throw new Broken('promise 3', `${id} is made again, and nobody has looked whether it was done`);
  const key = `${step.releases ?? step.id}/${place.target}`;
  const look = record.looks.get(keyOf(effect));
  if (effect.effect === 'undo') {
    if (!record.performed.get(key)?.includes(canonicalJson(effect.change)))
      throw new Broken('promise 2', `${id} undoes a change that was never made`);
  } else {
    demandPlanned(input, state, track, step, effect);
    if (!step.idempotent && record.performed.has(key) && look?.repeatable !== true)
      throw new Broken('promise 3', `${id} is made again, and nothing shows that it is safe`);
    record.performed.set(key, [...(record.performed.get(key) ?? []), canonicalJson(effect.change)]);
  }
  if (!look) throw new Broken('design, facts', `${id} acts on no look`);
  if (!look.needsAreTrue) throw new Broken('promise 9', `${id} acts while a need of it is unmet`);
}

function demandPlanned(
  { machine, outline }: WatchInput,
  state: RunState,
  track: Track,
  step: ActStep,
  effect: Act,
): void {
  const { place, id } = effect;
  const planned = machine.index.verdict(step.id, place.target);
  if (track.kind === 'contingency') demandArmed(state, machine.index.plan.header.contingencies, track, step, effect);
  else {
    if (!step.waves.some((wave) => wave.includes(place.target)))
      throw new Broken('promise 2', `${id} is on a server that the plan does not have there`);
    const asPlanned =
      planned.verdict === 'unknown' ||
      isAlteredMeanwhile(machine, state, step, place.target) ||
      (planned.verdict === 'change' && canonicalJson(planned.change) === canonicalJson(effect.change));
    if (!asPlanned) throw new Broken('promise 2', `${id} is not what the plan says (${planned.verdict})`);
  }
  const kind = outline.kinds.get(step.id);
  const bounded = kind?.bounds?.(effect.change as never, kind.input.parse(step.input) as never);
  if (planned.verdict === 'unknown' && bounded !== true)
    throw new Broken('promise 2', `${id} is outside the bounds of its kind`);
}

/** A contingency that a person or a guard armed altered what this step reads: it is decided now. */
function isAlteredMeanwhile({ index }: WatchInput['machine'], state: RunState, step: ActStep, server: string): boolean {
  return index.plan.header.contingencies.some(
    ({ id, when, steps }) =>
      when !== 'hung' &&
      when !== 'out' &&
      state.tracks.some(({ contingency, servers }) => contingency === id && servers.includes(server)) &&
      steps.some((other) => other.step === 'act' && other.alters.some((aspect) => step.alters.includes(aspect))),
  );
}

function demandArmed(
  state: RunState,
  contingencies: WatchInput['machine']['index']['plan']['header']['contingencies'],
  track: Track,
  step: ActStep,
  { place, id }: Act,
): void {
  const contingency = contingencies.find((each) => each.id === track.contingency);
  if (!track.servers.includes(place.target))
    throw new Broken('promise 2', `${id} is on a server that the contingency was not armed for`);
  const rejoinAt = track.steps.findIndex((each) => each.step === 'rejoin');
  const isBack =
    trackOf(state, 'main')?.status === 'finished' ||
    state.tracks.some((each) => each.kind === 'home' && each.status === 'finished');
  if (rejoinAt >= 0 && rejoinAt < place.step && !isBack)
    throw new Broken('promise 2', `${id} did not wait for the fleet`);
  const many =
    Object.values(state.out).filter((out) => out.track === track.id).length > (contingency?.suspectAbove ?? 0);
  const rearmed = track.steps.some(
    (each) => each.step === 'gate' && each.gate?.id === 'rearm' && each.phase === 'passed',
  );
  if (many && step.kind.name === 'hard-reset' && !rearmed)
    throw new Broken('promise 10', `${id} after many went silent, and nobody re-armed power`);
}
