import { X509Certificate, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { generate } from 'selfsigned';

/** One server's out-of-band management: Redfish over HTTPS, on loopback, served by the test process itself. */
export interface RealBmc {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** SHA-256 of its certificate, as a fleet file enrols it. */
  readonly fingerprint: string;
  /** The resets that it accepted. */
  readonly resets: readonly { readonly atMs: number; readonly type: string }[];
  /** Accepts resets from now on, and does nothing. */
  ignoreResets(): void;
  /** Refuses connections from now on. */
  goDown(): Promise<void>;
  close(): Promise<void>;
}

/** What it has power over. */
export interface Chassis {
  readonly running: boolean;
  cutPower(): Promise<void>;
  boot(): Promise<void>;
}

const SYSTEM = '/redfish/v1/Systems/1';
const RESET = `${SYSTEM}/Actions/ComputerSystem.Reset`;
const SESSIONS = '/redfish/v1/SessionService/Sessions';

/** Starts a BMC at a free port. A reset is accepted at once (204) and happens meanwhile, as real ones do. */
export async function startBmc(name: string, chassis: Chassis): Promise<RealBmc> {
  const pems = await generate([{ name: 'commonName', value: `bmc-${name}` }], { keyType: 'ec', curve: 'P-256' });
  const state = new BmcState(chassis);
  const server = createServer({ key: pems.private, cert: pems.cert }, (request, response) => {
    void state.serve(request, response);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the BMC has no port');
  const goDown = () => closed(server);
  return {
    url: `https://127.0.0.1:${String(bound.port)}`,
    user: state.user,
    password: state.password,
    fingerprint: new X509Certificate(pems.cert).fingerprint256,
    resets: state.resets,
    ignoreResets: () => {
      state.ignores = true;
    },
    goDown,
    close: async () => {
      await goDown();
      await state.queue;
    },
  };
}

class BmcState {
  readonly user = 'operator';
  readonly password = randomBytes(12).toString('base64url');
  readonly resets: { atMs: number; type: string }[] = [];
  readonly #chassis: Chassis;
  readonly #tokens = new Set<string>();
  ignores = false;
  #lastResetAt = new Date().toISOString();
  /** Resets happen one after the other. */
  queue: Promise<void> = Promise.resolve();

  constructor(chassis: Chassis) {
    this.#chassis = chassis;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const path = url.replace(/\/$/, '');
    const body = Buffer.concat(await request.toArray()).toString('utf8');
    if (method === 'GET' && path === '/redfish/v1') return say(response, 200, ROOT);
    if (method === 'POST' && path === SESSIONS) return this.#openSession(body, response);
    if (!this.#mayEnter(request)) return say(response, 401, problem('authentication failed'));
    if (method === 'DELETE' && path.startsWith(`${SESSIONS}/`)) {
      this.#tokens.delete(path.slice(SESSIONS.length + 1));
      return say(response, 204);
    }
    if (method === 'GET' && path === '/redfish/v1/Systems')
      return say(response, 200, { Members: [{ '@odata.id': SYSTEM }] });
    if (method === 'GET' && path === SYSTEM) return say(response, 200, this.#system());
    if (method === 'POST' && path === RESET) return this.#reset(body, response);
    say(response, 404, problem('no such resource'));
  }

  #system(): unknown {
    return {
      '@odata.id': SYSTEM,
      Id: '1',
      PowerState: this.#chassis.running ? 'On' : 'Off',
      LastResetTime: this.#lastResetAt,
      Actions: { '#ComputerSystem.Reset': { target: RESET, 'ResetType@Redfish.AllowableValues': Object.keys(RESETS) } },
    };
  }

  #reset(body: string, response: ServerResponse): void {
    const { ResetType: type } = JSON.parse(body) as { ResetType?: string };
    const reset = type === undefined ? undefined : RESETS[type];
    if (type === undefined || reset === undefined) return say(response, 400, problem('unknown ResetType'));
    this.resets.push({ atMs: Date.now(), type });
    if (!this.ignores) {
      this.#lastResetAt = new Date().toISOString();
      // A machine that does not come up again shows in its own log, and as a server that stays silent.
      this.queue = this.queue.then(() => reset(this.#chassis)).catch(() => undefined);
    }
    say(response, 204);
  }

  #openSession(body: string, response: ServerResponse): void {
    const { UserName, Password } = JSON.parse(body) as { UserName?: string; Password?: string };
    if (UserName !== this.user || Password !== this.password)
      return say(response, 401, problem('authentication failed'));
    const token = randomBytes(16).toString('hex');
    this.#tokens.add(token);
    response.setHeader('X-Auth-Token', token).setHeader('Location', `${SESSIONS}/${token}`);
    say(response, 201, { '@odata.id': `${SESSIONS}/${token}`, Id: token });
  }

  #mayEnter({ headers }: IncomingMessage): boolean {
    const token = headers['x-auth-token'];
    if (typeof token === 'string') return this.#tokens.has(token);
    const wanted = Buffer.from(`Basic ${Buffer.from(`${this.user}:${this.password}`).toString('base64')}`);
    const given = Buffer.from(headers.authorization ?? '');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

const ROOT = {
  '@odata.id': '/redfish/v1',
  RedfishVersion: '1.15.0',
  Systems: { '@odata.id': '/redfish/v1/Systems' },
  SessionService: { '@odata.id': '/redfish/v1/SessionService' },
  Links: { Sessions: { '@odata.id': SESSIONS } },
};

const RESETS: Readonly<Record<string, (chassis: Chassis) => Promise<void>>> = {
  On: async (chassis) => {
    if (!chassis.running) await chassis.boot();
  },
  ForceOff: (chassis) => chassis.cutPower(),
  ForceRestart: async (chassis) => {
    await chassis.cutPower();
    await chassis.boot();
  },
};

function say(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'odata-version': '4.0' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function problem(message: string): unknown {
  return { error: { code: 'Base.1.0.GeneralError', message } };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
