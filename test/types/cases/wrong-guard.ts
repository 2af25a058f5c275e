import { command, defineRunbook, guarded, offlineMode, z } from 'neap';

export default defineRunbook({
  title: 'What follows a trip is one of three things',
  reach: { api: ['ssh'] },
  inputs: z.strictObject({}),
  budget: { failures: 1 },
  window: { limitMs: 3_600_000 },
  steps: ({ api }) => [
    guarded(command({ title: 'Load', run: ['check-load'], everyMs: 5_000, forMs: 0, onTrip: 'halt' }), [
      offlineMode(api, { on: true }),
    ]),
  ],
});
