import { z } from 'zod';
import { FailureError, type Server } from '../../model/index.ts';
import type { Reader } from '../../ports/index.ts';
import { defineStep } from '../define.ts';
import { admission, change, decide, pinned } from './decide.ts';

/**
 * Has the balancer send a server no more than its fleet file says, and answer the rest itself. Used with `holding`,
 * around steps that leave few to serve: whoever is left, or comes back first, is not given everything.
 */
export const holdAdmission = defineStep({
  name: 'hold-admission',
  version: 1,
  reach: [],
  reads: [],
  alters: [],
  input: z.strictObject({}),
  pinned,
  readings: z.strictObject({}),
  change,
  idempotent: true,
  title: () => 'hold admission at the balancer',
  nature: () => 'risk',
  serving: () => 'holds-admission',
  observe: async (server, _input, read) => ({ pinned: { admission: await readAdmission(server, read) }, readings: {} }),
  decide,
  bounds: ({ to }) => to === 'held',
  perform: (_server, _change, hands) => hands.call('admission-hold'),
  async confirm(server, { to }, read) {
    const now = await readAdmission(server, read);
    return now === to ? { done: true } : { done: false, why: `admission is ${now}` };
  },
  expectedMs: () => 1_000,
  back: { undo: (_server, { from }, hands) => hands.call(from === 'held' ? 'admission-hold' : 'admission-free') },
});

async function readAdmission(server: Server, read: Reader): Promise<z.output<typeof admission>> {
  const answer = await read.ask('admission');
  const parsed = admission.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new FailureError({
    kind: 'output',
    what: `the balancer's reading of its admission answered ${JSON.stringify(answer.slice(0, 80))}, neither "held" nor "free"`,
    where: server.name,
    state: 'Nothing was changed',
    remedy: 'Make service.traffic.admission.read answer held or free, then run `neap fleet check`',
  });
}
