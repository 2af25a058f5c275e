import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLease } from '../../src/engine/lease/open.ts';
import { FailureError } from '../../src/model/index.ts';
import type { LeaseStore } from '../../src/ports/index.ts';
import { epochOf, leaseContract } from '../lease/contract.ts';
import { wish } from '../lease/wishes.ts';
import { startPlainSshd, type PlainSshd } from './plain-sshd.ts';
import { postgresPrograms, startPostgres, type RealPostgres } from './postgres.ts';

/** The stores that several machines share, against the real thing: the contract, and what happens when they go away. */

const canSsh = existsSync('/usr/sbin/sshd') && process.getuid?.() === 0;
if (!canSsh) process.stderr.write('SKIPPED: a store over SSH needs root and openssh-server\n');
if (postgresPrograms() === null) process.stderr.write('SKIPPED: a store in PostgreSQL needs postgresql\n');

async function failureOf(work: Promise<unknown>): Promise<FailureError> {
  const error: unknown = await work.then(
    () => 'nothing failed',
    (reason: unknown) => reason,
  );
  if (error instanceof FailureError) return error;
  throw new Error(`no FailureError: ${String(error)}`);
}

describe.skipIf(!canSsh)('over SSH', () => {
  let sshd: PlainSshd;
  const stores: LeaseStore[] = [];
  beforeAll(async () => {
    sshd = await startPlainSshd('claims');
  });
  afterAll(async () => {
    for (const store of stores) store.close();
    await sshd.close();
  });
  const open = async (directory: string): Promise<LeaseStore> => {
    const store = await openLease(`ssh:claims:${directory}`, '', { sshConfig: sshd.sshConfig, servers: [] });
    stores.push(store);
    return store;
  };
  const folder = (): string => mkdtempSync(join(sshd.dir, 'claims-'));

  leaseContract('a directory of another host', async () => {
    const directory = join(folder(), 'made');
    return { one: await open(directory), other: await open(directory), second: () => sleep(2_100) };
  });

  test('when the host is away every call ends within its limit and says so; when it is back all is as it was', async () => {
    const store = await open(folder());
    const epoch = epochOf(await store.claim(wish('run', ['f/api-1'])));
    await sshd.down();
    const startedAtMs = performance.now();
    expect((await failureOf(store.renew('run', epoch))).failure.kind).toMatch(/unreachable|lost/);
    expect((await failureOf(store.claim(wish('other', ['f/api-2'])))).failure.kind).toBe('unreachable');
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
    await sshd.up();
    expect(await store.renew('run', epoch)).toBe(true);
    expect((await store.holdings()).map(({ run }) => run)).toEqual(['run']);
  });

  test('claims that somebody has spoilt let nobody through', async () => {
    const directory = folder();
    const store = await open(directory);
    epochOf(await store.claim(wish('run', ['f/api-1'])));
    writeFileSync(join(directory, 'claims.9'), '{"format":1,"epoch":-1');
    expect((await failureOf(store.claim(wish('other', ['f/api-2'])))).failure).toMatchObject({
      kind: 'output',
      what: expect.stringContaining('cannot be read') as string,
      where: 'ssh:claims',
    });
    rmSync(directory, { recursive: true });
    // Gone altogether is not the same as empty to whoever holds something.
    expect(await store.renew('run', 1).catch(() => 'failed')).not.toBe(true);
  });
});

describe.skipIf(postgresPrograms() === null)('in PostgreSQL', () => {
  let postgres: RealPostgres;
  const name = 'NEAP_TEST_POSTGRES';
  beforeAll(async () => {
    postgres = await startPostgres();
    process.env[name] = postgres.url;
  });
  afterAll(() => postgres.close());
  const open = (): Promise<LeaseStore> => openLease({ postgres: `env:${name}` }, '', { servers: [] });

  leaseContract('a database', async () => {
    await postgres.sql('DROP TABLE IF EXISTS neap_claim, neap_holding, neap_epoch');
    return { one: await open(), other: await open(), second: () => sleep(1_100) };
  });

  test('when the database is away every call ends within its limit, and its password is in no message', async () => {
    const store = await open();
    process.env[`${name}_SECRET`] = postgres.url.replace('neap@', 'neap:hunter2@');
    const secret = await openLease({ postgres: `env:${name}_SECRET` }, '', { servers: [] });
    const epoch = epochOf(await store.claim(wish('run', ['f/api-9'])));
    await postgres.down();
    const failed = await failureOf(secret.claim(wish('other', ['f/api-8'])));
    expect(failed.failure).toMatchObject({ kind: 'unreachable', where: 'postgres' });
    expect(JSON.stringify(failed.failure) + String(failed.stack)).not.toContain('hunter2');
    await postgres.up();
    expect(await store.renew('run', epoch)).toBe(true);
    await store.release('run', epoch);
  });

  test('somebody who holds the claims locked makes others wait for a time, and no longer', async () => {
    const { default: pg } = await import('pg');
    const store = await open();
    await store.holdings();
    const blocker = new pg.Client({ connectionString: postgres.url });
    await blocker.connect();
    await blocker.query('BEGIN; SELECT * FROM neap_epoch FOR UPDATE');
    const startedAtMs = performance.now();
    expect((await failureOf(store.claim(wish('run', ['f/api-1'])))).failure.what).toMatch(/lock timeout/);
    expect(performance.now() - startedAtMs).toBeLessThan(8_000);
    await blocker.end();
    expect(await store.claim(wish('run', ['f/api-1']))).toMatchObject({ granted: true });
  });
});
