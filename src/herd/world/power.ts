import { touch } from './agenda.ts';
import { draw, drawBootId } from './chance.ts';
import { letGo } from './flow.ts';
import { die, isAlive, type ServerState, type World } from './state.ts';

/** A hard reset: whatever it did is gone, also its hang; it boots, online and with an empty cache. */
export function hardReset(world: World, server: ServerState): void {
  powerOff(world, server);
  server.resets += 1;
  server.lastResetMs = world.nowMs;
  if (world.options.halfAppliedByReset) halfApply(world, server);
  powerOn(world, server);
}

/** Asks the operating system to reboot. A hung one does not hear it: nothing happens. Says whether it did. */
export function gracefulRestart(world: World, server: ServerState): boolean {
  if (!isAlive(server)) return false;
  powerOff(world, server);
  server.resets += 1;
  server.lastResetMs = world.nowMs;
  powerOn(world, server);
  return true;
}

/** Off at once: whatever it held in memory is gone, its hang too. */
export function powerOff(world: World, server: ServerState): void {
  letGo(world, server, 'failed');
  if (server.hungAtMs !== null) world.tally.dead -= 1;
  world.balancer.watch = true;
  world.balancer.stale = true;
  touch(world, server);
  Object.assign(server, {
    power: 'off',
    hungAtMs: null,
    offline: false,
    cache: null,
    fetch: null,
    cutUntilMs: null,
    pile: [],
  });
}

/** Boots a server that is off. */
export function powerOn(world: World, server: ServerState): void {
  if (server.power !== 'off') return;
  server.power = 'booting';
  server.bootedAtMs = world.nowMs + world.options.bootMs;
  server.bootId = drawBootId(world);
  touch(world, server);
}

/** Hangs a server as if its memory had run out. */
export function hang(world: World, server: ServerState): void {
  die(world, server);
}

/** Ends a boot whose time has come: the process starts and holds the files as it finds them. */
export function finishBoot(world: World, server: ServerState): void {
  if (server.power !== 'booting' || server.bootedAtMs > world.nowMs) return;
  server.power = 'on';
  world.balancer.watch = true;
  touch(world, server);
  reload(world, server);
}

/** The process reads its configuration again. */
export function reload(world: World, server: ServerState): void {
  const paths = seedOf(world, server).map(({ path }) => path);
  server.running = Object.fromEntries(
    paths.flatMap((path) => (server.files[path] ? [[path, server.files[path].content] as const] : [])),
  );
}

/** Leaves the configuration as a reboot in the middle of a change would: one file cut short, sometimes another one old. */
export function halfApply(world: World, server: ServerState): void {
  const seeds = seedOf(world, server);
  const cut = Math.floor(draw(world) * seeds.length);
  const alsoOld = draw(world) < 0.5;
  for (const [index, { path, older }] of seeds.entries()) {
    const file = server.files[path];
    if (file === undefined) continue;
    if (index === cut)
      server.files[path] = {
        ...file,
        content: file.content.slice(0, Math.floor(file.content.length * 0.6)),
        writtenMs: world.nowMs,
      };
    else if (alsoOld) server.files[path] = { ...file, content: older, writtenMs: world.nowMs };
  }
}

/** Leaves the files right, and the process on the older content. */
export function forgetReload(world: World, server: ServerState): void {
  for (const { path, older } of seedOf(world, server).slice(0, 1)) server.running[path] = older;
}

function seedOf(world: World, server: ServerState): World['options']['servers'][number]['files'] {
  return world.options.servers[server.index]?.files ?? [];
}
