import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { Unreadable } from './lines.ts';

/** A calendar is that large at most, and is there within so many real milliseconds. */
export const CALENDAR_MAX_BYTES = 4 * 1024 * 1024;
const FETCH_MS = 10_000;

/** What a calendar is called in messages: an address may hold a token, so only its host is named. */
export function calendarName(calendar: string): string {
  return calendar.includes('://') ? (URL.parse(calendar)?.host ?? 'an address') : basename(calendar);
}

/** The text of a calendar, from a file or over https. Throws Unreadable. */
export async function calendarText(calendar: string): Promise<string> {
  return calendar.includes('://') ? fetched(calendar) : fromFile(calendar);
}

async function fromFile(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    if (!(await file.stat()).isFile()) throw new Unreadable('it is no file');
    const buffer = Buffer.alloc(CALENDAR_MAX_BYTES + 1);
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, bytes, buffer.length - bytes, null);
      bytes += bytesRead;
      if (bytesRead === 0 || bytes === buffer.length) break;
    }
    return checked(buffer.subarray(0, bytes));
  } catch (error) {
    throw unreadable(error);
  }
}

async function fetched(address: string): Promise<string> {
  const url = URL.parse(address.replace(/^webcals?:/i, 'https:'));
  if (url?.protocol !== 'https:') throw new Unreadable('it is no file and no https address');
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS), headers: { accept: 'text/calendar' } });
    if (!answer.ok) throw new Unreadable(`it answered ${answer.status}`);
    if (!answer.url.startsWith('https:')) throw new Unreadable('it leads to an address without https');
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const body: AsyncIterable<Uint8Array> | null = answer.body;
    for await (const chunk of body ?? []) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > CALENDAR_MAX_BYTES) break;
    }
    return checked(Buffer.concat(chunks));
  } catch (error) {
    throw unreadable(error);
  }
}

function checked(bytes: Buffer): string {
  if (bytes.length > CALENDAR_MAX_BYTES)
    throw new Unreadable(`it is larger than ${CALENDAR_MAX_BYTES / 1024 / 1024} MiB`);
  return bytes.toString('utf8');
}

/** The system's word for it, never the address. */
function unreadable(error: unknown): Unreadable {
  if (error instanceof Unreadable) return error;
  if (error instanceof Error && error.name === 'TimeoutError')
    return new Unreadable(`no answer within ${FETCH_MS / 1000} s`);
  const { cause } = error instanceof Error ? error : { cause: undefined };
  const code = [error, cause].flatMap((each) =>
    each instanceof Error && 'code' in each && typeof each.code === 'string' ? [each.code] : [],
  )[0];
  return new Unreadable(code === 'ENOENT' ? 'there is no such file' : (code ?? 'no answer'));
}
