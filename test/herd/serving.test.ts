import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  advance,
  createWorld,
  enterOffline,
  february,
  isAbove,
  leaveOffline,
  leastServing,
  loadOnEach,
  mostAtOnce,
  mostAway,
  newInOneSecond,
  shareAtTheEdge,
  waitBehindLimit,
  type World,
} from '../../src/herd/index.ts';

// Goal: what a preview says of load and connections is arithmetic that holds for every fleet, and is what the model of
// the fleet then does. Method: properties over random fleets; and the world, in which servers are switched by hand.

const fleet = fc.record({
  traffic: fc.double({ min: 1, max: 1e6, noNaN: true }),
  serving: fc.integer({ min: 1, max: 10_000 }),
  capacity: fc.double({ min: 0.1, max: 1e5, noNaN: true }),
});

test('whoever is kept bears the traffic, and one fewer would not', () => {
  fc.assert(
    fc.property(fleet, ({ traffic, capacity }) => {
      const least = leastServing(traffic, capacity);
      expect(isAbove(loadOnEach(traffic, least), capacity)).toBe(false);
      const oneFewer = least > 1 ? loadOnEach(traffic, least - 1) : Infinity;
      expect(oneFewer).toBeGreaterThan(capacity * (1 - 1e-6));
    }),
  );
});

test('with as many away as may be, nobody gets more than he bears; with a larger capacity as many may at least', () => {
  fc.assert(
    fc.property(fleet, fc.double({ min: 1, max: 10, noNaN: true }), ({ traffic, serving, capacity }, times) => {
      const away = mostAway(traffic, serving, capacity);
      const left = away >= 0 ? loadOnEach(traffic, serving - away) : 0;
      expect(isAbove(left, capacity)).toBe(false);
      expect(mostAway(traffic, serving, capacity * times)).toBeGreaterThanOrEqual(away);
      expect(mostAway(traffic * times, serving, capacity)).toBeLessThanOrEqual(away);
    }),
  );
});

test('a balancer with a limit sends nobody more, and what it answers itself is the rest', () => {
  fc.assert(
    fc.property(fleet, ({ traffic, serving, capacity: limit }) => {
      const each = loadOnEach(traffic, serving, limit);
      expect(each).toBeLessThanOrEqual(limit);
      const share = shareAtTheEdge(traffic, serving, limit);
      expect(share).toBeGreaterThanOrEqual(0);
      expect(each * serving + share * traffic).toBeCloseTo(traffic, 4 - Math.ceil(Math.log10(traffic)));
    }),
  );
});

test('new connections in a second: as many as begin in it, and never more than slots or a limit let through', () => {
  const openings = fc.record({
    atOnce: fc.integer({ min: 1, max: 200 }),
    eachMs: fc.integer({ min: 1, max: 60_000 }),
    slotsPerSecond: fc.option(fc.double({ min: 0.1, max: 200, noNaN: true })),
    each: fc.integer({ min: 1, max: 500 }),
    servers: fc.integer({ min: 1, max: 1_000 }),
    limitPerSecond: fc.option(fc.integer({ min: 1, max: 10_000 })),
  });
  fc.assert(
    fc.property(openings, (of) => {
      const most = newInOneSecond(of);
      // Those who begin in one second, one by one: `atOnce` at its beginning, and each successor when one has ended.
      let begun = 0;
      for (let atMs = 0; atMs < 1_000; atMs += of.eachMs) begun += of.atOnce;
      const slots = of.slotsPerSecond === null ? Infinity : Math.ceil(of.slotsPerSecond - 1e-9);
      const counted = Math.min(begun, of.servers, slots) * of.each;
      expect(most).toBe(Math.min(counted, of.limitPerSecond ?? Infinity));
      expect(newInOneSecond({ ...of, atOnce: of.atOnce + 1 })).toBeGreaterThanOrEqual(most);
      expect(waitBehindLimit({ ...of, each: of.each + 1 })).toBeGreaterThanOrEqual(waitBehindLimit(of));
    }),
  );
  // As many as fit at once keep within the rate, and one more would not.
  for (const [perSecond, each] of [
    [256, 64],
    [100, 33],
    [63, 64],
  ] as const) {
    const fits = mostAtOnce(perSecond, each);
    expect(fits * each).toBeLessThanOrEqual(perSecond);
    expect((fits + 1) * each).toBeGreaterThan(perSecond);
  }
});

/** Twelve servers that bear 2.2 times their usual load, behind a balancer that offline servers leave. */
function world(limit: number | null): World {
  const servers = Array.from({ length: 12 }, (_, index) => ({ name: `api-${index + 1}`, files: [] }));
  const options = {
    ...february,
    needsCacheOffline: false,
    offlineLeaves: true,
    balancerLimitPerSecond: limit,
    servers,
  };
  return createWorld(options, 1);
}

test('canary-takes-all, forced: the first server that is back dies of the whole traffic, as the arithmetic says', () => {
  const all = world(null);
  for (const server of all.servers) {
    enterOffline(all, server);
    advance(all, all.nowMs + 1_000);
  }
  // Going out, the fleet dies from the server on from which fewer serve than bear it.
  const least = leastServing(12 * 150, 330);
  expect(all.servers.filter(({ hungAtMs }) => hungAtMs !== null).length).toBeGreaterThan(0);
  expect(all.servers.findIndex(({ hungAtMs }) => hungAtMs !== null)).toBe(12 - least + 1);

  const back = world(null);
  for (const server of back.servers) Object.assign(server, { offline: true });
  back.balancer.stale = true;
  const [canary] = back.servers;
  leaveOffline(back, canary!);
  expect(canary!.hungAtMs).not.toBeNull();
});

test('with admission held at what one server bears, the same way back costs nobody his life', () => {
  const held = world(330);
  for (const server of held.servers) Object.assign(server, { offline: true });
  held.balancer.stale = true;
  let worst = 0;
  for (const [index, server] of held.servers.entries()) {
    leaveOffline(held, server);
    advance(held, held.nowMs + 1_000);
    const each = loadOnEach(1_800, index + 1, 330);
    expect(server.ratePerSecond).toBeCloseTo(each, 6);
    expect(held.edge.refusedPerSecond / 1_800).toBeCloseTo(shareAtTheEdge(1_800, index + 1, 330), 6);
    worst = Math.max(worst, server.ratePerSecond);
  }
  expect(worst).toBe(330);
  expect(held.tally.deaths).toBe(0);
});
