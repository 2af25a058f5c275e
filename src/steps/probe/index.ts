import { z } from 'zod';
import { FailureError, type Server } from '../../model/index.ts';
import type { Reader } from '../../ports/index.ts';
import { defineStep } from '../define.ts';
import { trafficTo } from '../traffic-share.ts';
import { decide, input, judge, readings } from './decide.ts';

/** Sends the fleet's anonymous and logged-in requests, once or for a while, and fails on errors, silence and slowness. */
export const probe = defineStep({
  name: 'probe',
  version: 1,
  reach: ['http'],
  reads: ['offline', 'cache', 'path', 'config', 'power'],
  alters: [],
  input,
  pinned: z.strictObject({}),
  readings,
  change: z.never(),
  idempotent: true,
  title: ({ forMs }) =>
    forMs > 0 ? `probe, anonymous and logged in, for ${Math.round(forMs / 1000)} s` : 'probe, anonymous and logged in',
  nature: () => 'check',
  observe: async (server, _input, read, { driven }) => ({
    pinned: {},
    readings: driven
      ? { probes: [], driven }
      : { probes: await Promise.all([send(server, 'anonymous', read), send(server, 'loggedIn', read)]) },
  }),
  decide,
  judge,
  drive: (server, { forMs, traffic }) => (traffic === undefined || forMs === 0 ? null : trafficTo(server, traffic)),
  perform: async () => {},
  confirm: async () => ({ done: true }),
  expectedMs: () => 2_000,
  soakMs: ({ forMs }) => forMs,
  back: { nothing: true },
});

async function send(
  server: Server,
  which: 'anonymous' | 'loggedIn',
  read: Reader,
): Promise<z.output<typeof readings>['probes'][number]> {
  const { path, headers = {}, withinMs } = server.service.probes[which];
  const name = which === 'loggedIn' ? 'logged-in' : 'anonymous';
  try {
    const { status, tookMs } = await read.get(path, { headers, timeoutMs: withinMs });
    return { name, status, tookMs, withinMs, fault: null };
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return { name, status: 0, tookMs: withinMs, withinMs, fault: error.failure.what };
  }
}
