import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { expectEnd } from '../support/end.ts';
import { openScene, VOYAGE_MS } from '../support/scene.ts';

// Goal: what was sent, may not be sent twice and cannot be told of is asked about, and stays asked when the engine dies.
// Method: a balancer that swallows one request; people answer from another terminal.

vi.setConfig({ testTimeout: VOYAGE_MS });

const ONCE = `
import { defineRunbook, defineStep, inWaves, z } from 'neap';
const change = z.strictObject({ to: z.literal('out') });
const once = defineStep({
  name: 'once', version: 1, reach: [], reads: ['traffic'], alters: ['offline'], input: z.strictObject({}),
  pinned: z.strictObject({ traffic: z.string() }), readings: z.strictObject({}), change, idempotent: false,
  title: () => 'take out, once', nature: () => 'risk',
  observe: async (_server, _input, read) => ({ pinned: { traffic: await read.ask('traffic') }, readings: {} }),
  decide: ({ traffic }) => traffic === 'out' ? { verdict: 'nothing' } : { verdict: 'change', change: { to: 'out' }, diff: ['in -> out'] },
  bounds: () => true,
  perform: (_server, _change, hands) => hands.call('traffic-out'),
  confirm: async (_server, _change, read) => (await read.ask('traffic')) === 'out' ? { done: true } : { done: false, why: 'it is in' },
  expectedMs: () => 1_000,
  back: { irreversible: 'it may be done once only' },
});
export default defineRunbook({
  title: 'Once', reach: { api: ['ssh'] }, inputs: z.strictObject({}), budget: { failures: 3 }, window: { limitMs: 3_600_000 },
  steps: ({ api }) => [inWaves({ atMost: 1 }, once(api))],
});
`;

/** A balancer's door that passes on what it is sent, but for the first request, which is never answered. */
async function swallowingDoor(): Promise<{ readonly port: number; to: string } & AsyncDisposable> {
  let swallowed = false;
  const door = { port: 0, to: '' };
  const server = createServer((request, response) => {
    if (!swallowed) {
      swallowed = true;
      return;
    }
    void (async () => {
      const body = Buffer.concat(await Array.fromAsync(request)).toString();
      const { method = 'PUT', url = '/', headers } = request;
      const type = { 'content-type': headers['content-type'] ?? 'application/json' };
      const answer = await fetch(new URL(url, door.to), { method, headers: type, body });
      response.statusCode = answer.status;
      response.end(await answer.text());
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(door, {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

test('a person is asked with what is known, still asked by the next engine, and their word is proven', async () => {
  await using door = await swallowingDoor();
  await using scene = await openScene();
  const lab = await scene.lab({
    servers: 3,
    scenario: 'healthy',
    edit: (server) => {
      const { traffic } = server.service;
      if (server.name !== 'api-02' || !traffic || !('send' in traffic.out)) return server;
      door.to = new URL(traffic.out.send).origin;
      const send = traffic.out.send.replace(door.to, `http://127.0.0.1:${door.port}`);
      return {
        ...server,
        service: { ...server.service, traffic: { ...traffic, out: { ...traffic.out, send, timeoutMs: 1_500 } } },
      };
    },
  });
  const runbook = join(scene.stateDir, 'once.ts');
  await writeFile(runbook, ONCE);
  const voyage = await scene.run(runbook, '--fleet', lab.fleet);
  await voyage.until(({ tracks }) =>
    tracks.some(({ kind, steps: [gate] }) => kind === 'doubt' && gate?.step === 'gate' && gate.phase === 'asked'),
  );
  const status = await scene.neap('status', voyage.run);
  expect(status.stdout).toContain(`neap approve ${voyage.run} doubt1:api-02 done (or: not-done, leave)`);
  // The others went on without it; it was taken out of the balancer meanwhile, by a request that came through.
  await scene.killEngine(voyage.run);
  expect((await voyage.ended).stdout).toMatch(
    /gate doubt1:api-02: Was "take out, once" \(step 1\) done on api-02\? Nobody here can tell\.\n.*Sent at \S+ UTC by engine \d+ on \S+: in -> out \(change [0-9a-f]{12}\)/,
  );
  expectEnd(await scene.neap('resume', voyage.run, '--detach'), 0);
  await vi.waitFor(
    async () => expect((await scene.neap('approve', voyage.run, 'doubt1:api-02', 'done')).code).toBe(0),
    {
      timeout: 120_000,
      interval: 300,
    },
  );
  const ended = await scene.neap('attach', voyage.run);
  expectEnd(ended, 0);
  const outs = (await lab.record()).filter(({ what, changed }) => changed && what === 'traffic out');
  expect(outs.map(({ server }) => server ?? '').toSorted()).toEqual(['api-01', 'api-02', 'api-03']);
});
