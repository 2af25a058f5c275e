import { clockTime, duration } from '../run/index.ts';

const DAY_MS = 86_400_000;

/** `1 h 02 min`, `3 min 20 s`, `45 s`, `0.3 s`; with a sign before what is negative. */
export function spanOf(ms: number): string {
  if (ms < 0) return `−${spanOf(-ms)}`;
  if (ms > 0 && ms < 950) return `${Math.max(1, Math.round(ms / 100)) / 10} s`;
  return duration(ms);
}

/** HH:MM:SS in UTC, and how many midnights lie between it and the run's opening. */
export function timeOf(atMs: number, openedAtMs: number): string {
  const days = Math.floor(atMs / DAY_MS) - Math.floor(openedAtMs / DAY_MS);
  return `${clockTime(atMs).slice(0, 8)}${days === 0 ? '' : ` ${days > 0 ? '+' : '−'}${Math.abs(days)} d`}`;
}

/** `2021-02-01 02:00:00 UTC`; a number that is no instant is shown as one. */
export function instantOf(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? `${atMs} ms` : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `1 server`, `12 servers`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Who asked for a run, with the account where it has another name. */
export function askedBy({
  by,
  user,
  host,
}: {
  readonly by: string;
  readonly user: string | null;
  readonly host: string;
}): string {
  return `${by}${user === null || user === by ? '' : ` (account ${user})`} on ${host}`;
}
