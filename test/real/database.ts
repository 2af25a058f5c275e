import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

/** The database of the test fleet, served by the test process itself. */
export interface RealDatabase {
  readonly address: string;
  readonly port: number;
  /** What it was asked and answered, e.g. `configuration api-03`, in order. */
  readonly answered: readonly string[];
  /** Takes requests and says nothing, as a database that is being upgraded. */
  beSilent(): void;
  /** Answers again; what was asked meanwhile gets its answer now. */
  answerAgain(): void;
  close(): Promise<void>;
}

/** Serves a database at a free port of `address`. */
export async function startDatabase(address: string): Promise<RealDatabase> {
  const answered: string[] = [];
  const waiting = new Set<() => void>();
  let silent = false;
  const server = createServer(({ url = '' }, response: ServerResponse) => {
    const reply = () => {
      waiting.delete(reply);
      answered.push(url.slice(1).replace('?server=', ' '));
      response.end('ok');
    };
    response.once('close', () => waiting.delete(reply));
    if (silent) waiting.add(reply);
    else reply();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the database has no port');
  return {
    address,
    port: bound.port,
    answered,
    beSilent: () => {
      silent = true;
    },
    answerAgain: () => {
      silent = false;
      for (const reply of waiting) reply();
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
