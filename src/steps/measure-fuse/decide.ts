import { z } from 'zod';
import { drivenSchema, trafficShareSchema, type Verdict } from '../../model/index.ts';

export const input = z.strictObject({
  /** For how long at most, in plan milliseconds. */
  forMs: z.number().int().positive(),
  traffic: trafficShareSchema,
  /** Production's rate for one server as it was read beforehand; without it, as the fleet file declares it. */
  productionPerSecond: z.number().nonnegative().optional(),
});

/** Null: no request has been sent yet. */
export const readings = z.strictObject({ driven: drivenSchema.nullable() });

export function decide(): Verdict<never> {
  return { verdict: 'nothing' };
}

/** The first failures are what it is for. */
export function enough({ driven }: z.output<typeof readings>): boolean {
  return driven?.failure != null;
}
