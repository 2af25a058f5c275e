import { z } from 'zod';
import { FailureError, type GuardRead } from '../model/index.ts';
import type { GuardReading } from '../run/index.ts';
import type { GuardParts } from './index.ts';
import { SAMPLES_MAX } from './limits.ts';

type Query = Extract<GuardRead, { guard: 'prometheus' }>;

/** Seconds, and the value as text: JSON knows no NaN. */
const pair = z.tuple([z.number(), z.string()]);
const answerSchema = z.looseObject({
  status: z.string(),
  error: z.string().optional(),
  warnings: z.array(z.string()).optional(),
  data: z
    .discriminatedUnion('resultType', [
      z.looseObject({ resultType: z.literal('scalar'), result: pair }),
      z.looseObject({
        resultType: z.literal('vector'),
        result: z.array(z.looseObject({ metric: z.record(z.string(), z.string()), value: pair.optional() })),
      }),
      z.looseObject({ resultType: z.enum(['matrix', 'string']) }),
    ])
    .optional(),
});

interface Sample {
  readonly name: string;
  /** When Prometheus reckoned it, or, of `timestamp()`, what it says. */
  readonly atMs: number;
  readonly value: number;
}

interface Answer {
  readonly samples: readonly Sample[];
  readonly isScalar: boolean;
  /** What Prometheus itself warns of; null: the answer is whole. */
  readonly partial: string | null;
}

/** Why there is nothing to judge by. */
class NoData extends Error {}

/**
 * An instant query. Every sample is held against the limits, and the worst counts. Whatever leaves a doubt is no data:
 * no sample, too many, one that is no number or older than `staleMs`, a partial answer, any error.
 */
export async function readPrometheus(read: Query, parts: GuardParts): Promise<GuardReading> {
  try {
    const answer = await freshAnswer(read, parts);
    const worst = worstOf(read, answer.samples);
    // A part that is missing cannot make a bad sample good, and could make a good answer bad.
    return worst.sort === 'bad' || answer.partial === null ? worst : { sort: 'no-data', seen: answer.partial };
  } catch (error) {
    if (error instanceof NoData) return { sort: 'no-data', seen: error.message };
    return { sort: 'no-data', seen: error instanceof FailureError ? error.failure.what : String(error) };
  }
}

/** All samples of a query added up. Rejects with an Error, in words for people, where that would be no number to go by. */
export async function sumOfSamples(read: Query, parts: GuardParts): Promise<number> {
  const { samples, partial } = await freshAnswer(read, parts);
  if (partial !== null) throw new NoData(partial);
  return samples.reduce((sum, { value }) => sum + value, 0);
}

async function freshAnswer(read: Query, parts: GuardParts): Promise<Answer> {
  const answer = await ask(read, read.query, parts);
  if (answer.samples.length === 0) throw new NoData('the query gives no sample');
  if (answer.samples.length > SAMPLES_MAX)
    throw new NoData(`the query gives ${answer.samples.length} samples, more than ${SAMPLES_MAX}`);
  await refuseStale(read, answer, parts);
  return answer;
}

/**
 * The samples' own age, not the query's: `timestamp()` tells it of what a plain selector found. What an expression was
 * made of is held to the limit by `lookback_delta` already, where Prometheus knows it.
 */
async function refuseStale(read: Query, { samples, isScalar }: Answer, parts: GuardParts): Promise<void> {
  const stamps = isScalar ? [] : (await ask(read, `timestamp(${read.query}\n)`, parts)).samples;
  if (!isScalar && stamps.length === 0) throw new NoData('the query gives no sample any more');
  const nowMs = parts.wallClockMs();
  for (const atMs of [...stamps.map(({ value }) => value * 1_000), ...samples.map((sample) => sample.atMs)]) {
    const ageMs = nowMs - atMs;
    // NaN is no age either.
    if (Math.abs(ageMs) <= read.staleMs) continue;
    const words = `${Math.round(Math.abs(ageMs) / 1_000)} s ${ageMs < 0 ? "ahead of this machine's clock" : 'old'}`;
    throw new NoData(`a sample is ${words}, and ${read.staleMs / 1_000} s is the limit`);
  }
}

/** A series by its name and labels: its samples have instants of their own. */
const SELECTOR = /^\s*[a-zA-Z_:][\w:]*\s*(?:\{[^{}]*\})?\s*$/;

/**
 * Why `staleMs` does not hold for all that is asked; null: it does. An older Prometheus knows no `lookback_delta`, and
 * says nothing of one that is no duration.
 */
export async function doubtOf({ query, url, timeoutMs }: Query, { get }: GuardParts): Promise<string | null> {
  if (SELECTOR.test(query)) return null;
  const wanted = new URLSearchParams({ query: '1', lookback_delta: 'not-a-duration' });
  try {
    const { status } = await get(`${url.replace(/\/+$/, '')}/api/v1/query?${wanted}`, { where: 'guard', timeoutMs });
    if (status !== 200) return null;
  } catch (error) {
    if (error instanceof FailureError) return null;
    throw error;
  }
  return 'this Prometheus is too old to hold what an expression is made of to staleMs: samples in it may be five minutes old';
}

async function ask(read: Query, query: string, { get }: GuardParts): Promise<Answer> {
  const base = read.url.replace(/\/+$/, '');
  const wanted = new URLSearchParams({
    query,
    timeout: `${read.timeoutMs}ms`,
    // How far back a selector may look for its latest sample; five minutes else.
    lookback_delta: `${Math.ceil(read.staleMs / 1_000)}s`,
  });
  const { status, body } = await get(`${base}/api/v1/query?${wanted}`, { where: 'guard', timeoutMs: read.timeoutMs });
  const parsed = answerSchema.safeParse(jsonOf(body));
  if (!parsed.success) throw new NoData(`HTTP ${status}, and no answer of Prometheus`);
  const { data, error, warnings = [] } = parsed.data;
  if (status !== 200 || parsed.data.status !== 'success') throw new NoData(`HTTP ${status}: ${error ?? 'no reason'}`);
  const partial = warnings.find((warning) => !warning.startsWith('PromQL info')) ?? null;
  switch (data?.resultType) {
    case 'scalar':
      return { samples: [sampleOf('', data.result)], isScalar: true, partial };
    case 'vector':
      return {
        samples: data.result.map(({ metric, value }) => sampleOf(nameOf(metric), value)),
        isScalar: false,
        partial,
      };
    default:
      throw new NoData(`the query gives a ${data?.resultType ?? 'nothing'}, not numbers of one instant`);
  }
}

/** A sample without a value is a histogram, which is no number. */
function sampleOf(name: string, value: readonly [number, string] | undefined): Sample {
  return { name, atMs: (value?.[0] ?? NaN) * 1_000, value: numberOf(value?.[1] ?? 'NaN') };
}

function numberOf(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return text.trim() === '' ? NaN : Number(text);
}

function nameOf({ __name__: name = '', ...labels }: Readonly<Record<string, string>>): string {
  const said = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return said.length > 0 ? `${name}{${said.join(', ')}}` : name;
}

const WORSE = ['good', 'warn', 'no-data', 'bad'] as const;

function worstOf(read: Query, samples: readonly Sample[]): GuardReading {
  const judged = samples.map((sample) => judgeSample(read, sample));
  const [worst = { sort: 'no-data', seen: 'no sample' } as const] = judged.toSorted(
    (a, b) => WORSE.indexOf(b.sort) - WORSE.indexOf(a.sort),
  );
  return worst;
}

function judgeSample({ tripAbove, tripBelow, warnAbove, warnBelow }: Query, { name, value }: Sample): GuardReading {
  const shown = `${name === '' ? '' : `${name} `}${value}`;
  if (Number.isNaN(value)) return { sort: 'no-data', seen: `${shown} is no number` };
  if (tripAbove !== null && value > tripAbove) return { sort: 'bad', seen: `${shown} is above ${tripAbove}` };
  if (tripBelow !== null && value < tripBelow) return { sort: 'bad', seen: `${shown} is below ${tripBelow}` };
  if (warnAbove !== null && value > warnAbove) return { sort: 'warn', seen: `${shown} is above ${warnAbove}` };
  if (warnBelow !== null && value < warnBelow) return { sort: 'warn', seen: `${shown} is below ${warnBelow}` };
  return { sort: 'good', seen: shown };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
