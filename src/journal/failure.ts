import { FailureError, type FailureKind } from '../model/index.ts';
import { remedyFor, stateFor, type Trouble, type TroubleReason } from './trouble.ts';

/**
 * What a journal or registry rejects with. `reason` is what the engine branches on: after `outcome-unknown` and
 * `full` it stops, opens the journal again and reads what is there.
 */
export class JournalFailure extends FailureError {
  readonly reason: TroubleReason;

  constructor(trouble: Trouble, run: string, options?: ErrorOptions) {
    const { reason, what, where } = trouble;
    super({ kind: kinds[reason], what, where, state: stateFor(reason), remedy: remedyFor(reason, run) }, options);
    this.name = 'JournalFailure';
    this.reason = reason;
  }
}

const kinds: Readonly<Record<TroubleReason, FailureKind>> = {
  exists: 'needs',
  missing: 'needs',
  'in-use': 'needs',
  'unsafe-place': 'needs',
  unsupported: 'needs',
  damaged: 'output',
  full: 'full',
  'outcome-unknown': 'lost',
  overrun: 'timeout',
  closed: 'internal',
};
