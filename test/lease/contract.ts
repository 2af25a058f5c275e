import { describe, expect, test } from 'vitest';
import type { LeaseStore } from '../../src/ports/index.ts';
import { holder, wish } from './wishes.ts';

/** A store that is empty, as two people open it, and how more than a second of its time goes by. */
export interface Opened {
  readonly one: LeaseStore;
  readonly other: LeaseStore;
  readonly second: () => Promise<void>;
}

/** What every store of claims promises. */
export function leaseContract(name: string, open: () => Promise<Opened>): void {
  describe(`claims in ${name}`, () => {
    test('a run has all its servers or none, and whoever else wants one is told who has it, where and since when', async () => {
      const { one, other } = await open();
      const first = await one.claim(wish('first', ['f/api-1', 'f/api-2', 'f/api-2']));
      expect(first).toMatchObject({ granted: true });
      const refused = await other.claim(wish('second', ['f/api-3', 'f/api-2'], { holder: holder('ben') }));
      expect(refused).toMatchObject({
        granted: false,
        conflicts: [{ run: 'first', servers: ['f/api-2'], by: 'ada', host: 'ada-laptop', pid: 7 }],
      });
      const [conflict] = refused.granted ? [] : refused.conflicts;
      expect(Math.abs((conflict?.sinceMs ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(conflict?.silentMs).toBeLessThan(60_000);
      expect(await one.holdings()).toMatchObject([{ run: 'first', servers: ['f/api-1', 'f/api-2'] }]);
      expect(await one.holding('second')).toBe(null);
    });

    test('let go, the servers are anybody else’s, under a higher epoch', async () => {
      const { one, other } = await open();
      const first = epochOf(await one.claim(wish('first', ['f/api-1'])));
      expect(await one.release('first', first)).toBe(true);
      expect(await one.release('first', first)).toBe(false);
      const second = epochOf(await other.claim(wish('second', ['f/api-1'])));
      expect(second).toBeGreaterThan(first);
    });

    test('a run is taken over only from the epoch that was seen, and only once', async () => {
      const { one, other } = await open();
      const first = epochOf(await one.claim(wish('run', ['f/api-1', 'f/api-2'])));
      expect(await other.claim(wish('run', ['f/api-1']))).toMatchObject({
        granted: false,
        conflicts: [{ epoch: first }],
      });
      const taken = epochOf(await other.claim(wish('run', ['f/api-1'], { supersedes: first, holder: holder('ben') })));
      expect(taken).toBeGreaterThan(first);
      expect(await one.claim(wish('run', ['f/api-1'], { supersedes: first }))).toMatchObject({
        granted: false,
        conflicts: [{ epoch: taken, by: 'ben' }],
      });
      // Only what it named last.
      expect(await one.claim(wish('next', ['f/api-2']))).toMatchObject({ granted: true });
    });

    test('who was superseded neither renews nor releases what is its successor’s', async () => {
      const { one, other } = await open();
      const first = epochOf(await one.claim(wish('run', ['f/api-1'])));
      expect(await one.renew('run', first)).toBe(true);
      const taken = epochOf(await other.claim(wish('run', ['f/api-1'], { supersedes: first })));
      expect(await one.renew('run', first)).toBe(false);
      expect(await one.release('run', first)).toBe(false);
      expect(await other.renew('run', taken)).toBe(true);
      expect(await other.holding('run')).toMatchObject({ epoch: taken, servers: ['f/api-1'] });
    });

    test('an epoch is never below one that a journal has seen', async () => {
      const { one } = await open();
      const far = epochOf(await one.claim(wish('run', ['f/api-1'], { atLeast: 41 })));
      expect(far).toBeGreaterThan(41);
      expect(epochOf(await one.claim(wish('later', ['f/api-2'])))).toBeGreaterThan(far);
    });

    test('a renewal is seen by others', async () => {
      const { one, other, second } = await open();
      const epoch = epochOf(await one.claim(wish('run', ['f/api-1'])));
      const before = await other.holding('run');
      await second();
      const silent = await other.holding('run');
      expect(silent?.silentMs).toBeGreaterThanOrEqual(1_000);
      await one.renew('run', epoch);
      const after = await other.holding('run');
      expect(after?.silentMs).toBeLessThan(silent?.silentMs ?? 0);
      expect(after?.renewedAtMs).toBeGreaterThan(before?.renewedAtMs ?? Infinity);
      expect(after?.sinceMs).toBe(before?.sinceMs);
    });

    test('many at once: nobody shares a server, and no epoch is given twice', async () => {
      const { one, other } = await open();
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          (n % 2 === 0 ? one : other).claim(wish(`run-${n}`, [`f/own-${n}`, n < 4 ? 'f/wanted' : `f/free-${n}`])),
        ),
      );
      const granted = answers.flatMap((answer, n) => (answer.granted ? [{ n, epoch: answer.epoch }] : []));
      expect(granted.filter(({ n }) => n < 4)).toHaveLength(1);
      expect(granted.filter(({ n }) => n >= 4)).toHaveLength(2);
      expect(new Set(granted.map(({ epoch }) => epoch)).size).toBe(granted.length);
      expect((await one.holdings()).map(({ run }) => run).toSorted()).toEqual(
        granted.map(({ n }) => `run-${n}`).toSorted(),
      );
    });

    test('a claim of nothing is refused: an empty selection is never "all"', async () => {
      const { one } = await open();
      await expect(one.claim(wish('run', []))).rejects.toThrow('an empty selection is never "all"');
    });

    test('ten thousand servers in one go', async () => {
      const { one, other } = await open();
      const servers = Array.from({ length: 10_000 }, (_, n) => `fleet/api-${n}`);
      const epoch = epochOf(await one.claim(wish('large', servers)));
      expect(await one.renew('large', epoch)).toBe(true);
      expect(await other.claim(wish('small', ['fleet/api-9999']))).toMatchObject({
        granted: false,
        conflicts: [{ run: 'large', servers: ['fleet/api-9999'] }],
      });
    });
  });
}

export function epochOf(answer: Awaited<ReturnType<LeaseStore['claim']>>): number {
  if (!answer.granted) throw new Error(`not granted: ${JSON.stringify(answer.conflicts)}`);
  return answer.epoch;
}
