import { defineStep, z } from 'neap';

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
  back: {},
});
