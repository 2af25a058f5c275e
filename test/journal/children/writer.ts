/**
 * A process of its own that writes events until it is killed. Prints the number of each event once it is
 * acknowledged, `in flight N` being how many appends are out at any time. argv: path, how many in flight, event size.
 */
import { createJournal, JournalFailure } from '../../../src/journal/index.ts';

const [path = '', inFlight = '1', size = '100'] = process.argv.slice(2);
const journal = await createJournal(path);
let next = 0;

/** Resolves when the line is in the pipe: the next append begins only then. */
function say(line: string): Promise<void> {
  return new Promise((resolve) => void process.stdout.write(`${line}\n`, () => resolve()));
}

async function write(): Promise<void> {
  for (;;) {
    const n = next++;
    await journal.append([{ atMs: n, event: { n, fill: 'x'.repeat(Number(size)) } }]);
    await say(String(n));
  }
}

/** What the failure says to who reads no text. */
function name(failure: unknown): string {
  return failure instanceof JournalFailure ? `${failure.reason}/${failure.failure.kind}` : String(failure);
}

try {
  await Promise.all(Array.from({ length: Number(inFlight) }, write));
} catch (error) {
  const later = await journal.append([{ atMs: 0, event: { later: true } }]).catch((failure: unknown) => failure);
  await say(`failed ${name(error)} later ${name(later)}`);
}
