import { z } from 'zod';
import type { Verdict } from '../../model/index.ts';

export const pinned = z.strictObject({ clocks: z.array(z.string()) });
export const change = z.strictObject({ refresh: z.array(z.string()) });

export function decide(facts: z.output<typeof pinned>): Verdict<z.output<typeof change>> {
  if (facts.clocks.length === 0) return { verdict: 'nothing' };
  return {
    verdict: 'change',
    change: { refresh: facts.clocks },
    diff: facts.clocks.map((clock) => `refresh ${clock}`),
  };
}
