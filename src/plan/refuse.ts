import { FailureError } from '../model/index.ts';

/** A runbook, input or selection that no plan can be made of. Nothing was contacted. */
export function refuse(what: string, where: string, remedy: string): never {
  throw new FailureError({ kind: 'condition', what, where, state: 'Nothing was contacted', remedy });
}
