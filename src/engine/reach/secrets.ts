import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { FailureError } from '../../model/index.ts';
import type { Redactor } from '../../transport/index.ts';
import { SECRET_BYTES, SECRET_TIMEOUT_MS } from './limits.ts';

/** Secrets by their references. Resolved once, kept in memory only, and known to the redactor before anybody has them. */
export interface Secrets {
  /** `env:NAME`, `file:/path` or `command:...` (run by sh on this machine). Rejects with `denied`; never tells the value. */
  readonly resolve: (reference: string) => Promise<string>;
}

/** Whether a text is a reference to a secret. */
export function isSecretRef(text: string): boolean {
  return /^(env|file|command):./.test(text);
}

/** Secrets of this process, none resolved yet. */
export function openSecrets(redactor: Redactor): Secrets {
  const resolved = new Map<string, Promise<string>>();
  const look = async (reference: string): Promise<string> => {
    const value = (await source(reference)).replace(/\r?\n$/, '');
    if (value === '') throw missing(reference, 'it is empty');
    redactor.add(value);
    return value;
  };
  return {
    resolve: (reference) => {
      const known = resolved.get(reference);
      if (known !== undefined) return known;
      const value = look(reference);
      resolved.set(reference, value);
      // What failed is looked up again: somebody may have put it right meanwhile.
      value.catch(() => resolved.delete(reference));
      return value;
    },
  };
}

async function source(reference: string): Promise<string> {
  const colon = reference.indexOf(':');
  const [scheme, rest] = [reference.slice(0, colon), reference.slice(colon + 1)];
  if (scheme === 'env') {
    const value = process.env[rest];
    if (value === undefined) throw missing(reference, 'there is no such environment variable');
    return value;
  }
  if (scheme === 'file') {
    const content = await readFile(rest).catch((error: unknown) => {
      throw missing(
        reference,
        `it cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'})`,
      );
    });
    if (content.length > SECRET_BYTES) throw missing(reference, `it is larger than ${SECRET_BYTES} bytes`);
    return content.toString('utf8');
  }
  return runCommand(reference, rest);
}

function runCommand(reference: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', command], { timeout: SECRET_TIMEOUT_MS, maxBuffer: SECRET_BYTES }, (error, stdout) => {
      // Neither output nor the error's text is shown: both may hold the secret.
      if (error === null) resolve(stdout);
      else
        reject(
          missing(
            reference,
            error.killed === true
              ? `it did not end within ${SECRET_TIMEOUT_MS} ms`
              : `it ended with ${String(error.code ?? error.signal ?? 'an error')}`,
          ),
        );
    });
  });
}

function missing(reference: string, why: string): FailureError {
  return new FailureError({
    kind: 'denied',
    what: `the secret ${reference} cannot be had: ${why}`,
    where: 'this machine',
    state: 'Nothing was sent',
    remedy: 'Put the secret where the fleet says, and try again',
  });
}
