import { expect, test } from 'vitest';
import { loadWords, readLoads } from '../../src/engine/loads.ts';
import { FailureError, fleetSchema, type CountRead, type FleetInput, type Server } from '../../src/model/index.ts';
import { paperFleet } from '../support/fleet.ts';

// Goal: what a server bears is taken from readings where there are some, with their source and time, and from what is
// declared where not; a number that is missing leaves "fatal". Method: servers on paper, and a counter that answers by name.

const at = (what: string): CountRead => ({ get: `http://meter.test/${what}`, timeoutMs: 1_000 });
const NUMBERS: Readonly<Record<string, number>> = { rate: 140, request: 40e6, base: 8e9, limit: 64e9, places: 200 };

const count = async (read: CountRead): Promise<number> => {
  const value = 'get' in read ? NUMBERS[read.get.split('/').at(-1) ?? ''] : undefined;
  if (value !== undefined) return value;
  throw new FailureError({ kind: 'output', what: 'HTTP 404', where: 'x', state: 'x', remedy: 'x' });
};

function servers(service: Partial<FleetInput['servers'][number]['service']>): readonly Server[] {
  const fleet = paperFleet({ servers: 2 });
  return fleetSchema.parse({
    ...fleet,
    servers: fleet.servers.map((server) => ({ ...server, service: { ...server.service, ...service } })),
  }).servers;
}

const declared = { requestsPerSecond: 10, memoryPerRequestBytes: 1e6, memoryFreeBytes: 5e9 };

test('what is read counts before what is declared, and the rest is as declared', async () => {
  const measured = { requestsPerSecond: at('rate'), concurrencyLimit: at('places') };
  const { servers: made, readings, findings } = await readLoads(servers({ load: declared, measured }), count, () => 42);
  expect(made[0]?.service.load).toEqual({ ...declared, requestsPerSecond: 140, concurrencyLimit: 200 });
  expect(readings[0]).toMatchObject({
    server: 'api-1',
    what: 'requestsPerSecond',
    value: 140,
    source: 'http http://meter.test/rate',
    atMs: 42,
  });
  expect(findings).toEqual([]);
  expect(loadWords(made, readings)[0]).toMatch(
    /^load was read of 2 of 2 servers \(of api-1: requestsPerSecond from http/,
  );
});

test('memory is what is there less what is taken without a request; all of it can be read', async () => {
  const measured = {
    requestsPerSecond: at('rate'),
    memoryPerRequestBytes: at('request'),
    memoryBaseBytes: at('base'),
    memoryLimitBytes: at('limit'),
  };
  const { servers: made } = await readLoads(servers({ measured }), count, () => 0);
  expect(made[0]?.service.load).toEqual({ requestsPerSecond: 140, memoryPerRequestBytes: 40e6, memoryFreeBytes: 56e9 });
  const memory = { baseBytes: 8e9, limitBytes: 64e9 };
  expect(
    servers({ load: { requestsPerSecond: 1, memoryPerRequestBytes: 1, memory } })[0]?.service.load?.memoryFreeBytes,
  ).toBe(56e9);
});

test('a number that cannot be read is warned of: without a declared one every expiry stays fatal', async () => {
  const measured = { requestsPerSecond: at('nowhere') };
  const without = await readLoads(servers({ measured }), count, () => 0);
  expect(without.servers[0]?.service.load).toBeUndefined();
  expect(without.findings).toMatchObject([
    {
      severity: 'warning',
      code: 'load',
      what: expect.stringMatching(/api-1 and 1 more cannot be read \(requestsPerSecond: HTTP 404\)/),
    },
  ]);
  const kept = await readLoads(servers({ load: declared, measured }), count, () => 0);
  expect(kept.servers[0]?.service.load).toEqual(declared);
});

test('numbers that make no sense together are not believed', async () => {
  const measured = { memoryBaseBytes: at('limit'), memoryLimitBytes: at('base') };
  const { servers: made, findings } = await readLoads(servers({ load: declared, measured }), count, () => 0);
  expect(made[0]?.service.load).toEqual(declared);
  expect(findings[0]?.what).toContain('make no sense together');
});
