import type { Server } from '../model/index.ts';
import type { DriveWish } from '../ports/index.ts';

/** Where production's rate is not declared, and where its share is less: requests a plan second. */
const LEAST_PER_SECOND = 1;

/** The fleet's anonymous and logged-in requests in turn, at a share of what one server gets in production. */
export function trafficTo({ service }: Server, share: number, measuredPerSecond?: number): DriveWish {
  const productionPerSecond = measuredPerSecond ?? service.load?.requestsPerSecond ?? null;
  const { anonymous, loggedIn } = service.probes;
  return {
    share,
    productionPerSecond,
    perSecond: Math.max(LEAST_PER_SECOND, share * (productionPerSecond ?? 0)),
    requests: [
      { name: 'anonymous', path: anonymous.path, headers: anonymous.headers ?? {}, withinMs: anonymous.withinMs },
      { name: 'logged-in', path: loggedIn.path, headers: loggedIn.headers ?? {}, withinMs: loggedIn.withinMs },
    ],
  };
}
