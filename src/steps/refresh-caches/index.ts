import { z } from 'zod';
import { defineStep } from '../define.ts';
import { clockReadingSchema, readClocks } from '../clocks.ts';
import { change, decide, pinned } from './decide.ts';

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
  observe: async (server, _input, read, { nowMs }) => ({
    pinned: { clocks: server.service.clocks.map((clock) => clock.name) },
    readings: { clocks: await readClocks(server, read, nowMs) },
  }),
  decide,
  // Refreshing is the same whichever of its clocks a server has by then.
  bounds: () => true,
  needs: () => [{ need: 'answers', dependency: '*' }],
  async perform(_server, { refresh }, hands) {
    for (const clock of refresh) await hands.call(`refresh:${clock}`);
  },
  async confirm(server, { refresh }, read, { nowMs, sinceMs }) {
    const clocks = await readClocks(server, read, nowMs);
    const stale = clocks.find((clock) => refresh.includes(clock.name) && clock.ageMs > nowMs - sinceMs + AGE_SLACK_MS);
    if (stale)
      return { done: false, why: `${stale.name} is ${Math.round(stale.ageMs / 1000)} s old: it was not refreshed` };
    return { done: true, readings: { clocks } };
  },
  expectedMs: () => 2_000,
  back: { nothing: true },
});
