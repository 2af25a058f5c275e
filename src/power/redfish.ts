import type { Bmc } from '../model/index.ts';
import type { Power, PowerFacts } from '../ports/index.ts';
import { pinnedRequests } from './pinned.ts';
import { canReset, sendHardReset } from './reset.ts';
import type { BmcTarget, System } from './system.ts';
import { findSystem, readSystem } from './system.ts';

/**
 * Power over Redfish (DMTF DSP0266), with Basic authentication and without sessions, of which BMCs have few. Addresses
 * are followed from the service root, never built. Requests to one BMC go one after the other. A read is tried again
 * where the BMC is busy; a reset is sent once, whatever comes back.
 */
export function openRedfish(bmc: Bmc, password: () => Promise<string>, where: string): Power {
  const closing = new AbortController();
  const target: BmcTarget = { bmc, where, request: pinnedRequests(bmc, password, where, closing.signal) };
  let systemPath: string | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const system = async (): Promise<System> => {
    systemPath ??= await findSystem(target);
    try {
      return await readSystem(target, systemPath);
    } catch (error) {
      // After an update of its firmware the BMC may have it at another address: found afresh the next time.
      systemPath = null;
      throw error;
    }
  };
  return {
    read: () => inTurn(async () => factsOf(await system())),
    hardReset: () => inTurn(() => sendHardReset(target, system)),
    close: async () => {
      closing.abort();
      await last;
    },
  };
}

function factsOf(system: System): PowerFacts {
  return { state: system.power, lastResetAt: system.lastResetAt, canReset: canReset(system) };
}
