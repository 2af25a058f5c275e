import { expect, test } from 'vitest';
import { createCounter } from '../../src/guards/index.ts';
import { parts, web } from './world.ts';

// Goal: a number is taken for one only where it is: whatever leaves a doubt is a failure in words. Method: a web server
// and commands of this machine.

const count = createCounter(parts());
const timeoutMs = 2_000;
const node = (script: string): string[] => [process.execPath, '-e', script];

test('over HTTP: the body, or a field of it', async () => {
  await using site = await web(({ pathname }, response) => {
    if (pathname === '/gone') response.statusCode = 503;
    response.end(pathname === '/json' ? '{"pool":{"connections":412}}' : pathname === '/plain' ? ' 17\n' : 'many');
  });
  const get = (path: string, field?: string): Promise<number> =>
    count(
      { get: `${site.url}${path}`, timeoutMs, ...(field === undefined ? {} : { field }) },
      'connections of database',
    );
  expect(await get('/plain')).toBe(17);
  expect(await get('/json', 'pool.connections')).toBe(412);
  await expect(get('/json', 'pool.size')).rejects.toThrow(/no field pool.size/);
  await expect(get('/words')).rejects.toThrow(/no number from 0 up/);
  await expect(get('/gone')).rejects.toThrow(/HTTP 503/);
});

test('by a command, word by word, within its time', async () => {
  expect(await count({ command: node('console.log(88)'), timeoutMs }, 'x')).toBe(88);
  expect(await count({ command: node('console.log(JSON.stringify({ n: 3 }))'), field: 'n', timeoutMs }, 'x')).toBe(3);
  await expect(count({ command: node('console.log(-1)'), timeoutMs }, 'x')).rejects.toThrow(/no number from 0 up: -1/);
  await expect(count({ command: node('console.log("")'), timeoutMs }, 'x')).rejects.toThrow(/no number/);
  await expect(
    count({ command: node('console.error("no database"); process.exit(1)'), timeoutMs }, 'x'),
  ).rejects.toThrow(/gave no number: no database/);
  await expect(count({ command: node('setInterval(() => {}, 1000)'), timeoutMs: 300 }, 'x')).rejects.toThrow(
    /did not end within 300 ms/,
  );
});

test('of Prometheus: all samples added up, and none that is old', async () => {
  const seconds = (): number => Date.now() / 1_000;
  let ageS = 0;
  await using site = await web(({ searchParams }, response) => {
    const isStamp = searchParams.get('query')?.startsWith('timestamp(') === true;
    const sample = (name: string, value: number): object => ({
      metric: { pool: name },
      value: [seconds(), String(isStamp ? seconds() - ageS : value)],
    });
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [sample('a', 40), sample('b', 2)] } }),
    );
  });
  const read = { prometheus: site.url, query: 'connections', staleMs: 60_000, timeoutMs };
  expect(await count(read, 'x')).toBe(42);
  ageS = 120;
  await expect(count(read, 'x')).rejects.toThrow(/120 s old, and 60 s is the limit/);
});
