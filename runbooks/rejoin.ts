/**
 * Purpose: bring servers back that were kept out: quarantined in a run, or left out of one by name.
 * Blast radius: it takes nothing from anybody; a server gets traffic when its configuration is proven, the database answers from it and its caches are warm.
 * Way back: a server that does not come through stays out of the balancer, so doing it again is always safe.
 */
import {
  checkServer,
  defineRunbook,
  dependencyAnswers,
  giveTraffic,
  inSlots,
  inWaves,
  offlineMode,
  probe,
  proveConfiguration,
  refreshCaches,
  z,
} from 'neap';

export default defineRunbook({
  title: 'Bring servers back into service',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({ capacityPerSecond: z.number().positive().default(40) }),
  // Nothing here takes anything away: one server that is not fit keeps none of the others out.
  budget: { failures: 10_000 },
  window: { limitMs: 4 * 60 * 60_000 },

  steps: ({ api }, { capacityPerSecond }) => [
    checkServer(api),
    dependencyAnswers(api, { from: 'database' }),
    proveConfiguration(api),
    inWaves({ by: 'domain', atMost: 20 }, offlineMode(api, { on: false })),
    inSlots({ perSecond: capacityPerSecond, fraction: 0.7 }, refreshCaches(api)),
    probe(api),
    giveTraffic(api),
  ],
});
