import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { holdAgain, holdNew, type EngineEvent, type HoldWish } from '../../../src/engine/lease/hold.ts';
import { whereabouts } from '../../../src/engine/lease/holder.ts';
import { NotOurs } from '../../../src/engine/lease/words.ts';
import { openSmallDatabase } from '../../../src/journal/index.ts';
import { localClaims, openLocalStore } from '../../../src/lease/index.ts';
import type { LeaseStore } from '../../../src/ports/index.ts';
import { folder } from '../../journal/folder.ts';
import { holder, wish } from '../../lease/wishes.ts';

const RUN = '2026-11-21-abcdef';
const NOBODY = { takeOver: false, override: null };
const TAKE_OVER = { takeOver: true, override: null };
const OVERRIDE = { takeOver: true, override: 'I pulled its plug' };

/** A store whose clock a test moves; `shared`: one that other machines use too. */
async function open(shared = true): Promise<{ store: LeaseStore; clock: { atMs: number } }> {
  const directory = join(folder(), 'neap');
  const clock = { atMs: 1_790_000_000_000 };
  const local = openLocalStore(await openSmallDatabase(localClaims.path(directory), localClaims), () => clock.atMs);
  return { store: shared ? { ...local, name: 'ssh:claims' } : local, clock };
}

function wishOn(store: LeaseStore, over: Partial<HoldWish> = {}): HoldWish {
  const never = (): Promise<boolean> => Promise.resolve(false);
  return { store, run: RUN, servers: ['f/api-1'], by: 'ben', isOver: never, neverBegan: never, ...over };
}

function engine(over: Partial<EngineEvent> = {}): EngineEvent {
  return { type: 'engine', neap: '1', ...whereabouts(), pid: 2 ** 30, epoch: 5, ...over };
}

async function refused(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => 'it was granted',
    (reason: unknown) => reason,
  );
  if (!(error instanceof NotOurs)) throw new Error(String(error));
  return `${error.failure.what} | ${error.failure.remedy}`;
}

test('an engine that died on this machine is proven gone: the run goes on above every epoch that its journal has seen', async () => {
  for (const shared of [false, true]) {
    const { store } = await open(shared);
    const dead = { ...holder('ada'), ...whereabouts(), pid: 2 ** 30 };
    await store.claim(wish(RUN, ['f/api-1'], { holder: dead }));
    const hold = await holdAgain(wishOn(store), [engine()], NOBODY);
    expect(hold).toMatchObject({ epoch: 6, overrode: null, holder: { by: 'ben', pid: process.pid } });
  }
});

test('one that is there, stopped or not, keeps its run until a person says why not', async () => {
  const { store } = await open(false);
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', RUN], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.once('spawn', resolve));
  const pid = child.pid ?? 0;
  await store.claim(wish(RUN, ['f/api-1'], { holder: { ...holder('ada'), ...whereabouts(), pid } }));
  for (const said of [NOBODY, TAKE_OVER]) {
    expect(await refused(holdAgain(wishOn(store), [engine({ pid })], said))).toMatch(
      new RegExp(`by ada on \\S+ process ${pid}, since 20.*kill -9 ${pid}`),
    );
  }
  const hold = await holdAgain(wishOn(store), [engine({ pid })], OVERRIDE);
  expect(hold.overrode).toMatchObject({
    reason: 'I pulled its plug',
    about: expect.stringContaining('by ada') as string,
  });
});

test('one of another machine is gone when the store has not heard of it for a minute, and then only by --take-over', async () => {
  const { store, clock } = await open();
  await store.claim(wish(RUN, ['f/api-1'], { holder: holder('ada', { boot: 'other pid:[1]' }) }));
  const there = engine({ host: 'ada-laptop', boot: 'other pid:[1]', machine: 'm' });
  clock.atMs += 59_000;
  expect(await refused(holdAgain(wishOn(store), [there], TAKE_OVER))).toMatch(
    /last seen 59 s ago.*60 s after it was last seen/,
  );
  clock.atMs += 1_000;
  expect(await refused(holdAgain(wishOn(store), [there], NOBODY))).toMatch(/on another machine.*--take-over/);
  expect(await holdAgain(wishOn(store), [there], TAKE_OVER)).toMatchObject({ overrode: null });
});

test('a container beside this one has the same boot, and process ids that say nothing here', async () => {
  const { store } = await open();
  const boot = `${whereabouts().boot.split(' ')[0]} pid:[1]`;
  await store.claim(wish(RUN, ['f/api-1'], { holder: { ...holder('ada'), ...whereabouts(), boot } }));
  expect(await refused(holdAgain(wishOn(store), [engine({ boot })], NOBODY))).toContain('may still have it');
});

test('a store that knows nothing of an engine elsewhere proves nothing', async () => {
  const { store } = await open(false);
  const there = engine({ host: 'ada-laptop', boot: 'other pid:[1]', machine: 'm' });
  expect(await refused(holdAgain(wishOn(store), [there], TAKE_OVER))).toContain('knows nothing of it');
  expect(await holdAgain(wishOn(store), [there], OVERRIDE)).toMatchObject({
    epoch: 6,
    overrode: { reason: 'I pulled its plug' },
  });
});

test('a run that is over and died before it let go keeps nobody out; one that is open does, also with a dead engine', async () => {
  const { store } = await open();
  await store.claim(wish('left', ['f/api-1']));
  expect(await refused(holdNew(wishOn(store)))).toMatch(
    /api-1 belong to run left, by ada on ada-laptop, process 7, since .*neap resume left/,
  );
  expect(await holdNew(wishOn(store, { isOver: (run) => Promise.resolve(run === 'left') }))).toMatchObject({
    epoch: 2,
  });
});
