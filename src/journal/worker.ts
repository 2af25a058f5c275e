import { parentPort, workerData } from 'node:worker_threads';
import { openJournalFile } from './database.ts';
import type { Answer, Ask, WorkerStart } from './messages.ts';
import { keepReserve, removeReserve, spendReserve } from './reserve.ts';
import { Store } from './store.ts';
import { type TroubleReason, troubleFrom } from './trouble.ts';

/**
 * The thread that owns a journal's file. SQLite waits for the disk here, and never in the thread that watches the
 * fleet. It answers each question in turn; after the first trouble it closes the file and ends, since nobody knows
 * what a failed flush left behind: flushing again proves nothing.
 */
const { path, mode, reserveBytes } = workerData as WorkerStart;
const port = parentPort;
if (port === null) throw new Error('the journal worker is a worker thread');

let store: Store | null = null;

function say(answer: Answer): void {
  port?.postMessage(answer);
}

/** Closes and ends. The reserve goes first, so that closing has room to tidy the log. */
function end(error: unknown, fallback: TroubleReason): void {
  const trouble = troubleFrom(error, path, fallback);
  // Also when the error does not say that space is short: SQLite has no code for a spent quota.
  if (mode !== 'read' && (trouble.reason === 'full' || trouble.reason === 'outcome-unknown')) spendReserve(path);
  try {
    store?.close();
  } catch {
    // What matters was said by the error that led here.
  }
  say({ answer: 'trouble', trouble });
  port?.close();
}

function open(): void {
  store = new Store(openJournalFile(path, mode), path);
  const begun = mode === 'read' ? { epoch: 0, lastSeq: 0, head: '' } : store.begin();
  const reserved = mode !== 'read' && keepReserve(path, reserveBytes);
  if (mode !== 'read' && !reserved) store.spare();
  say({ answer: 'opened', opened: { ...begun, reserved } });
}

function reply(opened: Store, ask: Ask): void {
  if (ask.ask === 'commit') {
    say({ answer: 'committed', links: opened.commit(ask.drafts) });
  } else if (ask.ask === 'rows') {
    say({ answer: 'rows', rows: opened.rows(ask.fromSeq, ask.count) });
  } else if (ask.ask === 'restore') {
    opened.restore(ask.rows);
    say({ answer: 'restored' });
  } else {
    opened.close();
    if (mode !== 'read') removeReserve(path);
    say({ answer: 'closed' });
    port?.close();
  }
}

try {
  open();
  port.on('message', (ask: Ask) => {
    if (store === null) return;
    try {
      reply(store, ask);
    } catch (error) {
      end(error, 'outcome-unknown');
    }
  });
} catch (error) {
  end(error, 'damaged');
}
