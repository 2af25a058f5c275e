import databaseUpgrade from '../../runbooks/database-upgrade.ts';
import recoverFleet from '../../runbooks/recover-fleet.ts';
import {
  askBeforeUndo,
  byHand,
  checkServer,
  cutPath,
  defineRunbook,
  first,
  gate,
  hardReset,
  giveTraffic,
  guarded,
  holding,
  httpProbe,
  inSlots,
  inWaves,
  offlineMode,
  probe,
  proveConfiguration,
  question,
  refreshCaches,
  rest,
  takeOut,
  whenFleetIsBack,
  whenGuard,
  whenHung,
  z,
} from '../../src/index.ts';
import type { Runbook } from '../../src/model/index.ts';
import { setAside, stamp } from '../support/kinds.ts';

/** Non-idempotent, irreversible, held and soaked, and no contingency. */
const stampAll = defineRunbook({
  title: 'Stamp every server',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({}),
  budget: { failures: 2 },
  window: { limitMs: 45 * 60_000 },
  steps: ({ api }) => [
    checkServer(api),
    askBeforeUndo(inWaves({ canary: 1, by: 'domain', atMost: 3 }, setAside(api, { forMs: 30_000 }))),
    gate('Go on?', { role: 'any', onTimeout: 'abort', expiresMs: 300_000 }),
    inWaves({ atMost: 4 }, stamp(api)),
    holding(cutPath(rest(api, 1), { from: 'database', forMs: 120_000 }), [probe(rest(api, 1), { forMs: 20_000 })]),
    giveTraffic(api),
  ],
});

/** A small offline window with a risk between refresh and gate, and a contingency whose gate gives up and which ends in a wait. */
const short = defineRunbook({
  title: 'A short window',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({}),
  budget: { failures: 4 },
  window: { limitMs: 20 * 60_000 },
  steps: ({ api }) => [
    offlineMode(first(api, 1), { on: true }),
    inSlots(
      {
        perSecond: 1.25,
        fraction: 0.8,
        also: [{ resource: 'logins', perSecond: 0.5, each: 'domain' }],
        canary: { servers: 1, pauseMs: 2_000 },
      },
      refreshCaches(api),
    ),
    inWaves({ by: 'domain', atMost: 2 }, offlineMode(rest(api, 1), { on: true })),
    question('Done?', {
      role: 'database',
      fuse: { outageMs: 60_000, marginMs: 10_000 },
      answers: { yes: 'go-on', wait: 'ask-again' },
      onTimeout: 'abort',
      expiresMs: 600_000,
    }),
    offlineMode(api, { on: false }),
    proveConfiguration(api, { againAfterMs: 0 }),
    giveTraffic(api),
  ],
  contingencies: ({ api }) => [
    whenHung(api, { title: 'Recover', suspectAbove: 1 }, (hung) => [
      takeOut(hung),
      gate('Reset?', { role: 'power', onTimeout: 'abort', expiresMs: 500_000 }),
      hardReset(hung),
      proveConfiguration(hung),
      offlineMode(hung, { on: false }),
      giveTraffic(hung),
      whenFleetIsBack(),
    ]),
  ],
});

/** Risk under the eyes of two guards: one stops it, the other turns it for home. */
const guardedWindow = defineRunbook({
  title: 'A guarded window',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({}),
  budget: { failures: 3, percent: 50 },
  window: { limitMs: 60 * 60_000 },
  steps: ({ api }) => [
    checkServer(api),
    guarded(
      httpProbe({ title: 'mail is delivered', get: 'http://guard.test/', withinMs: 1_000, everyMs: 20_000, forMs: 0 }),
      [
        inWaves({ canary: 1, atMost: 3 }, setAside(api, { forMs: 60_000 })),
        guarded(
          httpProbe({
            title: 'logins work',
            get: 'http://login.test/',
            withinMs: 1_000,
            everyMs: 20_000,
            forMs: 30_000,
            onTrip: 'home',
          }),
          [inWaves({ by: 'domain', atMost: 2 }, offlineMode(api, { on: true }))],
        ),
      ],
    ),
    gate('Work done?', { role: 'any', onTimeout: 'abort', expiresMs: 900_000, ahead: true }),
    offlineMode(api, { on: false }),
    proveConfiguration(api),
    giveTraffic(api),
  ],
  contingencies: ({ api }) => [
    whenGuard(api, { title: 'Refresh', guard: 'mail is delivered' }, (armed) => [
      inSlots({ perSecond: 2, fraction: 1 }, refreshCaches(armed)),
    ]),
    byHand(api, { title: 'Out and home', afterwards: 'home' }, (armed) => [
      inWaves({ atMost: 2 }, takeOut(armed)),
      gate('Back?', { role: 'any', onTimeout: 'abort', expiresMs: 300_000 }),
      giveTraffic(armed),
    ]),
  ],
});

/** What a seed picks from: those that ship, and some that go where they do not. */
export const RUNBOOKS: readonly { readonly name: string; readonly runbook: Runbook; readonly weight: number }[] = [
  { name: 'database-upgrade', runbook: databaseUpgrade as unknown as Runbook, weight: 4 },
  { name: 'recover-fleet', runbook: recoverFleet as unknown as Runbook, weight: 1 },
  { name: 'stamp-all', runbook: stampAll as unknown as Runbook, weight: 2 },
  { name: 'short', runbook: short as unknown as Runbook, weight: 3 },
  { name: 'guarded', runbook: guardedWindow as unknown as Runbook, weight: 3 },
];
