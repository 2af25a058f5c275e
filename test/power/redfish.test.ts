import { createHash, X509Certificate } from 'node:crypto';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { Bmc, Failure } from '../../src/model/index.ts';
import { FailureError } from '../../src/model/index.ts';
import type { Power } from '../../src/ports/index.ts';
import { openRedfish } from '../../src/power/index.ts';

type Route = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown };

let pems: { readonly private: string; readonly cert: string };
let server: Server | null = null;
let log: string[] = [];
let power: Power | null = null;

beforeAll(async () => {
  pems = await generate([{ name: 'commonName', value: 'bmc' }], { keyType: 'ec' });
});
afterEach(async () => {
  await power?.close();
  server?.closeAllConnections();
  server?.close();
  [server, power, log] = [null, null, []];
});

const SYSTEM = '/redfish/v1/Systems/Self';
const RESET = `${SYSTEM}/Actions/ComputerSystem.Reset`;

function system(
  over: object = {},
  allowed: readonly string[] | null = ['On', 'ForceOff', 'ForceRestart', 'GracefulShutdown'],
): object {
  return {
    PowerState: 'On',
    LastResetTime: '2026-01-01T00:00:00Z',
    Actions: {
      '#ComputerSystem.Reset': {
        target: RESET,
        ...(allowed === null ? {} : { 'ResetType@Redfish.AllowableValues': allowed }),
      },
    },
    ...over,
  };
}

/** A BMC whose routes are answers or functions of what was asked; it checks password and headers. */
async function bmc(
  routes: Record<string, Route | ((body: unknown) => Route)>,
  over: Partial<Bmc> = {},
  password = 'right horse',
): Promise<Power> {
  const all: typeof routes = {
    'GET /redfish/v1/': { body: { Systems: { '@odata.id': '/redfish/v1/Systems' } } },
    'GET /redfish/v1/Systems': { body: { Members: [{ '@odata.id': SYSTEM }] } },
    [`GET ${SYSTEM}`]: { body: system() },
    [`POST ${RESET}`]: { status: 204 },
    ...routes,
  };
  server = createServer({ key: pems.private, cert: pems.cert }, (request, response) => {
    let text = '';
    request
      .on('data', (chunk: Buffer) => (text += chunk.toString()))
      .on('end', () => {
        const key = `${request.method} ${request.url}`;
        const body: unknown = text === '' ? null : JSON.parse(text);
        log.push(text === '' ? key : `${key} ${text}`);
        const route = all[key];
        const {
          status = 200,
          headers = {},
          body: answer,
        } = typeof route === 'function' ? route(body) : (route ?? { status: 404 });
        if (request.headers.authorization !== `Basic ${Buffer.from('ops:right horse').toString('base64')}`)
          return response.writeHead(401).end();
        if (request.headers['odata-version'] !== '4.0' || request.headers.connection !== 'close')
          return response.writeHead(412).end();
        if (status === 0) return request.socket.destroy();
        return response.writeHead(status, headers).end(answer === undefined ? '' : JSON.stringify(answer));
      });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const config: Bmc = {
    protocol: 'redfish',
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    user: 'ops',
    password: 'env:BMC',
    fingerprint: new X509Certificate(pems.cert).fingerprint256,
    ...over,
  };
  power = openRedfish(config, async () => password, 'api-1');
  return power;
}

async function failure(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof FailureError) return error.failure;
  throw new Error('no FailureError', { cause: error });
}

const posts = (): string[] => log.filter((line) => line.startsWith('POST'));

test('reads state, last reset and whether it can be reset, by following links', async () => {
  const bmcPower = await bmc({});
  expect(await bmcPower.read()).toEqual({ state: 'On', lastResetAt: '2026-01-01T00:00:00Z', canReset: true });
  expect(await bmcPower.read()).toMatchObject({ state: 'On' });
  expect(log).toEqual(['GET /redfish/v1/', 'GET /redfish/v1/Systems', `GET ${SYSTEM}`, `GET ${SYSTEM}`]);
});

test.each([
  [{ PowerState: 'PoweringOff' }, { state: 'PoweringOff' }],
  [{ PowerState: 'Paused' }, { state: 'Unknown' }],
  [
    { PowerState: null, LastResetTime: null },
    { state: 'Unknown', lastResetAt: null },
  ],
  [{ Actions: {} }, { canReset: false }],
])('%j reads as %j', async (over, facts) => {
  expect(await (await bmc({ [`GET ${SYSTEM}`]: { body: system(over) } })).read()).toMatchObject(facts);
});

test('a wrong pin: the certificate is told, and no request is made', async () => {
  const other = createHash('sha256').update('other').digest('hex').toUpperCase().match(/../g)?.join(':') ?? '';
  const told = await failure((await bmc({}, { fingerprint: other })).hardReset());
  expect(told).toMatchObject({ kind: 'bmc', where: 'api-1', state: 'The password was not sent' });
  expect(told.what).toContain(new X509Certificate(pems.cert).fingerprint256);
  expect(told.what).toContain(other);
  expect(log).toEqual([]);
});

test('a wrong password is denied once, and is in no message', async () => {
  const told = await failure((await bmc({}, {}, 'wrong battery')).read());
  expect(told).toMatchObject({ kind: 'denied', what: expect.stringContaining('login of ops') });
  expect(JSON.stringify(told)).not.toContain('battery');
  expect(log).toHaveLength(1);
});

test('a hard reset is one ForceRestart', async () => {
  await (await bmc({})).hardReset();
  expect(posts()).toEqual([`POST ${RESET} {"ResetType":"ForceRestart"}`]);
});

test('what it takes may stand in an ActionInfo', async () => {
  const info = '/redfish/v1/Systems/Self/ResetActionInfo';
  const bmcPower = await bmc({
    [`GET ${SYSTEM}`]: {
      body: system({ Actions: { '#ComputerSystem.Reset': { target: RESET, '@Redfish.ActionInfo': info } } }),
    },
    [`GET ${info}`]: { body: { Parameters: [{ Name: 'ResetType', AllowableValues: ['GracefulRestart'] }] } },
  });
  expect(await bmcPower.read()).toMatchObject({ canReset: false });
  expect(await failure(bmcPower.hardReset())).toMatchObject({ kind: 'bmc', state: 'No reset was sent' });
  expect(posts()).toEqual([]);
});

test('without ForceRestart: off, seen off, on', async () => {
  let state = 'On';
  let readsAfterOff = 0;
  const bmcPower = await bmc({
    [`GET ${SYSTEM}`]: () => {
      if (state === 'PoweringOff' && (readsAfterOff += 1) > 1) state = 'Off';
      return { body: system({ PowerState: state }, ['On', 'ForceOff']) };
    },
    [`POST ${RESET}`]: (body) => {
      state = (body as { ResetType: string }).ResetType === 'ForceOff' ? 'PoweringOff' : `${state} then On`;
      return { status: 204 };
    },
  });
  await bmcPower.hardReset();
  expect(state).toBe('Off then On');
});

test('a server that is off is not reset', async () => {
  const bmcPower = await bmc({ [`GET ${SYSTEM}`]: { body: system({ PowerState: 'Off' }) } });
  expect(await failure(bmcPower.hardReset())).toMatchObject({ kind: 'bmc', what: expect.stringContaining('Off') });
  expect(posts()).toEqual([]);
});

test.each([
  ['a busy BMC', 503, 'bmc'],
  ['a lost connection', 0, 'bmc'],
  ['a refusal', 403, 'denied'],
  ['a conflict', 409, 'bmc'],
])('a reset is never sent twice: %s', async (_name, status, kind) => {
  const error = { error: { '@Message.ExtendedInfo': [{ MessageId: 'Base.1.8.Oops', Message: 'for people' }] } };
  const told = await failure((await bmc({ [`POST ${RESET}`]: { status, body: error } })).hardReset());
  expect(told.kind).toBe(kind);
  expect(told.what.includes('Base.1.8.Oops')).toBe(status > 0);
  expect(posts()).toHaveLength(1);
});

test('a read is tried again while the BMC is busy, and not for ever', async () => {
  let busy = 2;
  const bmcPower = await bmc({
    'GET /redfish/v1/Systems': () =>
      (busy -= 1) >= 0 ? { status: 503 } : { body: { Members: [{ '@odata.id': SYSTEM }] } },
  });
  expect(await bmcPower.read()).toMatchObject({ state: 'On' });
  const told = await failure((await bmc({ [`GET ${SYSTEM}`]: { status: 500 } })).read());
  expect(told).toMatchObject({ kind: 'bmc', what: expect.stringContaining('500') });
});

test('a task is watched to its end; one that fails is a failure', async () => {
  let left = 1;
  const monitor = '/redfish/v1/TaskService/TaskMonitors/1';
  const start = { [`POST ${RESET}`]: { status: 202, headers: { location: monitor } } };
  await (await bmc({ ...start, [`GET ${monitor}`]: () => ({ status: (left -= 1) >= 0 ? 202 : 204 }) })).hardReset();
  expect(log.filter((line) => line === `GET ${monitor}`)).toHaveLength(2);
  await power?.close();
  server?.close();
  expect(
    await failure((await bmc({ ...start, [`GET ${monitor}`]: { body: { TaskState: 'Exception' } } })).hardReset()),
  ).toMatchObject({ kind: 'bmc', what: expect.stringContaining('could not do it') });
});

test('several systems demand a name; the named one is taken', async () => {
  const members = {
    'GET /redfish/v1/Systems': {
      body: { Members: [{ '@odata.id': '/redfish/v1/Systems/Other' }, { '@odata.id': SYSTEM }] },
    },
  };
  const told = await failure((await bmc(members)).hardReset());
  expect(told).toMatchObject({
    kind: 'bmc',
    what: expect.stringContaining('Other, Self'),
    remedy: expect.stringContaining('bmc.system'),
  });
  expect(posts()).toEqual([]);
  server?.close();
  await (await bmc(members, { system: 'Self' })).hardReset();
  expect(posts()).toHaveLength(1);
});

test('a link to another host is not followed', async () => {
  const told = await failure(
    (await bmc({ 'GET /redfish/v1/': { body: { Systems: { '@odata.id': 'https://evil.example/x' } } } })).read(),
  );
  expect(told).toMatchObject({ kind: 'bmc', what: expect.stringContaining('another host') });
});

test.each([
  ['no JSON', 'x'],
  ['another shape', { Systems: 5 }],
])('an answer that is %s is told as such', async (_name, body) => {
  expect(await failure((await bmc({ 'GET /redfish/v1/': { body } })).read())).toMatchObject({
    kind: 'bmc',
    what: expect.stringContaining('not Redfish'),
  });
});

test('a dead BMC is unreachable', async () => {
  const bmcPower = await bmc({});
  await new Promise((resolve) => server?.close(resolve));
  expect(await failure(bmcPower.read())).toMatchObject({
    kind: 'unreachable',
    state: 'Nothing was sent to it',
    what: expect.stringContaining('ECONNREFUSED'),
  });
});
