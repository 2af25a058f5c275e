import { createReadStream } from 'node:fs';
import { FailureError } from '../model/index.ts';

/** One line at most, in bytes: the plan of ten thousand servers fits. */
const LINE_MAX_BYTES = 256 * 1024 * 1024;

/** The lines of a file that somebody gave, one after another; never the whole of it in memory. Throws FailureError where it cannot be read. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        yield Buffer.concat([...parts, chunk.subarray(from, at)]).toString('utf8');
        [parts, bytes, from] = [[], 0, at + 1];
      }
      parts.push(chunk.subarray(from));
      bytes += chunk.length - from;
      if (bytes > LINE_MAX_BYTES) throw new Error(`a line is longer than ${LINE_MAX_BYTES} bytes`);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  if (bytes > 0) yield Buffer.concat(parts).toString('utf8');
}

const NEWLINE = 10;

function unreadable(path: string, cause: unknown): FailureError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new FailureError(
    {
      kind: 'condition',
      what: `the file cannot be read: ${why}`,
      where: path,
      state: 'Nothing was changed',
      remedy: 'Name a text file that you may read',
    },
    { cause },
  );
}
