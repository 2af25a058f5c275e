import type { ActStep, GateStep, Plan, PlanStep } from '../../src/model/index.ts';

const T0 = Date.UTC(2021, 1, 1, 1, 50);

function act(id: string, title: string, servers: readonly string[], more: Partial<ActStep> = {}): ActStep {
  return {
    step: 'act',
    id,
    title,
    kind: { name: 'offline-mode', version: 1 },
    nature: 'risk',
    input: {},
    idempotent: true,
    onUnmet: 'fail',
    failureEnds: false,
    needs: [],
    undoNeeds: [],
    irreversible: null,
    leavesNothing: false,
    alters: [],
    waves: [[...servers]],
    atMost: 20,
    perSecond: null,
    releasedBy: null,
    releases: null,
    soakMs: 0,
    expectedMs: 3_000,
    expectedFrom: { from: 'kind' },
    undoes: null,
    askBeforeUndo: false,
    ...more,
  };
}

function gate(id: string, title: string, more: Partial<GateStep> = {}): GateStep {
  return {
    step: 'gate',
    id,
    title,
    role: 'database',
    answers: { yes: 'go-on', 'not yet': 'ask-again', no: 'go-home' },
    fuse: null,
    freshMs: null,
    expiresMs: 4 * 3_600_000,
    onTimeout: 'hold',
    ahead: false,
    renewFrom: null,
    ...more,
  };
}

export interface Sketch {
  readonly servers: readonly string[];
  readonly except?: Plan['header']['except'];
  readonly title?: string;
  readonly findings?: Plan['header']['findings'];
  readonly failures?: number;
}

/** A database maintenance in small: check, offline, refresh, two gates, online; and the recovery of hung servers. */
export function sketchPlan({
  servers,
  except = [],
  title = 'Database upgrade',
  findings = [],
  failures = 3,
}: Sketch): Plan {
  const steps: PlanStep[] = [
    act('1', 'check server', servers, {
      nature: 'check',
      leavesNothing: true,
      kind: { name: 'check-server', version: 1 },
    }),
    act('2', 'enter offline mode', servers),
    act('3', 'refresh caches', servers, { leavesNothing: true, perSecond: 28 }),
    gate('4', 'Hardware work may start?', { fuse: { outageMs: 120_000, marginMs: 20_000 }, renewFrom: '3' }),
    gate('5', 'Hardware work done?'),
    act('6', 'leave offline mode', servers, {
      nature: 'restore',
      needs: [{ need: 'answers', dependency: 'database' }],
    }),
  ];
  const hardReset = act('c1.2', 'hard reset over the BMC', [], {
    nature: 'restore',
    kind: { name: 'hard-reset', version: 1 },
    idempotent: false,
    irreversible: 'what was in memory is gone',
    waves: [],
  });
  return {
    hash: 'f'.repeat(64),
    header: {
      format: 1,
      neap: '0.1.0',
      title,
      runbook: { path: 'runbooks/small.ts', digest: 'a'.repeat(64) },
      fleet: { name: 'mail', path: 'fleet.ts', digest: 'b'.repeat(64), rate: 1 },
      inputs: { outageMs: 120_000 },
      kinds: [],
      madeAtMs: T0,
      notAfterMs: T0 + 86_400_000,
      seed: 1,
      canaries: [],
      except: [...except],
      budget: { failures, percent: null },
      window: {
        limitMs: 3_600_000,
        expectedMs: 300_000,
        homeMs: 60_000,
        opensAtMs: null,
        closesAtMs: null,
        plannedMs: null,
        zone: null,
      },
      freezes: [],
      guards: [],
      lease: { store: 'local', guards: 'this machine only' },
      mirror: null,
      rollbackOf: null,
      steps,
      contingencies: [
        {
          id: 'c1',
          title: 'Recover hung servers',
          when: 'hung',
          group: 'api',
          suspectAbove: 9,
          steps: [gate('c1.1', 'Hard-reset?', { role: 'power' }), hardReset],
          afterwards: 'return',
        },
      ],
      forecast: null,
      findings: [...findings],
      slices: [],
    },
    slices: [
      {
        lane: 0,
        servers: servers.map((name, at) => ({ name, group: 'api', domain: `rack-${at % 4}` })),
        verdicts: {
          '1': Object.fromEntries(servers.map((name) => [name, { verdict: 'nothing' as const }])),
          '2': Object.fromEntries(
            servers.map((name) => [name, { verdict: 'change' as const, change: { to: 'on' }, diff: ['off -> on'] }]),
          ),
        },
        captured: {},
      },
    ],
  };
}
