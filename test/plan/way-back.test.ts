import { describe, expect, test } from 'vitest';
import {
  cutPath,
  defineRunbook,
  giveTraffic,
  holding,
  inWaves,
  offlineMode,
  probe,
  takeOut,
  z,
} from '../../src/index.ts';
import type { Plan, Runbook, StepSpec, Targets, Way } from '../../src/model/index.ts';
import { tampered } from '../../src/plan/index.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { mend, setAside, stamp } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';
import { paperWayBack, type BackWish } from '../support/way-back.ts';

// Goal: the way back holds everything that the run did and only that, last first, with its reasons. Method: runs driven
// by hand, and plans compiled from their events.

type Api = Targets<Way>;

function runbookOf(steps: (api: Api) => readonly StepSpec[]): Runbook {
  return defineRunbook({
    title: 'made up',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures: 3 },
    window: { limitMs: 24 * 3_600_000 },
    steps: ({ api }) => steps(api),
  }) as unknown as Runbook;
}

/** Each kind's own change, as its servers would show it. */
const changes: Script = (effect, nowMs) => {
  const title = effect.effect === 'look' ? titleOf(effect.place.step) : '';
  const change = title.includes('offline') ? onOff(title) : { from: 'in', to: 'out' };
  if (effect.effect === 'look' && effect.for === 'perform' && /offline|balancer/.test(title))
    return { type: 'looked', id: effect.id, outcome: seen(change) };
  return goesWell({ to: 'out' })(effect, nowMs);
};
let line: Plan;
const titleOf = (at: number): string => line.header.steps[at]?.title ?? '';
const onOff = (title: string) => (title.startsWith('enter') ? { from: 'off', to: 'on' } : { from: 'on', to: 'off' });

function ran(
  steps: (api: Api) => readonly StepSpec[],
  wish: Partial<BackWish> = {},
  servers = 4,
  script: Script = changes,
) {
  const runbook = runbookOf(steps);
  const fleet = paperFleet({ servers });
  line = compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
  const drive = new Drive(line, script).until(3_600_000);
  return paperWayBack(drive, { runbook, servers, ...wish });
}

const shown = ({ header }: Plan) =>
  header.steps.map((step) =>
    step.step === 'act'
      ? `${step.id} ${step.nature} ${step.undoes?.step} ${JSON.stringify(step.waves)}`
      : `${step.id} gate`,
  );

describe('steps', () => {
  test('last first, wave by wave reversed, at the same cap; undoing a risk gives back, undoing a gift takes', () => {
    const back = ran((api) => [inWaves({ atMost: 2 }, takeOut(api)), probe(api), mend(api)]);
    expect(shown(back)).toEqual([
      '1 risk 3 [["api-1","api-2","api-3","api-4"]]',
      '2 restore 1 [["api-3","api-4"],["api-1","api-2"]]',
    ]);
    expect(back.header.steps[1]).toMatchObject({ atMost: 2, undoes: { run: 'r', step: '1' }, undoNeeds: [{}, {}, {}] });
    expect(back.header).toMatchObject({ canaries: [], forecast: null, contingencies: [], findings: [] });
    expect(back.header.rollbackOf).toMatchObject({ run: 'r', outcome: 'done', title: 'made up' });
    expect(tampered(back)).toBeNull();
    expect(back.slices[0]!.verdicts['2']!['api-1']).toMatchObject({
      verdict: 'change',
      change: { from: 'in', to: 'out' },
    });
  });

  test('who is taken away by one step and given back by the next goes through both before the others do', () => {
    const back = ran(
      (api) => [inWaves({ atMost: 2 }, takeOut(api)), giveTraffic(api)],
      {
        standing: ({ step }) => ({ stands: step === '1' ? 'other' : 'after', seen: [] }),
      },
      7,
    );
    // The failure budget is three: at no time are more out of the balancer.
    expect(shown(back)).toEqual([
      '1 risk 2 [["api-1","api-2"]]',
      '2 restore 1 [["api-1","api-2"]]',
      '3 risk 2 [["api-3","api-4"]]',
      '4 restore 1 [["api-3","api-4"]]',
      '5 risk 2 [["api-5","api-6"]]',
      '6 restore 1 [["api-5","api-6"]]',
      '7 risk 2 [["api-7"]]',
      '8 restore 1 [["api-7"]]',
    ]);
    expect(Object.keys(back.slices[0]!.verdicts['4']!)).toEqual(['api-3', 'api-4']);
    expect(back.slices[0]!.verdicts['4']!['api-3']).toMatchObject({
      verdict: 'change',
      change: { from: 'in', to: 'out' },
    });
  });

  test('what was taken and given again is at its goal, and said so by name', () => {
    const back = ran((api) => [offlineMode(api, { on: true }), offlineMode(api, { on: false })], {
      standing: ({ step }) => ({ stands: step === '1' ? 'before' : 'after' }),
    });
    expect(back.header.steps).toEqual([]);
    expect(back.header.rollbackOf!.left.map(({ step, because, servers }) => [step, because, servers.length])).toEqual([
      ['2', 'nothing', 4],
      ['1', 'nothing', 4],
    ]);
  });

  test('what has no way back is named with its reason; a hold that was released is nobody’s business any more', () => {
    const back = ran(
      (api) => [stamp(api), holding(cutPath(api, { from: 'database', forMs: 60_000 }), [probe(api)]), setAside(api)],
      { standing: ({ step }) => ({ stands: step === '2' ? 'before' : 'after' }) },
    );
    expect(shown(back)).toEqual([expect.stringMatching(/^1 restore 5 /)]);
    expect(back.header.rollbackOf!.left).toMatchObject([
      { step: '2', because: 'nothing', why: 'the run itself took it back' },
      { step: '1', because: 'no-way-back', why: 'ink is ink' },
    ]);
    expect(back.header.findings).toMatchObject([{ severity: 'warning', code: 'no-way-back' }]);
  });

  test('a flagged step has a gate before its undo', () => {
    const back = ran((api) => [setAside(api), { ...setAside(api), askBeforeUndo: true }]);
    expect(shown(back).map((each) => each.slice(0, 12))).toEqual(['1 gate', '2 restore 2 ', '3 restore 1 ']);
    expect(back.header.steps[0]).toMatchObject({ answers: { yes: 'go-on', no: 'go-home' }, onTimeout: 'hold' });
  });
});

describe('part of it', () => {
  const three = (api: Api) => [setAside(api), setAside(api), setAside(api)];

  test('--to: what came after that step, which stays', () => {
    expect(shown(ran(three, { to: '2' })).map((each) => each.slice(0, 11))).toEqual(['1 restore 3']);
    expect(ran(three, { to: '3' }).header.steps).toEqual([]);
    expect(() => ran(three, { to: '9' })).toThrow('no step 9');
  });

  test('--only: these servers, and nobody else is in the plan', () => {
    const back = ran(three, { only: ['api-2'] });
    expect(back.header.steps.map((step) => step.step === 'act' && step.waves)).toEqual([
      [['api-2']],
      [['api-2']],
      [['api-2']],
    ]);
    expect(back.slices.flatMap(({ servers }) => servers.map(({ name }) => name))).toEqual(['api-2']);
    expect(back.header.rollbackOf!.only).toEqual(['api-2']);
  });
});

describe('drift', () => {
  const standing: BackWish['standing'] = ({ server }) =>
    server === 'api-2' ? { stands: 'other', seen: ['traffic: sideways'] } : { stands: 'after' };

  test('a server that somebody changed since refuses the plan, with both changes and the way out', () => {
    const back = ran((api) => [setAside(api)], { standing });
    expect(back.header.findings).toMatchObject([{ severity: 'refusal', code: 'drift' }]);
    const { what, cures } = back.header.findings[0]!;
    expect(what).toMatch(
      /^api-2: since the run somebody changed what step 1 had done.*\{"to":"out"\}.*Now it would do: traffic: sideways/,
    );
    expect(cures[0]).toContain('--except api-2=');
  });

  test('left out by name and reason: the others can be taken back', () => {
    const back = ran((api) => [setAside(api)], {
      standing,
      except: [{ server: 'api-2', reason: 'its owner is on it' }],
    });
    expect(back.header.findings).toMatchObject([{ severity: 'warning', code: 'except' }]);
    expect(shown(back)).toEqual(['1 restore 1 [["api-1","api-3","api-4"]]']);
  });

  test('a server that cannot be read refuses the plan too', () => {
    const failure = {
      kind: 'unreachable' as const,
      what: 'it does not answer',
      where: 'x',
      state: 'Nothing was done',
      remedy: 'Look at it',
    };
    const back = ran((api) => [setAside(api)], { standing: () => ({ stands: 'unread', failure }) });
    expect(back.header.findings).toMatchObject([{ severity: 'refusal', code: 'unreachable' }]);
  });
});

test('an abort took it back: nothing is left, and a server whose undo failed is taken up again', () => {
  const failing: Script = (effect, nowMs) =>
    effect.effect === 'undo' && effect.place.target === 'api-1'
      ? { type: 'performed', id: effect.id, failure: { kind: 'command', what: 'no', where: '', state: '', remedy: '' } }
      : effect.effect === 'perform' && titleOf(effect.place.step) === 'stamp'
        ? undefined
        : goesWell()(effect, nowMs);
  const runbook = runbookOf((api) => [setAside(api), probe(api), stamp(api)]);
  const fleet = paperFleet({ servers: 3 });
  line = compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
  const drive = new Drive(line, failing).settle();
  drive.say({ type: 'abort', by: 'somebody', reason: 'enough' });
  for (const effect of drive.effects.filter(
    (each) => each.effect === 'perform' && titleOf(each.place.step) === 'stamp',
  ))
    drive.say({ type: 'performed', id: effect.id });
  drive.until(600_000);
  expect(drive.closed.outcome).toBe('human');
  const back = paperWayBack(drive, {
    runbook,
    servers: 3,
    standing: ({ server, step }) => ({ stands: step === '1' && server !== 'api-1' ? 'before' : 'after' }),
  });
  // And out of the balancer, where it was put because nobody could vouch for it.
  expect(shown(back)).toEqual(['1 restore c1.1 [["api-1"]]', '2 restore 1 [["api-1"]]']);
});
