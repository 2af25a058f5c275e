import { type Backoff, backoffMs, Kernel, normal, Stream } from '../../src/herd/des/index.ts';
import { type Check, type Row } from './row.ts';

const CLIENTS = 50;
const ROUNDS = 10;
const KINDS = ['none', 'exponential', 'equal', 'full', 'decorrelated'] as const;
const delay = normal(10, 2);

/** Clients who all want to write one row: each reads its version and writes if nobody wrote meanwhile. */
export const backoffs: Check = {
  id: 'V12',
  title: 'Backoff and jitter',
  source: 'Brooker, AWS Architecture Blog 2015; aws-samples/aws-arch-backoff-simulator',
  chosen: 'nothing: network 10 +- 2 ms, base 5 ms, cap 2,000 ms are its own; 50 clients',
  rows: (seeds) => {
    const all = new Map(KINDS.map((kind) => [kind, seeds.map((seed) => writes(seed, kind))]));
    const over = (what: 'calls' | 'ms', a: Kind, b: Kind, published: string): Row => ({
      what: `${what === 'ms' ? 'time' : 'calls'}: ${a} over ${b}`,
      published,
      ours: seeds.map((_, at) => (all.get(a)?.[at]?.[what] ?? 0) / (all.get(b)?.[at]?.[what] ?? 0)),
      unit: 'x',
      same: [1, Infinity],
    });
    return [
      over('calls', 'none', 'exponential', 'no backoff is worst'),
      over('calls', 'exponential', 'equal', 'without jitter it is little better'),
      over('calls', 'exponential', 'decorrelated', 'without jitter it is little better'),
      over('calls', 'equal', 'full', 'equal does slightly more work than full'),
      over('ms', 'equal', 'full', 'equal takes much longer than full'),
      over('calls', 'decorrelated', 'full', 'full does less work than decorrelated'),
      over('ms', 'full', 'decorrelated', 'full takes slightly longer than decorrelated'),
    ];
  },
};

type Kind = (typeof KINDS)[number];

/** How often all clients together called to write, and how long it took until the last had written; means of some rounds. */
function writes(seed: number, kind: Kind): { readonly calls: number; readonly ms: number } {
  let [calls, ms] = [0, 0];
  const backoff: Backoff = kind === 'none' ? { kind } : { kind, baseMs: 5, capMs: 2_000 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const kernel = new Kernel();
    const stream = new Stream(seed * 1_000 + round, kind);
    let version = 0;
    const read = (attempt: number, beforeMs: number | null): void =>
      void kernel.after(delay(stream), () => {
        const seen = version;
        kernel.after(delay(stream), () =>
          kernel.after(delay(stream), () => {
            calls += 1;
            const written = seen === version;
            if (written) version += 1;
            kernel.after(delay(stream), () => {
              if (written) return;
              const waitMs = backoffMs(backoff, attempt, beforeMs, stream);
              kernel.after(waitMs, () => read(attempt + 1, waitMs));
            });
          }),
        );
      });
    for (let client = 0; client < CLIENTS; client += 1) read(1, null);
    kernel.drain(5_000_000);
    ms += kernel.nowMs;
  }
  return { calls: calls / ROUNDS, ms: ms / ROUNDS };
}
