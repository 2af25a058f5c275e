import { request } from 'node:http';
import type { ApiSettings } from './settings.ts';

/** Asks the database for something. Rejects when it is silent for `databaseTimeoutMs`, or answers anything but 200. */
export function askDatabase(
  { database, databaseTimeoutMs, name }: ApiSettings,
  what: 'ping' | 'configuration' | 'mail',
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const call = request(
    { ...database, path: `/${what}?server=${name}`, agent: false, signal: AbortSignal.timeout(databaseTimeoutMs) },
    (answer) => {
      answer.resume();
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`the database answered ${String(answer.statusCode)}`));
      });
    },
  );
  call.once('error', (error) => {
    reject(new Error(`the database does not answer: ${error.message}`));
  });
  call.end();
  return promise;
}
