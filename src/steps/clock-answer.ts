import type { Clock, ClockAnswer, TimeAt } from '../model/index.ts';

/** What one reading of a clock says, or why it cannot be believed. */
export type Told =
  | { readonly told: 'age'; readonly ageMs: number; readonly ttlMs: number }
  | { readonly told: 'absent' }
  | { readonly told: 'fault'; readonly what: string };

/** Two clocks are never set alike: so far apart they are taken for equal. */
const SKEW_MS = 2_000;
/** A time to live may be drawn a little wider than declared; beyond these factors it is another unit, or another clock. */
const LEAST_SHARE = 0.5;
const MOST_SHARE = 2;

const MS = { ms: 1, s: 1_000, min: 60_000 } as const;

/**
 * What an answer says about a clock. What a wrong unit or a wrong clock would make of it is refused, since a forecast fed
 * with it would be believed: a time to live far from the declared range, a negative age, an expiry further away than any
 * value lives. `nowMs`: what the reader's own clock says.
 */
export function clockTold(text: string, { read, ttlMs: declared }: Pick<Clock, 'read' | 'ttlMs'>, nowMs: number): Told {
  const gives = read?.gives;
  if (gives === undefined) return plainTold(text, declared);
  const at = (where: TimeAt | undefined): number | null => (where === undefined ? null : valueAt(text, where));
  const missing = fieldMissing(text, gives);
  if (missing !== null) return missing;
  const raw = at(gives.age ?? gives.left ?? gives.setAt ?? gives.expiresAt);
  const plain =
    raw === null ? null : raw / MS[(gives.age ?? gives.left ?? gives.setAt ?? gives.expiresAt)?.unit ?? 'ms'];
  if (plain !== null && gives.absent.includes(plain)) return { told: 'absent' };
  if (plain !== null && gives.never.includes(plain))
    return fault('never expires, so it is no clock: give it a time to live, or take it out of the fleet file');
  const now = at(gives.now) ?? nowMs;
  const ttl = at(gives.ttl);
  if (ttl !== null) {
    const wrong = ttlFault(ttl, declared);
    if (wrong !== null) return fault(wrong);
  }
  const left = gives.left ? at(gives.left) : gives.expiresAt ? sub(at(gives.expiresAt), now) : null;
  const age = gives.age ? at(gives.age) : gives.setAt ? sub(now, at(gives.setAt)) : null;
  if (left !== null) return leftTold(left, ttl, declared);
  // Of what lives for a time that is not told, only the lowest is certain.
  return age === null ? fault('tells neither an age nor what is left') : ageTold(age, ttl ?? declared.min, declared);
}

function plainTold(text: string, declared: Clock['ttlMs']): Told {
  const json = jsonOf(text);
  const { ageMs, ttlMs } =
    typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : { ageMs: null, ttlMs: null };
  if (typeof ageMs !== 'number' || typeof ttlMs !== 'number') return fault('is not JSON with numbers ageMs and ttlMs');
  const wrong = ttlFault(ttlMs, declared);
  return wrong === null ? ageTold(ageMs, ttlMs, declared) : fault(wrong);
}

function leftTold(left: number, ttl: number | null, declared: Clock['ttlMs']): Told {
  const most = ttl ?? declared.max;
  if (left > most * MOST_SHARE)
    return fault(
      `would live for another ${shown(left)}, and a fresh value lives for ${range(declared)}: ${unitGuess(left, declared)}`,
    );
  // What is drawn a little longer than declared counts for no longer.
  const ttlMs = Math.max(most, left);
  return { told: 'age', ageMs: ttlMs - left, ttlMs };
}

function ageTold(age: number, ttlMs: number, declared: Clock['ttlMs']): Told {
  if (age < -SKEW_MS)
    return fault(
      `has an age of ${shown(age)}: the clock that it was set by is ${shown(-age)} ahead of the one that reads it`,
    );
  if (age > 1_000 * declared.max) return fault(`has an age of ${shown(age)}: ${unitGuess(age, declared)}`);
  return { told: 'age', ageMs: Math.max(0, age), ttlMs };
}

function ttlFault(ttl: number, declared: Clock['ttlMs']): string | null {
  if (ttl >= declared.min * LEAST_SHARE && ttl <= declared.max * MOST_SHARE) return null;
  return `has a TTL of ${shown(ttl)}, far from the declared ${range(declared)}: ${unitGuess(ttl, declared)}`;
}

/** Which unit would fit, if one does. */
function unitGuess(ms: number, { min, max }: Clock['ttlMs']): string {
  const fits = (value: number): boolean => value >= min * LEAST_SHARE && value <= max * MOST_SHARE;
  if (fits(ms / 1_000)) return 'it seems to be given in milliseconds where seconds are declared';
  if (fits(ms * 1_000)) return 'it seems to be given in seconds where milliseconds are declared';
  if (fits(ms / 60_000) || fits(ms / 60)) return 'is its unit right?';
  return 'is the unit right, in the reading and in the declared range?';
}

function fieldMissing(text: string, gives: ClockAnswer): Told | null {
  for (const [name, where] of Object.entries(gives)) {
    if (Array.isArray(where) || where === undefined) continue;
    if (valueAt(text, where) === null)
      return fault(
        where.at === null ? `is no number (${name} was expected)` : `has no number at ${where.at} (${name})`,
      );
  }
  return null;
}

/** In milliseconds; null where there is no number. */
function valueAt(text: string, { at, unit }: TimeAt): number | null {
  let value: unknown = at === null ? text.trim() : jsonOf(text);
  for (const key of at === null ? [] : at.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    value = (value as Record<string, unknown>)[key];
  }
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number * MS[unit] : null;
}

function sub(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function fault(what: string): Told {
  return { told: 'fault', what };
}

function range({ min, max }: Clock['ttlMs']): string {
  return min === max ? shown(min) : `${shown(min)} to ${shown(max)}`;
}

function shown(ms: number): string {
  return Math.abs(ms) < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}
