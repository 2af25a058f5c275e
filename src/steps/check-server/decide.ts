import { z } from 'zod';
import type { Verdict } from '../../model/index.ts';

export const pinned = z.strictObject({
  power: z.string().nullable(),
  canReset: z.boolean().nullable(),
  /** Why the BMC could not be read; null when it was. */
  bmcFault: z.string().nullable(),
});

/** A server that could not be brought back is not taken into a window. */
export function decide(facts: z.output<typeof pinned>): Verdict<never> {
  if (facts.bmcFault !== null) {
    return {
      verdict: 'refused',
      why: `its BMC is not ready: ${facts.bmcFault}`,
      remedy: 'Mend the BMC, or leave the server out with --except',
    };
  }
  if (facts.canReset === false) {
    return {
      verdict: 'refused',
      why: 'its BMC offers no hard reset to this account',
      remedy: 'Give the BMC account the right to reset, or leave the server out with --except',
    };
  }
  if (facts.power !== null && facts.power !== 'On') {
    return {
      verdict: 'refused',
      why: `its BMC says that power is ${facts.power}`,
      remedy: 'Power it on, or leave the server out with --except',
    };
  }
  return { verdict: 'nothing' };
}
