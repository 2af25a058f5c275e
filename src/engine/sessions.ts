import type { PlanStep, Server } from '../model/index.ts';
import { isSecretRef, type Secrets } from './reach/secrets.ts';

/** The kinds that send the fleet's requests. */
const SENDERS = new Set(['probe', 'measure-fuse']);

/**
 * Has the sessions that a plan's probes carry, before its first step: one that can only be obtained while a dependency
 * answers would be missing when its path is cut. What cannot be had is tried again by the probe that needs it.
 */
export async function openSessions(
  servers: readonly Server[],
  steps: readonly PlanStep[],
  secrets: Pick<Secrets, 'resolve'>,
): Promise<void> {
  const probed = new Set(
    steps.flatMap((step) => (step.step === 'act' && SENDERS.has(step.kind.name) ? step.waves.flat() : [])),
  );
  const references = new Set(
    servers
      .filter(({ name }) => probed.has(name))
      .flatMap(({ service }) => Object.values(service.probes).flatMap(({ headers }) => Object.values(headers ?? {})))
      .filter(isSecretRef),
  );
  await Promise.allSettled([...references].map((reference) => secrets.resolve(reference)));
}
