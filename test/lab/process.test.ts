import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { labDown, labList, labRecord, labUp, tellLab } from '../../src/lab/index.ts';

let stateDir = '';
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'neap-labs-'));
});
afterEach(async () => {
  await labDown({ stateDir, all: true });
  rmSync(stateDir, { recursive: true, force: true });
});

test('labs are processes of their own, several at once, told and ended by name', async () => {
  const [one, two] = await Promise.all([
    labUp({ stateDir, name: 'one', servers: 3, timeLapse: 20 }),
    labUp({ stateDir, servers: 2, timeLapse: 20 }),
  ]);
  expect(one.pid).not.toBe(process.pid);
  expect(two.name).toMatch(/^lab-[0-9a-f]{4}$/);
  expect((await labList(stateDir)).map(({ name }) => name).toSorted()).toEqual([two.name, 'one'].toSorted());
  const at = { stateDir, name: 'one' };
  await tellLab(at, { tell: 'database', state: 'away' });
  await tellLab(at, { tell: 'hang', server: 'api-02' });
  const { status } = await tellLab(at, { tell: 'status' });
  expect(status).toMatchObject({ database: { state: 'away' }, page: false });
  expect(status!.servers.map(({ name, hung }) => [name, hung])).toContainEqual(['api-02', true]);
  await expect(tellLab(at, { tell: 'hang', server: 'api-99' })).rejects.toThrow('no server is called api-99');
  expect((await labRecord(at)).map(({ what }) => what)).toEqual(['database away', 'hang']);
  await expect(labUp({ stateDir, name: 'one', servers: 1 })).rejects.toThrow('a lab of this name is running');
  expect(await labDown({ stateDir, name: 'one' })).toEqual(['one']);
  expect(() => process.kill(one.pid, 0)).toThrow('ESRCH');
  expect(existsSync(join(stateDir, 'labs/one/lab.json'))).toBe(false);
  expect(readFileSync(join(stateDir, 'labs/one/record.jsonl'), 'utf8').trim().split('\n')).toHaveLength(3);
  expect((await labList(stateDir)).map(({ name }) => name)).toEqual([two.name]);
});

test('a lab ends on SIGTERM and takes its file away', async () => {
  const lab = await labUp({ stateDir, name: 'x', servers: 1 });
  process.kill(lab.pid, 'SIGTERM');
  const untilMs = Date.now() + 5_000;
  while (existsSync(join(stateDir, 'labs/x/lab.json'))) {
    if (Date.now() > untilMs) throw new Error('it did not end');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await expect(tellLab({ stateDir, name: 'x' }, { tell: 'status' })).rejects.toThrow('no such lab runs');
});

test('a start that fails says why, and leaves nothing', async () => {
  await expect(
    labUp({ stateDir, name: 'bad', servers: 2, ttl: { minMs: 2, maxMs: 1, drawn: 'per-server' } }),
  ).rejects.toThrow(/minMs/);
  expect(existsSync(join(stateDir, 'labs/bad'))).toBe(false);
});

test('nobody commands a lab without its token', async () => {
  const lab = await labUp({ stateDir, name: 'x', servers: 1 });
  const answer = await fetch(lab.controlUrl, {
    method: 'POST',
    headers: { authorization: 'Bearer no' },
    body: '{"tell":"down"}',
  });
  expect(answer.status).toBe(401);
  expect(await labList(stateDir)).toHaveLength(1);
});
