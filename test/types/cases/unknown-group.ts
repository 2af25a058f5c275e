import { defineRunbook, offlineMode, z } from 'neap';

export default defineRunbook({
  title: 'unknown-group',
  reach: { api: ['ssh'] },
  inputs: z.strictObject({ outageMs: z.number() }),
  budget: { failures: 1 },
  window: { limitMs: 3_600_000 },
  steps: ({ apis }, { outageMs }) => [offlineMode(apis, { on: outageMs > 0 })],
});
