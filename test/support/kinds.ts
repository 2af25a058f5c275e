import { defineStep, z } from '../../src/index.ts';

const count = z.strictObject({ stamps: z.number() });
const change = z.strictObject({ from: z.number(), to: z.number() });

/**
 * Presses a stamp, once. Not idempotent, and nothing shows whether a former attempt that left no trace is still on
 * its way, so a stamp in doubt is never pressed again.
 */
export const stamp = defineStep({
  name: 'stamp',
  version: 1,
  reach: ['ssh'],
  reads: ['power'],
  alters: ['power'],
  input: z.strictObject({}),
  pinned: count,
  readings: z.strictObject({}),
  change,
  idempotent: false,
  title: () => 'stamp',
  nature: () => 'risk',
  observe: async (_server, _input, read) => ({
    pinned: { stamps: Number(await read.ask('clock:stamps')) },
    readings: {},
  }),
  decide: ({ stamps }) =>
    stamps > 0 ? { verdict: 'nothing' } : { verdict: 'change', change: { from: 0, to: 1 }, diff: ['stamp'] },
  perform: (_server, _change, hands) => hands.call('refresh:stamps'),
  async confirm(_server, { to }, read) {
    const stamps = Number(await read.ask('clock:stamps'));
    return stamps === to ? { done: true } : { done: false, why: `${stamps} stamps` };
  },
  expectedMs: () => 1_000,
  back: { irreversible: 'ink is ink' },
});

/** Takes a server out of the balancer, and back: a risk with an undo that needs nothing. */
export const setAside = defineStep({
  name: 'set-aside',
  version: 1,
  reach: [],
  reads: ['traffic'],
  alters: ['traffic'],
  input: z.strictObject({ forMs: z.number().default(0) }),
  pinned: z.strictObject({ traffic: z.string() }),
  readings: z.strictObject({}),
  change: z.strictObject({ to: z.literal('out') }),
  idempotent: true,
  title: () => 'set aside',
  nature: () => 'risk',
  serving: () => 'leaves-traffic',
  observe: async (_server, _input, read) => ({ pinned: { traffic: await read.ask('traffic') }, readings: {} }),
  decide: ({ traffic }) =>
    traffic === 'out'
      ? { verdict: 'nothing' }
      : { verdict: 'change', change: { to: 'out' as const }, diff: ['in -> out'] },
  bounds: () => true,
  perform: (_server, _change, hands) => hands.call('traffic-out'),
  async confirm(_server, _change, read) {
    return (await read.ask('traffic')) === 'out' ? { done: true } : { done: false, why: 'it is in' };
  },
  expectedMs: () => 1_000,
  soakMs: ({ forMs }) => forMs,
  back: { undo: (_server, _change, hands) => hands.call('traffic-in') },
});

/** Gives something, and can take it away again: the undo of it is a risk. */
export const mend = defineStep({
  name: 'mend',
  version: 1,
  reach: [],
  reads: ['config'],
  alters: ['config'],
  input: z.strictObject({}),
  pinned: z.strictObject({ traffic: z.string() }),
  readings: z.strictObject({}),
  change: z.strictObject({ to: z.literal('out') }),
  idempotent: true,
  title: () => 'mend',
  nature: () => 'restore',
  observe: async (_server, _input, read) => ({ pinned: { traffic: await read.ask('traffic') }, readings: {} }),
  decide: ({ traffic }) =>
    traffic === 'out'
      ? { verdict: 'nothing' }
      : { verdict: 'change', change: { to: 'out' as const }, diff: ['in -> out'] },
  bounds: () => true,
  perform: (_server, _change, hands) => hands.call('traffic-out'),
  async confirm(_server, _change, read) {
    return (await read.ask('traffic')) === 'out' ? { done: true } : { done: false, why: 'it is in' };
  },
  expectedMs: () => 1_000,
  back: { undo: (_server, _change, hands) => hands.call('traffic-in') },
});
