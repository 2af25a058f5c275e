import { z } from 'zod';
import type { Server } from '../../model/index.ts';
import { defineStep } from '../define.ts';
import { clockReadingSchema, readClocks, refreshedAt } from '../clocks.ts';
import { change, decide, pinned } from './decide.ts';

/** A clock that servers share is refreshed by one of them. */
function tendedBy({ name, service }: Server): Server['service']['clocks'] {
  return service.clocks.filter((clock) => (clock.tendedBy ?? name) === name);
}

/** How far a server's own idea of an age may be off, in plan milliseconds. */
const AGE_SLACK_MS = 2_000;

/** Refreshes every clock of a server; done when each is younger than the refresh. Use it with `inSlots`. */
export const refreshCaches = defineStep({
  name: 'refresh-caches',
  version: 1,
  reach: ['ssh'],
  // The names of the clocks come from the fleet: what another step does to the caches does not change this verdict.
  reads: [],
  alters: ['cache'],
  input: z.strictObject({}),
  pinned,
  readings: z.strictObject({ clocks: z.array(clockReadingSchema) }),
  change,
  idempotent: true,
  title: () => 'refresh caches',
  nature: () => 'restore',
  serving: () => 'refreshes',
  observe: async (server, _input, read, { nowMs, known }) => ({
    pinned: { clocks: tendedBy(server).map((clock) => clock.name) },
    readings: { clocks: await readClocks(server, read, nowMs, known) },
  }),
  decide,
  // Refreshing is the same whichever of its clocks a server has by then.
  bounds: () => true,
  needs: () => [{ need: 'answers', dependency: '*' }],
  async perform(_server, { refresh }, hands) {
    for (const clock of refresh) await hands.call(`refresh:${clock}`);
  },
  async confirm(server, { refresh }, read, { nowMs, sinceMs, known }) {
    // Where no age can be read, the refresh's own word is the proof: it lives on from when it was asked for.
    const done = server.service.clocks
      .filter((clock) => clock.read === undefined && refresh.includes(clock.name))
      .map((clock) => refreshedAt(clock, sinceMs, nowMs));
    const clocks = await readClocks(server, read, nowMs, [...done, ...(known ?? [])]);
    const stale = clocks.find((clock) => refresh.includes(clock.name) && clock.ageMs > nowMs - sinceMs + AGE_SLACK_MS);
    if (stale)
      return { done: false, why: `${stale.name} is ${Math.round(stale.ageMs / 1000)} s old: it was not refreshed` };
    return { done: true, readings: { clocks } };
  },
  expectedMs: () => 2_000,
  back: { nothing: true },
});
