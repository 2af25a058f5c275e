import type { Failure, Json, Plan } from '../../src/model/index.ts';
import { createMachine, gateOf, type Effect, type RunEvent, type RunState, type Stamped } from '../../src/run/index.ts';

/** How the world answers while the real run machine goes through a plan. */
export interface Weather {
  /** Servers that do not answer when they are to enter offline mode, and in which words; they are found hung. */
  readonly hung?: { readonly [server: string]: string };
  /** Answers to gates, in order; a gate without any left is answered "yes". */
  readonly answers?: {
    readonly [gate: string]: readonly { readonly answer: string; readonly by: string; readonly afterMs: number }[];
  };
  /** The engine is killed after so many events, and another takes over. */
  readonly killedAt?: number;
  /** Stops here, with the run open. */
  readonly untilGate?: string;
}

const T0 = Date.UTC(2021, 1, 1, 2);
const EVENTS_MAX = 400_000;

/** Events of a run as an engine would write them: the machine decides, the weather answers. */
export function sail(plan: Plan, { hung = {}, answers = {}, killedAt, untilGate }: Weather = {}): Stamped[] {
  const machine = createMachine(plan);
  const events: Stamped[] = [];
  const given: { [gate: string]: number } = {};
  let state: RunState | null = null;
  let nowMs = T0;
  const write = (event: RunEvent, tookMs = 10): RunState => {
    nowMs += tookMs;
    events.push({ atMs: nowMs, event });
    state = machine.apply(state, { atMs: nowMs, event });
    return state;
  };
  write({
    type: 'opened',
    run: '2021-02-01-ab12cd',
    plan: plan.hash,
    title: plan.header.title,
    by: 'ada',
    host: 'bastion',
  });
  write({ type: 'approved', plan: plan.hash, by: 'ada' });
  let current = write({ type: 'engine', pid: 100, host: 'bastion', neap: '0.1.0' });
  while (!current.closed && events.length < EVENTS_MAX) {
    const { decision, effects, wakeAtMs } = machine.next(current);
    if (decision) {
      current = write(decision);
      continue;
    }
    if (effects.length === 0) {
      if (wakeAtMs === null) throw new Error('the run waits for nothing');
      nowMs = Math.max(nowMs, wakeAtMs);
      current = write({ type: 'time' });
      continue;
    }
    for (const effect of effects) current = write({ type: 'intended', effect }, 0);
    if (
      killedAt !== undefined &&
      events.length >= killedAt &&
      !events.some(({ event }) => event.type === 'engine' && event.pid === 200)
    ) {
      nowMs += 30_000;
      current = write({ type: 'engine', pid: 200, host: 'bastion', neap: '0.1.0' });
      continue;
    }
    for (const effect of effects) {
      if (effect.effect === 'ask' && effect.gate === untilGate) return events;
      for (const { event, tookMs } of replies(effect, hung)) current = write(event, tookMs);
      if (effect.effect !== 'ask') continue;
      const at = given[effect.gate] ?? 0;
      given[effect.gate] = at + 1;
      const { answer, by, afterMs } = answers[effect.gate]?.[at] ?? { answer: 'yes', by: 'grace', afterMs: 7_000 };
      if (current.tracks.some((track) => gateOf(track, machine.index)?.id === effect.gate))
        current = write({ type: 'answered', gate: effect.gate, answer, by, givenAtMs: nowMs + afterMs }, afterMs);
    }
  }
  return events;

  function replies(effect: Effect, silent: NonNullable<Weather['hung']>): { event: RunEvent; tookMs: number }[] {
    const once = (event: RunEvent, tookMs: number): { event: RunEvent; tookMs: number }[] => [{ event, tookMs }];
    switch (effect.effect) {
      case 'look':
        return once(look(effect, silent[effect.place.target]), 5);
      case 'perform':
      case 'undo':
        return once({ type: 'performed', id: effect.id }, 20);
      case 'confirm':
        return once(
          { type: 'confirmed', id: effect.id, readings: readingsOf(effect.place.track, effect.place.step, nowMs) },
          20,
        );
      case 'diagnose':
        return once({ type: 'diagnosed', id: effect.id, condition: 'hung', seen: 'SSH silent, power On' }, 50);
      case 'ask':
        return once({ type: 'asked', id: effect.id }, 1);
      case 'page':
        return once({ type: 'paged', id: effect.id }, 1);
      case 'count':
        return once({ type: 'counted', id: effect.id, first: null, unread: [] }, 50);
      case 'shed':
        return once({ type: 'shed', id: effect.id }, 50);
      case 'pass':
        return [];
    }
  }
}

function look(effect: Extract<Effect, { effect: 'look' }>, silence: string | undefined): RunEvent {
  const { place, id } = effect;
  if (place.track === 'main' && place.step === 1 && silence !== undefined)
    return { type: 'looked', id, outcome: { failure: unreachable(place.target, silence) } };
  const holds = { holds: true } as const;
  const nothing = place.track === 'main' && place.step === 0;
  const readings: Json = nothing ? { bootId: `boot-1-${place.target}` } : {};
  const verdict = nothing
    ? ({ verdict: 'nothing' } as const)
    : ({ verdict: 'change', change: { to: 'on' }, diff: ['off -> on'] } as const);
  return {
    type: 'looked',
    id,
    outcome: { verdict, condition: holds, need: holds, readings, repeatable: true, withinBounds: true },
  };
}

function readingsOf(track: string, step: number, nowMs: number): Json {
  if (track === 'main' && step === 2)
    return { clocks: [{ name: 'config', whenExpired: 'fatal', ageMs: 0, ttlMs: 200_000, readAtMs: nowMs }] };
  return track === 'c1' ? { bootId: 'boot-2' } : null;
}

function unreachable(where: string, what: string): Failure {
  return { kind: 'unreachable', what, where, state: 'It was left as it is', remedy: 'Try it by hand' };
}
