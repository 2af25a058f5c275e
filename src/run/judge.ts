import type { Guard } from '../model/index.ts';
import type { GuardStanding } from './events.ts';

/** What reading a guard once gave. `seen` is for people: bounded, and safe to show. */
export interface GuardReading {
  readonly sort: 'good' | 'warn' | 'bad' | 'no-data';
  readonly seen: string;
}

/** How a guard stands, and what its latest readings make of that. All instants are plan time. */
export interface Judged {
  /** Null: no reading has settled it yet, which stops risk as no data does. */
  readonly standing: GuardStanding | null;
  /** Since when it stands so: the first bad reading, or the first that did not come. */
  readonly onsetAtMs: number;
  readonly seen: string;
  /** The latest reading that told something, or when the watch began. */
  readonly heardAtMs: number;
  /** When the reading was asked for that first brought nothing since then. */
  readonly silentSinceMs: number | null;
  readonly badSinceMs: number | null;
  readonly calmSinceMs: number | null;
}

/** A watch that begins. */
export function unread(atMs: number): Judged {
  return {
    standing: null,
    onsetAtMs: atMs,
    seen: 'not read yet',
    heardAtMs: atMs,
    silentSinceMs: null,
    badSinceMs: null,
    calmSinceMs: null,
  };
}

/** When silence becomes no data, unless a reading comes. */
export function silentAtMs({ noDataMs }: Guard, { heardAtMs }: Judged): number {
  return heardAtMs + noDataMs;
}

/**
 * Takes in a reading; null: time passed and none came. Bad without a break for `forMs` trips it; only a reading that
 * says bad can (promise 7). Calm without a break for `clearForMs` clears it. Silence shorter than `noDataMs` proves
 * nothing either way: it does not break what is bad, and it breaks what is calm.
 */
export function judge(guard: Guard, before: Judged, reading: GuardReading | null, atMs: number): Judged {
  const { standing } = before;
  if (reading === null || reading.sort === 'no-data') return silence(guard, before, reading, atMs);
  // What was bad or calm before a long silence says nothing of the time between.
  const broken = atMs - before.heardAtMs > guard.noDataMs;
  const { seen } = reading;
  const heard = { ...before, seen, heardAtMs: atMs, silentSinceMs: null };
  if (reading.sort === 'bad') {
    const badSinceMs = (broken ? null : before.badSinceMs) ?? atMs;
    const bad = { ...heard, badSinceMs, calmSinceMs: null };
    if (standing === 'trip') return bad;
    if (atMs - badSinceMs >= guard.forMs) return { ...bad, standing: 'trip', onsetAtMs: badSinceMs };
    // Not for long enough yet: people see it coming. Who was never seen otherwise stays unread.
    return standing === 'clear' ? { ...bad, standing: 'warn', onsetAtMs: badSinceMs } : bad;
  }
  const calmSinceMs = (broken ? null : before.calmSinceMs) ?? atMs;
  const calm = { ...heard, badSinceMs: null, calmSinceMs };
  const to = reading.sort === 'warn' ? 'warn' : 'clear';
  if (standing === to) return calm;
  const worse = standing === 'clear';
  if (standing === null || worse || atMs - calmSinceMs >= guard.clearForMs)
    return { ...calm, standing: to, onsetAtMs: worse || standing === null ? atMs : calmSinceMs };
  return calm;
}

function silence(guard: Guard, before: Judged, reading: GuardReading | null, atMs: number): Judged {
  const silentSinceMs = before.silentSinceMs ?? atMs;
  const silent = { ...before, silentSinceMs, calmSinceMs: null };
  // What a reading said stands until another reading says otherwise: a tripped guard that falls silent stays tripped.
  if (before.standing === 'trip' || before.standing === 'no-data') return silent;
  if (atMs < silentAtMs(guard, before)) return silent;
  return {
    ...silent,
    standing: 'no-data',
    onsetAtMs: silentSinceMs,
    badSinceMs: null,
    seen: reading?.seen ?? 'no reading came in time',
  };
}
