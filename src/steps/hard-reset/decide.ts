import { z } from 'zod';
import type { Verdict } from '../../model/index.ts';
import type { Vitals } from '../../ports/index.ts';

export const pinned = z.strictObject({
  condition: z.enum(['alive', 'hung', 'silent']),
  seen: z.string(),
  lastResetAt: z.string().nullable(),
});
export const change = z.strictObject({ reset: z.literal('hard'), lastResetAt: z.string().nullable() });

/**
 * Alive, hung, or merely silent. Hung needs every one of: SSH silent, health silent, the balancer's own check failing
 * (a second vantage point), the BMC saying On, and the control targets outside the fleet answering (promise 10).
 */
export function conditionOf(vitals: Vitals): 'alive' | 'hung' | 'silent' {
  if (vitals.ssh === 'answers' || vitals.http === 'answers') return 'alive';
  const seenDown = vitals.balancer === 'down';
  const ownPathGood = vitals.control === 'answers';
  return seenDown && ownPathGood && vitals.power === 'On' ? 'hung' : 'silent';
}

/** The evidence, in words. */
export function describeVitals(vitals: Vitals): string {
  return [
    `SSH ${vitals.ssh}`,
    vitals.http === null ? null : `HTTP ${vitals.http}`,
    vitals.balancer === null ? 'no balancer to ask' : `the balancer sees it ${vitals.balancer}`,
    vitals.power === null ? 'power unknown' : `power ${vitals.power}`,
    vitals.control === null
      ? 'no control target'
      : `control targets ${vitals.control === 'answers' ? 'answer' : 'silent'}`,
  ]
    .filter((part) => part !== null)
    .join(', ');
}

export function decide(facts: z.output<typeof pinned>): Verdict<z.output<typeof change>> {
  if (facts.condition === 'alive') return { verdict: 'nothing' };
  if (facts.condition === 'silent') {
    return {
      verdict: 'refused',
      why: `it is silent, but not proven hung (${facts.seen}): power stays as it is`,
      remedy: 'Find out why it is silent; neap resets only what SSH, health, the balancer and the BMC agree is hung',
    };
  }
  return {
    verdict: 'change',
    change: { reset: 'hard', lastResetAt: facts.lastResetAt },
    diff: ['hung -> hard reset over its BMC'],
  };
}
