import { statSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { advance, isAlive } from '../../src/herd/index.ts';
import { fleetSchema } from '../../src/model/index.ts';
import { login, openLab } from './lab.ts';

test('the fleet file is a fleet like any other, and holds no secret', async () => {
  using lab = await openLab({ timeLapse: 20 });
  const fleet = fleetSchema.parse(lab.lab.fleet);
  expect(fleet.clock).toEqual({ anchorRealMs: expect.any(Number), anchorPlanMs: expect.any(Number), rate: 20 });
  expect(fleet.servers.map(({ name, domain }) => [name, domain])).toEqual([
    ['api-01', 'rack-a'],
    ['api-02', 'rack-b'],
    ['api-03', 'rack-c'],
    ['api-04', 'rack-d'],
  ]);
  expect(fleet.servers[0]!.service.clocks).toMatchObject([
    { name: 'config', ttlMs: { min: 180_000, max: 240_000 }, whenExpired: 'fatal' },
  ]);
  const text = readFileSync(lab.lab.fleetFile, 'utf8');
  expect(text).toMatch(/^import \{ defineFleet \} from 'neap';\n/);
  for (const name of ['bmc-password', 'control-token', 'user_key']) {
    expect(text).not.toContain(readFileSync(join(lab.dir, name), 'utf8').trim());
    expect(statSync(join(lab.dir, name)).mode & 0o777).toBe(0o600);
  }
});

test('healthy has no bug and says so', async () => {
  using lab = await openLab({ scenario: 'healthy' });
  expect(lab.lab.world.options.needsCacheOffline).toBe(false);
  expect(fleetSchema.parse(lab.lab.fleet).servers[0]!.service.clocks[0]!.whenExpired).toBe('not-needed');
});

test('half-applied: three with partial configuration, one whose process holds the old one', async () => {
  using lab = await openLab({ scenario: 'half-applied', servers: 8 });
  const { servers, options } = lab.lab.world;
  const wrong = servers.filter((server, index) =>
    options.servers[index]!.files.some(({ path, content }) => server.files[path]!.content !== content),
  );
  const stale = servers.filter(
    (server, index) =>
      !wrong.includes(server) &&
      options.servers[index]!.files.some(({ path, content }) => server.running[path] !== content),
  );
  expect([wrong.length, stale.length]).toEqual([3, 1]);
});

test('dead-server has one, dead-fleet nine of ten and no database for two minutes', async () => {
  using one = await openLab({ scenario: 'dead-server' });
  expect(one.lab.world.servers.filter((server) => !isAlive(server))).toHaveLength(1);
  using many = await openLab({ scenario: 'dead-fleet', servers: 20, timeLapse: 1 });
  const { servers, database, nowMs } = many.lab.world;
  expect(servers.filter((server) => !isAlive(server))).toHaveLength(18);
  expect(database.state).toBe('away');
  expect(database.backAtMs! - nowMs).toBeGreaterThan(110_000);
  // The others live on, until it is back and beyond.
  advance(many.lab.world, nowMs + 900_000);
  expect(database.state).toBe('up');
  expect(servers.filter((server) => !isAlive(server))).toHaveLength(18);
});

test('partition: half are silent towards us, and well for the balancer', async () => {
  using lab = await openLab({ scenario: 'partition' });
  await expect(login(lab, 'api-04', { readyTimeout: 200 })).rejects.toThrow(/timed out/i);
  await expect(fetch(`${lab.server('api-03').url}/health`, { signal: AbortSignal.timeout(200) })).rejects.toThrow(
    /timeout/i,
  );
  using first = await login(lab, 'api-01');
  expect((await first.run('hostname')).stdout).toBe('api-01\n');
  const { health } = lab.server('api-04').service.traffic!;
  expect(await (await fetch('get' in health ? health.get : '')).json()).toMatchObject({ health: 'up' });
  expect(lab.lab.world.servers.every(isAlive)).toBe(true);
});

test('bmc-down: three BMCs refuse connections', async () => {
  using lab = await openLab({ scenario: 'bmc-down' });
  const refuses = await Promise.all(
    lab.lab.fleet.servers.map(({ bmc }) =>
      fetch(bmc!.url).then(
        () => false,
        (error: unknown) => ((error as Error).cause as { code?: string }).code === 'ECONNREFUSED',
      ),
    ),
  );
  expect(refuses).toEqual([false, true, true, true]);
});

test('synchronised: all caches were refreshed within two seconds, and the database is well', async () => {
  using lab = await openLab({ scenario: 'synchronised', servers: 40, timeLapse: 1 });
  const { servers, database, options } = lab.lab.world;
  const refreshed = servers.map(({ cache }) => cache!.refreshedMs);
  expect(Math.max(...refreshed) - Math.min(...refreshed)).toBe(1_900);
  expect([database.state, options.needsCacheOffline]).toEqual(['up', false]);
});
