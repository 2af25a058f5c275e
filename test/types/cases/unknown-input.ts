import { defineRunbook, offlineMode, z } from 'neap';

export default defineRunbook({
  title: 'unknown-input',
  reach: { api: ['ssh'] },
  inputs: z.strictObject({ outageMs: z.number() }),
  budget: { failures: 1 },
  window: { limitMs: 3_600_000 },
  steps: ({ api }, { outage }) => [offlineMode(api, { on: outage > 0 })],
});
