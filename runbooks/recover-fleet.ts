/**
 * Purpose: bring a fleet back into full service, however much of it hangs or was left offline.
 * Blast radius: it takes nothing from a server that works; hung ones are taken out, hard-reset and proven.
 * Way back: none from a reset; each server stays out of the balancer until it is proven, so going slower is always safe.
 */
import {
  atRate,
  checkServer,
  defineRunbook,
  dependencyAnswers,
  gate,
  giveTraffic,
  hardReset,
  inSlots,
  inWaves,
  offlineMode,
  probe,
  proveConfiguration,
  refreshCaches,
  takeOut,
  whenFleetIsBack,
  whenHung,
  z,
} from 'neap';

export default defineRunbook({
  title: 'Bring the fleet back into service',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({
    capacityPerSecond: z.number().positive().default(40),
    resetsPerMinute: z.number().positive().default(30),
  }),
  // Nothing here takes anything away, so no number of dead servers is a reason to stop.
  budget: { failures: 10_000 },
  window: { limitMs: 4 * 60 * 60_000 },

  steps: ({ api }) => [
    checkServer(api),
    dependencyAnswers(api, { from: 'database' }),
    inWaves({ by: 'domain', atMost: 20 }, offlineMode(api, { on: false })),
    proveConfiguration(api),
    probe(api),
    giveTraffic(api),
  ],

  contingencies: ({ api }, { capacityPerSecond, resetsPerMinute }) => [
    whenHung(api, { title: 'Recover hung servers', suspectAbove: 3 }, (hung) => [
      takeOut(hung),
      gate('Hard-reset over the BMC?', { role: 'power', onTimeout: 'hold' }),
      atRate({ perMinute: resetsPerMinute }, hardReset(hung)),
      proveConfiguration(hung),
      whenFleetIsBack(),
      dependencyAnswers(hung, { from: 'database' }),
      offlineMode(hung, { on: false }),
      inSlots({ perSecond: capacityPerSecond, fraction: 0.7 }, refreshCaches(hung)),
      probe(hung),
      giveTraffic(hung),
    ]),
  ],
});
