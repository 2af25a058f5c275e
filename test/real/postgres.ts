import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answers, freePort } from './plain-sshd.ts';
import { mustRun } from './run-program.ts';

/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

/** A PostgreSQL server of its own on the loopback. */
export interface RealPostgres {
  readonly url: string;
  /** Runs one statement as the owner of the database. */
  sql(statement: string): Promise<void>;
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** Where its programs lie: on the path, in Debian's own folder, or null. */
export function postgresPrograms(): string | null {
  const places = ['/usr/local/bin', '/usr/bin', ...[13, 14, 15, 16, 17, 18].map((n) => `/usr/lib/postgresql/${n}/bin`)];
  return places.find((place) => existsSync(join(place, 'initdb')) && existsSync(join(place, 'postgres'))) ?? null;
}

/** Starts one from nothing. Throws where `postgresPrograms` finds none. */
export async function startPostgres(): Promise<RealPostgres> {
  const programs = postgresPrograms();
  if (programs === null) throw new Error('there is no PostgreSQL here');
  const root = mkdtempSync(join(tmpdir(), 'neap-postgres-'));
  const data = join(root, 'data');
  const asRoot = process.getuid?.() === 0;
  if (asRoot) chownSync(root, NOBODY, NOBODY);
  const who = asRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
  const run = (program: string, args: readonly string[]): readonly [string, ...string[]] => {
    const [first = '', ...rest] = [...who, join(programs, program), ...args];
    return [first, ...rest];
  };
  const [initdb, ...initArgs] = run('initdb', ['-D', data, '-U', 'neap', '-A', 'trust', '--no-sync', '-E', 'UTF8']);
  await mustRun(initdb, initArgs);
  const port = await freePort();
  let server: ReturnType<typeof spawn> | null = null;
  const up = async (): Promise<void> => {
    const [program, ...args] = run('postgres', ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', root, '-F']);
    server = spawn(program, args, { stdio: 'ignore', detached: true });
    await answers(port);
    await ready(url);
  };
  const down = async (): Promise<void> => {
    if (server?.pid === undefined) return;
    const ended = new Promise((resolve) => server?.once('exit', resolve));
    // Immediate shutdown: as a crash does it.
    process.kill(server.pid, 'SIGQUIT');
    await ended;
    server = null;
  };
  const url = `postgres://neap@127.0.0.1:${port}/postgres`;
  await up();
  return {
    url,
    up,
    down,
    sql: (statement) => query(url, statement),
    close: async () => {
      await down();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function ready(url: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await query(url, 'SELECT 1');
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function query(url: string, statement: string): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
