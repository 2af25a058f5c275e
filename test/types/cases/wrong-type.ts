import { defineRunbook, offlineMode, z } from 'neap';

export default defineRunbook({
  title: 'wrong-type',
  reach: { api: ['ssh'] },
  inputs: z.strictObject({ outageMs: z.number() }),
  budget: { failures: 1 },
  window: { limitMs: 3_600_000 },
  steps: ({ api }, { outageMs }) => [offlineMode(api, { on: outageMs })],
});
