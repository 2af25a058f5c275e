import { z } from 'zod';
import { defineStep } from '../define.ts';
import { trafficTo } from '../traffic-share.ts';
import { decide, enough, input, readings } from './decide.ts';

/**
 * Sends the fleet's anonymous and logged-in requests at a share of production's rate until they fail, and for `forMs`
 * at most: how long that took is the measured fuse. It finds out and judges nothing; use it under `holding(cutPath())`.
 */
export const measureFuse = defineStep({
  name: 'measure-fuse',
  version: 1,
  reach: ['http'],
  reads: ['offline', 'cache', 'path', 'config', 'power'],
  alters: [],
  input,
  pinned: z.strictObject({}),
  readings,
  change: z.never(),
  idempotent: true,
  title: ({ forMs, traffic }) =>
    `measure the fuse: anonymous and logged-in requests at ${Number((traffic * 100).toFixed(2))}% of production's rate until they fail, ${Math.round(forMs / 1000)} s at most`,
  nature: () => 'check',
  observe: async (_server, _input, _read, { driven }) => ({ pinned: {}, readings: { driven: driven ?? null } }),
  decide,
  drive: (server, { traffic, productionPerSecond }) => trafficTo(server, traffic, productionPerSecond),
  enough,
  perform: async () => {},
  confirm: async () => ({ done: true }),
  expectedMs: () => 2_000,
  soakMs: ({ forMs }) => forMs,
  back: { nothing: true },
});
