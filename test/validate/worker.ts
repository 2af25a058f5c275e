import { parentPort, workerData } from 'node:worker_threads';
import { checks } from './checks.ts';

/** One result, on a thread of its own. */
const { id, seeds } = workerData as { readonly id: string; readonly seeds: readonly number[] };
parentPort?.postMessage(checks.find((check) => check.id === id)?.rows(seeds) ?? [], []);
