import { z } from 'zod';
import { FailureError } from '../../model/index.ts';
import type { Reader } from '../../ports/index.ts';
import { defineStep } from '../define.ts';
import { change, decide, input, pinned } from './decide.ts';

/** Cuts one server's own path to a dependency, by something on that server which removes itself after `forMs`. Used with `holding`. */
export const cutPath = defineStep({
  name: 'cut-path',
  version: 1,
  reach: ['ssh'],
  reads: ['path'],
  alters: ['path'],
  input,
  pinned,
  readings: z.strictObject({}),
  change,
  idempotent: true,
  title: ({ from }) => `cut its own path to the ${from}`,
  nature: () => 'risk',
  observe: async (server, { from }, read) => ({
    pinned: { path: await readPath(server.name, from, read) },
    readings: {},
  }),
  decide,
  bounds: (wanted, { from, forMs }) => wanted.dependency === from && wanted.forMs <= forMs,
  perform: (_server, { dependency, forMs }, hands) =>
    hands.call(`cut:${dependency}`, { seconds: Math.ceil(forMs / 1000) }),
  async confirm(server, { dependency }, read) {
    const path = await readPath(server.name, dependency, read);
    return path === 'cut' ? { done: true } : { done: false, why: `its path to ${dependency} is ${path}` };
  },
  expectedMs: () => 3_000,
  back: { undo: (_server, { dependency }, hands) => hands.call(`restore:${dependency}`) },
});

async function readPath(server: string, dependency: string, read: Reader): Promise<'open' | 'cut'> {
  const answer = await read.ask(`path:${dependency}`);
  if (answer === 'open' || answer === 'cut') return answer;
  throw new FailureError({
    kind: 'output',
    what: `the fleet's path reading of ${dependency} answered ${JSON.stringify(answer.slice(0, 80))}, neither "open" nor "cut"`,
    where: server,
    state: 'Nothing was changed',
    remedy: `Make service.dependencies.${dependency}.path print open or cut, then run \`neap fleet check\``,
  });
}
