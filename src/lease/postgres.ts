import type { Client, ClientConfig } from 'pg';
import { FailureError } from '../model/index.ts';
import type { ClaimAnswer, ClaimWish, Holding, LeaseStore } from '../ports/index.ts';
import { refuseEmpty } from './wish.ts';

/** Deadlines of the database, in real milliseconds: to connect, for a statement, for a lock that others hold. */
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 4_000;

/** Keeps apart from other locks in the same database: "neap" as a number. */
const ADVISORY_LOCK = 0x6e656170;

const TABLES = `
  CREATE TABLE IF NOT EXISTS neap_epoch (alone boolean PRIMARY KEY DEFAULT true CHECK (alone), epoch bigint NOT NULL);
  INSERT INTO neap_epoch (epoch) VALUES (0) ON CONFLICT DO NOTHING;
  CREATE TABLE IF NOT EXISTS neap_holding (
    run text PRIMARY KEY,
    epoch bigint NOT NULL,
    since timestamptz NOT NULL,
    renewed timestamptz NOT NULL,
    by_whom text NOT NULL,
    os_user text NOT NULL,
    host text NOT NULL,
    machine text NOT NULL,
    boot text NOT NULL,
    pid integer NOT NULL
  );
  CREATE TABLE IF NOT EXISTS neap_claim (
    server text PRIMARY KEY,
    run text NOT NULL REFERENCES neap_holding ON DELETE CASCADE
  );
  CREATE INDEX IF NOT EXISTS neap_claim_of_run ON neap_claim (run);`;

/**
 * The store in a PostgreSQL database. Each call is a connection and a transaction of its own: nothing is half open when
 * the network fails, and once in ten seconds that costs little. `connectionString` gives the URL, which is a secret.
 */
export function openPostgresStore(connectionString: () => Promise<string>): LeaseStore {
  const transact = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const { default: pg } = await import('pg');
    const config: ClientConfig = {
      connectionString: await connectionString(),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
      application_name: 'neap',
    };
    const client = new pg.Client(config);
    // A connection that breaks rejects the query under way; without this it would also end the process.
    client.on('error', () => undefined);
    let committing = false;
    try {
      await client.connect();
      await client.query('BEGIN');
      await prepare(client);
      const result = await work(client);
      committing = true;
      await client.query('COMMIT');
      return result;
    } catch (error) {
      throw unusable(error, committing);
    } finally {
      // Whatever was not committed is rolled back with the connection.
      void client.end().catch(() => undefined);
    }
  };
  return {
    name: 'postgres',
    claim: async (wish) => {
      refuseEmpty(wish);
      return transact((client) => claim(client, wish));
    },
    renew: (run, epoch) =>
      transact(async (client) => {
        const { rowCount } = await client.query(
          'UPDATE neap_holding SET renewed = clock_timestamp() WHERE run = $1 AND epoch = $2',
          [run, epoch],
        );
        return rowCount === 1;
      }),
    release: (run, epoch) =>
      transact(async (client) => {
        const { rowCount } = await client.query('DELETE FROM neap_holding WHERE run = $1 AND epoch = $2', [run, epoch]);
        return rowCount === 1;
      }),
    holding: (run) => transact(async (client) => (await read(client, [run]))[0] ?? null),
    holdings: () => transact((client) => read(client, null)),
    close: () => undefined,
  };
}

/** Makes the tables where they are missing. A login that may not create any can use those that somebody made for it. */
async function prepare(client: Client): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(
    "SELECT to_regclass('neap_claim_of_run') IS NOT NULL AS there",
  );
  if (rows[0]?.there === true) return;
  // IF NOT EXISTS alone fails when two make the same table at once.
  await client.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
  await client.query(TABLES);
}

async function claim(client: Client, wish: ClaimWish): Promise<ClaimAnswer> {
  const { run, holder, atLeast, supersedes } = wish;
  const servers = [...new Set(wish.servers)];
  // This row is what all who claim wait for, one after the other.
  await client.query('SELECT epoch FROM neap_epoch FOR UPDATE');
  const [own] = await read(client, [run]);
  if (own !== undefined && own.epoch !== supersedes) return { granted: false, conflicts: [own] };
  const { rows: taken } = await client.query<{ run: string; servers: string[] }>(
    'SELECT run, array_agg(server ORDER BY server) AS servers FROM neap_claim WHERE server = ANY($1) AND run <> $2 GROUP BY run',
    [servers, run],
  );
  if (taken.length > 0) {
    const holdings = await read(
      client,
      taken.map((each) => each.run),
    );
    const conflicts = holdings.map((each) => ({
      ...each,
      servers: taken.find((other) => other.run === each.run)?.servers ?? [],
    }));
    return { granted: false, conflicts };
  }
  const { rows } = await client.query<{ epoch: string }>(
    'UPDATE neap_epoch SET epoch = greatest(epoch, $1) + 1 RETURNING epoch',
    [atLeast],
  );
  const epoch = Number(rows[0]?.epoch);
  await client.query('DELETE FROM neap_holding WHERE run = $1', [run]);
  const { by, user, host, machine, boot, pid } = holder;
  const { rows: made } = await client.query<{ since: Date }>(
    `INSERT INTO neap_holding VALUES ($1, $2, clock_timestamp(), clock_timestamp(), $3, $4, $5, $6, $7, $8)
     RETURNING since`,
    [run, epoch, by, user, host, machine, boot, pid],
  );
  await client.query('INSERT INTO neap_claim (server, run) SELECT unnest($1::text[]), $2', [servers, run]);
  return { granted: true, epoch, sinceMs: made[0]?.since.getTime() ?? 0 };
}

interface HoldingRow {
  readonly run: string;
  readonly epoch: string;
  readonly since: Date;
  readonly renewed: Date;
  readonly silent: string;
  readonly by_whom: string;
  readonly os_user: string;
  readonly host: string;
  readonly machine: string;
  readonly boot: string;
  readonly pid: number;
  readonly servers: string[];
}

async function read(client: Client, runs: readonly string[] | null): Promise<readonly Holding[]> {
  const { rows } = await client.query<HoldingRow>(
    `SELECT h.*, extract(epoch FROM clock_timestamp() - h.renewed) * 1000 AS silent,
       ARRAY(SELECT server FROM neap_claim c WHERE c.run = h.run ORDER BY server) AS servers
     FROM neap_holding h WHERE $1::text[] IS NULL OR h.run = ANY($1) ORDER BY h.since, h.run`,
    [runs],
  );
  return rows.map((row) => ({
    run: row.run,
    epoch: Number(row.epoch),
    sinceMs: row.since.getTime(),
    renewedAtMs: row.renewed.getTime(),
    silentMs: Math.max(0, Number(row.silent)),
    by: row.by_whom,
    user: row.os_user,
    host: row.host,
    machine: row.machine,
    boot: row.boot,
    pid: row.pid,
    servers: row.servers,
  }));
}

/** What the database said, without its connection string. */
function unusable(error: unknown, committing: boolean): unknown {
  if (error instanceof FailureError || error instanceof TypeError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const said = `${typeof code === 'string' ? `${code} ` : ''}${typeof message === 'string' ? message : String(error)}`;
  return new FailureError(
    {
      kind: 'unreachable',
      what: `the store of claims did not do it: ${said.replaceAll(/\s+/g, ' ').slice(0, 300)}`,
      where: 'postgres',
      state: committing ? 'Whether it was written is not known' : 'Nothing was claimed or released by this',
      remedy:
        'Look at the database that `lease` in neap.config.ts names, and at the login: it needs its tables or the right to make them',
    },
    { cause: error },
  );
}
