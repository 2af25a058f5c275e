import { gateOf, trackOf, type Effect, type Machine, type RunEvent, type RunState } from '../../run/index.ts';
import type { OpenGate, Word } from '../report.ts';
import type { Collector, Seen } from './seen.ts';

type Answered = { -readonly [key in keyof Word]: Word[key] };

/** What people said: the approval, every answer with what came of it, and who stopped or halted the run. */
export class People implements Collector {
  readonly #machine: Machine;
  readonly words: Answered[] = [];
  readonly #asked = new Map<string, number>();
  readonly #unused = new Map<string, Answered>();
  readonly #given = new Map<string, Answered>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  see(seen: Seen): void {
    const { event, atMs } = seen;
    switch (event.type) {
      case 'approved':
        this.words.push({ ...said('approved', event.by, atMs), answer: `plan ${event.plan}` });
        return;
      case 'abort':
        this.words.push({ ...said('aborted', event.by, atMs), reason: event.reason });
        return;
      case 'overrode':
        this.words.push({
          ...said('overrode', event.by, atMs),
          answer: `${event.class} (${event.about})`,
          reason: event.reason,
        });
        return;
      case 'halted':
      case 'unhalted':
        this.words.push(said(event.type, event.by, atMs));
        return;
      case 'armed':
        if (event.by !== undefined)
          this.words.push({ ...said('armed', event.by, atMs), answer: event.track, reason: event.reason ?? null });
        return;
      case 'answered':
        if (event.ahead === 'given') this.#ahead(event);
        else if (event.ahead === 'withdrawn') this.#takeBack(event.gate);
        else this.#answer(seen, event);
        return;
      case 'renewed':
        this.#tooLate(event.gate);
        return;
      case 'intended':
        if (event.effect.effect === 'ask') this.#asked.set(event.effect.gate, atMs);
        if (event.effect.effect === 'pass') this.#pass(seen, event.effect);
        return;
      default:
    }
  }

  #answer({ before, after, atMs }: Seen, event: Extract<RunEvent, { type: 'answered' }>): void {
    const open = before?.tracks
      .map((track) => gateOf(track, this.#machine.index))
      .find((gate) => gate?.id === event.gate);
    const askedAtMs = this.#asked.get(event.gate);
    const word: Answered = {
      ...said('answered', event.by, event.givenAtMs),
      gate: event.gate,
      question: open?.step.title ?? null,
      answer: event.answer,
      reason: event.reason ?? null,
      waitedMs: askedAtMs === undefined ? null : Math.max(0, event.givenAtMs - askedAtMs),
    };
    // What was said ahead is one word, however late it counts.
    const ahead = event.ahead === 'used' ? this.#given.get(open?.step.id ?? '') : undefined;
    if (ahead) {
      this.#given.delete(open?.step.id ?? '');
      this.words.splice(this.words.indexOf(ahead), 1);
    }
    this.words.push(word);
    const does = before?.tracks === after.tracks ? undefined : open?.step.answers[event.answer];
    word.fate = does === 'ask-again' ? 'asked again' : does === 'go-home' ? 'went home' : 'not needed any more';
    if (does !== 'ask-again' && does !== undefined) word.ageMs = atMs - event.givenAtMs;
    // An answer that lets the run go on counts from when it is acted upon.
    if (does === 'go-on') this.#unused.set(event.gate, word);
  }

  /** Said before the gate is asked: it counts when the gate is, as what is said then. */
  #ahead({ gate, answer, by, givenAtMs, reason }: Extract<RunEvent, { type: 'answered' }>): void {
    this.#takeBack(gate);
    const words = { gate, answer, reason: reason ?? null, fate: 'not needed any more' } as const;
    const word: Answered = { ...said('answered', by, givenAtMs), ...words };
    this.words.push(word);
    this.#given.set(gate, word);
  }

  #takeBack(gate: string): void {
    const word = this.#given.get(gate);
    this.#given.delete(gate);
    if (word) word.fate = 'taken back';
  }

  /** It came when the fuse no longer covered the outage. */
  #tooLate(gate: string): void {
    const word = this.#unused.get(gate);
    this.#unused.delete(gate);
    if (word) Object.assign(word, { fate: 'too late', ageMs: null } satisfies Partial<Word>);
  }

  #pass({ atMs, before, after }: Seen, { gate, track }: Extract<Effect, { effect: 'pass' }>): void {
    const word = this.#unused.get(gate);
    this.#unused.delete(gate);
    const at = before && trackOf(before, track)?.cursor;
    const now = at === null || at === undefined ? undefined : trackOf(after, track)?.steps[at];
    if (!word || now?.step !== 'gate') return;
    word.ageMs = atMs - word.atMs;
    word.fate = now.phase === 'passed' ? 'taken' : 'too old';
  }
}

/** The gates at which a run waits for somebody. */
export function openGates(state: RunState, machine: Machine): OpenGate[] {
  if (state.closed) return [];
  return state.tracks.flatMap((track) => {
    const gate = gateOf(track, machine.index);
    if (gate === null) return [];
    return [
      {
        gate: gate.id,
        question: gate.step.title,
        role: gate.step.role,
        sinceMs: gate.state.askedAtMs,
        answers: Object.keys(gate.step.answers),
      },
    ];
  });
}

function said(word: Word['word'], by: string, atMs: number): Answered {
  return {
    word,
    by,
    atMs,
    gate: null,
    question: null,
    answer: null,
    reason: null,
    waitedMs: null,
    ageMs: null,
    fate: 'taken',
  };
}
