import { FailureError, type Failure, type Server } from '../model/index.ts';
import type { Clock, Reader, StepContext } from '../ports/index.ts';
import type { Effect, RunEvent } from '../run/index.ts';
import { checkNeed, clocksOf } from '../steps/index.ts';
import { eachAtOnce } from './at-once.ts';
import type { EdgeSwitch } from './edge.ts';

/** So many servers are read at a time. */
const READ_AT_ONCE = 16;
/** After the page was turned it must show within so many plan milliseconds, or the attempt has failed. */
const SHOWS_WITHIN_MS = 5_000;
const READ_AGAIN_REAL_MS = 50;

export interface FuseWatchInput {
  readonly servers: ReadonlyMap<string, Server>;
  readonly reader: (server: Server) => Reader;
  readonly clock: Clock;
  /** What the journal knows of a server's clocks. */
  readonly known: (server: string) => StepContext['known'];
  /** Null: the fleet names no page. */
  readonly edge: EdgeSwitch | null;
  /** Refreshes what expired; without it load comes back as it is. */
  readonly warm: (() => Promise<void>) | null;
  /** Right before load comes back: rejects when this engine is stale or cannot know. */
  readonly ask: () => Promise<void>;
}

type Count = Extract<Effect, { effect: 'count' }>;
type Shed = Extract<Effect, { effect: 'shed' }>;

/** Reads the clocks again while a fuse burns, and turns the balancer's page. Never rejects: whatever happens is an outcome. */
export class FuseWatch {
  readonly #in: FuseWatchInput;

  constructor(input: FuseWatchInput) {
    this.#in = input;
  }

  async count({ id, servers }: Count): Promise<RunEvent> {
    const { clock, reader } = this.#in;
    let first: Extract<RunEvent, { type: 'counted' }>['first'] = null;
    const unread: string[] = [];
    const page = this.#pageNow();
    await eachAtOnce(servers, READ_AT_ONCE, async (name) => {
      const server = this.#in.servers.get(name);
      try {
        if (!server) throw new Error(`the fleet has no server ${name}`);
        for (const { name: clockName, whenExpired, ttlMs, ageMs, readAtMs } of await clocksOf(
          server,
          reader(server),
          clock.nowMs(),
          this.#in.known(name),
        )) {
          const expiresAtMs = readAtMs + ttlMs - ageMs;
          if (whenExpired === 'fatal' && (first === null || expiresAtMs < first.expiresAtMs))
            first = { server: name, clock: clockName, expiresAtMs };
        }
      } catch {
        unread.push(name);
      }
    });
    const edge = await page;
    return { type: 'counted', id, first, unread: unread.toSorted(), ...(edge === null ? {} : { edge }) };
  }

  async shed({ id, on, servers }: Shed): Promise<RunEvent> {
    const found = await this.#pageNow();
    const seen = found === null ? {} : { found };
    try {
      await this.#turn(on ? 'on' : 'off', found, servers);
      return { type: 'shed', id, ...seen };
    } catch (error) {
      return { type: 'shed', id, ...seen, failure: failureOf(error) };
    }
  }

  async #turn(to: 'on' | 'off', found: 'on' | 'off' | null, servers: readonly string[]): Promise<void> {
    const { edge, clock, ask } = this.#in;
    if (edge === null) throw new Error('the fleet names no page of the balancer');
    if (to === 'off') {
      await this.#demandAnswers(servers);
      if (found !== 'off') await this.#in.warm?.();
      // Turning it on can only be too careful; turning it off is for the one engine that has the run.
      await ask();
    }
    if (found !== to) await edge.turn(to);
    const untilMs = clock.nowMs() + SHOWS_WITHIN_MS;
    while ((await edge.read()) !== to) {
      if (clock.nowMs() >= untilMs) throw notShown(to);
      await clock.pauseRealMs(READ_AGAIN_REAL_MS);
    }
  }

  /** Load comes back where every dependency answers from all of these, one silent server or another left aside. */
  async #demandAnswers(servers: readonly string[]): Promise<void> {
    const { clock, reader } = this.#in;
    const unmet: string[] = [];
    let answered = 0;
    await eachAtOnce(servers, READ_AT_ONCE, async (name) => {
      const server = this.#in.servers.get(name);
      if (!server) return;
      const context = { expected: [], nowMs: clock.nowMs(), sinceMs: clock.nowMs(), priorBootId: null, keep: '' };
      const need = await checkNeed({ need: 'answers', dependency: '*' }, server, reader(server), context).catch(
        () => null,
      );
      if (need?.holds === false) unmet.push(`${name}: ${need.why}`);
      if (need?.holds) answered += 1;
    });
    if (unmet.length === 0 && (answered > 0 || servers.length === 0)) return;
    throw new FailureError({
      // Where nobody answers, waiting shows nothing: a person must look.
      kind: unmet.length > 0 ? 'needs' : 'unreachable',
      what: unmet[0] ?? 'no server could be asked whether its dependencies answer',
      where: "the balancer's page",
      state: 'The page is still on, and nothing reaches the servers',
      remedy: 'It is turned off by itself when that is mended',
    });
  }

  async #pageNow(): Promise<'on' | 'off' | null> {
    return (await this.#in.edge?.read().catch(() => null)) ?? null;
  }
}

function notShown(to: 'on' | 'off'): FailureError {
  return new FailureError({
    kind: 'not-confirmed',
    what: `the page was turned ${to}, and the balancer does not show it`,
    where: "the balancer's page",
    state: 'It may be on or off',
    remedy: `Turn it ${to} by hand, and see whether edge.read tells the truth`,
  });
}

function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  return {
    kind: 'internal',
    what: (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').slice(0, 300),
    where: "the balancer's page",
    state: 'It may be on or off',
    remedy: 'This is a defect of neap: see the engine log. Turn the page by hand',
  };
}
