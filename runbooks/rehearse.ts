/**
 * Purpose: measure the fuse: how long a server in offline mode goes on answering when a dependency is away.
 * Blast radius: the one server that is named; it is out of the balancer from the first step that takes until it is proven.
 * Way back: the cut removes itself; the server leaves offline mode, is refreshed and proven, and gets traffic again.
 */
import {
  checkServer,
  cutPath,
  defineRunbook,
  dependencyAnswers,
  gate,
  giveTraffic,
  hardReset,
  holding,
  measureFuse,
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
  title: 'Rehearse an outage on one server',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({
    cut: z.string().default('database'),
    forMs: z.number().int().positive().default(300_000),
    traffic: z.number().positive().max(1).default(0.05),
    productionPerSecond: z.number().nonnegative().optional(),
  }),
  budget: { failures: 1 },
  window: { limitMs: 4 * 60 * 60_000 },

  steps: ({ api }, { cut, forMs, traffic, productionPerSecond }) => [
    checkServer(api),
    takeOut(api),
    offlineMode(api, { on: true }),
    refreshCaches(api),
    // Answers now, and has its sessions before the path is cut.
    probe(api),
    holding(cutPath(api, { from: cut, forMs: forMs + 120_000 }), [
      measureFuse(api, { forMs, traffic, productionPerSecond }),
    ]),
    dependencyAnswers(api, { from: cut }),
    offlineMode(api, { on: false }),
    refreshCaches(api),
    proveConfiguration(api),
    probe(api),
    giveTraffic(api),
  ],

  contingencies: ({ api }, { cut }) => [
    whenHung(api, { title: 'Recover the server if it hangs', suspectAbove: 3 }, (hung) => [
      takeOut(hung),
      gate('Hard-reset over the BMC?', { role: 'power', onTimeout: 'hold' }),
      hardReset(hung),
      proveConfiguration(hung),
      whenFleetIsBack(),
      dependencyAnswers(hung, { from: cut }),
      offlineMode(hung, { on: false }),
      refreshCaches(hung),
      probe(hung),
      giveTraffic(hung),
    ]),
  ],
});
