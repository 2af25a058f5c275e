import { defineRunbook, inWaves, offlineMode, z } from 'neap';

export default defineRunbook({
  title: 'no-percentage',
  reach: { api: ['ssh'] },
  inputs: z.strictObject({}),
  budget: { failures: 1 },
  window: { limitMs: 3_600_000 },
  steps: ({ api }) => [inWaves({ canary: 1, atMost: 'ten' }, offlineMode(api, { on: true }))],
});
