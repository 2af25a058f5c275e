/**
 * Purpose: the shortest voyage in which something is taken, held, asked for and given back.
 * Blast radius: every API server of the fleet is offline for a moment.
 * Way back: leaving offline mode.
 */
import { defineRunbook, first, gate, inSlots, inWaves, offlineMode, probe, refreshCaches, z } from 'neap';

// oxlint-disable-next-line import/no-default-export -- a runbook is what its module exports by default
export default defineRunbook({
  title: 'There and back',
  reach: { api: ['ssh', 'http'] },
  inputs: z.strictObject({}),
  budget: { failures: 3 },
  window: { limitMs: 60 * 60_000 },
  steps: ({ api }) => [
    inWaves({ canary: 1, by: 'domain', atMost: 20 }, offlineMode(api, { on: true })),
    // Entering offline mode makes a cache anew: one that is seconds old would be taken for one that was refreshed.
    probe(first(api, 1), { forMs: 10_000 }),
    inSlots({ perSecond: 40, fraction: 0.7 }, refreshCaches(api)),
    gate('Go on?', { role: 'database', onTimeout: 'hold' }),
    inWaves({ by: 'domain', atMost: 20 }, offlineMode(api, { on: false })),
  ],
});
