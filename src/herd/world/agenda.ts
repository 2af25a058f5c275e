import type { ServerState, World } from './state.ts';

/**
 * When each server is next to be looked at. A tournament tree over the servers: the earliest time is at its root, and
 * one server's time changes in log N steps, so that an event costs the same whatever the fleet. Plain numbers, and
 * never Infinity, which JSON does not have.
 */
export type Agenda = number[];

/** A time that does not come. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** An agenda in which everybody is due at once. */
export function createAgenda(servers: number): Agenda {
  const width = widthOf(servers);
  const agenda = Array.from({ length: 2 * width }, (_, at) => (at < width + servers ? 0 : NEVER));
  rebuild(agenda);
  return agenda;
}

/** The earliest time in it. */
export function firstDueMs(agenda: Agenda): number {
  return agenda[1] ?? NEVER;
}

/** This server is next looked at then. */
export function setDue(agenda: Agenda, index: number, atMs: number): void {
  let at = agenda.length / 2 + index;
  if (agenda[at] === atMs) return;
  agenda[at] = atMs;
  for (at >>= 1; at >= 1; at >>= 1) {
    const earliest = Math.min(agenda[2 * at] ?? NEVER, agenda[2 * at + 1] ?? NEVER);
    if (agenda[at] === earliest) return;
    agenda[at] = earliest;
  }
}

/** Who is due by now, in the servers' order: chance and queues are the same however time is cut. */
export function dueBy(agenda: Agenda, nowMs: number): number[] {
  const found: number[] = [];
  const width = agenda.length / 2;
  const open = [1];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if ((agenda[at] ?? NEVER) > nowMs) continue;
    if (at >= width) found.push(at - width);
    else open.push(2 * at + 1, 2 * at);
  }
  return found;
}

/** Something was done to this server: it is looked at before time goes on. */
export function touch(world: World, server: ServerState): void {
  setDue(world.agenda, server.index, 0);
}

/** Something was done that concerns all of them. */
export function touchAll(world: World): void {
  const width = world.agenda.length / 2;
  world.agenda.fill(0, 1, width + world.servers.length);
  rebuild(world.agenda);
}

function rebuild(agenda: Agenda): void {
  for (let at = agenda.length / 2 - 1; at >= 1; at -= 1) {
    agenda[at] = Math.min(agenda[2 * at] ?? NEVER, agenda[2 * at + 1] ?? NEVER);
  }
}

function widthOf(servers: number): number {
  let width = 1;
  while (width < servers) width *= 2;
  return width;
}
