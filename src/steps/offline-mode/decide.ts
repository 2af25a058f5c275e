import { z } from 'zod';
import type { Verdict } from '../../model/index.ts';

export const input = z.strictObject({ on: z.boolean() });
export const pinned = z.strictObject({ offline: z.enum(['on', 'off']) });
export const change = z.strictObject({ from: z.enum(['on', 'off']), to: z.enum(['on', 'off']) });

export function decide(
  facts: z.output<typeof pinned>,
  { on }: z.output<typeof input>,
): Verdict<z.output<typeof change>> {
  const to = on ? 'on' : 'off';
  if (facts.offline === to) return { verdict: 'nothing' };
  return { verdict: 'change', change: { from: facts.offline, to }, diff: [`offline mode: ${facts.offline} -> ${to}`] };
}
