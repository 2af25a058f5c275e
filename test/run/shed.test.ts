import { describe, expect, test } from 'vitest';
import {
  defineRunbook,
  dependencyAnswers,
  gate,
  inSlots,
  offlineMode,
  proveFuse,
  question,
  refreshCaches,
  z,
} from '../../src/index.ts';
import type { Failure, Plan, Runbook } from '../../src/model/index.ts';
import { hashOf } from '../../src/plan/compile.ts';
import { overrideOf } from '../../src/run/index.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { compiled, outlineOf } from '../support/plans.ts';

// Goal: while an outage goes on, the fuse is read again, people are paged at the margin, and load is shed before the
// first expiry, whatever else the run is doing; and it comes back when the database does. Method: a window on paper
// whose clocks live 200 s, driven through every way in which it can go wrong.

const TTL_MS = 200_000;
const FUSE = { outageMs: 60_000, marginMs: 20_000 };
const ACT_MS = 15_000;

function planned(shed = true, fuse: typeof FUSE = FUSE): Plan {
  const runbook = defineRunbook({
    title: 'a window',
    reach: { api: ['ssh'] },
    inputs: z.strictObject({}),
    budget: { failures: 2 },
    window: { limitMs: 24 * 3_600_000 },
    steps: ({ api }) => [
      offlineMode(api, { on: true }),
      inSlots({ perSecond: 1000, fraction: 1 }, refreshCaches(api)),
      proveFuse(api, fuse),
      gate('Start?', { role: 'any', onTimeout: 'hold', fuse }),
      question('Done?', { role: 'any', onTimeout: 'hold', answers: { yes: 'go-on', failed: 'go-home' } }),
      dependencyAnswers(api, { from: 'database' }),
      offlineMode(api, { on: false }),
    ],
  }) as unknown as Runbook;
  const fleet = paperFleet({ servers: 3 });
  const plan = compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
  const edge = {
    by: 'edge',
    actMs: ACT_MS,
    timeoutMs: 10_000,
    takesMs: 5_000,
    takesFrom: 'declared',
    warmPerSecond: null,
  } as const;
  const header = { ...plan.header, countdown: { everyMs: 5_000, shed: shed ? edge : null } };
  return { ...plan, hash: hashOf(header), header };
}

const trouble: Failure = { kind: 'timeout', what: 'no answer', where: 'the page', state: 'unknown', remedy: 'look' };
const unmet: Failure = { ...trouble, kind: 'needs', what: 'the database does not answer' };

/** The world: what it says of the page and of clocks can be changed on the way. */
interface Weather {
  databaseUp: boolean;
  page: 'on' | 'off' | 'broken';
  /** By how much the readings of the countdown differ from what was read before. */
  laterMs: number;
  unread: readonly string[];
  holds: boolean;
}

function weather(changes: Partial<Weather> = {}): Weather {
  return { databaseUp: true, page: 'off', laterMs: 0, unread: [], holds: true, ...changes };
}

function scriptOf(world: Weather): Script {
  const well = goesWell({ to: 'on' });
  const readings = { clocks: [{ name: 'sessions', whenExpired: 'fatal', ageMs: 0, ttlMs: TTL_MS, readAtMs: 0 }] };
  const need = () => (world.databaseUp ? { holds: true as const } : { holds: false as const, why: 'it is away' });
  return (effect, nowMs) => {
    switch (effect.effect) {
      case 'look': {
        const { step, track } = effect.place;
        if (effect.for === 'undo')
          return {
            type: 'looked',
            id: effect.id,
            outcome: seen(null, { verdict: { verdict: 'nothing' }, need: need() }),
          };
        if (track === 'main' && step === 1)
          return { type: 'looked', id: effect.id, outcome: seen({ refresh: ['sessions'] }) };
        if (track === 'main' && step === 2) {
          const condition = world.holds ? { holds: true as const } : { holds: false as const, why: 'it is too short' };
          return {
            type: 'looked',
            id: effect.id,
            outcome: seen(null, { verdict: { verdict: 'nothing' }, readings, condition }),
          };
        }
        if (track === 'main' && step === 5)
          return {
            type: 'looked',
            id: effect.id,
            outcome: seen(null, { verdict: { verdict: 'nothing' }, condition: need() }),
          };
        return {
          type: 'looked',
          id: effect.id,
          outcome: seen({ to: step === 0 ? 'on' : 'off' }, step === 6 ? { need: need() } : {}),
        };
      }
      case 'confirm':
        return { type: 'confirmed', id: effect.id, readings };
      case 'count': {
        const read = effect.servers.filter((server) => !world.unread.includes(server));
        const first =
          read[0] === undefined ? null : { server: read[0], clock: 'sessions', expiresAtMs: TTL_MS + world.laterMs };
        const edge = world.page === 'broken' ? {} : { edge: world.page };
        return { type: 'counted', id: effect.id, first, unread: [...world.unread], ...edge };
      }
      case 'shed': {
        if (world.page === 'broken') return { type: 'shed', id: effect.id, failure: trouble };
        if (!effect.on && !world.databaseUp) return { type: 'shed', id: effect.id, found: world.page, failure: unmet };
        const found = world.page;
        world.page = effect.on ? 'on' : 'off';
        return { type: 'shed', id: effect.id, found };
      }
      default:
        return well(effect, nowMs);
    }
  };
}

/** Under way, with the work begun and the database away. */
function begun(world: Weather, plan = planned()): Drive {
  const drive = new Drive(plan, scriptOf(world)).until(10).answer('4', 'yes');
  world.databaseUp = false;
  return drive.settle();
}

const sheds = (drive: Drive) =>
  drive.begun.flatMap(({ effect, atMs }) => (effect.effect === 'shed' ? [[atMs, effect.on ? 'on' : 'off']] : []));
const pages = (drive: Drive) =>
  drive.effects.flatMap((effect) => (effect.effect === 'page' ? [effect.key.split('/')[0]] : []));

describe('while the fuse burns', () => {
  test('clocks are read every five seconds, people are paged at the margin, and load is shed a timeout and its time before zero', () => {
    const world = weather();
    const drive = begun(world).until(TTL_MS - FUSE.marginMs - 1);
    expect(drive.effects.filter(({ effect }) => effect === 'count').length).toBeGreaterThan(30);
    expect(pages(drive)).not.toContain('fuse-margin');
    drive.until(TTL_MS - FUSE.marginMs);
    expect(pages(drive)).toContain('fuse-margin');
    drive.until(TTL_MS - ACT_MS - 1);
    expect(sheds(drive)).toEqual([]);
    drive.until(TTL_MS + 60_000);
    expect(sheds(drive)).toEqual([[TTL_MS - ACT_MS, 'on']]);
    expect(pages(drive)).toContain('shed');
    // Nothing more is said of a fuse behind which nothing burns.
    expect(pages(drive)).not.toContain('fuse');
  });

  test('before the work has begun nothing is counted and nothing is shed', () => {
    const world = weather();
    const drive = new Drive(planned(), scriptOf(world)).until(3 * TTL_MS);
    expect(drive.effects.some(({ effect }) => effect === 'count' || effect === 'shed')).toBe(false);
  });

  test('what is read again moves the fuse, both ways; who cannot be read keeps what was known', () => {
    const world = weather();
    const drive = begun(world).until(20_000);
    world.laterMs = 100_000;
    drive.until(30_000);
    expect(drive.state.fuse?.expiresAtMs).toBe(TTL_MS + 100_000);
    world.unread = ['api-1', 'api-2'];
    drive.until(40_000);
    expect(drive.state.fuse).toMatchObject({ server: 'api-1', expiresAtMs: TTL_MS });
    expect(drive.state.counting?.unread).toEqual(['api-1', 'api-2']);
    world.unread = [];
    world.laterMs = -150_000;
    drive.until(45_000);
    expect(sheds(drive)).toEqual([[40_010, 'on']]);
  });

  test.each([
    ['halted', (drive: Drive) => drive.say({ type: 'halted', by: 'anna' })],
    ['going home', (drive: Drive) => drive.say({ type: 'abort', by: 'anna', reason: 'enough' })],
    ['without its lease', (drive: Drive) => drive.say({ type: 'lease', standing: 'lost', seen: 'no answer' })],
    [
      'under a freeze',
      (drive: Drive) => drive.say({ type: 'freezes', freezes: [{ title: 'x', fromMs: 0, toMs: 1e9 }] }),
    ],
    ['taken over', (drive: Drive) => drive.say({ type: 'engine', pid: 2, host: 'here', neap: '0.0.0' })],
    [
      'short of disk',
      (drive: Drive) => drive.say({ type: 'engine', pid: 2, host: 'here', neap: '0.0.0', short: true }),
    ],
  ])('load is shed also %s', (_, happens) => {
    const world = weather();
    const drive = happens(begun(world).until(50_000)).until(TTL_MS + 10_000);
    expect(sheds(drive)).toEqual([[TTL_MS - ACT_MS, 'on']]);
  });

  test('a plan that declares nothing to shed by counts, pages, and says so', () => {
    const world = weather();
    const drive = begun(world, planned(false)).until(TTL_MS + 1);
    expect(sheds(drive)).toEqual([]);
    const margin = drive.effects.find((effect) => effect.effect === 'page' && effect.key.startsWith('fuse-margin'));
    expect(margin).toMatchObject({ text: expect.stringContaining('declares nothing to shed load by') });
  });
});

describe('the page', () => {
  test('goes off when the database answers from everybody and the servers are back; the run ends then', () => {
    const world = weather();
    const drive = begun(world)
      .until(TTL_MS)
      .answer('5', 'yes')
      .until(TTL_MS + 60_000);
    expect(world.page).toBe('on');
    expect(drive.state.closed).toBeNull();
    world.databaseUp = true;
    drive.until(TTL_MS + 120_000);
    expect(world.page).toBe('off');
    expect(drive.closed.outcome).toBe('done');
  });

  test('on the way home it stays on for as long as the database is away', () => {
    const world = weather();
    const drive = begun(world)
      .until(TTL_MS)
      .answer('5', 'failed')
      .until(TTL_MS + 600_000);
    expect(world.page).toBe('on');
    expect(drive.state.closed).toBeNull();
    world.databaseUp = true;
    drive.until(TTL_MS + 700_000);
    expect([world.page, drive.closed.outcome]).toEqual(['off', 'home']);
  });

  test('that somebody else had turned on is left to them', () => {
    const world = weather({ page: 'on' });
    const drive = begun(world).until(TTL_MS);
    world.databaseUp = true;
    drive.answer('5', 'yes').until(TTL_MS + 60_000);
    expect(sheds(drive).map(([, what]) => what)).toEqual(['on']);
    expect([world.page, drive.closed.outcome]).toEqual(['on', 'done']);
  });

  test('that cannot be turned on is tried again and again, and a person is told', () => {
    const world = weather();
    const drive = begun(world).until(100_000);
    world.page = 'broken';
    drive.until(TTL_MS);
    expect(pages(drive)).toContain('shed-failed');
    expect(sheds(drive).length).toBeGreaterThan(5);
    world.page = 'off';
    drive.until(TTL_MS + 10_000);
    expect(world.page).toBe('on');
  });

  test('that cannot be turned off ends the run with a person needed, and named', () => {
    const world = weather();
    const drive = begun(world).until(TTL_MS);
    world.databaseUp = true;
    world.page = 'broken';
    drive.answer('5', 'yes').until(TTL_MS + 600_000);
    expect(drive.closed).toMatchObject({
      outcome: 'human',
      exitCode: 5,
      summary: expect.stringContaining('still answers with its page'),
    });
  });

  test('whose outcome a dead engine took with it is turned again, and is this run’s to turn off', () => {
    const world = weather();
    const drive = begun(world).until(100_000);
    const script = drive.script;
    drive.script = (effect, nowMs) => (effect.effect === 'shed' ? undefined : script(effect, nowMs));
    drive.until(TTL_MS - 1);
    world.page = 'on';
    drive.script = script;
    drive.say({ type: 'engine', pid: 2, host: 'here', neap: '0.0.0' }).until(TTL_MS);
    expect(sheds(drive).map(([, what]) => what)).toEqual(['on', 'on']);
    world.databaseUp = true;
    drive.answer('5', 'yes').until(TTL_MS + 60_000);
    expect([world.page, drive.closed.outcome]).toEqual(['off', 'done']);
  });
});

describe('a fuse that is too short', () => {
  const short = { outageMs: 190_000, marginMs: 20_000 };
  const wish = { class: 'fuse', about: null, untilMs: null, by: 'anna', reason: 'the edge stands ready' } as const;

  test('is overridden by a person’s word in its own class: the gate opens, and load is shed all the same', () => {
    const world = weather();
    const drive = new Drive(planned(true, short), scriptOf(world));
    const overrode = overrideOf(drive.state, drive.machine.index, wish);
    if (typeof overrode === 'string') throw new Error(overrode);
    // Nor does the proof of the fuse end the run.
    world.holds = false;
    drive.say(overrode).until(10).answer('4', 'yes');
    world.databaseUp = false;
    drive.until(TTL_MS);
    expect(drive.state.homeWhy).toBeNull();
    expect(sheds(drive)).toEqual([[TTL_MS - ACT_MS, 'on']]);
    expect(overrideOf(drive.state, drive.machine.index, wish)).toMatch(/no outage is ahead/);
  });

  test('is not, by any other', () => {
    const world = weather();
    const drive = new Drive(planned(true, short), scriptOf(world));
    drive.say({ type: 'overrode', class: 'freeze', about: 'x', by: 'anna', reason: 'why not' });
    world.holds = false;
    drive.until(10_000);
    expect(drive.state.homeWhy?.code ?? drive.state.tracks[0]?.renewals).toBeTruthy();
    expect(drive.effects.some(({ effect }) => effect === 'pass')).toBe(false);
  });
});
