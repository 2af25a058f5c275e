import { instantText } from '../../engine/index.ts';
import type { PlanStep } from '../../model/index.ts';
import {
  coherenceOf,
  flyingOf,
  clockTime,
  duration,
  lineOf,
  nameServers,
  opensAtMs,
  trackOf,
  type ActState,
  type Machine,
  type Place,
  type RunEvent,
  type RunState,
  type Stamped,
  type TargetState,
  type Track,
} from '../../run/index.ts';
import { engineText } from './engine.ts';
import { countedText, sheddingText, shedText } from './shed.ts';
import { rehearsedText } from './rehearsed.ts';
import { slotsText } from './slots.ts';
import { answeredText, armedBy, manyWords, standingText } from './standing.ts';

/** The plain log: one event a line with its plan time, step and server. What only machines need to know is left out. */
export class LogView {
  readonly #machine: Machine;
  readonly #write: (line: string) => void;
  #before: RunState | null = null;
  /** What was said of held servers: once is enough. */
  readonly #held = new Set<string>();

  constructor(machine: Machine, write: (line: string) => void) {
    this.#machine = machine;
    this.#write = write;
  }

  show({ atMs, event }: Stamped, state: RunState): void {
    const before = this.#before;
    this.#before = state;
    for (const text of this.#texts(event, before, state)) {
      for (const [at, line] of text.split('\n').entries())
        this.#write(`${clockTime(atMs).slice(0, 8)}  ${at === 0 ? '' : '  '}${line}`);
    }
  }

  #texts(event: RunEvent, before: RunState | null, state: RunState): string[] {
    return [
      ...this.#own(event, before, state),
      ...this.#opening(before, state),
      ...this.#stepsEnded(before, state),
      ...this.#dropped(before, state),
    ];
  }

  #own(event: RunEvent, before: RunState | null, state: RunState): string[] {
    switch (event.type) {
      case 'opened':
        return [`run ${event.run} opened by ${event.by} on ${event.host}: ${event.title}`, `plan ${event.plan}`];
      case 'approved':
        return [`plan approved by ${event.by}`];
      case 'engine':
        return before && before.engines.length > 0 ? [engineText(event)] : [];
      case 'intended':
        return this.#intended(event, before);
      case 'looked':
      case 'performed':
      case 'confirmed':
        return this.#moved(event.id, before, state);
      case 'diagnosed':
        return [`${event.id.split('/')[1]} is ${event.condition}: ${event.seen}`];
      case 'answered':
        return [`gate ${event.gate}: ${answeredText(event)}${event.reason ? ` (${event.reason})` : ''}`];
      case 'turned':
      case 'homeward':
      case 'armed':
      case 'renewed':
      case 'scheduled':
      case 'paced':
        return [this.#turn(event)];
      case 'abort':
        return [`abort by ${event.by}: ${event.reason}`];
      case 'halted':
        return [`halted by ${event.by}: no new work, watching goes on`];
      case 'unhalted':
        return [`goes on, by ${event.by}`];
      case 'counted':
        return [countedText(before, state)].filter((text) => text !== null);
      case 'shed':
        return [shedText(event, before)];
      case 'paged':
        return event.failure ? [`page not sent: ${event.failure.what}`] : [];
      case 'overrode':
      case 'guard':
      case 'mirror':
      case 'anchor':
      case 'lease':
      case 'jumped':
      case 'freezes':
      case 'told':
      case 'doubted':
        return [standingText(event, this.#machine.index.plan.header.guards)];
      case 'fenced':
        return missedTexts(event);
      case 'closed':
        return [`closed: ${event.summary} (exit code ${event.exitCode})`];
      case 'rehearsed':
        return [rehearsedText(event.rehearsal)];
      case 'asked':
      case 'viewed':
      case 'time':
        return [];
    }
  }

  /** What the run itself decides. */
  #turn(
    event: Extract<RunEvent, { type: 'turned' | 'homeward' | 'armed' | 'renewed' | 'scheduled' | 'paced' }>,
  ): string {
    switch (event.type) {
      case 'scheduled':
      case 'paced':
        return slotsText(event);
      case 'turned':
        return `turns for home: ${event.why}`;
      case 'homeward':
        return event.servers === null ? 'the way home begins' : `brings back ${nameServers(event.servers)}`;
      case 'armed':
        return `contingency ${event.track} armed${armedBy(event)} for ${nameServers(event.servers)}${manyWords(event, this.#machine.index.plan)}`;
      case 'renewed':
        if (event.why !== undefined) return `step ${event.from} is done again: ${event.why}`;
        return event.spoilt
          ? `time was lost: everything from step ${event.from} to ${event.gate} is done again`
          : `the fuse became too short for the outage while gate ${event.gate} waited: caches are refreshed again`;
    }
  }

  /** That the window is waited for, and that it has opened. */
  #opening(before: RunState | null, state: RunState): string[] {
    const opens = opensAtMs(state, this.#machine.index);
    if (opens === null || (before !== null && (before.begunAtMs !== null) === (state.begunAtMs !== null))) return [];
    if (state.begunAtMs !== null) return before === null ? [] : ['the window is open'];
    return [
      `waits until its window opens: ${instantText(opens, this.#machine.index.plan.header.window.zone)}, in ${duration(opens - state.nowMs)}`,
    ];
  }

  #intended({ effect }: Extract<RunEvent, { type: 'intended' }>, before: RunState | null): string[] {
    if (effect.effect === 'ask') return [`gate ${effect.gate}: ${effect.text}`];
    if (effect.effect === 'page') return [`PAGE ${effect.text}`];
    if (effect.effect === 'shed') return [sheddingText(effect.on)];
    if (!('place' in effect) || !before) return [];
    const track = trackOf(before, effect.place.track);
    const act = track?.steps[effect.place.step];
    const begun = act?.step === 'act' && act.startedAtMs === null;
    return begun ? [`step ${this.#stepName(effect.place, before)}`] : [];
  }

  /** What became of one server's part of a step: done, held for the first time, or failed. */
  #moved(id: string, before: RunState | null, state: RunState): string[] {
    const effect = before ? flyingOf(before.flying, id) : undefined;
    if (!before || !effect || !('place' in effect)) return [];
    const { place } = effect;
    const target = targetAt(state, place);
    const was = targetAt(before, place);
    if (!target || target.phase === was?.phase) return [];
    const name = `  ${place.target}  ${this.#stepName(place, state)}`;
    if (target.phase === 'done')
      return effect.effect === 'confirm' ? [`${name}: ${effect.for === 'undo' ? 'undone' : 'done'}`] : [];
    if (target.phase === 'failed' || target.phase === 'unknown')
      return [`${name}: ${target.phase}: ${target.failure?.what}`];
    const told = `${place.track} ${place.step} ${place.target} ${target.failure?.what}`;
    if (target.phase !== 'held' || !target.failure || this.#held.has(told)) return [];
    this.#held.add(told);
    return [`${name}: waits: ${target.failure.what}`];
  }

  #stepName(place: Place, state: RunState): string {
    const track = trackOf(state, place.track);
    const act = track?.steps[place.step];
    const step: PlanStep | undefined = track && act ? lineOf(this.#machine.index, track)[act.plan] : undefined;
    const undo = act?.step === 'act' && track?.kind === 'home';
    const id = step?.id ?? '';
    // A contingency's steps bear its id; of one that is armed again it is said which time it is.
    const which = track?.kind === 'contingency' && !id.startsWith(`${track.id}.`) ? `${track.id} ` : '';
    return `${which}${id} ${undo ? 'undo: ' : ''}${step?.title ?? ''}`;
  }

  /** A step's end, with how it went for all of its servers. */
  #stepsEnded(before: RunState | null, state: RunState): string[] {
    if (!before) return [];
    return state.tracks.flatMap((track) => {
      const was = trackOf(before, track.id);
      return track.steps.flatMap((act, at) => {
        const earlier = was?.steps[at];
        if (
          act.step !== 'act' ||
          act === earlier ||
          act.endedAtMs === null ||
          (earlier?.step === 'act' && earlier.endedAtMs !== null)
        )
          return [];
        const targets = act.waves.flatMap((wave) => Object.values(wave.targets));
        const done = targets.filter((target) => target.phase === 'done').length;
        const name = this.#stepName({ track: track.id, step: at, wave: 0, target: '' }, state);
        const took = act.startedAtMs === null ? '' : ` in ${duration(act.endedAtMs - act.startedAtMs)}`;
        return [`step ${name}: ${done} of ${targets.length} done${took}${this.#together(state, track, act)}`];
      });
    });
  }

  /** How far together the expiries still lie that a step was to bring apart. */
  #together(state: RunState, track: Track, { plan }: ActState): string {
    const step = lineOf(this.#machine.index, track)[plan];
    if (step?.step !== 'act' || !step.slots || step.slots.coherenceBelow === null) return '';
    const now = coherenceOf(state, track, step.slots, this.#machine.index);
    return now === null
      ? ''
      : `; expiries lie together by ${now.toFixed(2)}, meant is below ${step.slots.coherenceBelow}`;
  }

  /** Servers that fell out, and holds that began. */
  #dropped(before: RunState | null, state: RunState): string[] {
    if (!before || before.out === state.out) return [];
    return Object.entries(state.out).flatMap(([server, out]) => {
      const was = before.out[server];
      if (!was)
        return [
          `${server} is out of the run at step ${out.step} "${out.title}": ${out.failure.what}. ${out.failure.state}. ${out.failure.remedy}. See: neap status ${state.run}`,
        ];
      return out.recovered && !was.recovered ? [`${server} is recovered: it takes traffic again`] : [];
    });
  }
}

function missedTexts({ missed }: Extract<RunEvent, { type: 'fenced' }>): string[] {
  const [first] = missed;
  return first ? [`no record of this run on ${nameServers(missed.map(({ server }) => server))}: ${first.why}`] : [];
}

function targetAt(state: RunState, place: Place): TargetState | undefined {
  const act = trackOf(state, place.track)?.steps[place.step];
  return act?.step === 'act' ? act.waves[place.wave]?.targets[place.target] : undefined;
}
