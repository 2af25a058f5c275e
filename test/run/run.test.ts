import { describe, expect, test } from 'vitest';
import {
  atRate,
  cutPath,
  defineRunbook,
  gate,
  giveTraffic,
  hardReset,
  holding,
  inWaves,
  offlineMode,
  probe,
  takeOut,
  whenHung,
  z,
} from '../../src/index.ts';
import type { Failure, Plan, Runbook, StepSpec, Targets, Way } from '../../src/model/index.ts';
import { allFlying, budgetOf } from '../../src/run/index.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { setAside, stamp } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';

type Api = Targets<Way>;
interface Wish {
  readonly servers: number;
  readonly failures?: number;
  readonly limitMs?: number;
  readonly steps: (api: Api) => readonly StepSpec[];
  readonly suspectAbove?: number;
}

function planFor({ servers, failures = 3, limitMs = 24 * 3_600_000, steps, suspectAbove }: Wish): Plan {
  const runbook = defineRunbook({
    title: 'made up',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures },
    window: { limitMs },
    steps: ({ api }) => steps(api as Api),
    ...(suspectAbove === undefined
      ? {}
      : {
          contingencies: ({ api }) => [
            whenHung(api as Api, { title: 'Recover', suspectAbove }, (hung) => [
              takeOut(hung),
              gate('Reset?', { role: 'power', onTimeout: 'abort', expiresMs: 60_000 }),
              hardReset(hung),
            ]),
          ],
        }),
  }) as unknown as Runbook;
  const fleet = paperFleet({ servers });
  return compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
}

const failure = (kind: Failure['kind']): Failure => ({ kind, what: kind, where: '', state: '', remedy: '' });

/** These servers fail when the line acts on them; the rest goes well, the way to take them out of the balancer too. */
function failing(servers: readonly string[], kind: Failure['kind'] = 'command', rest: Script = goesWell()): Script {
  return (effect, nowMs) =>
    effect.effect === 'perform' && effect.place.track === 'main' && servers.includes(effect.place.target)
      ? { type: 'performed', id: effect.id, failure: failure(kind) }
      : rest(effect, nowMs);
}

/** Nothing that is begun ends, but for these words. */
function only(words: readonly string[]): Script {
  return (effect, nowMs) => (words.includes(effect.effect) ? goesWell()(effect, nowMs) : undefined);
}

describe('the failure budget, to the letter', () => {
  test('N may be under way, and none more, whatever the cap', () => {
    expect(
      new Drive(planFor({ servers: 10, failures: 4, steps: (api) => [setAside(api)] }), only([])).settle().made('look'),
    ).toHaveLength(4);
    expect(
      new Drive(
        planFor({ servers: 10, failures: 4, steps: (api) => [inWaves({ atMost: 2 }, setAside(api))] }),
        only([]),
      )
        .settle()
        .made('look'),
    ).toHaveLength(2);
  });

  test('each failure takes one from what may be under way, and the last one turns the run home', () => {
    const plan = planFor({ servers: 10, failures: 3, steps: (api) => [setAside(api)] });
    const drive = new Drive(plan, (effect, nowMs) =>
      'place' in effect && Number(effect.place.target.slice(4)) > 3 && effect.effect === 'look'
        ? undefined
        : failing(['api-01', 'api-02'], 'command')(effect, nowMs),
    ).settle();
    expect(drive.made('perform', 'main')).toEqual(['api-01', 'api-02', 'api-03']);
    expect(drive.state.mode).toBe('forward');
    // Two are spent, so only one may be under way.
    expect(allFlying(drive.state.flying)).toHaveLength(1);
    const flying = allFlying(drive.state.flying)[0];
    drive.say({ type: 'looked', id: flying?.id ?? '', outcome: { failure: failure('denied') } }).settle();
    expect(drive.closed).toMatchObject({ exitCode: 1, outcome: 'home' });
    expect(drive.state.homeWhy?.code).toBe('budget');
    expect(drive.made('look', 'main')).toHaveLength(4);
  });

  test('a broken path counts once, however many servers are behind it', () => {
    const plan = planFor({ servers: 6, failures: 3, steps: (api) => [setAside(api)] });
    const broken: Script = (effect) =>
      effect.effect === 'look'
        ? { type: 'looked', id: effect.id, outcome: { failure: { ...failure('path'), path: 'jump' } } }
        : goesWell()(effect, 0);
    const drive = new Drive(plan, broken).until(60_000);
    expect(drive.state.out).toEqual({});
    // Three were under way when it broke: nobody joins them, and it is one failure.
    expect(new Set(drive.made('look')).size).toBe(3);
    expect(budgetOf(drive.state, drive.machine.index).spent).toBe(1);
    expect(drive.state.mode).toBe('forward');
  });

  test('giving back has its cap and no budget', () => {
    const drive = new Drive(
      planFor({ servers: 10, failures: 1, steps: (api) => [giveTraffic(api)] }),
      only([]),
    ).settle();
    expect(drive.made('look')).toHaveLength(10);
  });
});

describe('the way home', () => {
  const steps = (api: Api): StepSpec[] => [
    inWaves({ canary: 1, atMost: 2 }, setAside(api)),
    inWaves({ atMost: 3 }, takeOut(api)),
    gate('Go on?', { role: 'any', onTimeout: 'hold' }),
  ];
  const change = { from: 'in', to: 'out' };

  test('undoes the last step first, each wave by wave as it went in, last wave first', () => {
    const drive = new Drive(planFor({ servers: 5, steps }), goesWell(change)).settle().answer('3', 'no');
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
    const undone = drive.effects.flatMap((effect) =>
      effect.effect === 'undo' ? [`${effect.place.step}.${effect.place.wave} ${effect.place.target}`] : [],
    );
    const waves = drive.state.tracks[1]?.steps.map((step) =>
      step.step === 'act' ? step.waves.map(({ targets }) => Object.keys(targets)) : [],
    );
    expect(waves?.[1]?.at(-1)).toEqual(['api-1']);
    expect(undone).toHaveLength(10);
    expect(undone.map((each) => each.slice(0, 3))).toEqual(undone.map((each) => each.slice(0, 3)).toSorted());
  });

  test('waits while a need of it is unmet, and goes on when it is met', () => {
    let away = true;
    const script: Script = (effect, nowMs) =>
      effect.effect === 'look' && effect.for === 'undo' && away
        ? {
            type: 'looked',
            id: effect.id,
            outcome: seen(null, {
              verdict: { verdict: 'nothing' },
              need: { holds: false, why: 'the database is away' },
            }),
          }
        : goesWell(change)(effect, nowMs);
    const drive = new Drive(
      planFor({ servers: 2, steps: (api) => [takeOut(api), gate('Go on?', { role: 'any', onTimeout: 'hold' })] }),
      script,
    )
      .settle()
      .answer('2', 'no')
      .until(600_000);
    expect(drive.made('undo')).toEqual([]);
    expect(drive.state.closed).toBeNull();
    expect(
      drive.effects.some((effect) => effect.effect === 'page' && effect.text.includes('the database is away')),
    ).toBe(true);
    away = false;
    expect(drive.until(606_000).closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  });

  test('is not held up by one server whose need stays unmet: the others come home', () => {
    let cut = true;
    const script: Script = (effect, nowMs) =>
      effect.effect === 'look' && effect.for === 'undo' && cut && effect.place.target === 'api-5'
        ? {
            type: 'looked',
            id: effect.id,
            outcome: seen(null, { verdict: { verdict: 'nothing' }, need: { holds: false, why: 'its path is cut' } }),
          }
        : goesWell(change)(effect, nowMs);
    const inPairs = (api: Api): StepSpec[] => [
      inWaves({ atMost: 2 }, takeOut(api)),
      gate('Go on?', { role: 'any', onTimeout: 'hold' }),
    ];
    // The last wave in is the first one out: without passing it by, nobody would come home.
    const drive = new Drive(planFor({ servers: 6, steps: inPairs }), script).settle().answer('2', 'no').until(600_000);
    expect(drive.made('undo').toSorted()).toEqual(['api-1', 'api-2', 'api-3', 'api-4', 'api-6']);
    expect(drive.state.closed).toBeNull();
    cut = false;
    expect(drive.until(606_000).closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  });

  test('takes back what was begun and failed, and what cannot be taken back is named', () => {
    const drive = new Drive(
      planFor({ servers: 3, failures: 2, steps: (api) => [offlineMode(api, { on: true })] }),
      failing(['api-1']),
    ).settle();
    expect(drive.made('undo')).toEqual(['api-1']);
    expect(drive.closed).toMatchObject({ outcome: 'done', exitCode: 0 });
    const worse = failing(['api-1'], 'command', (effect, nowMs) =>
      effect.effect === 'undo'
        ? { type: 'performed', id: effect.id, failure: failure('denied') }
        : goesWell()(effect, nowMs),
    );
    const stuck = new Drive(
      planFor({ servers: 3, failures: 2, steps: (api) => [offlineMode(api, { on: true })] }),
      worse,
    ).until(60_000);
    expect(stuck.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
    expect(stuck.closed.summary).toContain('State not proven: api-1');
  });

  test('what was sent and never answered has its time before "as before" is believed', () => {
    const script = failing(['api-1'], 'timeout', (effect, nowMs) => {
      if (effect.effect === 'confirm' && effect.place.target === 'api-1' && effect.place.track === 'main')
        return { type: 'confirmed', id: effect.id, failure: failure('not-confirmed') };
      return effect.effect === 'look' && effect.for === 'undo'
        ? { type: 'looked', id: effect.id, outcome: seen({ to: 'out' }) }
        : goesWell()(effect, nowMs);
    });
    const drive = new Drive(planFor({ servers: 2, steps: (api) => [offlineMode(api, { on: true })] }), script).until(
      100_000,
    );
    const last = drive.effects.findLast((effect) => effect.effect === 'look' && effect.place.track !== 'c1');
    const failedAt = drive.state.out['api-1']?.sinceMs ?? 0;
    expect(last).toMatchObject({ place: { track: 'home1', target: 'api-1' } });
    expect((drive.closed.atMs ?? 0) - failedAt).toBeGreaterThanOrEqual(15_000);
  });

  test('a hold is released whatever ends what is done under it, and who fails under it is released too', () => {
    const script: Script = (effect, nowMs) => {
      if (effect.effect === 'look' && effect.place.step === 1 && effect.place.track === 'main')
        return {
          type: 'looked',
          id: effect.id,
          outcome: seen(null, { verdict: { verdict: 'nothing' }, condition: { holds: false, why: 'slow' } }),
        };
      return goesWell({ dependency: 'database', forMs: 1_000 })(effect, nowMs);
    };
    const drive = new Drive(
      planFor({
        servers: 3,
        failures: 2,
        steps: (api) => [holding(cutPath(api, { from: 'database', forMs: 1_000 }), [probe(api)])],
      }),
      script,
    ).settle();
    expect(drive.closed.outcome).toBe('home');
    expect(drive.made('undo').toSorted()).toEqual(['api-1', 'api-2', 'api-3']);
  });
});

test('a hold that ended by itself is held again, and who fell out for that takes part again in everything behind it', () => {
  const change = { dependency: 'database', forMs: 1_000 };
  let last = true;
  const script: Script = (effect, nowMs) => {
    if (effect.effect !== 'look' || effect.place.step !== 2) return goesWell(change)(effect, nowMs);
    const waits = last && effect.place.target === 'api-3';
    return waits
      ? undefined
      : { type: 'looked', id: effect.id, outcome: seen(null, { verdict: { verdict: 'nothing' } }) };
  };
  const steps = (api: Api): StepSpec[] => [
    holding(cutPath(api, { from: 'database', forMs: 1_000 }), [probe(api)]),
    giveTraffic(api),
  ];
  const drive = new Drive(planFor({ servers: 3, failures: 4, steps }), script).settle();
  last = false;
  // The others are released when it shows that api-3 held nothing any more.
  drive.say({ type: 'looked', id: allFlying(drive.state.flying)[0]?.id ?? '', outcome: seen(change) }).settle();
  const made = drive.effects.flatMap((effect) =>
    effect.effect === 'perform' ? [`${effect.place.step} ${effect.place.target}`] : [],
  );
  expect(made.filter((each) => each === '0 api-3')).toHaveLength(2);
  expect(made.filter((each) => each.startsWith('3 ')).toSorted()).toEqual(['3 api-1', '3 api-2', '3 api-3']);
  expect(drive.closed.outcome).toBe('done');
});

describe('halt, abort and the window', () => {
  test('halt starts nothing and acts on nothing; what was seen before is seen anew', () => {
    const drive = new Drive(planFor({ servers: 4, failures: 2, steps: (api) => [setAside(api)] }), only([]))
      .settle()
      .say({ type: 'halted', by: 'somebody' });
    for (const { id } of allFlying(drive.state.flying)) drive.say({ type: 'looked', id, outcome: seen({ to: 'out' }) });
    drive.settle();
    expect(drive.made('perform')).toEqual([]);
    drive.nowMs = 600_000;
    drive.say({ type: 'unhalted', by: 'somebody' }).settle();
    expect(drive.made('perform')).toEqual([]);
    expect(drive.made('look')).toEqual(['api-1', 'api-2', 'api-1', 'api-2']);
  });

  test('abort lets what is under way end, starts nothing more, and goes home', () => {
    const drive = new Drive(planFor({ servers: 4, failures: 2, steps: (api) => [setAside(api)] }), only(['look']))
      .settle()
      .say({ type: 'abort', by: 'somebody', reason: 'enough' });
    drive.script = goesWell();
    for (const { id } of allFlying(drive.state.flying)) drive.say({ type: 'performed', id });
    drive.settle();
    expect(drive.made('perform')).toEqual(['api-1', 'api-2']);
    expect(drive.made('undo').toSorted()).toEqual(['api-1', 'api-2']);
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  });

  test('a risk step goes on to more servers only while they and the way home fit into the window', () => {
    const plan = planFor({ servers: 4, limitMs: 60_000, steps: (api) => [inWaves({ atMost: 1 }, setAside(api))] });
    const drive = new Drive(plan, only(['look', 'perform', 'page'])).settle();
    expect(drive.made('look')).toEqual(['api-1']);
    drive.nowMs = 55_000;
    drive.script = goesWell();
    drive.say({ type: 'confirmed', id: allFlying(drive.state.flying)[0]?.id ?? '' }).settle();
    expect(drive.state.homeWhy?.code).toBe('window');
    expect(drive.closed.outcome).toBe('home');
    expect(drive.made('perform')).toEqual(['api-1']);
  });
});

describe('outcomes', () => {
  const drifted: Script = (effect, nowMs) =>
    effect.effect === 'look' && effect.for === 'perform' && effect.place.target === 'api-1'
      ? { type: 'looked', id: effect.id, outcome: seen(null, { withinBounds: false }) }
      : goesWell()(effect, nowMs);

  test.each([
    ['done', 0, goesWell()],
    ['stale', 6, drifted],
    ['home', 1, failing(['api-1'])],
  ] as const)('%s is exit code %i', (outcome, exitCode, script) => {
    const drive = new Drive(
      planFor({ servers: 3, steps: (api) => [inWaves({ canary: 1, atMost: 2 }, setAside(api))] }),
      script,
    ).settle();
    expect(drive.closed).toMatchObject({ outcome, exitCode });
  });

  test('what is not idempotent and may have been done is not done again: a person is needed, and told', () => {
    const script: Script = (effect, nowMs) => {
      if ('place' in effect && effect.place.track !== 'main') return goesWell()(effect, nowMs);
      if (effect.effect === 'confirm') return { type: 'confirmed', id: effect.id, failure: failure('not-confirmed') };
      if (effect.effect === 'look')
        return { type: 'looked', id: effect.id, outcome: seen({ from: 0, to: 1 }, { repeatable: false }) };
      return failing(['api-1', 'api-2'], 'lost')(effect, nowMs);
    };
    const drive = new Drive(planFor({ servers: 2, failures: 3, steps: (api) => [stamp(api)] }), script).until(60_000);
    expect(drive.made('perform', 'main')).toEqual(['api-1', 'api-2']);
    const asked = drive.effects.flatMap((effect) => (effect.effect === 'ask' ? [effect.gate] : []));
    expect(asked).toEqual(['doubt1:api-1', 'doubt2:api-2']);
    for (const gate of asked) {
      expect(drive.state.closed).toBeNull();
      drive.answer(gate, 'leave');
    }
    expect(drive.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
  });

  test('nobody is left untold: the run is not closed before its pages are out', () => {
    const drive = new Drive(
      planFor({ servers: 1, steps: (api) => [gate('Go on?', { role: 'any', onTimeout: 'hold' }), setAside(api)] }),
      only(['ask']),
    )
      .settle()
      .answer('1', 'no');
    expect(drive.state.closed).toBeNull();
    for (const { id } of allFlying(drive.state.flying)) drive.say({ type: 'paged', id });
    expect(drive.settle().closed.outcome).toBe('home');
  });
});

describe('a contingency', () => {
  const hung =
    (servers: readonly string[], condition: 'hung' | 'silent' = 'hung'): Script =>
    (effect, nowMs) => {
      if (effect.effect === 'look' && effect.place.track === 'main' && servers.includes(effect.place.target))
        return { type: 'looked', id: effect.id, outcome: { failure: failure('unreachable') } };
      if (effect.effect === 'diagnose')
        return { type: 'diagnosed', id: effect.id, condition, seen: 'silent everywhere' };
      return goesWell()(effect, nowMs);
    };
  const steps = (api: Api): StepSpec[] => [atRate({ perMinute: 6_000 }, setAside(api))];

  test('is armed for who is hung, asks before power, and acts on nobody else', () => {
    const drive = new Drive(planFor({ servers: 4, failures: 4, suspectAbove: 2, steps }), hung(['api-2'])).until(
      30_000,
    );
    expect(drive.events.filter(({ type }) => type === 'armed')).toMatchObject([{ servers: ['api-2'], suspect: false }]);
    expect(drive.gate('c1')?.phase).toBe('asked');
    expect(drive.made('perform', 'c1')).toEqual(['api-2']);
    drive.script = goesWell({ reset: 'hard', lastResetAt: null });
    drive.answer('c1:c1.2', 'yes');
    expect(drive.made('perform', 'c1')).toEqual(['api-2', 'api-2']);
    expect(drive.closed).toMatchObject({ outcome: 'done', exitCode: 0 });
    expect(drive.closed.summary).toContain('Recovered on the way: api-2');
  });

  test('many at once: power is disarmed until a person re-arms it', () => {
    const waits: Script = (effect, nowMs) =>
      effect.effect === 'diagnose' ? undefined : hung(['api-1', 'api-2', 'api-3'])(effect, nowMs);
    const drive = new Drive(planFor({ servers: 6, failures: 6, suspectAbove: 2, steps }), waits).until(30_000);
    for (const { id } of allFlying(drive.state.flying))
      drive.say({ type: 'diagnosed', id, condition: 'hung', seen: 'silent everywhere' });
    drive.settle();
    expect(drive.events.filter(({ type }) => type === 'armed')).toMatchObject([{ suspect: true }]);
    expect(drive.made('perform', 'c1')).toEqual([]);
    expect(drive.answer('c1:rearm', 'no').closed).toMatchObject({ outcome: 'human', exitCode: 5 });
  });

  test('who falls silent one by one counts together: the first too many disarms', () => {
    const drive = new Drive(
      planFor({ servers: 6, failures: 6, suspectAbove: 2, steps }),
      hung(['api-1', 'api-2', 'api-3']),
    ).until(30_000);
    expect(drive.events.flatMap((event) => (event.type === 'armed' ? [event.suspect] : []))).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('silence that is not proven hung resets nobody', () => {
    const drive = new Drive(
      planFor({ servers: 4, failures: 4, suspectAbove: 2, steps }),
      hung(['api-2'], 'silent'),
    ).until(30_000);
    // It is taken out of the balancer, and that is all.
    expect(drive.events.filter(({ type }) => type === 'armed')).toMatchObject([
      { contingency: 'c2', servers: ['api-2'] },
    ]);
    expect(drive.closed.summary).toContain('neap fleet rejoin api-2');
  });

  test('an abort behind the end of the line turns nothing round, and the run still ends', () => {
    const drive = new Drive(planFor({ servers: 4, failures: 4, suspectAbove: 2, steps }), hung(['api-2'])).until(
      30_000,
    );
    drive.say({ type: 'abort', by: 'somebody', reason: 'enough' }).settle();
    expect(drive.made('undo')).toEqual([]);
    expect(drive.answer('c1:c1.2', 'no').closed).toMatchObject({ outcome: 'human' });
  });

  test('a gate of it that nobody answers in time gives up, and names its servers', () => {
    const drive = new Drive(planFor({ servers: 4, failures: 4, suspectAbove: 2, steps }), hung(['api-2'])).until(
      120_000,
    );
    expect(drive.events).toContainEqual(expect.objectContaining({ type: 'answered', answer: 'no', by: 'nobody' }));
    expect(drive.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
  });

  test('nobody is forgotten between falling out and being diagnosed', () => {
    const late: Script = (effect, nowMs) => (effect.effect === 'diagnose' ? undefined : hung(['api-2'])(effect, nowMs));
    const drive = new Drive(planFor({ servers: 4, failures: 4, suspectAbove: 2, steps }), late).until(30_000);
    expect(drive.state.tracks.find(({ id }) => id === 'main')?.status).toBe('finished');
    expect(drive.state.closed).toBeNull();
  });
});
