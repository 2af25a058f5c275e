import { z } from 'zod';

/**
 * The rule by which servers get their slots. Who comes when is reckoned when the step begins, and again by every engine
 * that takes the run over.
 */
export const slotRuleSchema = z.strictObject({
  /** One token of each a slot, one every `everyMs`. `of`: which part of it a server draws on; null: all on the same. */
  resources: z
    .array(
      z.strictObject({
        name: z.string(),
        everyMs: z.number().positive(),
        of: z.record(z.string(), z.string()).nullable(),
      }),
    )
    .min(1),
  canary: z.strictObject({ servers: z.number().int().positive(), pauseMs: z.number().nonnegative() }).nullable(),
  /** Waves are the runbook's own: nobody is moved from one into another. */
  keepsWaves: z.boolean(),
  /** The range of the times to live of what is refreshed; null: the servers have no clocks. */
  ttlMs: z.strictObject({ min: z.number().positive(), max: z.number().positive() }).nullable(),
  /** What the servers have in clocks, i.e. refreshes a slot. */
  each: z.number().int().positive(),
  coherenceBelow: z.number().positive().nullable(),
  /** What it slows down on, and whose delay is read (null: nobody tells one). */
  slowDown: z
    .strictObject({
      dependency: z.string().nullable(),
      windowMs: z.number().positive(),
      delayMs: z.number().positive(),
      freezeDelayMs: z.number().positive(),
      errorShare: z.number().nonnegative(),
      freezeErrorShare: z.number().nonnegative(),
    })
    .nullable(),
  /** What the model of the fleet made of the schedule, over many seeds; null: it was not tried. */
  forecast: z
    .strictObject({
      spanMs: z.number().nonnegative(),
      perSecond: z.number().positive(),
      /** Who expires before its slot, by the readings of the preview; null: their ages could not be told beforehand. */
      late: z.number().int().nonnegative().nullable(),
      /** The fewest a second with which nobody would; null likewise, or where some have expired already. */
      leastPerSecond: z.number().nonnegative().nullable(),
      /** How far together expiries lie now, and behind the schedule. */
      coherence: z.number().min(0).max(1).nullable(),
      coherenceAfter: z.number().min(0).max(1).nullable(),
      trials: z.number().int().positive(),
      peakP50: z.number().nonnegative(),
      peakP99: z.number().nonnegative(),
      worstDelayMs: z.number().nonnegative(),
      /** What the fleet declares that can be served; null: nothing. */
      capacityPerSecond: z.number().positive().nullable(),
    })
    .nullable(),
});
export type SlotRuleOfPlan = z.output<typeof slotRuleSchema>;
