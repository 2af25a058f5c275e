import { z } from 'zod';
import type { Condition, Verdict } from '../../model/index.ts';

export const input = z.strictObject({
  /** For how long every probe must go on passing, in plan milliseconds; 0: once. */
  forMs: z.number().int().nonnegative().default(0),
});

export const readings = z.strictObject({
  probes: z.array(
    z.strictObject({
      name: z.string(),
      status: z.number(),
      tookMs: z.number(),
      withinMs: z.number(),
      fault: z.string().nullable(),
    }),
  ),
});

export function decide(): Verdict<never> {
  return { verdict: 'nothing' };
}

/** A probe fails on its status, on silence, and on being slow. */
export function judge({ probes }: z.output<typeof readings>): Condition {
  const failed = probes.find((probe) => probe.fault !== null || probe.status >= 400 || probe.tookMs > probe.withinMs);
  if (!failed) return { holds: true };
  if (failed.fault !== null) return { holds: false, why: `the ${failed.name} request got no answer: ${failed.fault}` };
  if (failed.status >= 400) return { holds: false, why: `the ${failed.name} request was answered ${failed.status}` };
  return {
    holds: false,
    why: `the ${failed.name} request took ${Math.round(failed.tookMs)} ms, more than ${failed.withinMs} ms`,
  };
}
