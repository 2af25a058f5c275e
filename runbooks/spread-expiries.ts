/**
 * Purpose: bring caches apart that expire together, after a mass reset, a push of configuration or a restart of the fleet.
 * Blast radius: one refresh a server on a live database, under a fraction of its capacity, slower when it slows down; no server is taken out.
 * Way back: none is needed, since a fresh cache takes nothing away; it can be halted and done again at any time.
 */
import { defineRunbook, dependencyAnswers, inSlots, probe, readClocks, refreshCaches, z } from 'neap';

export default defineRunbook({
  title: 'Spread expiries after a mass event',
  reach: { api: ['ssh', 'http'] },
  inputs: z.strictObject({
    capacityPerSecond: z.number().positive().default(40),
    // The shortest time to live: who has just been refreshed gets its slot before it expires by itself.
    overMs: z.number().positive().default(180_000),
    coherenceBelow: z.number().positive().max(1).default(0.3),
    // One dependency timeout and one interval of the balancer's checks: so long a canary takes to show harm.
    canaryPauseMs: z.number().nonnegative().default(12_000),
  }),
  budget: { failures: 5, percent: 10 },
  window: { limitMs: 60 * 60_000 },

  steps: ({ api }, { capacityPerSecond, overMs, coherenceBelow, canaryPauseMs }) => [
    dependencyAnswers(api, { from: 'database' }),
    readClocks(api),
    inSlots(
      {
        perSecond: capacityPerSecond,
        fraction: 0.7,
        overMs,
        coherenceBelow,
        canary: { servers: 1, pauseMs: canaryPauseMs },
      },
      refreshCaches(api),
    ),
    probe(api),
  ],
});
