// What the other cases differ from by one mistake each: this one compiles.
import {
  byHand,
  checkServer,
  command,
  defineRunbook,
  defineStep,
  guarded,
  hardReset,
  httpProbe,
  inWaves,
  offlineMode,
  prometheus,
  whenGuard,
  z,
} from 'neap';

export const touch = defineStep({
  name: 'touch',
  version: 1,
  reach: ['ssh'],
  reads: ['offline'],
  alters: ['offline'],
  input: z.strictObject({ on: z.boolean() }),
  pinned: z.strictObject({ on: z.boolean() }),
  readings: z.strictObject({}),
  change: z.strictObject({ to: z.boolean() }),
  idempotent: true,
  title: ({ on }) => `touch ${on}`,
  nature: () => 'risk',
  observe: async (_server, _input, read) => ({ pinned: { on: (await read.ask('offline')) === 'on' }, readings: {} }),
  decide: (pinned, input) =>
    pinned.on === input.on ? { verdict: 'nothing' } : { verdict: 'change', change: { to: input.on }, diff: [] },
  perform: async (_server, change, hands) => hands.call(change.to ? 'offline-on' : 'offline-off'),
  confirm: async () => ({ done: true }),
  expectedMs: () => 1000,
  back: { undo: async (_server, change, hands) => hands.call(change.to ? 'offline-off' : 'offline-on') },
});

export default defineRunbook({
  title: 'Compiles',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({ outageMs: z.number() }),
  budget: { failures: 1 },
  window: { limitMs: 3_600_000 },
  steps: ({ api }, { outageMs }) => [
    checkServer(api, {}),
    touch(api, { on: outageMs > 0 }),
    inWaves({ canary: 1, stages: ['5%', 10], by: 'domain', atMost: '20%' }, offlineMode(api, { on: true })),
    guarded(command({ title: 'Load', run: ['check-load'], everyMs: 5_000, forMs: 0, onTrip: { contingency: 'Shed' } }), [
      hardReset(api, {}),
    ]),
    guarded(prometheus({ title: 'Errors', url: 'http://p', query: 'errors', tripAbove: 5, everyMs: 5_000, forMs: 0 }), [
      guarded(httpProbe({ title: 'Site', get: 'http://s', withinMs: 900, everyMs: 5_000, forMs: 0, onTrip: 'home' }), [
        offlineMode(api, { on: true }),
      ]),
    ]),
  ],
  contingencies: ({ api }) => [
    whenGuard(api, { title: 'Shed', guard: 'Load', afterwards: 'home' }, (armed) => [offlineMode(armed, { on: true })]),
    byHand(api, { title: 'Reset' }, (armed) => [hardReset(armed, {})]),
  ],
});
