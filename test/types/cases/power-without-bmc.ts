import { defineRunbook, hardReset, z } from 'neap';

export default defineRunbook({
  title: 'power-without-bmc',
  reach: { api: ['ssh', 'http'] },
  inputs: z.strictObject({ outageMs: z.number() }),
  budget: { failures: 1 },
  window: { limitMs: 3_600_000 },
  steps: ({ api }) => [hardReset(api, {})],
});
