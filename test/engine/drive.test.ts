import { expect, test } from 'vitest';
import { Drive } from '../../src/engine/drive.ts';
import { FailureError } from '../../src/model/index.ts';
import type { Clock, DriveWish, HttpAnswer } from '../../src/ports/index.ts';

// Goal: requests leave at their rate whatever becomes of earlier ones, the first of several failures is found to the
// request, and a time in which nothing was sent is no proof. Method: a clock that is turned by hand.

const WISH: DriveWish = {
  share: 0.05,
  productionPerSecond: 40,
  perSecond: 2,
  requests: [
    { name: 'anonymous', path: '/', headers: {}, withinMs: 3_000 },
    { name: 'logged-in', path: '/mail', headers: {}, withinMs: 3_000 },
  ],
};

/** Virtual time, in which a second of the plan is `realMs` long. */
class Hand {
  nowMs = 0;
  readonly realMs: number;
  readonly #sleepers: { atMs: number; wake: () => void }[] = [];

  constructor(realMs = 1_000) {
    this.realMs = realMs;
  }

  get clock(): Clock {
    return {
      nowMs: () => this.nowMs,
      sleepUntil: (atMs) => new Promise((wake) => void this.#sleepers.push({ atMs, wake })),
      after: () => () => undefined,
      pauseRealMs: async () => undefined,
      realMsUntil: (atMs) => Math.max(0, ((atMs - this.nowMs) * this.realMs) / 1_000),
    };
  }

  /** To that instant, waking who sleeps until then, one after another. */
  async to(atMs: number): Promise<void> {
    for (;;) {
      await settled();
      const next = this.#sleepers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (!next || next.atMs > atMs) break;
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.wake();
    }
    this.nowMs = atMs;
    await settled();
  }
}

/** Whatever is due now has happened. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const answer = (status: number, tookMs = 20): HttpAnswer => ({ status, body: '', tookMs });

function driveOf(hand: Hand, get: (path: string) => Promise<HttpAnswer>, wish = WISH): Drive {
  return new Drive(wish, { get }, hand.clock);
}

test('requests leave in turn and at their rate, also while none of them is answered', async () => {
  const hand = new Hand();
  const paths: string[] = [];
  const waiting: ((answered: HttpAnswer) => void)[] = [];
  const drive = driveOf(hand, (path) => {
    paths.push(path);
    return new Promise((resolve) => void waiting.push(resolve));
  });
  await hand.to(10_000);
  expect(paths).toHaveLength(21);
  expect(paths.slice(0, 4)).toEqual(['/', '/mail', '/', '/mail']);
  // Nothing is known of a request that is still under way.
  expect(drive.seen).toMatchObject({ sent: 21, untilMs: 0, failure: null });
  for (const resolve of waiting) resolve(answer(200));
  await settled();
  expect(drive.seen).toMatchObject({ untilMs: 10_000, perSecond: 2.1, alone: 0 });
});

test('the first of several failures is told, with when its request was sent; then no more are sent', async () => {
  const hand = new Hand();
  const failsFromMs = 7_000;
  const drive = driveOf(hand, async (path) => answer(path === '/mail' && hand.nowMs >= failsFromMs ? 503 : 200));
  await hand.to(60_000);
  expect(drive.seen).toMatchObject({
    failure: { atMs: 7_500, request: 'logged-in', why: 'was answered 503' },
    sent: 18,
  });
});

test('one that fails alone is counted, and is not the fuse', async () => {
  const hand = new Hand();
  const drive = driveOf(hand, async () => answer(hand.nowMs === 5_000 ? 500 : 200));
  await hand.to(60_000);
  expect(drive.seen).toMatchObject({ failure: null, alone: 1 });
  await drive.end();
});

test('silence and slowness are failures', async () => {
  const silent = new FailureError({ kind: 'timeout', what: 'no word came', where: 'x', state: 's', remedy: 'r' });
  for (const [get, why] of [
    [() => Promise.reject(silent), 'got no answer: no word came'],
    [async () => answer(200, 3_001), 'took 3001 ms, more than 3000 ms'],
  ] as const) {
    const hand = new Hand();
    const drive = driveOf(hand, get);
    await hand.to(3_000);
    expect(drive.seen.failure).toEqual({ atMs: 0, request: 'anonymous', why });
  }
});

test('a machine that slept has a gap in its proof', async () => {
  const hand = new Hand();
  const drive = driveOf(hand, async () => answer(200));
  await hand.to(5_000);
  hand.nowMs = 40_000;
  await hand.to(41_000);
  expect(drive.seen.gap).toBe('nothing was sent for 35 s');
});

test('a lab whose time runs fast is not stormed: never closer than five real milliseconds, and no burst afterwards', async () => {
  const hand = new Hand(1);
  let sent = 0;
  const drive = driveOf(hand, async () => {
    sent += 1;
    return answer(200);
  });
  await hand.to(100_000);
  expect(sent).toBe(21);
  await drive.end();
  await hand.to(200_000);
  expect(sent).toBe(21);
});
