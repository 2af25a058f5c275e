import { FailureError, type Server } from '../../model/index.ts';
import type { Reader } from '../../ports/index.ts';
import { defineStep } from '../define.ts';
import { change, decide, input, pinned } from './decide.ts';
import { z } from 'zod';

/**
 * Switches a server into or out of offline mode. Entering is a risk: it resets caches. Leaving puts load back, so it,
 * and the undo of entering, wait until every dependency answers from that server.
 */
export const offlineMode = defineStep({
  name: 'offline-mode',
  version: 1,
  reach: ['ssh'],
  reads: ['offline'],
  alters: ['offline', 'cache'],
  input,
  pinned,
  readings: z.strictObject({}),
  change,
  idempotent: true,
  title: ({ on }) => (on ? 'enter offline mode' : 'leave offline mode'),
  nature: ({ on }) => (on ? 'risk' : 'restore'),
  serving: ({ on }) => (on ? 'goes-offline' : 'comes-online'),
  observe: async (server, _input, read) => ({ pinned: { offline: await readOffline(server, read) }, readings: {} }),
  decide,
  bounds: (wanted, { on }) => wanted.to === (on ? 'on' : 'off'),
  needs: ({ on }) => (on ? [] : [{ need: 'answers', dependency: '*' }]),
  perform: (_server, { to }, hands) => hands.call(to === 'on' ? 'offline-on' : 'offline-off'),
  async confirm(server, { to }, read) {
    const offline = await readOffline(server, read);
    return offline === to ? { done: true } : { done: false, why: `offline mode is ${offline}` };
  },
  expectedMs: () => 3_000,
  back: {
    undo: (_server, { from }, hands) => hands.call(from === 'on' ? 'offline-on' : 'offline-off'),
    needs: ({ on }) => (on ? [{ need: 'answers', dependency: '*' }] : []),
  },
});

async function readOffline(server: Server, read: Reader): Promise<'on' | 'off'> {
  const answer = await read.ask('offline');
  if (answer === 'on' || answer === 'off') return answer;
  throw new FailureError({
    kind: 'output',
    what: `the fleet's offline.read answered ${JSON.stringify(answer.slice(0, 80))}, neither "on" nor "off"`,
    where: server.name,
    state: 'Nothing was changed',
    remedy: `Make service.offline.read print on or off, then run \`neap fleet check\``,
  });
}
