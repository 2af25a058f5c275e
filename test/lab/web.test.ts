import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Agent, buildConnector, fetch } from 'undici';
import type { TLSSocket } from 'node:tls';
import { cutPath, hang, setDatabase, setPage } from '../../src/herd/index.ts';
import { login, openLab, until, type TestLab } from './lab.ts';

const session = { authorization: 'Session lab' };

async function ask(
  lab: TestLab,
  path: string,
  headers: Record<string, string> = {},
  name = 'api-01',
): Promise<{ status: number; tookMs: number }> {
  const startMs = performance.now();
  const answer = await fetch(`${lab.server(name).url}${path}`, { headers });
  await answer.text();
  return { status: answer.status, tookMs: performance.now() - startMs };
}

test('requests meet what the model says: anonymous, logged in, and the ten seconds of a lost database', async () => {
  using lab = await openLab({ timeLapse: 20 });
  expect((await ask(lab, '/health')).status).toBe(200);
  expect((await ask(lab, '/')).status).toBe(200);
  expect((await ask(lab, '/mail')).status).toBe(401);
  expect((await ask(lab, '/mail', session)).status).toBe(200);
  expect((await ask(lab, '/etc/passwd')).status).toBe(404);
  setPage(lab.lab.world, true); // No other traffic: nothing piles up.
  lab.lab.touch();
  setDatabase(lab.lab.world, 'away');
  const late = await ask(lab, '/mail', session);
  expect(late.status).toBe(503);
  expect(late.tookMs).toBeGreaterThan(480);
  expect((await ask(lab, '/')).status).toBe(200);
});

test('who lives on a lost database hangs within seconds, and answers nobody any more', async () => {
  using lab = await openLab({ timeLapse: 100 });
  lab.lab.touch();
  cutPath(lab.lab.world, lab.lab.world.servers[1]!, lab.lab.clock.nowMs() + 60_000);
  await until(() => lab.lab.world.servers[1]!.hungAtMs !== null);
  const answer = fetch(`${lab.server('api-02').url}/health`, { signal: AbortSignal.timeout(200) });
  await expect(answer).rejects.toThrow(/timeout/i);
  const { health } = lab.server('api-02').service.traffic!;
  const balancer = async (): Promise<unknown> => (await fetch('get' in health ? health.get : '')).json();
  await until(async () => ((await balancer()) as { health: string }).health === 'down');
  expect(lab.lab.world.servers.filter(({ hungAtMs }) => hungAtMs !== null)).toHaveLength(1);
});

test('the balancer takes servers out and in, and says what it sees', async () => {
  using lab = await openLab();
  const { traffic } = lab.server('api-03').service;
  const at = traffic && 'send' in traffic.out ? traffic.out.send : '';
  const put = async (body: unknown): Promise<number> =>
    (await fetch(at, { method: 'PUT', body: JSON.stringify(body) })).status;
  expect(await (await fetch(at)).json()).toEqual({ state: 'in', health: 'up', admission: 'free', weight: 100 });
  expect(await put({ state: 'out' })).toBe(200);
  expect(await (await fetch(at)).json()).toEqual({ state: 'out', health: 'up', admission: 'free', weight: 100 });
  lab.lab.touch();
  expect(lab.lab.world.servers[2]!.ratePerSecond).toBe(0);
  expect(await put({ state: 'sideways' })).toBe(400);
  expect((await fetch(at.replace('api-03', 'api-99'))).status).toBe(404);
  const page = at.replace('/servers/api-03', '/page');
  expect(await (await fetch(page, { method: 'PUT', body: '{"on":true}' })).json()).toEqual({ on: true });
  lab.lab.touch();
  expect(lab.lab.world.servers.map(({ ratePerSecond }) => ratePerSecond)).toEqual([0, 0, 0, 0]);
  expect(lab.lab.record.read(0).map(({ server, what }) => [server, what])).toEqual([
    ['api-03', 'traffic out'],
    [null, 'page on'],
  ]);
});

test('the balancer holds admission of a server at what the fleet file says, answers the rest itself, and lets go of it', async () => {
  using lab = await openLab({ scenario: 'canary-takes-all' });
  const { world } = lab.lab;
  const { traffic } = lab.server('api-01').service;
  const put = async (call: unknown): Promise<void> => {
    const { send, body } = call as { send: string; body: unknown };
    await fetch(send, { method: 'PUT', body: JSON.stringify(body) });
    lab.lab.touch();
  };
  expect(traffic?.admission?.perSecond).toBe(300);
  // One of four is left, and bears 330 of 600 a second.
  await put(traffic?.admission?.hold);
  for (const name of ['api-02', 'api-03', 'api-04']) await put(lab.server(name).service.traffic?.out);
  expect(world.servers.map(({ ratePerSecond }) => ratePerSecond)).toEqual([300, 0, 0, 0]);
  expect(world.edge.refusedPerSecond).toBe(300);
  expect(world.servers[0]!.hungAtMs).toBeNull();
  await put(traffic?.admission?.free);
  expect(world.servers[0]!.hungAtMs).not.toBeNull();
});

test('what servers have of the database is counted, with those of others, where the lab is told to', async () => {
  using lab = await openLab({ scenario: 'few-connections' });
  const limits = lab.lab.fleet.dependencies?.['database']?.connections;
  const get = limits?.now && 'get' in limits.now ? limits.now.get : '';
  const count = async (): Promise<unknown> => (await fetch(get)).json();
  expect(limits).toMatchObject({ max: 356, perSecond: 256 });
  expect(await count()).toEqual({ connections: 4 * 64 + 50, max: 356 });
  await put(lab, 'api-02', 'offline on');
  expect(await count()).toEqual({ connections: 3 * 64 + 50, max: 356 });
  expect((await fetch(get.replace('/connections', '/'))).status).toBe(404);
});

async function put(lab: TestLab, server: string, words: string): Promise<void> {
  using shell = await login(lab, server);
  await shell.run(`apictl ${words}`);
}

test('a BMC shows its certificate, wants its password, and resets its server', async () => {
  using lab = await openLab({ servers: 2, model: { bootMs: 100_000 } });
  const bmc = lab.server('api-01').bmc!;
  const authorization = `Basic ${Buffer.from(`neap:${readFileSync(join(lab.dir, 'bmc-password'), 'utf8')}`).toString('base64')}`;
  const connect = buildConnector({ rejectUnauthorized: false });
  let seen = '';
  const dispatcher = new Agent({
    // A connection that is kept can be closed by the other side while this one is paused.
    pipelining: 0,
    connect: (options, callback) =>
      connect(options, (...[error, socket]) => {
        if (error !== null) return callback(error, null);
        seen = (socket as TLSSocket).getPeerCertificate().fingerprint256;
        callback(null, socket);
      }),
  });
  const get = async (
    path: string,
    headers: Record<string, string> = { authorization },
  ): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${bmc.url}${path}`, { dispatcher, headers });
    return { status: answer.status, body: await answer.json() };
  };
  const root = await get('/redfish/v1/', {});
  expect(root.body).toMatchObject({ '@odata.id': '/redfish/v1/', Systems: { '@odata.id': '/redfish/v1/Systems' } });
  expect(seen).toBe(bmc.fingerprint);
  expect((await get('/redfish/v1/Systems', {})).status).toBe(401);
  expect((await get('/redfish/v1/Systems', { authorization: 'Basic bmVhcDp4' })).status).toBe(401);
  const system = '/redfish/v1/Systems/1';
  expect((await get('/redfish/v1/Systems')).body).toMatchObject({ Members: [{ '@odata.id': system }] });
  const before = (await get(system)).body as {
    PowerState: string;
    LastResetTime: string;
    Actions: Record<string, { target: string }>;
  };
  expect(before.PowerState).toBe('On');
  const { target } = before.Actions['#ComputerSystem.Reset']!;
  const reset = async (type: string): Promise<number> =>
    (
      await fetch(`${bmc.url}${target}`, {
        method: 'POST',
        dispatcher,
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ ResetType: type }),
      })
    ).status;
  expect(await reset('PushPowerButton')).toBe(400);
  const [server] = lab.lab.world.servers;
  hang(lab.lab.world, server!);
  expect(await reset('GracefulRestart')).toBe(204);
  expect(server!.hungAtMs).not.toBeNull();
  expect(await reset('ForceRestart')).toBe(204);
  expect(server).toMatchObject({ hungAtMs: null, power: 'booting', resets: 1 });
  const after = (await get(system)).body as { LastResetTime: string };
  expect(Date.parse(after.LastResetTime)).toBeGreaterThan(Date.parse(before.LastResetTime));
  await expect(fetch(`${lab.server('api-01').url}/health`)).rejects.toThrow('fetch failed');
  await until(async () =>
    fetch(`${lab.server('api-01').url}/health`).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  expect(await reset('ForceOff')).toBe(204);
  expect(((await get(system)).body as { PowerState: string }).PowerState).toBe('Off');
  expect(await reset('On')).toBe(204);
  expect(await reset('On')).toBe(409);
  await dispatcher.close();
});
