/** One worker of a campaign: runs the seeds it is given and tells what came of them. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';

await import(new URL('../../bin/register.js', import.meta.url).href);
const { simulate, SimulationFailed } = await import('./simulate.ts');

/** Seeds are told of in lots. */
const LOT = 100;

export interface Lot {
  readonly counts: Readonly<Record<string, number>>;
  readonly events: number;
  readonly failures: readonly { readonly seed: number; readonly promise: string; readonly what: string }[];
}

const port = parentPort as MessagePort;
const { from, to, step } = workerData as { readonly from: number; readonly to: number; readonly step: number };
for (let start = from; start <= to; start += step * LOT) {
  const counts: Record<string, number> = {};
  const failures: { seed: number; promise: string; what: string }[] = [];
  let events = 0;
  for (let seed = start; seed <= to && seed < start + step * LOT; seed += step) {
    try {
      const told = await simulate(seed);
      const key = told === null ? 'refused by its preview' : `${told.shape.runbook}: ${told.outcome}`;
      counts[key] = (counts[key] ?? 0) + 1;
      events += told?.events.length ?? 0;
    } catch (error) {
      if (!(error instanceof SimulationFailed)) throw error;
      failures.push({ seed, promise: error.promise, what: error.message });
    }
  }
  port.postMessage({ counts, events, failures } satisfies Lot, []);
}
