import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { expandCalendar } from './expand.ts';

/**
 * Lays out one calendar in a thread of its own: a rule that never comes to an end then ends with its thread, and nothing
 * else waits for it.
 */
const { text, zone, fromMs, toMs } = z
  .object({ text: z.string(), zone: z.string(), fromMs: z.number(), toMs: z.number() })
  .parse(workerData);
const port = parentPort;
port?.postMessage(answer());

function answer(): object {
  try {
    return { expanded: expandCalendar(text, zone, fromMs, toMs) };
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message : String(error) };
  }
}
