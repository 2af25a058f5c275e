import { expect, test } from 'vitest';
import { openSessions } from '../../src/engine/sessions.ts';
import { cutPath, first, holding, offlineMode, probe, takeOut } from '../../src/index.ts';
import { paperFleet } from '../support/fleet.ts';
import { planOf } from '../support/made-up.ts';

// Goal: what a probe logs in with is had before the first step, since a login may need what will be cut.

const servers = paperFleet({ servers: 3 }).servers.map((server) => ({
  ...server,
  service: {
    ...server.service,
    probes: {
      ...server.service.probes,
      loggedIn: { path: '/mail', withinMs: 1_000, headers: { cookie: `command:login ${server.name}`, accept: '*/*' } },
    },
  },
}));

test('of the servers that are probed, each once, and nothing that is no secret; one that cannot be had stops nothing', async () => {
  const asked: string[] = [];
  const secrets = {
    resolve: (reference: string) => {
      asked.push(reference);
      return Promise.reject(new Error('not now'));
    },
  };
  const { header } = planOf({
    servers: 3,
    steps: (api) => [
      offlineMode(api, { on: true }),
      holding(cutPath(first(api, 2), { from: 'database', forMs: 1_000 }), [probe(first(api, 2))]),
      probe(first(api, 1)),
    ],
  });
  await openSessions(servers, header.steps, secrets);
  expect(asked).toEqual(['command:login api-1', 'command:login api-2']);
});

test('a plan that probes nobody logs in nowhere', async () => {
  const secrets = { resolve: () => Promise.reject(new Error('asked')) };
  const { header } = planOf({ servers: 3, steps: (api) => [takeOut(api)] });
  await expect(openSessions(servers, header.steps, secrets)).resolves.toBe(undefined);
});
