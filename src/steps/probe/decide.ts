import { z } from 'zod';
import { drivenSchema, trafficShareSchema, type Condition, type Verdict } from '../../model/index.ts';

export const input = z.strictObject({
  /** For how long every probe must go on passing, in plan milliseconds; 0: once. */
  forMs: z.number().int().nonnegative().default(0),
  /** With `forMs`: so much of production's rate is sent meanwhile, and a rehearsal is written down of it. */
  traffic: trafficShareSchema.optional(),
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
  /** What became of the traffic that was sent. */
  driven: drivenSchema.optional(),
});

export function decide(): Verdict<never> {
  return { verdict: 'nothing' };
}

/** A probe fails on its status, on silence, and on being slow. */
export function judge({ probes, driven }: z.output<typeof readings>): Condition {
  if (driven?.failure) {
    const { atMs, request, why } = driven.failure;
    return {
      holds: false,
      why: `the ${request} requests failed ${Math.round((atMs - driven.fromMs) / 1000)} s after they began: the first ${why}`,
    };
  }
  const failed = probes.find((probe) => probe.fault !== null || probe.status >= 400 || probe.tookMs > probe.withinMs);
  if (!failed) return { holds: true };
  if (failed.fault !== null) return { holds: false, why: `the ${failed.name} request got no answer: ${failed.fault}` };
  if (failed.status >= 400) return { holds: false, why: `the ${failed.name} request was answered ${failed.status}` };
  return {
    holds: false,
    why: `the ${failed.name} request took ${Math.round(failed.tookMs)} ms, more than ${failed.withinMs} ms`,
  };
}
