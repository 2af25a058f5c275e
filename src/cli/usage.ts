import { FailureError } from '../model/index.ts';

/** What was asked cannot be asked like that: exit code 2. */
export class UsageError extends FailureError {}

export function usage(what: string, remedy: string): UsageError {
  return new UsageError({ kind: 'condition', what, where: 'command line', state: 'Nothing was started', remedy });
}
