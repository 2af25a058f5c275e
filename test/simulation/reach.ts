import { FailureError, type Failure } from '../../src/model/index.ts';
import type { Hands, Reader, WriteName } from '../../src/ports/index.ts';
import { GOOD, HALF, type ModelServer, type World } from './world.ts';

/** Reads one server of the model, at the instant in which it is asked. */
export function modelReader(world: World, name: string, seen: (server: string) => void = () => undefined): Reader {
  const server = world.server(name);
  const own = (): ModelServer => {
    seen(name);
    demandWay(world, server);
    return server;
  };
  return {
    files: async (paths) => {
      const { file } = own();
      return paths.map((path) => ({
        path,
        sha256: file,
        mode: '0644',
        owner: 'root:root',
        sizeBytes: 4,
        text: file === GOOD ? 'good' : 'half',
      }));
    },
    bootId: async () => `boot-${own().boot}`,
    get: async () => {
      seen(name);
      if (!world.isReachable(server)) throw trouble('unreachable', server);
      // Logged-in requests need the cache, and a cold one needs the database.
      const cold = world.ageOf(server) >= server.ttlMs && !world.answersFrom(server);
      return { status: cold ? 503 : 200, body: '', tookMs: 5 };
    },
    ask: async (what) => {
      switch (what) {
        case 'offline':
          return own().offline ? 'on' : 'off';
        case 'running':
          return `${own().running}  /etc/api.conf\n`;
        case 'traffic':
          seen(name);
          return server.traffic;
        case 'traffic-health':
          seen(name);
          return server.life === 'up' ? 'up' : 'down';
        case 'clock:stamps':
          return String(own().stamps);
        case 'clock:sessions':
          return JSON.stringify({ ageMs: world.ageOf(own()), ttlMs: server.ttlMs });
        case 'path:database':
          return own().cutUntilMs > world.nowMs ? 'cut' : 'open';
        case 'answers:database':
          if (!world.answersFrom(own())) throw trouble('command', server);
          return '';
        default:
          throw new Error(`the model has no reading ${what}`);
      }
    },
    power: async () => {
      seen(name);
      if (server.bmcDownUntilMs > world.nowMs) throw trouble('bmc', server);
      return { state: server.life === 'dead' ? 'Off' : 'On', lastResetAt: server.lastResetAt, canReset: true };
    },
    vitals: async () => {
      seen(name);
      const jump = isBehindBrokenJump(world, server);
      const reachable = world.isReachable(server);
      return {
        ssh: reachable && !jump ? 'answers' : 'silent',
        http: reachable ? 'answers' : 'silent',
        balancer: server.life === 'up' ? 'up' : 'down',
        power: server.bmcDownUntilMs > world.nowMs ? null : server.life === 'dead' ? 'Off' : 'On',
        control: world.controlDownUntilMs > world.nowMs ? 'silent' : 'answers',
      };
    },
  };
}

/** Changes one server of the model. `before` is called with every change that is about to come through. */
export function modelHands(world: World, name: string, before: (what: string) => void): Hands {
  const server = world.server(name);
  const deed = (what: string): void => {
    before(what);
    world.done(name, what);
  };
  return {
    call: async (what, fill) => {
      if (what !== 'traffic-in' && what !== 'traffic-out') demandWay(world, server);
      deed(what);
      change(world, server, what, fill?.seconds ?? 0);
    },
    putFile: async ({ text }) => {
      demandWay(world, server);
      deed('put-file');
      server.file = text === 'good' ? GOOD : HALF;
    },
    restoreFile: async () => {
      demandWay(world, server);
      deed('restore-file');
      server.file = HALF;
    },
    hardReset: async () => {
      if (server.bmcDownUntilMs > world.nowMs) throw trouble('bmc', server);
      deed('reset');
      world.reset(server);
    },
  };
}

function change(world: World, server: ModelServer, what: WriteName, seconds: number): void {
  switch (what) {
    case 'offline-on':
      world.enterOffline(server);
      return;
    case 'offline-off':
      server.offline = false;
      return;
    case 'reload':
      server.running = server.file;
      return;
    case 'traffic-in':
      server.traffic = 'in';
      return;
    case 'traffic-out':
      server.traffic = 'out';
      return;
    case 'refresh:stamps':
      server.stamps += 1;
      return;
    case 'refresh:sessions':
      if (!world.answersFrom(server)) throw trouble('command', server);
      world.refresh(server);
      return;
    case 'cut:database':
      server.cutUntilMs = world.nowMs + seconds * 1000;
      return;
    case 'restore:database':
      server.cutUntilMs = 0;
      return;
    default:
      throw new Error(`the model cannot do ${what}`);
  }
}

function isBehindBrokenJump(world: World, server: ModelServer): boolean {
  return server.domain === 'd2' && world.jumpBrokenUntilMs > world.nowMs;
}

function demandWay(world: World, server: ModelServer): void {
  if (isBehindBrokenJump(world, server)) throw trouble('path', server);
  if (!world.isReachable(server)) throw trouble('unreachable', server);
}

/** A failure as an edge would make it. */
export function trouble(kind: Failure['kind'], { name }: { readonly name: string }): FailureError {
  const common = { kind, what: `${kind} (made up)`, where: name, state: 'Not known', remedy: 'Look at it' };
  return new FailureError(kind === 'path' ? { ...common, path: 'jump' } : common);
}
