import { z } from 'zod';
import { defineStep } from '../define.ts';
import { change, conditionOf, decide, describeVitals, pinned } from './decide.ts';
import { FailureError } from '../../model/index.ts';
import type { Confirmation, Reader } from '../../ports/index.ts';

/** Hard-resets a hung server over its BMC. A server that answers in any way is left alone. Done when its boot has changed. */
export const hardReset = defineStep({
  name: 'hard-reset',
  version: 1,
  reach: ['bmc'],
  reads: ['power'],
  alters: ['power', 'config', 'offline', 'cache', 'path'],
  input: z.strictObject({}),
  pinned,
  readings: z.strictObject({}),
  change,
  idempotent: false,
  // The BMC's own record of its last reset is part of the change.
  sameChangeProvesUntouched: ({ lastResetAt }) => lastResetAt !== null,
  title: () => 'hard reset over the BMC',
  nature: () => 'restore',
  async observe(_server, _input, read) {
    const vitals = await read.vitals();
    const condition = conditionOf(vitals);
    const lastResetAt = condition === 'hung' ? (await read.power()).lastResetAt : null;
    return {
      pinned: { condition, seen: condition === 'alive' ? 'it answers' : describeVitals(vitals), lastResetAt },
      readings: {},
    };
  },
  decide,
  bounds: () => true,
  perform: (_server, _change, hands) => hands.hardReset(),
  async confirm(_server, before, read, { priorBootId }): Promise<Confirmation> {
    const bootId = await bootIdOrNull(read);
    if (bootId === null) return { done: false, why: 'it does not answer over SSH yet' };
    if (priorBootId !== null) {
      return bootId === priorBootId
        ? { done: false, why: 'it is still in the boot from before the reset' }
        : { done: true, readings: { bootId } };
    }
    const { lastResetAt } = await read.power();
    const proven = lastResetAt !== null && lastResetAt !== before.lastResetAt;
    return proven
      ? { done: true, readings: { bootId } }
      : { done: false, why: 'its boot before the reset was never read and the BMC shows no later reset' };
  },
  expectedMs: () => 60_000,
  back: { irreversible: 'what the server had in memory is gone' },
});

async function bootIdOrNull(read: Reader): Promise<string | null> {
  try {
    return await read.bootId();
  } catch (error) {
    if (error instanceof FailureError) return null;
    throw error;
  }
}
