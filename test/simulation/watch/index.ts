import {
  actStepOf,
  gateOf,
  trackOf,
  type Effect,
  type Looked,
  type RunState,
  type Stamped,
} from '../../../src/run/index.ts';
import type { Truth } from '../ways.ts';
import { demandAct } from './acts.ts';
import { demandEnd, demandWords } from './ends.ts';
import { Broken, keyOf, Record, type Targeted, type WatchInput } from './record.ts';
import { demandPace, demandStart } from './starts.ts';

export { Broken, type Lease } from './record.ts';

/** Right before means right before: between a look and the change stand a commit, the fence, and the mirror. */
const BEGUN_WITHIN_MS = 6_000;

/** The promises as code: held against every event, every change in the world, and the world at the end. It trusts the events, and not the machine's own sums. */
export class Watch {
  readonly #in: WatchInput;
  readonly #record: Record;

  constructor(input: WatchInput) {
    this.#in = input;
    this.#record = new Record(input);
  }

  /** Called with every event once it is durable, before it is folded. */
  event(state: RunState | null, stamped: Stamped): void {
    const { event } = stamped;
    if ((event.type === 'opened' || event.type === 'approved') && event.plan !== this.#in.machine.index.plan.hash)
      throw new Broken('promise 2', `${event.type} names another plan`);
    this.#record.advance(stamped.atMs);
    if (state !== null) this.#judge(state, stamped);
    this.#record.note(stamped);
  }

  /** A person said that what was in doubt had not begun: it may be made again. */
  #notDone(state: RunState, gate: string): void {
    const { index } = this.#in.machine;
    for (const track of state.tracks) {
      const source = track.about && trackOf(state, track.about.place.track);
      if (!track.about || !source || gateOf(track, index)?.id !== gate) continue;
      const { step, target } = track.about.place;
      this.#record.performed.delete(`${actStepOf(index, source, step).id}/${target}`);
    }
  }

  #judge(state: RunState, { atMs, event }: Stamped): void {
    const record = this.#record;
    if (state.closed) throw new Broken('promise 8', `event ${event.type} after the run was closed`);
    demandWords(event);
    switch (event.type) {
      case 'intended':
        this.#intended(state, event.effect, atMs);
        return;
      case 'looked':
      case 'performed':
      case 'confirmed':
      case 'diagnosed':
        if (!record.intended.has(event.id))
          throw new Broken('promise 3', `an outcome of ${event.id}, which was never intended`);
        if (record.ended.has(event.id)) throw new Broken('promise 3', `a second outcome of ${event.id}`);
        record.ended.add(event.id);
        return;
      case 'answered':
        if (event.answer === 'not-done') this.#notDone(state, event.gate);
        return;
      case 'turned':
        if (event.code === 'guard' && !this.#isAnyTripped())
          throw new Broken('promise 7', `it turned home: ${event.why}`);
        return;
      case 'armed':
        if (event.guard !== undefined && record.guards.get(event.guard)?.standing !== 'trip')
          throw new Broken('promise 7', `guard ${event.guard} armed ${event.contingency} without a positive reading`);
        return;
      case 'closed':
        demandEnd(record, this.#in, state, event);
        return;
      default:
    }
  }

  #isAnyTripped(): boolean {
    return [...this.#record.guards.values()].some(({ standing, positive }) => standing === 'trip' && positive);
  }

  #intended(state: RunState, effect: Effect, atMs: number): void {
    const record = this.#record;
    if (!record.isApproved) throw new Broken('promise 2', `${effect.id} before the plan was approved`);
    if (record.intended.has(effect.id) && effect.effect !== 'page' && effect.effect !== 'diagnose')
      throw new Broken('promise 3', `effect id ${effect.id} was used twice`);
    record.intended.set(effect.id, effect);
    record.ended.delete(effect.id);
    if (!('place' in effect)) return;
    const { place } = effect;
    const track = trackOf(state, place.track);
    if (!track) throw new Broken('promise 2', `effect ${effect.id} is of no track`);
    const step = actStepOf(this.#in.machine.index, track, place.step);
    record.stepOf.set(effect.id, step);
    if (!record.frozen.has(place.target))
      throw new Broken('promise 5', `${effect.id} is on a server outside the frozen target set`);
    const act = track.steps[place.step];
    const target = act?.step === 'act' ? act.waves[place.wave]?.targets[place.target] : undefined;
    if (!target || act?.step !== 'act')
      throw new Broken('promise 2', `${effect.id} is on a server which has no part in that wave`);
    if (effect.effect === 'perform' || effect.effect === 'undo')
      demandAct(record, this.#in, state, track, step, effect);
    if (effect.effect !== 'look') return;
    if (target.phase === 'waiting') demandStart(record, this.#in, state, track, place.step, step, effect, atMs);
    if (place.wave > act.wave)
      throw new Broken('promise 9', `${effect.id} was started before its wave, which is not begun`);
    if (target.phase === 'waiting' || target.phase === 'held')
      demandPace(record, track, step, effect, act.does === 'undo', atMs);
  }

  /** Called when an engine begins an effect. False: it may not. */
  begun(effect: Effect, epoch: number): boolean {
    const { lease, broken, world } = this.#in;
    if (effect.effect !== 'perform' && effect.effect !== 'undo') return true;
    const ageMs = world.nowMs - (this.#record.looks.get(keyOf(effect))?.atMs ?? -Infinity);
    const wrong =
      epoch !== lease.epoch
        ? new Broken('promise 4', `${effect.id} was begun under epoch ${epoch}, and ${lease.epoch} holds the run`)
        : ageMs > BEGUN_WITHIN_MS
          ? new Broken('design, facts', `${effect.id} was begun ${ageMs} ms after its look`)
          : this.#waitsForMirror(effect)
            ? new Broken('promise 3', `${effect.id} was begun, and the mirror does not know of it`)
            : null;
    if (wrong) broken(wrong);
    return wrong === null;
  }

  /** What cannot be taken back or done twice is begun only when its intention lies elsewhere too. */
  #waitsForMirror({ id }: Effect): boolean {
    const step = this.#record.stepOf.get(id);
    if (!step || this.#in.machine.index.plan.header.mirror === null || !this.#record.isMirrorBehind) return false;
    const waits = !step.idempotent || (step.irreversible !== null && !step.leavesNothing);
    return waits && !this.#record.isOverridden('mirror');
  }

  /** Called when a look came to its end, with what was so in the world meanwhile. */
  looked(effect: Targeted, outcome: Looked | { readonly failure: unknown }, truth: Truth): void {
    if ('failure' in outcome) return;
    const { verdict, repeatable } = outcome;
    this.#record.looks.set(keyOf(effect), {
      atMs: this.#in.world.nowMs,
      needsAreTrue: this.#needsOf(effect).every((need) => truth[need]),
      hung: verdict.verdict === 'change' && truth.hung,
      repeatable,
    });
  }

  /** Called when a change comes through to a server, right before it does. */
  deed(name: string, what: string, effect: Effect, epoch: number): void {
    const record = this.#record;
    const server = this.#in.world.server(name);
    if (!record.intended.has(effect.id))
      this.#break(
        epoch === this.#in.lease.epoch ? 'promise 3' : 'promise 4',
        `${what} on ${name} came before its intent`,
      );
    if (!('place' in effect)) return;
    if (effect.place.target !== name)
      this.#break('promise 2', `${what} on ${name}, and ${effect.id} is on ${effect.place.target}`);
    if (what === 'reset' && !server.touched.has('power')) {
      if (server.life !== 'hung' && record.looks.get(keyOf(effect))?.hung !== true)
        this.#break('promise 10', `${name} was reset, and it was ${server.life}`);
      if (server.life === 'booting') this.#break('promise 10', `${name} was reset while it boots`);
    }
    if (what === 'refresh:stamps' && server.stamps > 0) this.#break('promise 3', `${name} was stamped twice`);
  }

  contact(name: string): void {
    if (!this.#record.frozen.has(name))
      this.#break('promise 5', `${name} is not in the frozen target set, and was contacted`);
  }

  #break(promise: string, what: string): never {
    const error = new Broken(promise, what);
    this.#in.broken(error);
    throw error;
  }

  #needsOf(effect: Targeted): readonly (keyof Truth)[] {
    const step = this.#record.stepOf.get(effect.id);
    if (step === undefined) return [];
    const undoes = effect.effect === 'undo' || (effect.effect === 'look' && effect.for === 'undo');
    return (undoes ? step.undoNeeds : step.needs).map(({ need }) => need).filter((need) => need !== 'connections');
  }
}
