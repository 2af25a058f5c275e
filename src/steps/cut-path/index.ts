import { z } from 'zod';
import { FailureError, type RehearsedCut, type Server } from '../../model/index.ts';
import type { Reader, StepContext } from '../../ports/index.ts';
import { defineStep } from '../define.ts';
import { readSoftware } from '../software.ts';
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
  async confirm(server, { dependency }, read, context) {
    const path = await readPath(server.name, dependency, read);
    if (path !== 'cut') return { done: false, why: `its path to ${dependency} is ${path}` };
    return { done: true, readings: await rehearsedOn(server, dependency, read, context) };
  },
  expectedMs: () => 3_000,
  back: { undo: (_server, { dependency }, hands) => hands.call(`restore:${dependency}`) },
});

/** What is rehearsed under this cut: from when on, and on what. */
async function rehearsedOn(
  server: Server,
  dependency: string,
  read: Reader,
  context: StepContext,
): Promise<{ readonly cut: RehearsedCut }> {
  const { clocks, dependencies } = server.service;
  return {
    cut: {
      cutAtMs: Math.round(context.nowMs),
      manner: dependencies[dependency]?.cutManner ?? null,
      dependencyTimeoutMs: Math.max(0, ...Object.values(dependencies).map(({ timeoutMs }) => timeoutMs)),
      software: await readSoftware(server, read, context),
      declared: clocks.map(({ name, ttlMs, whenExpired }) => ({ name, maxMs: ttlMs.max, whenExpired })),
    },
  };
}

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
