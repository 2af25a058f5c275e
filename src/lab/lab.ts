import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { advance, type ServerState, type World } from '../herd/index.ts';
import type { FleetInput } from '../model/index.ts';
import { openBalancer, openControlTarget, type Service } from './balancer.ts';
import { openBmc } from './bmc.ts';
import { startClock, type LabClock } from './clock.ts';
import { openDatabase } from './connections.ts';
import { fleetOf, type Addresses } from './fleet-file.ts';
import { writeFleet, writeFolder } from './folder.ts';
import { makeKeys, type LabKeys, type ServerKeys } from './keys.ts';
import type { Link, Manner } from './link.ts';
import { labOptionsSchema, type LabOptionsInput } from './options.ts';
import { openRecord, type LabRecord } from './record.ts';
import { setScene, type Scene } from './scene.ts';
import { openSsh } from './ssh.ts';
import type { Stage } from './stage.ts';
import { openTell } from './tell.ts';
import { openWeb } from './web.ts';

/** A lab that runs in this process. */
export interface Lab {
  readonly fleet: FleetInput;
  readonly fleetFile: string;
  readonly controlUrl: string;
  readonly world: World;
  readonly clock: LabClock;
  readonly record: LabRecord;
  /** Servers that answer from outside: not hung, not cut off. */
  readonly answering: readonly string[];
  /** Lets the model catch up with the clock. */
  touch(): void;
  close(): void;
}

/** The model never lags behind the clock by more than this, in real milliseconds. */
const TICK_MS = 50;

/**
 * Builds the scenario's model, opens every address on the loopback, and writes the lab's folder: fleet file, keys,
 * ssh_config. `onDown` is called when somebody with the token tells it to end. Throws what the system throws; then
 * nothing is left open.
 */
export async function startLab(input: LabOptionsInput, onDown: () => void = () => {}): Promise<Lab> {
  const options = labOptionsSchema.parse(input);
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const keys = await makeKeys(options.servers);
  const clock = startClock(options.timeLapse);
  const scene = setScene(options, clock.anchorPlanMs);
  const record = openRecord(join(options.dir, 'record.jsonl'), clock);
  const open = new Opened(record);
  try {
    const stage = openStage(scene.world, clock, record, open);
    const addresses: Addresses[] = [];
    for (const [index, own] of keys.servers.entries()) {
      const server = scene.world.servers[index];
      if (server !== undefined) addresses.push(await openServer(stage, scene, server, { keys, own, open }));
    }
    const balancer = open.keep(await openBalancer(stage));
    const control = open.keep(await openControlTarget());
    const { connections } = scene;
    const database = connections === null ? null : open.keep(await openDatabase(stage, connections));
    const describe = (): FleetInput =>
      fleetOf({
        name: options.name,
        dir: options.dir,
        clock,
        world: scene.world,
        addresses,
        balancerPort: balancer.port,
        controlPort: control.port,
        connections: connections && database ? { ...connections, port: database.port } : null,
      });
    const skipped = (): void => writeFleet(options.dir, describe());
    const tell = open.keep(await openTell(stage, keys.token, { down: onDown, skipped, connections }));
    const fleet = describe();
    writeFolder(options.dir, fleet, { keys, addresses });
    const ticker = setInterval(() => stage.touch(), TICK_MS);
    open.keep({ close: () => clearInterval(ticker) });
    return {
      fleet,
      fleetFile: join(options.dir, 'fleet.ts'),
      controlUrl: `http://127.0.0.1:${tell.port}/`,
      world: scene.world,
      clock,
      record,
      answering: scene.world.servers.filter((server) => mannerOf(scene, server) === 'answers').map(({ name }) => name),
      touch: () => stage.touch(),
      close: () => open.close(),
    };
  } catch (error) {
    open.close();
    throw error;
  }
}

/** Everything that is open, so that it can be closed, also when the start fails half-way. */
class Opened {
  readonly links: Link[] = [];
  readonly #others: { close(): void }[] = [];

  constructor(record: LabRecord) {
    this.#others.push(record);
  }

  keep<T extends Pick<Service, 'close'>>(service: T): T {
    this.#others.unshift(service);
    return service;
  }

  close(): void {
    for (const one of [...this.links, ...this.#others]) one.close();
    this.links.length = 0;
    this.#others.length = 0;
  }
}

function openStage(world: World, clock: LabClock, record: LabRecord, open: Opened): Stage {
  const waits = new Set<() => void>();
  open.keep({ close: () => waits.forEach((end) => end()) });
  return {
    world,
    clock,
    record,
    touch() {
      advance(world, clock.nowMs());
      for (const link of open.links) link.follow();
    },
    wait: (labMs) =>
      new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          waits.delete(end);
          resolve();
        };
        const timer = setTimeout(end, clock.realMs(labMs));
        waits.add(end);
      }),
  };
}

async function openServer(
  stage: Stage,
  scene: Scene,
  server: ServerState,
  { keys, own, open }: { readonly keys: LabKeys; readonly own: ServerKeys; readonly open: Opened },
): Promise<Addresses> {
  const manner = (): Manner => mannerOf(scene, server);
  const ssh = await openSsh(stage, server, { hostKey: own.host.privateKey, userKey: keys.user.publicKey, manner });
  open.links.push(ssh);
  const web = await openWeb(stage, server, manner);
  open.links.push(web);
  const bmc = open.keep(await openBmc(stage, server, { certificate: own.certificate, password: keys.bmcPassword }));
  if (scene.withoutBmc.has(server.name)) bmc.close();
  return {
    name: server.name,
    sshPort: ssh.port,
    hostKey: own.host.publicKey,
    webPort: web.port,
    bmcPort: bmc.port,
    bmcFingerprint: own.certificate.fingerprint,
  };
}

function mannerOf(scene: Scene, server: ServerState): Manner {
  if (server.power !== 'on') return 'refuses';
  return server.hungAtMs !== null || scene.cutOff.has(server.name) ? 'silent' : 'answers';
}
