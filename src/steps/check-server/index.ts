import { z } from 'zod';
import { FailureError } from '../../model/index.ts';
import { defineStep } from '../define.ts';
import { decide, pinned } from './decide.ts';

/** Reads every way in which the server will be needed: SSH, health over HTTP, and that its BMC could reset it. Changes nothing. */
export const checkServer = defineStep({
  name: 'check-server',
  version: 1,
  reach: ['ssh', 'http', 'bmc'],
  reads: ['power'],
  alters: [],
  input: z.strictObject({}),
  pinned,
  readings: z.strictObject({ bootId: z.string(), health: z.number() }),
  change: z.never(),
  idempotent: true,
  title: () => 'check server and BMC',
  nature: () => 'check',
  async observe(server, _input, read) {
    const bootId = await read.bootId();
    const health = await read.get(server.service.probes.health.path, {
      timeoutMs: server.service.probes.health.withinMs,
    });
    try {
      const power = await read.power();
      return {
        pinned: { power: power.state, canReset: power.canReset, bmcFault: null },
        readings: { bootId, health: health.status },
      };
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      return {
        pinned: { power: null, canReset: null, bmcFault: error.failure.what },
        readings: { bootId, health: health.status },
      };
    }
  },
  decide,
  judge: ({ health }) => (health < 400 ? { holds: true } : { holds: false, why: `its health check answers ${health}` }),
  judgeInPreview: true,
  perform: async () => {},
  confirm: async () => ({ done: true }),
  expectedMs: () => 2_000,
  back: { nothing: true },
});
