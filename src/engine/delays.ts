import { FailureError, type Fleet } from '../model/index.ts';
import type { Reach } from './reach/index.ts';

/** Longer than any query waits is no delay: the unit is wrong. */
const DELAY_MAX_MS = 24 * 60 * 60_000;

/**
 * Reads what a query waits in a dependency, from one server after the other of those that list how. Not answered in
 * time is the longest delay there is; everything else that is no number is no reading.
 */
export function delayReader(
  fleet: Fleet,
  reach: Pick<Reach, 'reader'>,
): (dependency: string, servers: readonly string[], turn: number) => Promise<number | null> {
  const byName = new Map(fleet.servers.map((server) => [server.name, server]));
  return async (dependency, servers, turn) => {
    const able = servers
      .flatMap((name) => byName.get(name) ?? [])
      .filter(({ service }) => Object.hasOwn(service.dependencies, dependency))
      .filter(({ service }) => service.dependencies[dependency]?.delay !== undefined);
    const server = able[turn % Math.max(1, able.length)];
    if (!server) return null;
    try {
      const answer = await reach.reader(server).ask(`delay:${dependency}`);
      const delayMs = answer.trim() === '' ? Number.NaN : Number(answer);
      return delayMs >= 0 && delayMs <= DELAY_MAX_MS ? delayMs : null;
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      return error.failure.kind === 'timeout' ? Infinity : null;
    }
  };
}
