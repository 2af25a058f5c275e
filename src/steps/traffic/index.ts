import { z } from 'zod';
import type { Need, Server } from '../../model/index.ts';
import type { Confirmation, Hands, Reader } from '../../ports/index.ts';
import { defineStep } from '../define.ts';
import { change, decideTraffic, pinned } from './decide.ts';
import { readTraffic } from './read.ts';

/** A server takes traffic only when its configuration is proven, its dependencies answer from it and its caches are warm (promise 10). */
const READY: readonly Need[] = [{ need: 'converged' }, { need: 'answers', dependency: '*' }, { need: 'warm' }];

const shared = {
  version: 1,
  reads: ['traffic'],
  alters: ['traffic'],
  input: z.strictObject({}),
  pinned,
  readings: z.strictObject({}),
  change,
  idempotent: true,
  observe: async (server: Server, _input: object, read: Reader) => ({
    pinned: { traffic: await readTraffic(server, read) },
    readings: {},
  }),
  perform: (_server: Server, { to }: z.output<typeof change>, hands: Hands) =>
    hands.call(to === 'in' ? 'traffic-in' : 'traffic-out'),
  expectedMs: () => 5_000,
} as const;

function undo(_server: Server, { from }: z.output<typeof change>, hands: Hands): Promise<void> {
  return hands.call(from === 'in' ? 'traffic-in' : 'traffic-out');
}

/** Takes a server out of the balancer. */
export const takeOut = defineStep({
  ...shared,
  name: 'take-out',
  reach: [],
  title: () => 'take out of the balancer',
  nature: () => 'risk',
  serving: () => 'leaves-traffic',
  decide: (facts) => decideTraffic('out', facts),
  bounds: ({ to }) => to === 'out',
  async confirm(server, _change, read): Promise<Confirmation> {
    const traffic = await readTraffic(server, read);
    return traffic === 'out' ? { done: true } : { done: false, why: `the balancer says ${traffic}` };
  },
  back: { undo, needs: () => READY },
});

/** Gives a server traffic again, once it is proven fit for it, and waits for the balancer to see it up. */
export const giveTraffic = defineStep({
  ...shared,
  name: 'give-traffic',
  reach: ['ssh'],
  title: () => 'give traffic',
  nature: () => 'restore',
  serving: () => 'takes-traffic',
  decide: (facts) => decideTraffic('in', facts),
  bounds: ({ to }) => to === 'in',
  needs: () => READY,
  async confirm(server, _change, read): Promise<Confirmation> {
    const traffic = await readTraffic(server, read);
    if (traffic !== 'in') return { done: false, why: `the balancer says ${traffic}` };
    const health = await read.ask('traffic-health');
    return health === 'up' ? { done: true } : { done: false, why: `the balancer sees it ${health}` };
  },
  back: { undo },
});
