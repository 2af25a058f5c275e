import { z } from 'zod';

/**
 * What went wrong, as a value. Every one says what happened, where, what state it left and what to do now
 * (promise 14), so that no reader has to match message text.
 */
export const failureSchema = z.object({
  /** Which sort of failure; the machine branches on this and on nothing else. */
  kind: z.enum([
    'unreachable', // no answer from the server: nothing is known of it
    'path', // the way there is broken (jump host, own network): one fault, however many servers lie behind it
    'host-key', // the server is not the one that was known: never retried
    'denied', // login, sudo or BMC privileges
    'timeout', // it answered before, and not within its deadline
    'lost', // the connection ended in the middle: the effect may or may not have happened
    'command', // it ran and said no
    'output', // it ran and answered what cannot be read
    'full', // no space to write
    'not-confirmed', // performed, but reading it again does not show it
    'condition', // a condition of the runbook is not met
    'drift', // the server is not as the plan saw it
    'needs', // something that must be true before this step is not
    'hung', // SSH, health and balancer all silent, power on
    'bmc', // out-of-band management does not do its part
    'internal', // a defect of neap itself
  ]),
  what: z.string(),
  where: z.string(),
  state: z.string(),
  remedy: z.string(),
  /** For kind `path`: what the servers have in common, e.g. the name of the jump host. */
  path: z.string().optional(),
});

export type Failure = z.output<typeof failureSchema>;
export type FailureKind = Failure['kind'];

/** A failure on its way to whoever turns it into an event. Anything else thrown is a defect. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(sentence(failure), options);
    this.name = 'FailureError';
    this.failure = failure;
  }
}

/** One failure as a person reads it. */
export function sentence(failure: Failure): string {
  return `${failure.where}: ${failure.what}. ${failure.state}. ${failure.remedy}`;
}
