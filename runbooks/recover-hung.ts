/**
 * Purpose: bring servers that hang back into full service, however many they are.
 * Blast radius: only servers that SSH, health, the balancer and the BMC agree are hung; the others are not touched.
 * Way back: none from a reset; each server stays out of the balancer until it is proven, so going slower is always safe.
 */
import { atRate, defineRunbook, dependencyAnswers, gate, giveTraffic, hardReset, inSlots, offlineMode, probe, proveConfiguration, refreshCaches, takeOut, z } from 'neap';

export default defineRunbook({
  title: 'Recover hung servers',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({
    capacityPerSecond: z.number().positive().default(40),
    resetsPerMinute: z.number().positive().default(30),
    failures: z.number().int().positive().default(3),
  }),
  budget: { failures: 3 },
  window: { limitMs: 4 * 60 * 60_000 },

  steps: ({ api }, { capacityPerSecond, resetsPerMinute }) => [
    gate('These servers are hung, seen from elsewhere too: may they be taken out and hard-reset?', { role: 'power', onTimeout: 'abort' }),
    takeOut(api),
    atRate({ perMinute: resetsPerMinute }, hardReset(api)),
    proveConfiguration(api),
    dependencyAnswers(api, { from: 'database' }),
    offlineMode(api, { on: false }),
    inSlots({ perSecond: capacityPerSecond, fraction: 0.7 }, refreshCaches(api)),
    probe(api),
    giveTraffic(api),
  ],
});
