import { z } from 'zod';
import type { Verdict } from '../../model/index.ts';

export const pinned = z.strictObject({ traffic: z.enum(['in', 'out']).nullable() });
export const change = z.strictObject({ from: z.enum(['in', 'out']), to: z.enum(['in', 'out']) });

export function decideTraffic(to: 'in' | 'out', facts: z.output<typeof pinned>): Verdict<z.output<typeof change>> {
  if (facts.traffic === null || facts.traffic === to) return { verdict: 'nothing' };
  return { verdict: 'change', change: { from: facts.traffic, to }, diff: [`traffic: ${facts.traffic} -> ${to}`] };
}
