import type { ActStep, Plan } from '../model/index.ts';
import { doesOf, historyKey } from '../plan/index.ts';
import type { Effect, Place, RunEvent, Stamped } from '../run/index.ts';

/** So many samples of one run are kept for one kind and input. */
const SAMPLES_MAX = 200;

/**
 * How long each server's part of each step of the main line took, by `historyKey`, from one run's journal: from the
 * look that let it act to its proof, without its soak. Whatever an engine's end, a sleep or a second attempt was in is
 * no measure of the work.
 */
export function durationsOf(events: Iterable<Stamped>, { header }: Plan): Map<string, number[]> {
  const measured = new Map<string, number[]>();
  const flying = new Map<string, Effect>();
  const begun = new Map<string, { lookedAtMs: number; attempts: number }>();
  const shed = new ShedTimes();
  for (const { atMs, event } of events) {
    if (event.type === 'engine' || event.type === 'jumped') {
      flying.clear();
      begun.clear();
      continue;
    }
    shed.see(atMs, event);
    if (event.type === 'intended') {
      if (!('place' in event.effect) || event.effect.place.track !== 'main') continue;
      flying.set(event.effect.id, event.effect);
      noteBegin(begun, event.effect, atMs);
      continue;
    }
    if (event.type !== 'looked' && event.type !== 'performed' && event.type !== 'confirmed') continue;
    const effect = flying.get(event.id);
    flying.delete(event.id);
    if (!effect || !('place' in effect)) continue;
    const step = header.steps[effect.place.step];
    const since = begun.get(keyOf(effect.place));
    if (step?.step !== 'act' || !since) continue;
    if ('failure' in event && event.failure) begun.delete(keyOf(effect.place));
    if (!isProof(event, step, since.attempts)) continue;
    add(measured, step, Math.max(0, atMs - since.lookedAtMs - step.soakMs));
  }
  if (shed.tookMs.length > 0) measured.set(SHED_KEY, shed.tookMs);
  return measured;
}

/** What shedding load took, by this key; no kind has it. */
export const SHED_KEY = 'edge: on';

/** From the first intention of the balancer's page to the moment it showed, whatever failed in between. */
class ShedTimes {
  readonly tookMs: number[] = [];
  #fromMs: number | null = null;

  see(atMs: number, event: RunEvent): void {
    if (event.type === 'intended' && event.effect.effect === 'shed')
      this.#fromMs = event.effect.on ? (this.#fromMs ?? atMs) : null;
    if (event.type !== 'shed' || this.#fromMs === null || event.failure) return;
    if (event.found !== 'on') this.tookMs.push(atMs - this.#fromMs);
    this.#fromMs = null;
  }
}

function noteBegin(begun: Map<string, { lookedAtMs: number; attempts: number }>, effect: Effect, atMs: number): void {
  if (!('place' in effect)) return;
  const key = keyOf(effect.place);
  if (effect.effect === 'look') begun.set(key, { lookedAtMs: atMs, attempts: begun.get(key)?.attempts ?? 0 });
  const known = begun.get(key);
  if ((effect.effect === 'perform' || effect.effect === 'undo') && known) known.attempts += 1;
}

/** A check is done with its look; a change with its confirmation, at the first attempt. */
function isProof(event: RunEvent, step: ActStep, attempts: number): boolean {
  if (event.type === 'confirmed') return event.failure === undefined && attempts === 1;
  return (
    event.type === 'looked' &&
    step.nature === 'check' &&
    !('failure' in event.outcome) &&
    event.outcome.condition.holds &&
    event.outcome.verdict.verdict === 'nothing'
  );
}

function add(measured: Map<string, number[]>, step: ActStep, tookMs: number): void {
  const key = historyKey(step.kind.name, step.input, doesOf(step));
  const sofar = measured.get(key) ?? [];
  if (sofar.length < SAMPLES_MAX) sofar.push(tookMs);
  measured.set(key, sofar);
}

function keyOf({ step, wave, target }: Place): string {
  return `${step}/${wave}/${target}`;
}
