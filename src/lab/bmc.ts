import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { gracefulRestart, hardReset, isAlive, powerOff, powerOn, type ServerState } from '../herd/index.ts';
import { LAB_USER } from './account.ts';
import { jsonBody, pathOf } from './body.ts';
import type { Certificate } from './keys.ts';
import { listen } from './link.ts';
import { say } from './web.ts';
import type { Stage } from './stage.ts';

/** One server's out-of-band management. */
export interface BmcServer {
  readonly port: number;
  close(): void;
}

const SYSTEM = '/redfish/v1/Systems/1';
const RESET = `${SYSTEM}/Actions/ComputerSystem.Reset`;
const RESET_TYPES = ['On', 'ForceOff', 'GracefulRestart', 'ForceRestart'] as const;
type ResetType = (typeof RESET_TYPES)[number];

/** Redfish over HTTPS with a certificate of its own, Basic authentication: what DSP0266 asks of one system and its reset. */
export async function openBmc(
  stage: Stage,
  server: ServerState,
  parts: { readonly certificate: Certificate; readonly password: string },
): Promise<BmcServer> {
  const { key, cert } = parts.certificate;
  const expected = digest(`Basic ${Buffer.from(`${LAB_USER}:${parts.password}`).toString('base64')}`);
  const https = createServer({ key, cert }, (incoming, outgoing) => {
    outgoing.on('error', () => outgoing.destroy());
    void serve(stage, server, expected, incoming, outgoing);
  });
  const port = await listen(https);
  return {
    port,
    close() {
      https.close();
      https.closeAllConnections();
    },
  };
}

async function serve(
  stage: Stage,
  server: ServerState,
  expected: Buffer,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  stage.touch();
  const path = pathOf(incoming).replace(/\/+$/, '');
  const reply = (status: number, body: unknown): void =>
    say(outgoing, status, body, { 'odata-version': '4.0', 'cache-control': 'no-store' });
  // The service root and the list of versions are open to anybody, by the standard.
  if (incoming.method === 'GET' && path === '/redfish') return reply(200, { v1: '/redfish/v1/' });
  if (incoming.method === 'GET' && path === '/redfish/v1') return reply(200, serviceRoot(server));
  if (!timingSafeEqual(digest(incoming.headers.authorization ?? ''), expected)) {
    outgoing.setHeader('www-authenticate', 'Basic realm="lab"');
    return reply(
      401,
      problem('Base.1.18.InsufficientPrivilege', 'There are insufficient privileges for this account or credentials.'),
    );
  }
  if (incoming.method === 'POST' && path === RESET) return reset(stage, server, incoming, reply);
  if (incoming.method !== 'GET' && incoming.method !== 'HEAD')
    return reply(405, problem('Base.1.18.OperationNotAllowed', 'Only GET, and POST of a reset.'));
  if (path === '/redfish/v1/Systems') return reply(200, systems());
  if (path === SYSTEM) return reply(200, computerSystem(server));
  return reply(404, problem('Base.1.18.ResourceMissingAtURI', `There is no resource at ${path.slice(0, 200)}.`));
}

async function reset(
  stage: Stage,
  server: ServerState,
  incoming: IncomingMessage,
  reply: (status: number, body: unknown) => void,
): Promise<void> {
  const type = (await jsonBody(incoming))?.['ResetType'];
  if (!RESET_TYPES.includes(type as ResetType)) {
    return reply(
      400,
      problem('Base.1.18.ActionParameterNotSupported', 'ResetType must be one of the allowable values.'),
    );
  }
  stage.touch();
  const changed = act(stage, server, type as ResetType);
  stage.record.add({ server: server.name, via: 'bmc', what: `reset ${String(type)}`, writes: true, changed, ok: true });
  stage.touch();
  if (type === 'On' && !changed) return reply(409, problem('Base.1.18.NoOperation', 'The system is on already.'));
  reply(204, undefined);
}

/** Does what the type says. A graceful restart of a hung system is accepted and comes to nothing. */
function act({ world }: Stage, server: ServerState, type: ResetType): boolean {
  const was = server.power;
  switch (type) {
    case 'ForceRestart':
      hardReset(world, server);
      return true;
    case 'GracefulRestart':
      return isAlive(server) && gracefulRestart(world, server);
    case 'ForceOff':
      powerOff(world, server);
      return was !== 'off';
    case 'On':
      powerOn(world, server);
      return was === 'off';
  }
}

function serviceRoot(server: ServerState): object {
  return {
    '@odata.id': '/redfish/v1/',
    '@odata.type': '#ServiceRoot.v1_16_0.ServiceRoot',
    Id: 'RootService',
    Name: 'Root Service',
    RedfishVersion: '1.18.0',
    UUID: uuid(server),
    Vendor: 'neap',
    Product: 'neap lab',
    Systems: { '@odata.id': '/redfish/v1/Systems' },
    Links: {},
  };
}

function systems(): object {
  return {
    '@odata.id': '/redfish/v1/Systems',
    '@odata.type': '#ComputerSystemCollection.ComputerSystemCollection',
    Name: 'Computer System Collection',
    'Members@odata.count': 1,
    Members: [{ '@odata.id': SYSTEM }],
  };
}

function computerSystem(server: ServerState): object {
  return {
    '@odata.id': SYSTEM,
    '@odata.type': '#ComputerSystem.v1_22_0.ComputerSystem',
    Id: '1',
    Name: server.name,
    HostName: server.name,
    SystemType: 'Physical',
    UUID: uuid(server),
    PowerState: server.power === 'off' ? 'Off' : 'On',
    LastResetTime: new Date(server.lastResetMs).toISOString(),
    Status: { State: 'Enabled', Health: 'OK' },
    Actions: {
      '#ComputerSystem.Reset': { target: RESET, 'ResetType@Redfish.AllowableValues': RESET_TYPES },
    },
  };
}

function problem(id: string, message: string): object {
  return {
    error: { code: id, message, '@Message.ExtendedInfo': [{ MessageId: id, Message: message, Severity: 'Critical' }] },
  };
}

/** The machine's identity: the same over all boots. */
function uuid({ name }: ServerState): string {
  const hex = digest(name).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
