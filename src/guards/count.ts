import { execFile } from 'node:child_process';
import { FailureError, type CountRead } from '../model/index.ts';
import type { GuardParts } from './index.ts';
import { FLOOD_BYTES } from './limits.ts';
import { sumOfSamples } from './prometheus.ts';

/** Of foreign words in a message. */
const QUOTED_CHARACTERS = 120;

/** The number, from 0 up. Rejects with a FailureError that names `where`. */
export async function countNow(read: CountRead, where: string, parts: GuardParts): Promise<number> {
  const value = 'prometheus' in read ? await samples(read, where, parts) : numberOf(await textOf(read, where, parts));
  if (Number.isFinite(value) && value >= 0) return value;
  throw failed(where, `the answer is no number from 0 up: ${value}`);
}

async function textOf(
  read: Exclude<CountRead, { prometheus: string }>,
  where: string,
  parts: GuardParts,
): Promise<string> {
  const text = 'get' in read ? await bodyOf(read, where, parts) : await printed(read, where, parts);
  if (read.field === undefined) return text.trim();
  const picked = parts.pick(text, read.field);
  if (picked === null) throw failed(where, `the answer has no field ${read.field}: ${short(text, parts)}`);
  return picked;
}

async function bodyOf(
  { get, timeoutMs }: Extract<CountRead, { get: string }>,
  where: string,
  parts: GuardParts,
): Promise<string> {
  const { status, body } = await parts.get(get, { where, timeoutMs });
  if (status >= 200 && status < 300) return body;
  throw failed(where, `GET ${get} was answered with HTTP ${status}: ${short(body, parts)}`);
}

function printed(
  { command: [program = '', ...words], timeoutMs }: Extract<CountRead, { command: string[] }>,
  where: string,
  parts: GuardParts,
): Promise<string> {
  const limits = { cwd: parts.cwd, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: FLOOD_BYTES } as const;
  return new Promise((resolve, reject) => {
    execFile(program, words, limits, (error, out, err) => {
      if (error === null) resolve(out);
      else
        reject(
          failed(
            where,
            `${program} gave no number: ${error.killed === true ? `it did not end within ${timeoutMs} ms` : short(err.trim() || error.message, parts)}`,
          ),
        );
    });
  });
}

async function samples(
  { prometheus, query, staleMs, timeoutMs }: Extract<CountRead, { prometheus: string }>,
  where: string,
  parts: GuardParts,
): Promise<number> {
  const none = { warnAbove: null, tripAbove: null, warnBelow: null, tripBelow: null };
  try {
    return await sumOfSamples({ guard: 'prometheus', url: prometheus, query, ...none, staleMs, timeoutMs }, parts);
  } catch (error) {
    if (error instanceof FailureError) throw error;
    throw failed(where, error instanceof Error ? error.message : String(error));
  }
}

function numberOf(text: string): number {
  return text === '' ? Number.NaN : Number(text);
}

function short(text: string, { clean }: GuardParts): string {
  return clean(text, QUOTED_CHARACTERS).replaceAll(/\s+/g, ' ').trim();
}

function failed(where: string, what: string): FailureError {
  return new FailureError({
    kind: 'output',
    what,
    where,
    state: 'Nothing was changed',
    remedy: 'Ask for it by hand, and compare with the fleet file',
  });
}
