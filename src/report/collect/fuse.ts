import type { GateStep } from '../../model/index.ts';
import { trackOf, type Machine, type RunState, type Track } from '../../run/index.ts';
import type { FusePart, FuseSpan, Outage } from '../report.ts';
import { plannedOf } from './planned.ts';
import type { Collector, Seen } from './seen.ts';

type Span = { -readonly [key in keyof FuseSpan]: FuseSpan[key] };
type Question = NonNullable<GateStep['fuse']>;

/** The fuse over time, and the outage that it had to outlast: from the gate that shows it to the gate behind that. */
export class FuseWatch implements Collector {
  readonly #machine: Machine;
  readonly #spans: Span[] = [];
  #outage: { startMs: number; endMs: number | null; fuse: Question; position: number; leftMs: number | null } | null =
    null;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  see({ before, after, atMs }: Seen): void {
    this.#watchOutage(before, after, atMs);
    if (before?.fuse === after.fuse) return;
    const last = this.#spans.at(-1);
    if (last && before?.fuse) last.toMs = atMs;
    if (after.fuse) this.#spans.push({ ...after.fuse, fromMs: atMs, toMs: atMs });
  }

  part(state: RunState, untilMs: number): FusePart | null {
    const last = this.#spans.at(-1);
    if (last && state.fuse) last.toMs = untilMs;
    if (this.#spans.length === 0 && this.#outage === null) return null;
    return { spans: this.#spans, outage: this.#outageAt(state, untilMs) };
  }

  #outageAt(state: RunState, untilMs: number): Outage | null {
    if (this.#outage === null) return null;
    const { startMs, endMs, fuse, leftMs } = this.#outage;
    const left = endMs === null && state.fuse ? state.fuse.expiresAtMs - untilMs : leftMs;
    return { startMs, endMs, plannedMs: fuse.outageMs, marginMs: fuse.marginMs, leftMs: left };
  }

  #watchOutage(before: RunState | null, after: RunState, atMs: number): void {
    const was = before === null ? undefined : trackOf(before, 'main');
    const now = trackOf(after, 'main');
    if (!was || !now || was.cursor === now.cursor) return;
    const passed = fuseGate(this.#machine, was, now);
    if (passed) this.#outage = { startMs: atMs, endMs: null, fuse: passed, position: was.cursor + 1, leftMs: null };
    // Whatever stands behind that gate, a question or a step, its end is when the outage was over.
    else if (this.#outage?.endMs === null && was.cursor === this.#outage.position) {
      this.#outage = { ...this.#outage, endMs: atMs, leftMs: before?.fuse ? before.fuse.expiresAtMs - atMs : null };
    }
  }
}

/** What the gate that was just passed asks of the fuse; null when it is another step. */
function fuseGate(machine: Machine, was: Track, now: Track): Question | null {
  const step = was.steps[was.cursor];
  if (step?.step !== 'gate' || now.cursor <= was.cursor) return null;
  const planned = plannedOf(was, step, machine);
  return planned?.step === 'gate' ? planned.fuse : null;
}
