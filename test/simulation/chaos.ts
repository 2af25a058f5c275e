import type { Chance } from '../support/chance.ts';
import type { Agenda } from './agenda.ts';
import { HALF, type ModelServer, type World } from './world.ts';

/** Everything that can happen to the world by itself. */
export const TROUBLES = [
  'hang',
  'hang-many',
  'die',
  'part',
  'part-many',
  'jump',
  'database',
  'half',
  'stale-process',
  'offline',
  'traffic',
  'bmc',
  'control',
  'reboot',
] as const;
export type Trouble = (typeof TROUBLES)[number];

/** One trouble comes over the world; whom it hits is drawn from its own chance. */
export function befallWorld(world: World, agenda: Agenda, chance: Chance, trouble: Trouble, lastsMs: number): void {
  const servers = [...world.servers.values()];
  const victims = trouble.endsWith('-many') ? servers.filter(() => chance.happens(0.6)) : [chance.pick(servers)];
  happen(world, agenda, chance, trouble, victims, lastsMs);
}

function happen(
  world: World,
  agenda: Agenda,
  chance: Chance,
  trouble: Trouble,
  victims: readonly ModelServer[],
  lastsMs: number,
): void {
  const untilMs = world.nowMs + lastsMs;
  switch (trouble) {
    case 'jump':
      world.jumpBrokenUntilMs = untilMs;
      return;
    case 'control':
      world.controlDownUntilMs = untilMs;
      return;
    case 'database':
      world.databaseUp = false;
      world.databaseGoneAtMs = world.nowMs;
      agenda.put(untilMs, null, () => {
        world.advance(untilMs);
        world.databaseUp = true;
      });
      return;
    default:
      for (const server of victims) befall(world, agenda, chance, trouble, server, untilMs);
  }
}

function befall(
  world: World,
  agenda: Agenda,
  chance: Chance,
  trouble: Trouble,
  server: ModelServer,
  untilMs: number,
): void {
  switch (trouble) {
    case 'hang':
    case 'hang-many':
      if (server.life === 'up') server.life = 'hung';
      return;
    case 'die':
      server.life = 'dead';
      server.touched.add('power');
      agenda.put(untilMs, null, () => revive(world, server));
      return;
    case 'part':
    case 'part-many':
      server.partedUntilMs = untilMs;
      return;
    case 'half':
      server.touched.add('config');
      server.file = HALF;
      if (chance.happens(0.5)) server.running = HALF;
      return;
    case 'stale-process':
      server.touched.add('config');
      server.running = HALF;
      return;
    case 'offline':
      server.touched.add('offline');
      server.offline = !server.offline;
      if (server.offline) world.chill(server);
      return;
    case 'traffic':
      server.touched.add('traffic');
      server.traffic = server.traffic === 'in' ? 'out' : 'in';
      return;
    case 'bmc':
      server.bmcDownUntilMs = untilMs;
      return;
    case 'reboot':
      server.touched.add('power');
      world.reset(server);
      return;
    default:
      throw new Error(`${trouble} does not befall a server`);
  }
}

function revive(world: World, server: ModelServer): void {
  if (server.life !== 'dead') return;
  world.reset(server);
}

/** Somebody mends whatever can be mended without neap; only hung servers stay hung. */
export function calmDown(world: World, agenda: Agenda): void {
  world.advance(agenda.nowMs);
  world.databaseUp = true;
  world.jumpBrokenUntilMs = 0;
  world.controlDownUntilMs = 0;
  for (const server of world.servers.values()) {
    server.partedUntilMs = 0;
    server.bmcDownUntilMs = 0;
    revive(world, server);
    if (server.life === 'up' && !world.isProven(server)) {
      server.touched.add('config');
      server.file = server.running = 'a'.repeat(64);
    }
  }
  agenda.put(agenda.nowMs + 600_000, null, () => calmDown(world, agenda));
}

/** What the plan may already find. */
export function befoul(world: World, chance: Chance, runbook: string): void {
  for (const server of world.servers.values()) {
    if (runbook === 'recover-fleet' ? chance.happens(0.9) : chance.happens(0.03)) server.life = 'hung';
    else if (chance.happens(0.05)) server.running = 'b'.repeat(64);
  }
}

/** What somebody changes between the plan and its run: that is not taken for what the plan saw. */
export function drift(world: World, chance: Chance): void {
  if (!chance.happens(0.15)) return;
  const server = chance.happens(0.3) ? world.servers.values().next().value : chance.pick([...world.servers.values()]);
  if (server?.life !== 'up') return;
  server.touched.add('offline').add('traffic');
  if (chance.happens(0.5)) server.offline = !server.offline;
  else server.traffic = server.traffic === 'in' ? 'out' : 'in';
}
