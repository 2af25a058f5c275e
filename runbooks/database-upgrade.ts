/**
 * Purpose: upgrade the database behind offline mode, so that users see a page and not errors.
 * Blast radius: every API server of the fleet is offline from the waves in until the waves out; the canary first, alone.
 * Way back: until the hardware work starts, leaving offline mode; once the database is away, hold offline until it answers.
 */
import {
  atRate,
  checkServer,
  cutPath,
  defineRunbook,
  dependencyAnswers,
  first,
  gate,
  giveTraffic,
  hardReset,
  holding,
  inSlots,
  inWaves,
  offlineMode,
  probe,
  proveConfiguration,
  proveFuse,
  question,
  refreshCaches,
  rest,
  takeOut,
  whenFleetIsBack,
  whenHung,
  z,
} from 'neap';

export default defineRunbook({
  title: 'Database upgrade behind offline mode',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({
    outageMs: z.number().int().positive().default(120_000),
    marginMs: z.number().int().positive().default(20_000),
    capacityPerSecond: z.number().positive().default(40),
    /** What is sent to the canary while its path is cut, beside its own traffic: a share of one server's production rate. */
    traffic: z.number().positive().max(1).default(0.01),
  }),
  budget: { failures: 3 },
  window: { limitMs: 60 * 60_000 },

  steps: ({ api }, { outageMs, marginMs, capacityPerSecond, traffic }) => {
    const canary = first(api, 1);
    const fuse = { outageMs, marginMs };
    return [
      checkServer(api),
      offlineMode(canary, { on: true }),
      refreshCaches(canary),
      holding(cutPath(canary, { from: 'database', forMs: outageMs + 3 * marginMs }), [
        probe(canary, { forMs: outageMs + marginMs, traffic }),
      ]),
      inWaves({ by: 'domain', atMost: 20 }, offlineMode(rest(api, 1), { on: true })),
      inSlots({ perSecond: capacityPerSecond, fraction: 0.7 }, refreshCaches(api)),
      proveFuse(api, fuse),
      gate('Hardware work may start?', { role: 'database', fuse, freshMs: 30_000, onTimeout: 'abort' }),
      question('Hardware work done?', {
        role: 'database',
        answers: { yes: 'go-on', 'not yet': 'ask-again', failed: 'go-home' },
        onTimeout: 'hold',
      }),
      dependencyAnswers(api, { from: 'database' }),
      inWaves({ by: 'domain', atMost: 20 }, offlineMode(api, { on: false })),
      proveConfiguration(api),
      probe(api),
      giveTraffic(api),
    ];
  },

  contingencies: ({ api }, { capacityPerSecond }) => [
    whenHung(api, { title: 'Recover hung servers', suspectAbove: 3 }, (hung) => [
      takeOut(hung),
      gate('Hard-reset over the BMC?', { role: 'power', onTimeout: 'hold' }),
      atRate({ perMinute: 30 }, hardReset(hung)),
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
