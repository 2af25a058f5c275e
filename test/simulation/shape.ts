import { Chance } from '../support/chance.ts';
import { TROUBLES, type Trouble } from './chaos.ts';
import type { DiskFate } from './disk.ts';
import { RUNBOOKS } from './runbooks.ts';

/**
 * Something that goes wrong, or that a person says. Each draws from a chance of its own, so that leaving one out
 * changes nothing of the others.
 */
export type Mishap = { readonly id: string } & (
  | { readonly sort: 'trouble'; readonly trouble: Trouble; readonly atMs: number; readonly lastsMs: number }
  /** The disk at the n-th append of the run, and how long nobody resumes after it. */
  | { readonly sort: 'disk'; readonly append: number; readonly fate: DiskFate; readonly downMs: number }
  | { readonly sort: 'kill'; readonly atMs: number; readonly downMs: number }
  /** The engine's machine sleeps; with a takeover, another engine goes on meanwhile and this one wakes up as a zombie. */
  | { readonly sort: 'sleep'; readonly atMs: number; readonly lastsMs: number; readonly takeover: boolean }
  | { readonly sort: 'clock'; readonly atMs: number; readonly byMs: number }
  /** `part`: only what came behind some step is taken back. */
  | { readonly sort: 'abort'; readonly atMs: number; readonly part: boolean }
  /** The calendars cannot be read for a while, and then they say something new. */
  | { readonly sort: 'calendar'; readonly atMs: number; readonly lastsMs: number }
  /** A person arms a contingency by hand. */
  | { readonly sort: 'arm'; readonly atMs: number }
  | { readonly sort: 'halt'; readonly atMs: number; readonly lastsMs: number }
  | { readonly sort: 'lease'; readonly atMs: number; readonly lastsMs: number }
  | { readonly sort: 'mirror'; readonly atMs: number; readonly lastsMs: number }
);

/** A seed's world before it begins. */
export interface Shape {
  readonly seed: number;
  readonly runbook: string;
  readonly servers: number;
  readonly domains: number;
  /** From here on the world is calm: nothing goes wrong by itself, and gates are answered well. */
  readonly calmAtMs: number;
  /** How often a read or a change goes wrong by itself. */
  readonly faults: number;
  /** People answer late, wrongly, twice, ahead; else soon and well. */
  readonly people: boolean;
  /** Guards flap and go without data. */
  readonly guards: boolean;
  readonly mirror: boolean;
  /** Offline servers leave the balancer, and the plan shows what that puts on the others. */
  readonly balanced: boolean;
  readonly freezes: readonly { readonly title: string; readonly fromMs: number; readonly toMs: number }[];
  /** When the window opens; null: it is open. */
  readonly opensAtMs: number | null;
  /** An agreed end of the window, besides its limit. */
  readonly closesAtMs: number | null;
  /** How long a commit takes at most. */
  readonly commitMs: number;
  readonly mishaps: readonly Mishap[];
  /** The fleet has a page of the balancer, and the plan sheds load by it. */
  readonly edge?: boolean;
  /** How long the database is really away when somebody has said that the work may start; null: it never goes. */
  readonly outageMs?: number | null;
}

export function shapeOf(seed: number): Shape {
  const chance = new Chance(seed);
  const bag = RUNBOOKS.flatMap((each) => Array.from({ length: each.weight }, () => each));
  const { name } = chance.pick(bag);
  const servers = chance.happens(0.01) ? chance.whole(12, 40) : chance.whole(3, chance.pick([4, 5, 8]));
  const calmAtMs = chance.pick([10, 15, 20, 40]) * 60_000;
  const mirror = chance.happens(0.3);
  return {
    seed,
    runbook: name,
    servers,
    domains: chance.whole(1, 3),
    calmAtMs,
    faults: chance.happens(0.5) ? 0.03 : 0,
    people: chance.happens(0.8),
    guards: chance.happens(0.8),
    mirror,
    balanced: new Chance(seed + 0x71).happens(0.4),
    freezes: chance.happens(0.15) ? [freezeOf(chance)] : [],
    opensAtMs: chance.happens(0.1) ? chance.whole(1_000, 300_000) : null,
    closesAtMs: chance.happens(0.25) ? chance.whole(100_000, chance.pick([400_000, 3_600_000])) : null,
    commitMs: chance.happens(0.3) ? chance.pick([2, 20, 200]) : 0,
    mishaps: mishapsOf(chance, servers, calmAtMs, mirror),
    ...outageOf(new Chance(seed + 0x70)),
  };
}

/** Every other outage overruns, some of them by far. */
function outageOf(chance: Chance): Pick<Shape, 'edge' | 'outageMs'> {
  const edge = chance.happens(0.7);
  return {
    edge,
    outageMs: chance.happens(0.6) ? chance.whole(20_000, chance.pick([120_000, 400_000, 900_000])) : null,
  };
}

function freezeOf(chance: Chance): Shape['freezes'][number] {
  const fromMs = chance.whole(0, chance.pick([120_000, 1_200_000]));
  return { title: 'closing of the books', fromMs, toMs: fromMs + chance.whole(10_000, 3_600_000) };
}

function mishapsOf(chance: Chance, servers: number, calmAtMs: number, mirror: boolean): Mishap[] {
  const several = (sort: string, probability: number, most: number, make: (id: string) => Mishap): Mishap[] => {
    const count = chance.happens(probability) ? chance.whole(1, most) : 0;
    return Array.from({ length: count }, (_, index) => make(`${sort}${index + 1}`));
  };
  const within = (): number => chance.whole(0, chance.pick([60_000, 400_000, calmAtMs - 60_000]));
  const lasts = (): number => (chance.happens(0.5) ? chance.whole(1_000, 60_000) : chance.whole(60_000, 1_200_000));
  const down = (): number => (chance.happens(0.7) ? chance.whole(500, 20_000) : chance.whole(60_000, 1_000_000));
  const append = (): number => chance.whole(2, chance.pick([20, 100, 300]) * Math.ceil(servers / 7));
  const killed = ['before', 'after', 'behind'] as const;
  return [
    ...several('trouble', 0.8, 5, (id) => ({
      id,
      sort: 'trouble',
      trouble: chance.pick(TROUBLES),
      atMs: within(),
      lastsMs: lasts(),
    })),
    ...several('crash', 0.4, 3, (id) => ({
      id,
      sort: 'disk',
      append: append(),
      fate: chance.pick(killed),
      downMs: down(),
    })),
    ...several('disk', 0.1, 2, (id) => ({
      id,
      sort: 'disk',
      append: append(),
      fate: chance.pick(['lost', 'there', 'full'] as const),
      downMs: down(),
    })),
    ...several('kill', 0.15, 2, (id) => ({ id, sort: 'kill', atMs: within(), downMs: down() })),
    ...several('sleep', 0.2, 2, (id) => ({
      id,
      sort: 'sleep',
      atMs: within(),
      lastsMs: lasts(),
      takeover: chance.happens(0.5),
    })),
    ...several('clock', 0.08, 2, (id) => ({
      id,
      sort: 'clock',
      atMs: within(),
      byMs: chance.pick([-1, 1]) * chance.pick([200, 30_000, 900_000]),
    })),
    ...several('abort', 0.12, 1, (id) => ({ id, sort: 'abort', atMs: within(), part: chance.happens(0.3) })),
    ...several('arm', 0.15, 2, (id) => ({ id, sort: 'arm', atMs: within() })),
    ...several('halt', 0.15, 2, (id) => ({ id, sort: 'halt', atMs: within(), lastsMs: lasts() })),
    ...several('calendar', 0.08, 2, (id) => ({ id, sort: 'calendar', atMs: within(), lastsMs: lasts() })),
    ...several('lease', 0.1, 2, (id) => ({ id, sort: 'lease', atMs: within(), lastsMs: lasts() })),
    ...several('mirror', mirror ? 0.5 : 0, 3, (id) => ({ id, sort: 'mirror', atMs: within(), lastsMs: lasts() })),
  ];
}

/** One line for a mishap, as a transcript names it. */
export function mishapWords(mishap: Mishap): string {
  const { id, sort: _, ...rest } = mishap;
  const words = Object.entries(rest).map(([key, value]) =>
    key.endsWith('Ms') ? `${key.slice(0, -2)} ${Math.round(Number(value) / 100) / 10} s` : `${key} ${value}`,
  );
  return `${id}: ${words.join(', ')}`;
}
