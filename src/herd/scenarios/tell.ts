import { accountOf, advance, NEVER, type Account, type World } from '../world/index.ts';
import { POINTS_MAX, type Curve, type Figures, type Mark, type Outcome } from './outcome.ts';

/** Somebody who does things in a world, when it is time. */
export interface Actor {
  /** When he next acts; NEVER: not, as things stand. */
  nextMs(): number;
  /** Acts. What he says of it becomes a mark. */
  act(): string | null;
}

/** A story: worlds that do not know of each other, and who acts in them. */
export interface Story {
  /** Each with the name that its curves carry; one alone needs none. */
  readonly worlds: readonly { readonly name: string; readonly world: World }[];
  readonly actors: readonly Actor[];
  readonly untilMs: number;
  /** What stands behind the worlds' fronts; new connections, if nothing is said. */
  readonly behindFront?: string;
  /** More to draw than the worlds know of. */
  readonly drawn?: { readonly name: string; readonly unit: Curve['unit']; readonly value: () => number };
}

/** A single thing that happens once. */
export function once(atMs: number, what: string | null, does: () => void): Actor {
  let done = false;
  return {
    nextMs: () => (done ? NEVER : atMs),
    act() {
      done = true;
      does();
      return what;
    },
  };
}

interface Sample {
  readonly atMs: number;
  readonly accounts: readonly Account[];
  readonly dead: number;
  readonly connectionsPerSecond: number;
  readonly drawn: number;
}

/** A share of arrivals below which nobody calls the service whole. */
const WHOLE_SHARE = 0.99;

/** Lets a story happen from its worlds' now to its end. */
export function tell(story: Story): Outcome {
  const fromMs = Math.min(...story.worlds.map(({ world }) => world.nowMs));
  const everyMs = Math.max(1_000, Math.ceil((story.untilMs - fromMs) / looks(story) / 1_000) * 1_000);
  const marks: Mark[] = [];
  const samples = [look(story, fromMs)];
  let nextSampleMs = fromMs + everyMs;
  while (nextSampleMs <= story.untilMs) {
    const actor = earliest(story.actors);
    const atMs = Math.min(nextSampleMs, actor?.nextMs() ?? NEVER);
    for (const { world } of story.worlds) advance(world, atMs);
    if (actor && actor.nextMs() <= atMs) {
      const what = actor.act();
      if (what !== null) marks.push({ atMs, what });
      continue;
    }
    samples.push(look(story, atMs));
    nextSampleMs += everyMs;
  }
  return { figures: figuresOf(story, samples), curves: curvesOf(story, samples), marks };
}

/** A look adds up every server's account: the more servers, the fewer looks, down to what still makes a curve. */
function looks({ worlds }: Story): number {
  const servers = worlds.reduce((sum, { world }) => sum + world.servers.length, 0);
  return Math.round(Math.min(POINTS_MAX - 1, Math.max(120, (POINTS_MAX * 1_000) / servers)));
}

function earliest(actors: readonly Actor[]): Actor | undefined {
  let first: Actor | undefined;
  let firstMs = NEVER;
  for (const actor of actors) {
    const nextMs = actor.nextMs();
    if (nextMs < firstMs) [first, firstMs] = [actor, nextMs];
  }
  return first;
}

function look({ worlds, drawn }: Story, atMs: number): Sample {
  return {
    atMs,
    accounts: worlds.map(({ world }) => accountOf(world)),
    dead: worlds.reduce((sum, { world }) => sum + world.tally.dead, 0),
    connectionsPerSecond: worlds.reduce((sum, { world }) => sum + (world.front?.queue.perSecond ?? 0), 0),
    drawn: drawn?.value() ?? 0,
  };
}

function figuresOf({ worlds }: Story, samples: readonly Sample[]): Figures {
  const tallies = worlds.map(({ world }) => world.tally);
  const last = samples.at(-1)?.accounts ?? [];
  const [single] = tallies.length === 1 ? tallies : [];
  return {
    firstFailedMs: least(tallies.map(({ firstFailedMs }) => firstFailedMs)),
    firstDeadMs: least(tallies.map(({ firstDeadMs }) => firstDeadMs)),
    halfDeadMs: single?.halfDeadMs ?? null,
    lastDeadMs: single?.lastDeadMs ?? null,
    deadAtMost: sumOf(tallies.map(({ deadAtMost }) => deadAtMost)),
    peakInFlight: Math.max(...tallies.map(({ peakInFlight }) => peakInFlight)),
    peakRefreshesPerSecond: sumOf(worlds.map(({ world }) => world.database.peakPerSecond)),
    peakConnectionsPerSecond: sumOf(tallies.map(({ peakConnectionsPerSecond }) => peakConnectionsPerSecond)),
    arrived: sumOf(last.map(({ arrived }) => arrived)),
    failed: sumOf(last.map(({ failed, refused }) => failed + refused)),
    paged: sumOf(last.map(({ paged }) => paged)),
    ...troubleOf(samples),
  };
}

/** From the first to the last stretch in which too few of those who came got their answer. */
function troubleOf(samples: readonly Sample[]): Pick<Figures, 'troubleMs' | 'failedShare'> {
  let [from, to] = [-1, -1];
  for (const [at, sample] of samples.entries()) {
    const before = samples[at - 1];
    if (before === undefined) continue;
    if (answeredShare(before.accounts, sample.accounts) >= WHOLE_SHARE && sample.dead === 0) continue;
    if (from < 0) from = at - 1;
    to = at;
  }
  const [first, last] = [samples[from], samples[to]];
  if (!first || !last) return { troubleMs: 0, failedShare: 0 };
  const grown = (pick: (account: Account) => number): number =>
    sumOf(last.accounts.map(pick)) - sumOf(first.accounts.map(pick));
  const failedShare =
    grown(({ failed, refused }) => failed + refused) /
    Math.max(
      1e-9,
      grown(({ arrived }) => arrived),
    );
  return { failedShare, troubleMs: to === samples.length - 1 ? null : last.atMs - first.atMs };
}

function answeredShare(before: readonly Account[], after: readonly Account[]): number {
  const arrived = sumOf(after.map((account, at) => account.arrived - (before[at]?.arrived ?? 0)));
  const answered = sumOf(after.map((account, at) => account.answered - (before[at]?.answered ?? 0)));
  return arrived > 1e-9 ? Math.min(1, answered / arrived) : 1;
}

function curvesOf({ worlds, behindFront, drawn }: Story, samples: readonly Sample[]): readonly Curve[] {
  const shares = (pick: (accounts: readonly Account[]) => readonly Account[]): [number, number][] =>
    samples.map((sample, at) => [
      sample.atMs,
      digits(answeredShare(pick(samples[at - 1]?.accounts ?? []), pick(sample.accounts))),
    ]);
  const plain = (value: (sample: Sample) => number): [number, number][] =>
    samples.map((sample) => [sample.atMs, digits(value(sample))]);
  const fronts = worlds.some(({ world }) => world.front !== null);
  return [
    { name: 'answered', unit: 'share', points: shares((accounts) => accounts) },
    ...(worlds.length > 1
      ? worlds.map(({ name }, index): Curve => ({
          name: `answered, ${name}`,
          unit: 'share',
          points: shares((accounts) => accounts.slice(index, index + 1)),
        }))
      : []),
    { name: 'hung servers', unit: 'servers', points: plain(({ dead }) => dead) },
    {
      name: 'requests waiting',
      unit: 'requests',
      points: plain(({ accounts }) => sumOf(accounts.map(({ waiting }) => waiting))),
    },
    ...(fronts
      ? [
          {
            name: behindFront ?? 'new connections',
            unit: 'per second' as const,
            points: plain(({ connectionsPerSecond }) => connectionsPerSecond),
          },
        ]
      : []),
    ...(drawn ? [{ name: drawn.name, unit: drawn.unit, points: plain((sample) => sample.drawn) }] : []),
  ];
}

/** As many digits as a picture can show. */
function digits(value: number): number {
  return Number(value.toPrecision(6));
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}
