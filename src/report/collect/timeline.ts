import type { ActStep } from '../../model/index.ts';
import { expectedOf, homeOf } from '../../plan/index.ts';
import {
  isSettled,
  trackOf,
  type ActState,
  type Machine,
  type RunState,
  type StepState,
  type Track,
} from '../../run/index.ts';
import type { TimelineRow } from '../report.ts';
import { plannedOf } from './planned.ts';
import type { Collector, Seen } from './seen.ts';

type Visit = { readonly enteredAtMs: number; leftAtMs: number | null };

/** Every step of every track as it went, those that were done again after a renewal included. */
export class Timeline implements Collector {
  readonly #machine: Machine;
  readonly #earlier: TimelineRow[] = [];
  /** When a track came to a step and when it went on: `track/position`. */
  readonly #visits = new Map<string, Visit>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  see({ event, before, after, atMs }: Seen): void {
    if (event.type === 'renewed' && before) this.#renewed(before, after, atMs);
    for (const track of after.tracks) {
      const was = before === null ? undefined : trackOf(before, track.id);
      if (was === track) continue;
      if (track.status === 'stopped') this.#leave(track.id, track.cursor, atMs);
      if (was?.cursor === track.cursor) continue;
      this.#move(track.id, was?.cursor ?? -1, track.cursor, atMs);
    }
  }

  /** In the order in which they began; what never began comes last. */
  rows(state: RunState): TimelineRow[] {
    const rows = state.tracks.flatMap((track) => track.steps.map((step, at) => this.#row(track, step, at, state)));
    const all = [...this.#earlier, ...rows].map((row, at) => ({ row, at, key: row.startedAtMs ?? Infinity }));
    return all.toSorted((a, b) => (a.key === b.key ? a.at - b.at : a.key - b.key)).map(({ row }) => row);
  }

  /** A step that a track passes at once was come to and left in that instant. */
  #move(track: string, from: number, to: number, atMs: number): void {
    this.#leave(track, from, atMs);
    for (let at = Math.min(from + 1, to); at <= to; at += 1) {
      const key = `${track}/${at}`;
      if (!this.#visits.has(key)) this.#visits.set(key, { enteredAtMs: atMs, leftAtMs: at < to ? atMs : null });
    }
  }

  #leave(track: string, position: number, atMs: number): void {
    const visit = this.#visits.get(`${track}/${position}`);
    if (visit) visit.leftAtMs ??= atMs;
  }

  #renewed(before: RunState, after: RunState, atMs: number): void {
    const was = trackOf(before, 'main');
    const now = trackOf(after, 'main');
    if (!was || !now) return;
    for (let at = now.cursor; at <= was.cursor; at += 1) {
      const step = was.steps[at];
      const row = step && this.#row(was, step, at, before);
      if (row)
        this.#earlier.push({
          ...row,
          state: 'done again later',
          endedAtMs: row.endedAtMs ?? (row.startedAtMs === null ? null : atMs),
        });
      this.#visits.delete(`main/${at}`);
    }
  }

  #row(track: Track, step: StepState, at: number, state: RunState): TimelineRow {
    const planned = plannedOf(track, step, this.#machine);
    const visit = this.#visits.get(`${track.id}/${at}`);
    const act = step.step === 'act' ? step : null;
    // A gate's first question may be from before a renewal: what counts is when this turn came to it.
    const startedAtMs = act ? act.startedAtMs : (visit?.enteredAtMs ?? null);
    const endedAtMs = act?.endedAtMs ?? visit?.leftAtMs ?? null;
    const counted = countTargets(act);
    return {
      track: track.id,
      trackKind: track.kind,
      id: planned?.id ?? '',
      title: planned?.title ?? '',
      step: step.step,
      does: act?.does ?? 'perform',
      state: stateOf(track, at, startedAtMs, endedAtMs, counted.servers, act !== null, state),
      startedAtMs,
      endedAtMs: startedAtMs === null ? null : endedAtMs,
      expectedMs: planned?.step === 'act' && act ? this.#expected(planned, act, track) : null,
      ...counted,
    };
  }

  #expected(planned: ActStep, act: ActState, track: Track): number {
    const step = { ...planned, waves: act.waves.map(({ targets }) => Object.keys(targets)) };
    return track.kind === 'home' ? homeOf(step) : expectedOf(step, this.#machine.index.plan.header.budget.failures);
  }
}

function stateOf(
  track: Track,
  at: number,
  startedAtMs: number | null,
  endedAtMs: number | null,
  servers: number,
  isAct: boolean,
  state: RunState,
): TimelineRow['state'] {
  if (isAct && startedAtMs === null && (endedAtMs !== null || servers === 0))
    return at < track.cursor ? 'nobody to do it for' : 'not reached';
  if (at < track.cursor) return 'done';
  if (startedAtMs === null) return 'not reached';
  return track.status === 'stopped' || state.closed ? 'stopped' : 'under way';
}

function countTargets(
  act: ActState | null,
): Pick<TimelineRow, 'servers' | 'done' | 'failed' | 'unknown' | 'left' | 'open'> {
  const targets = (act?.waves ?? []).flatMap((wave) => Object.entries(wave.targets));
  const named = (phase: string): string[] =>
    targets.filter(([, target]) => target.phase === phase).map(([server]) => server);
  return {
    servers: targets.length,
    done: targets.filter(([, target]) => target.phase === 'done').length,
    failed: named('failed'),
    unknown: named('unknown'),
    left: named('left'),
    open: targets.filter(([, target]) => !isSettled(target)).length,
  };
}
