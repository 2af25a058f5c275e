import { z } from 'zod';
import type { Verdict } from '../../model/index.ts';

export const input = z.strictObject({ from: z.string(), forMs: z.number().int().positive() });
export const pinned = z.strictObject({ path: z.enum(['open', 'cut']) });
export const change = z.strictObject({ dependency: z.string(), forMs: z.number() });

export function decide(
  facts: z.output<typeof pinned>,
  { from, forMs }: z.output<typeof input>,
): Verdict<z.output<typeof change>> {
  if (facts.path === 'cut') {
    return {
      verdict: 'refused',
      why: `its path to ${from} is cut already`,
      remedy: 'Restore it, or wait until the cut removes itself, then plan again',
    };
  }
  return {
    verdict: 'change',
    change: { dependency: from, forMs },
    diff: [`path to ${from}: open -> cut, removing itself after ${Math.ceil(forMs / 1000)} s`],
  };
}
