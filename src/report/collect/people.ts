import { gateOf, trackOf, type Effect, type Machine, type RunState } from '../../run/index.ts';
import type { OpenGate, Word } from '../report.ts';
import type { Collector, Seen } from './seen.ts';

type Answered = { -readonly [key in keyof Word]: Word[key] };

/** What people said: the approval, every answer with what came of it, and who stopped or halted the run. */
export class People implements Collector {
  readonly #machine: Machine;
  readonly words: Answered[] = [];
  readonly #asked = new Map<string, number>();
  readonly #unused = new Map<string, Answered>();

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
      case 'halted':
      case 'unhalted':
        this.words.push(said(event.type, event.by, atMs));
        return;
      case 'answered':
        this.#answer(seen, event);
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

  #answer(
    { before, after, atMs }: Seen,
    event: { gate: string; answer: string; by: string; givenAtMs: number; reason?: string },
  ): void {
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
    this.words.push(word);
    const does = before?.tracks === after.tracks ? undefined : open?.step.answers[event.answer];
    word.fate = does === 'ask-again' ? 'asked again' : does === 'go-home' ? 'went home' : 'not needed any more';
    if (does !== 'ask-again' && does !== undefined) word.ageMs = atMs - event.givenAtMs;
    // An answer that lets the run go on counts from when it is acted upon.
    if (does === 'go-on') this.#unused.set(event.gate, word);
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
