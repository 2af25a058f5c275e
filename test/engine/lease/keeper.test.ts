import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Keeper } from '../../../src/engine/lease/keeper.ts';
import { StaleEngine } from '../../../src/engine/lease/words.ts';
import { openSmallDatabase } from '../../../src/journal/index.ts';
import { localClaims, openLocalStore } from '../../../src/lease/index.ts';
import { FailureError } from '../../../src/model/index.ts';
import { folder } from '../../journal/folder.ts';
import { epochOf } from '../../lease/contract.ts';
import { holder, wish } from '../../lease/wishes.ts';

/** A keeper over a real store, with a clock that the test moves. */
async function open() {
  const directory = join(folder(), 'neap');
  const clock = { atMs: 1_790_000_000_000 };
  const store = openLocalStore(await openSmallDatabase(localClaims.path(directory), localClaims), () => clock.atMs);
  const epoch = epochOf(await store.claim(wish('run', ['f/api-1'])));
  const told: string[] = [];
  const stopped: StaleEngine[] = [];
  const probes: number[] = [];
  const keeper: Keeper = new Keeper({
    store,
    run: 'run',
    epoch,
    tell: ({ standing }) => told.push(standing),
    stop: (why) => stopped.push(why),
    probe: () => Promise.resolve(void probes.push(clock.atMs)),
    nowMs: () => clock.atMs,
  });
  onTestFinished(() => keeper.end());
  /** The store is gone, as a disk or a host goes. */
  const lose = (): void => rmSync(directory, { recursive: true });
  const takeOver = async (): Promise<void> =>
    void (await store.claim(wish('run', ['f/api-1'], { supersedes: epoch, holder: holder('ben') })));
  return { keeper, clock, store, told, stopped, probes, lose, takeOver, directory };
}

test('within its time nothing is asked; after it a takeover is found out before the next effect', async () => {
  const { keeper, clock, takeOver, stopped } = await open();
  await takeOver();
  clock.atMs += 24_000;
  expect(await keeper.assure()).toBe(true);
  clock.atMs += 2_000;
  await expect(keeper.assure()).rejects.toThrow(StaleEngine);
  expect(stopped.map(({ failure }) => failure.what)).toEqual([expect.stringContaining('by ben on ben-laptop')]);
  await expect(keeper.ask()).rejects.toThrow(StaleEngine);
  // Said once.
  expect(stopped).toHaveLength(1);
});

test('right before what no server can check it is asked at once', async () => {
  const { keeper, clock, takeOver } = await open();
  await takeOver();
  clock.atMs += 1_100;
  await expect(keeper.ask()).rejects.toThrow(StaleEngine);
});

test('a store that is lost is told once; then risk waits, and what no server checks is refused; back again likewise', async () => {
  const { keeper, clock, told, lose, directory, store } = await open();
  lose();
  clock.atMs += 26_000;
  expect(await keeper.assure()).toBe(false);
  expect(keeper.lost).toBe(true);
  expect(await keeper.assure()).toBe(true);
  const refused: unknown = await keeper.ask().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(FailureError);
  expect(refused).not.toBeInstanceOf(StaleEngine);
  expect(told).toEqual(['lost']);
  await openSmallDatabase(localClaims.path(directory), localClaims);
  epochOf(await store.claim(wish('run', ['f/api-1'])));
  await keeper.ask();
  expect(told).toEqual(['lost', 'held']);
  expect(keeper.lost).toBe(false);
});

test('an engine that was silent for longer than it should asks the servers themselves before it goes on', async () => {
  const { keeper, clock, probes } = await open();
  clock.atMs += 20_000;
  await keeper.ask();
  expect(probes).toEqual([]);
  clock.atMs += 26_000;
  await keeper.assure();
  expect(probes).toHaveLength(1);
});

test('a clock that was set back proves nothing', async () => {
  const { keeper, clock, takeOver } = await open();
  await takeOver();
  clock.atMs -= 3_600_000;
  await expect(keeper.assure()).rejects.toThrow(StaleEngine);
});

test('what a server says is enough', async () => {
  const { keeper, stopped } = await open();
  keeper.overrun('epoch 9, by ben on ben-laptop');
  await expect(keeper.assure()).rejects.toThrow('epoch 9, by ben on ben-laptop');
  expect(stopped).toHaveLength(1);
});
