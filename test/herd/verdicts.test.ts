import { beforeAll, expect, test } from 'vitest';
import { harmOfExpiry } from '../../src/herd/fuse-harm.ts';
import {
  advance,
  createWorld,
  enterOffline,
  february,
  setDatabase,
  type Cure,
  type CureCode,
} from '../../src/herd/index.ts';
import { caseBySeed, CURES, cured, force, verdictOn, type Case } from './verdict-cases.ts';

/**
 * A verdict cannot be hard-coded: each plan, also a refused one, is forced in the model of the servers. A margin is
 * what an outage may overrun by, so an accepted plan is forced with its whole margin used up; a refused one as it was
 * planned and, when that was survived, with its margin.
 */
const CASES = 200;

type Fate =
  | 'accepted' // no server hung
  | 'accepted, hung'
  | 'refused, hung' // as planned
  | 'refused, hung in the margin'
  | 'refused, load not declared' // its stated reason: a cache ended, and nobody had said that the servers survive it
  | 'refused, expired' // its stated reason: a cache ended before the database was back; it was back just in time
  | 'refused needlessly';

interface Outcome {
  readonly at: Case;
  readonly fate: Fate;
  /** The check from readings, right before the cut, was right to the millisecond. */
  readonly checkHolds: boolean;
}

const outcomes: Outcome[] = [];
const count = (fate: Fate): number => outcomes.filter((outcome) => outcome.fate === fate).length;

beforeAll(() => {
  for (let seed = 0; seed < CASES; seed++) outcomes.push(outcomeOf(seed));
});

function outcomeOf(seed: number): Outcome {
  const planned = caseBySeed(seed);
  const cure = seed % 3 === 0 ? cureFor(planned, CURES[(seed / 3) % CURES.length]!) : undefined;
  const at = cure === undefined ? planned : cured(planned, cure);
  const { accepted } = verdictOn(at);
  const { outageMs, marginMs, servers } = at.question;
  const overrun = force(at, outageMs + marginMs);
  const fate = (): Fate => {
    if (accepted) return overrun.hung === 0 ? 'accepted' : 'accepted, hung';
    if (force(at, outageMs).hung > 0) return 'refused, hung';
    if (overrun.hung > 0) return 'refused, hung in the margin';
    if (overrun.expired === 0) return 'refused needlessly';
    return servers.some(({ load }) => load === undefined) ? 'refused, load not declared' : 'refused, expired';
  };
  const checkHolds = overrun.check.accepted ? overrun.hung === 0 : overrun.expired > 0;
  return { at, fate: fate(), checkHolds };
}

/** The cure of this sort, where it is offered; a cure without the number that it needs cannot be taken. */
function cureFor(planned: Case, code: CureCode): Cure | undefined {
  const needsNone = code === 'stale-on-error' || code === 'answer-at-edge';
  return verdictOn(planned).cures.find((cure) => cure.code === code && (needsNone || cure.value !== undefined));
}

test('of 200 plans by chance, every accepted one is survived, and hardly any is refused needlessly', () => {
  const fates: readonly Fate[] = [
    'accepted',
    'accepted, hung',
    'refused, hung',
    'refused, hung in the margin',
    'refused, load not declared',
    'refused, expired',
    'refused needlessly',
  ];
  print(fates.map((fate) => [fate, count(fate)]));
  expect(outcomes.filter(({ fate }) => fate === 'accepted, hung').map(({ at }) => at.seed)).toEqual([]);
  expect(count('refused needlessly')).toBeLessThanOrEqual(CASES * 0.05);
});

test('both verdicts are given often, and most refusals are followed by hung servers', () => {
  const refused = CASES - count('accepted') - count('accepted, hung');
  expect(count('accepted')).toBeGreaterThan(CASES * 0.25);
  expect(refused).toBeGreaterThan(CASES * 0.2);
  expect(count('refused, hung') + count('refused, hung in the margin')).toBeGreaterThan(refused * 0.7);
});

test('each cure of each refused plan, taken alone, makes a plan that is accepted and survived', () => {
  const taken = new Map<CureCode, number>();
  for (let seed = 0; seed < CASES; seed++) {
    const planned = caseBySeed(seed);
    for (const code of CURES) {
      const cure = cureFor(planned, code);
      if (cure === undefined) continue;
      taken.set(code, (taken.get(code) ?? 0) + 1);
      const at = cured(planned, cure);
      const { hung } = force(at, at.question.outageMs + at.question.marginMs);
      expect({ seed, cure, accepted: verdictOn(at).accepted, hung }).toEqual({ seed, cure, accepted: true, hung: 0 });
    }
  }
  print([...taken]);
  expect(CURES.filter((code) => (taken.get(code) ?? 0) < 10)).toEqual([]);
});

test('judged from readings right before the cut, no plan is accepted that hangs and none is refused needlessly', () => {
  expect(outcomes.filter(({ checkHolds }) => !checkHolds).map(({ at }) => at.seed)).toEqual([]);
});

test('February itself, forced: from the first expiry to the first hung server it takes what the forecast says', () => {
  const names = Array.from({ length: 40 }, (_, k) => `api-${k}`);
  const world = createWorld({ ...february, servers: names.map((name) => ({ name, files: [] })) }, 1);
  for (const server of world.servers) enterOffline(world, server);
  advance(world, 1_000);
  const firstEndsMs = Math.min(...world.servers.map((server) => server.cache!.refreshedMs + server.cache!.ttlMs));
  setDatabase(world, 'away');
  advance(world, 300_000);
  const hungAtMs = world.servers.map((server) => server.hungAtMs ?? Infinity);
  const harm = harmOfExpiry({
    dependencyTimeoutMs: february.databaseTimeoutMs,
    load: { requestsPerSecond: 150, memoryPerRequestBytes: 40e6, memoryFreeBytes: 56e9 },
  });
  expect(harm).toMatchObject({ fatal: true, hangsAfterMs: expect.closeTo(9_333, 0) });
  expect(Math.min(...hungAtMs) - firstEndsMs).toBeCloseTo(9_333, -1);
  expect(Math.max(...hungAtMs)).toBeLessThan(1_000 + 240_000 + 9_334);
});

function print(counts: readonly (readonly [string, number])[]): void {
  process.stdout.write(`${counts.map(([what, times]) => `${String(times).padStart(4)}  ${what}`).join('\n')}\n`);
}
