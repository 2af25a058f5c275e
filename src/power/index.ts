import { FailureError } from '../model/index.ts';
import type { Server } from '../model/index.ts';
import type { Power } from '../ports/index.ts';
import { openRedfish } from './redfish.ts';

/** How a server is reset when nothing on it answers: out-of-band management. */

/**
 * A server's power, or null where it has no BMC. `secret` resolves a reference when the BMC is first asked, not before.
 */
export function openPower(server: Server, secret: (reference: string) => Promise<string>): Power | null {
  const { bmc } = server;
  return bmc === undefined ? null : openRedfish(bmc, () => secret(bmc.password), server.name);
}

/** What to say where a step needs a BMC and the fleet gives none. */
export function noPower(server: Server): FailureError {
  return new FailureError({
    kind: 'bmc',
    what: 'it has no BMC',
    where: server.name,
    state: 'Nothing was sent to it',
    remedy: `Give ${server.name} a bmc: { protocol: 'redfish', ... } in the fleet`,
  });
}

export { openRedfish };
