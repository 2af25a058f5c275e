import { z } from 'zod';
import { createHash, timingSafeEqual } from 'node:crypto';
import { halfApply, hang, reload, setDatabase, setPage, slowDatabase, type World } from '../herd/index.ts';
import { openService, type Service } from './balancer.ts';
import { jsonBody } from './body.ts';
import type { Connections } from './connections.ts';
import { serverNameSchema } from '../model/index.ts';
import type { RecordEntry } from './record.ts';
import type { Stage } from './stage.ts';
import { say } from './web.ts';

/** What a lab can be told from outside its fleet: the weather, so to speak. */
export const labCommandSchema = z.discriminatedUnion('tell', [
  /** `backInMs` brings it back by itself, in lab milliseconds. */
  z.strictObject({
    tell: z.literal('database'),
    state: z.enum(['away', 'back', 'refuse', 'hang']),
    backInMs: z.number().positive().optional(),
  }),
  /** Every answer of the database takes so much longer, in lab milliseconds; 0: as ever. */
  z.strictObject({ tell: z.literal('slow'), byMs: z.number().nonnegative().max(600_000) }),
  /** Pods elsewhere have so many connections to the database now. */
  z.strictObject({ tell: z.literal('connections'), others: z.number().int().nonnegative() }),
  z.strictObject({ tell: z.literal('hang'), server: serverNameSchema }),
  z.strictObject({ tell: z.literal('half-apply'), server: serverNameSchema }),
  z.strictObject({ tell: z.literal('page'), on: z.boolean() }),
  /** Time jumps ahead, for everybody: the fleet file gets the new anchor. */
  z.strictObject({
    tell: z.literal('skip'),
    forMs: z
      .number()
      .positive()
      .max(31 * 24 * 3_600_000),
  }),
  /** Entries of the record from this index on. */
  z.strictObject({ tell: z.literal('record'), from: z.number().int().nonnegative().default(0) }),
  z.strictObject({ tell: z.literal('status') }),
  z.strictObject({ tell: z.literal('down') }),
]);
export type LabCommand = z.input<typeof labCommandSchema>;

/** How the herd is, seen from nowhere. */
export interface LabStatus {
  readonly atMs: number;
  readonly database: { readonly state: string; readonly refreshes: number; readonly peakPerSecond: number };
  readonly page: boolean;
  readonly servers: readonly {
    readonly name: string;
    readonly power: string;
    readonly hung: boolean;
    readonly offline: boolean;
    /** Its own path to the database is cut. */
    readonly cut: boolean;
    readonly inRotation: boolean;
    readonly seenUp: boolean;
    readonly resets: number;
  }[];
}

/** The answer to each command. */
export type LabAnswer =
  | { readonly ok: true; readonly record?: readonly RecordEntry[]; readonly status?: LabStatus }
  | { readonly ok: false; readonly error: string };

/** The lab's own door, for who holds its token. */
export function openTell(
  stage: Stage,
  token: string,
  told: { readonly down: () => void; readonly skipped: () => void; readonly connections: Connections | null },
): Promise<Service> {
  return openService(async (incoming, outgoing) => {
    if (!same(incoming.headers.authorization ?? '', `Bearer ${token}`))
      return say(outgoing, 401, { ok: false, error: 'wrong token' });
    const command = labCommandSchema.safeParse(await jsonBody(incoming));
    if (!command.success) return say(outgoing, 400, { ok: false, error: z.prettifyError(command.error) });
    stage.touch();
    const answer = obey(stage, command.data, told.connections);
    stage.touch();
    // Whoever hears that time has jumped finds the new clock in the fleet file.
    if (command.data.tell === 'skip') told.skipped();
    say(outgoing, answer.ok ? 200 : 404, answer);
    if (command.data.tell === 'down') told.down();
  });
}

function obey(stage: Stage, command: z.output<typeof labCommandSchema>, connections: Connections | null): LabAnswer {
  const { world, record } = stage;
  const note = (what: string, server: string | null = null): LabAnswer => {
    record.add({ server, via: 'control', what, writes: true, changed: true, ok: true });
    return { ok: true };
  };
  switch (command.tell) {
    case 'record':
      return { ok: true, record: record.read(command.from) };
    case 'status':
      return { ok: true, status: statusOf(world) };
    case 'database': {
      const state = { away: 'away', back: 'up', refuse: 'refusing', hang: 'hanging' } as const;
      setDatabase(world, state[command.state], command.backInMs === undefined ? null : world.nowMs + command.backInMs);
      return note(`database ${command.state}`);
    }
    case 'slow':
      slowDatabase(world, command.byMs);
      return note(`database slower by ${command.byMs} ms`);
    case 'connections':
      if (connections === null) return { ok: false, error: 'only the scenario few-connections counts them' };
      connections.others = command.others;
      return note(`connections of others ${command.others}`);
    case 'page':
      setPage(world, command.on);
      return note(`page ${command.on ? 'on' : 'off'}`);
    case 'down':
      return note('down');
    case 'skip':
      stage.clock.skip(command.forMs);
      return note(`skip ${command.forMs} ms`);
    case 'hang':
    case 'half-apply': {
      const server = world.servers.find(({ name }) => name === command.server);
      if (server === undefined) return { ok: false, error: `no server is called ${command.server}` };
      if (command.tell === 'hang') hang(world, server);
      else {
        halfApply(world, server);
        reload(world, server);
      }
      return note(command.tell, server.name);
    }
  }
}

function statusOf(world: World): LabStatus {
  const { state, refreshes, peakPerSecond } = world.database;
  return {
    atMs: world.nowMs,
    database: { state, refreshes, peakPerSecond },
    page: world.balancer.page,
    servers: world.servers.map(({ name, power, hungAtMs, offline, cutUntilMs, inRotation, seenUp, resets }) => ({
      name,
      power,
      hung: hungAtMs !== null,
      offline,
      cut: cutUntilMs !== null,
      inRotation,
      seenUp,
      resets,
    })),
  };
}

function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
