import type { Failure } from '../../../src/model/index.ts';
import { allFlying, type RunEvent, type RunState } from '../../../src/run/index.ts';
import type { ModelServer } from '../world.ts';
import { Broken, type Record, type WatchInput } from './record.ts';

/** Judges the end of a run against the world that it leaves: promises 7, 8 and the exit codes. */
export function demandEnd(
  record: Record,
  { world }: WatchInput,
  state: RunState,
  { outcome, exitCode, summary }: Extract<RunEvent, { type: 'closed' }>,
): void {
  if ({ done: 0, home: 1, human: 5, stale: 6 }[outcome] !== exitCode)
    throw new Broken('exit codes', `${outcome} with ${exitCode}`);
  if (allFlying(state.flying).length > 0) throw new Broken('promise 8', 'the run was closed with effects under way');
  if (state.mode === 'home' && state.paged['home'] !== true)
    throw new Broken('promise 7', 'it turned for home and nobody was paged');
  const doubtful = namesIn(record, /State not proven: (.*)$/, summary);
  const kept = namesIn(record, /Quarantined, [^:]*: (.*?)\. Bring them back/, summary);
  // What a person asked to leave, and what a contingency that was not brought to its end took.
  const left = namesIn(record, /(?:In place, as was asked|stays taken on) ?:? (.*)$/, summary);
  const isPageLeft = summary.includes('still answers with its page');
  if (world.page && !isPageLeft) throw new Broken('promise 8', `the page was left on, and nobody is told: ${summary}`);
  if ((outcome === 'human') !== (doubtful.size + left.size > 0 || isPageLeft))
    throw new Broken('promise 8', `outcome ${outcome} names ${doubtful.size} servers: ${summary}`);
  // Of many it tells the first few.
  if (/ and \d+ more\./.test(summary)) return;
  for (const server of world.servers.values()) {
    if (!record.frozen.has(server.name) || doubtful.has(server.name) || left.has(server.name)) continue;
    demandLeftWell(record, server, world, kept.has(server.name), summary);
  }
}

function namesIn({ frozen }: Record, words: RegExp, summary: string): Set<string> {
  const text = words.exec(summary)?.[1] ?? '';
  return new Set([...frozen].filter((name) => new RegExp(`\\b${name}\\b`).test(text)));
}

function demandLeftWell(
  record: Record,
  server: ModelServer,
  world: WatchInput['world'],
  isKeptOut: boolean,
  summary: string,
): void {
  const before = record.before.get(server.name);
  const say = (what: string): never => {
    throw new Broken('promise 8', `${server.name} was left ${what}, and is not named: ${summary}`);
  };
  if (!server.touched.has('offline') && server.offline !== before?.offline) say(`offline ${server.offline}`);
  const isAway = isKeptOut && server.traffic === 'out';
  if (!server.touched.has('traffic') && server.traffic !== before?.traffic && !isAway)
    say(`${server.traffic} at the balancer`);
  if (server.cutUntilMs > world.nowMs) say('with its path cut');
  const mine = world.deeds.some(
    (deed) => deed.server === server.name && (deed.what === 'reset' || deed.what === 'put-file'),
  );
  const touched = server.touched.has('config') || server.touched.has('power');
  if (mine && !touched && server.life === 'up' && !world.isProven(server)) say('with unproven configuration');
}

/** Judges what people are told: what happened, where, what state it left, what to do now (promise 14). */
export function demandWords(event: RunEvent): void {
  if (event.type === 'intended' && event.effect.effect === 'page') {
    const { text } = event.effect;
    if (text.length < 40 || !/neap |[Aa]nswer|[Ll]ook|[Bb]ring|[Mm]end|[Nn]othing/.test(text))
      throw new Broken('promise 14', `a page that does not say what to do: ${text}`);
  }
  if (event.type === 'closed' && event.summary.trim() === '') throw new Broken('promise 14', 'it ends without a word');
  const failure = failureIn(event);
  if (!failure) return;
  if (failure.kind === 'internal') throw new Broken('no exception', JSON.stringify(failure));
  for (const part of ['what', 'where', 'state', 'remedy'] as const)
    if (failure[part].trim() === '')
      throw new Broken('promise 14', `a failure without ${part}: ${JSON.stringify(failure)}`);
}

function failureIn(event: RunEvent): Failure | undefined {
  if (event.type === 'looked') return 'failure' in event.outcome ? event.outcome.failure : undefined;
  return event.type === 'performed' || event.type === 'confirmed' || event.type === 'paged' ? event.failure : undefined;
}
