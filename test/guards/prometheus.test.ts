import { expect, test } from 'vitest';
import type { GuardRead } from '../../src/model/index.ts';
import { guardDoubt } from '../../src/guards/index.ts';
import { parts, reader, web } from './world.ts';

// Goal: whatever leaves a doubt is no data. Method: answers as Prometheus gives them, and as it should not.

type Query = Extract<GuardRead, { guard: 'prometheus' }>;
type Answer = Record<string, unknown> | string;

const now = () => Date.now() / 1_000;
const vector = (values: readonly string[], atS = now()) => ({
  status: 'success',
  data: {
    resultType: 'vector',
    result: values.map((value, at) => ({ metric: { __name__: 'errors', host: `h${at}` }, value: [atS, value] })),
  },
});

interface Wish {
  readonly status?: number;
  /** Null: it answers for timestamps as for the query. */
  readonly stampS?: number | null;
  readonly read?: Partial<Query>;
}

/** Asks a stand-in that answers the query so, and its timestamps by `stampS`. */
async function ask(answer: Answer, { status = 200, stampS = now(), read = {} }: Wish = {}) {
  await using site = await web((path, response) => {
    const isStamp = path.searchParams.get('query')?.startsWith('timestamp(') === true && stampS !== null;
    const body = isStamp ? vector([String(stampS)]) : answer;
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const reading = await reader()({
    guard: 'prometheus',
    url: `${site.url}/`,
    query: 'errors',
    warnAbove: 5,
    tripAbove: 10,
    warnBelow: null,
    tripBelow: null,
    staleMs: 60_000,
    timeoutMs: 2_000,
    ...read,
  });
  return { ...reading, asked: site.asked };
}

test.each([
  [['1', '5'], 'good', /^errors\{host="h0"\} 1$/],
  [['1', '6'], 'warn', /^errors\{host="h1"\} 6 is above 5$/],
  [['6', '11', '1'], 'bad', /^errors\{host="h1"\} 11 is above 10$/],
  [['+Inf'], 'bad', /Infinity is above 10/],
  [['-Inf'], 'good', /-Infinity/],
  [['1', 'NaN'], 'no-data', /NaN is no number/],
  // What is bad is bad, whatever the others are.
  [['NaN', '11'], 'bad', /11 is above 10/],
  [[''], 'no-data', /no number/],
] as const)('%j: %s', async (values, sort, seen) => {
  const reading = await ask(vector(values));
  expect(reading).toMatchObject({ sort });
  expect(reading.seen).toMatch(seen);
});

test('below counts as above does', async () => {
  const read = { warnAbove: null, tripAbove: null, warnBelow: 5, tripBelow: 2 };
  expect((await ask(vector(['3']), { read })).sort).toBe('warn');
  expect((await ask(vector(['1']), { read })).sort).toBe('bad');
  expect((await ask(vector(['7']), { read })).sort).toBe('good');
});

test('a scalar is a number too', async () => {
  const reading = await ask({ status: 'success', data: { resultType: 'scalar', result: [now(), '11'] } });
  expect(reading).toMatchObject({ sort: 'bad', seen: '11 is above 10' });
  expect(reading.asked).toHaveLength(1);
});

test('it asks for the query and for the age of its samples, and looks back no further than staleMs', async () => {
  const { asked } = await ask(vector(['1']), { read: { query: 'sum(rate(x[1m])) > 1' } });
  const queries = asked.map((path) => new URL(path.replace('GET ', ''), 'http://here').searchParams);
  expect(asked.every((path) => path.startsWith('GET /api/v1/query?'))).toBe(true);
  expect(queries.map((each) => each.get('query'))).toEqual([
    'sum(rate(x[1m])) > 1',
    'timestamp(sum(rate(x[1m])) > 1\n)',
  ]);
  expect(queries.map((each) => each.get('lookback_delta'))).toEqual(['60s', '60s']);
});

test.each([
  ['an empty answer', vector([]), {}, /no sample/],
  ['more than a hundred samples', vector(Array(101).fill('11')), {}, /101 samples/],
  ['an old sample', vector(['11']), { stampS: now() - 70 }, /a sample is [78]\d s old/],
  ['an answer that was reckoned long ago', vector(['11'], now() - 3_600), {}, /36\d\d s old/],
  ['an answer from the future', vector(['11'], now() + 3_600), {}, /3[56]\d\d s ahead of this/],
  ['samples whose age is not told', vector(['11']), { stampS: NaN }, /a sample is NaN s old/],
  ['an error', { status: 'error', error: 'parse error' }, { status: 400, stampS: null }, /HTTP 400: parse error/],
  ['an error that calls itself well', vector(['1']), { status: 503, stampS: null }, /HTTP 503/],
  ['no JSON', '<html>login</html>', { stampS: null }, /no answer of Prometheus/],
  ['JSON of another kind', { hello: 1 }, { stampS: null }, /no answer of Prometheus/],
  ['a range', { status: 'success', data: { resultType: 'matrix', result: [] } }, {}, /a matrix, not numbers/],
  ['a partial answer that is good', { ...vector(['1']), warnings: ['store is down'] }, {}, /store is down/],
] as const)('%s is no data', async (_name, answer, options, seen) => {
  const reading = await ask(answer, options);
  expect(reading).toMatchObject({ sort: 'no-data' });
  expect(reading.seen).toMatch(seen);
});

test('a partial answer that is bad is bad; a hint about the query is no warning', async () => {
  expect((await ask({ ...vector(['11']), warnings: ['store is down'] })).sort).toBe('bad');
  expect((await ask({ ...vector(['1']), warnings: ['PromQL info: metric might not be a counter'] })).sort).toBe('good');
});

test('an older Prometheus does not hold expressions to staleMs, and that is said', async () => {
  const asks = async (query: string, status: number) => {
    await using site = await web((_path, response) => response.writeHead(status).end('{}'));
    const limits = {
      warnAbove: null,
      tripAbove: 1,
      warnBelow: null,
      tripBelow: null,
      staleMs: 1_000,
      timeoutMs: 2_000,
    };
    const doubt = await guardDoubt({ guard: 'prometheus', url: site.url, query, ...limits }, parts());
    return { doubt, asked: site.asked };
  };
  expect((await asks('sum(errors)', 200)).doubt).toMatch(/too old .* five minutes/);
  expect((await asks('sum(errors)', 400)).doubt).toBeNull();
  // A series tells the instants of its samples itself.
  expect(await asks(' job:errors:sum{host="a", x=~"b.*"} ', 200)).toEqual({ doubt: null, asked: [] });
});

test('nobody there, and no answer, are no data', async () => {
  const read = {
    guard: 'prometheus',
    query: 'x',
    warnAbove: null,
    tripAbove: 1,
    warnBelow: null,
    tripBelow: null,
  } as const;
  const limits = { staleMs: 1_000, timeoutMs: 200 };
  expect((await reader()({ ...read, ...limits, url: 'http://127.0.0.1:1' })).sort).toBe('no-data');
  await using site = await web(() => undefined);
  expect((await reader()({ ...read, ...limits, url: site.url })).sort).toBe('no-data');
});
