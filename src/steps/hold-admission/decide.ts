import { z } from 'zod';
import type { Verdict } from '../../model/index.ts';

export const admission = z.enum(['held', 'free']);
export const pinned = z.strictObject({ admission });
export const change = z.strictObject({ from: admission, to: admission });

export function decide(facts: z.output<typeof pinned>): Verdict<z.output<typeof change>> {
  // What somebody else holds is his to let go of.
  if (facts.admission === 'held') return { verdict: 'nothing' };
  return { verdict: 'change', change: { from: 'free', to: 'held' }, diff: ['admission: free -> held'] };
}
