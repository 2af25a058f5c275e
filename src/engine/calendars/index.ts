import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { ConfigData } from '../../model/index.ts';
import { afterRealMs } from '../clock.ts';
import { calendarName, calendarText } from './fetch.ts';
import { Unreadable } from './lines.ts';

/** Laying out one calendar takes so many real milliseconds at most, its thread's start included. */
const EXPAND_MS = 15_000;

/** What the calendars freeze, and which of them could not be read. */
export interface Freezes {
  readonly freezes: readonly { readonly title: string; readonly fromMs: number; readonly toMs: number }[];
  /** One sentence for each calendar that is not known: silence would be taken for freedom. */
  readonly unread: readonly string[];
  /** Titles of events that are marked as free, and freeze nothing. */
  readonly free: readonly string[];
}

const answerSchema = z.union([
  z.object({
    expanded: z.object({
      spans: z.array(z.object({ title: z.string(), fromMs: z.number(), toMs: z.number() })),
      free: z.array(z.string()),
    }),
  }),
  z.object({ unreadable: z.string() }),
]);

/** Reads every calendar and lays it out between two instants. Never rejects: what cannot be read is said. */
export async function readFreezes(
  calendars: ConfigData['freezes'],
  zone: string,
  fromMs: number,
  toMs: number,
): Promise<Freezes> {
  const read = await Promise.all(
    calendars.map(async ({ calendar, zone: own }) => {
      try {
        const text = await calendarText(calendar);
        return { ...(await expanded({ text, zone: own ?? zone, fromMs, toMs })), why: null };
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        return { spans: [], free: [], why: `${calendarName(calendar)}: ${error.message}` };
      }
    }),
  );
  return {
    freezes: read.flatMap(({ spans }) => spans).toSorted((a, b) => a.fromMs - b.fromMs),
    unread: read.flatMap(({ why }) => why ?? []),
    free: [...new Set(read.flatMap(({ free }) => free))],
  };
}

function expanded(input: {
  readonly text: string;
  readonly zone: string;
  readonly fromMs: number;
  readonly toMs: number;
}): Promise<{
  readonly spans: Freezes['freezes'];
  readonly free: readonly string[];
}> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url), {
      workerData: input,
      execArgv: [],
    });
    const cancel = afterRealMs(EXPAND_MS, () =>
      end(new Unreadable(`it was not laid out within ${EXPAND_MS / 1000} s`)),
    );
    const end = (error: Error): void => {
      cancel();
      reject(error);
      void worker.terminate();
    };
    worker.once('error', (error) => end(new Unreadable(`it cannot be laid out: ${String(error)}`)));
    worker.once('exit', () => end(new Unreadable('it cannot be laid out')));
    worker.once('message', (message: unknown) => {
      cancel();
      const answer = answerSchema.parse(message);
      if ('expanded' in answer) resolve(answer.expanded);
      else reject(new Unreadable(answer.unreadable));
    });
  });
}
