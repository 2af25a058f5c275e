import { describe, expect, test } from 'vitest';
import { cutPath, defineRunbook, holding, offlineMode, probe, z } from '../../src/index.ts';
import { planSchema, type Runbook } from '../../src/model/index.ts';
import { foresee, learn, NOTHING_FORESEEN, tampered, type Foresight } from '../../src/plan/index.ts';
import { paperFleet } from '../support/fleet.ts';
import { setAside, stamp } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';

const RUNBOOK = defineRunbook({
  title: 'made up',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({}),
  budget: { failures: 2 },
  window: { limitMs: 24 * 3_600_000 },
  steps: ({ api }) => [
    offlineMode(api, { on: true }),
    probe(api),
    setAside(api),
    holding(cutPath(api, { from: 'database', forMs: 60_000 }), [stamp(api)]),
    offlineMode(api, { on: false }),
  ],
}) as unknown as Runbook;

const FACTS: Readonly<Record<string, unknown>> = {
  'offline-mode': { offline: 'off' },
  'set-aside': { traffic: 'in' },
  'cut-path': { path: 'open' },
  stamp: { stamps: 0 },
};

/** Foresees every server of an outline from the facts above; `except` may tell something else of a server and kind. */
function foreseen(
  laid: ReturnType<typeof outlineOf>,
  except: Readonly<Record<string, unknown>> = {},
): Map<string, Foresight> {
  const told = laid.servers.map(({ name }): [string, Foresight] => {
    let foresight = NOTHING_FORESEEN;
    for (const step of laid.steps) {
      const kind = laid.kinds.get(step.id);
      if (step.step !== 'act' || !kind) continue;
      const known = foresee(foresight, step, kind);
      const pinned = except[`${name} ${kind.name}`] ?? FACTS[kind.name] ?? {};
      foresight =
        known === 'observe'
          ? learn(
              foresight,
              step,
              kind,
              pinned instanceof Error
                ? {
                    failure: { kind: 'unreachable', what: 'silent', where: name, state: '', remedy: '' },
                    hung: pinned.message === 'hung',
                  }
                : { pinned, readings: {} },
              'c1',
            )
          : { ...foresight, verdicts: { ...foresight.verdicts, [step.id]: known } };
    }
    return [name, foresight];
  });
  return new Map(told);
}

function plan(servers: number, except?: Readonly<Record<string, unknown>>): ReturnType<typeof compiled> {
  const fleet = paperFleet({ servers });
  const laid = outlineOf(RUNBOOK, fleet);
  return compiled({ runbook: RUNBOOK, fleet, laid, foresights: foreseen(laid, except) });
}

describe('foresight', () => {
  test('what an earlier pending step alters is unknown until that step, and the rest is known', () => {
    expect(plan(1).slices[0]?.verdicts).toMatchObject({
      '1': { 'api-1': { verdict: 'change', change: { from: 'off', to: 'on' } } },
      '2': { 'api-1': { verdict: 'unknown', untilStep: '1' } },
      '3': { 'api-1': { verdict: 'change', change: { to: 'out' } } },
      '4': { 'api-1': { verdict: 'change' } },
      '5': { 'api-1': { verdict: 'change' } },
      '6': { 'api-1': { verdict: 'unknown', untilStep: '4' } },
      '7': { 'api-1': { verdict: 'unknown', untilStep: '1' } },
    });
  });

  test('a step that finds nothing to do alters nothing', () => {
    expect(plan(1, { 'api-1 offline-mode': { offline: 'on' } }).slices[0]?.verdicts['7']).toMatchObject({
      'api-1': { verdict: 'change', change: { from: 'on', to: 'off' } },
    });
  });

  test('a refusal is kept, and shown as a finding', () => {
    const made = plan(2, { 'api-2 cut-path': { path: 'cut' } });
    expect(made.slices[0]?.verdicts['4']?.['api-2']).toMatchObject({ verdict: 'refused' });
    expect(made.header.findings).toContainEqual(
      expect.objectContaining({ severity: 'refusal', what: expect.stringContaining('api-2') }),
    );
  });

  test('a hung server is left to its contingency, for the whole line', () => {
    const made = plan(2, { 'api-2 offline-mode': new Error('hung') });
    expect(Object.values(made.slices[0]?.verdicts ?? {}).map((step) => step['api-2']?.verdict)).toEqual(
      Array.from({ length: 7 }, () => 'contingency'),
    );
  });
});

describe('the plan', () => {
  test('the same facts give the same bytes and the same hash; another fact gives another hash', () => {
    expect(plan(5)).toEqual(plan(5));
    expect(plan(5, { 'api-3 set-aside': { traffic: 'out' } }).hash).not.toBe(plan(5).hash);
  });

  test('it fits its own file format', () => {
    expect(planSchema.parse(JSON.parse(JSON.stringify(plan(3))))).toEqual(plan(3));
  });

  test('a slice has at most 200 servers, and together they have all', () => {
    const { slices, header } = plan(401);
    expect(slices.map(({ servers }) => servers.length)).toEqual([200, 200, 1]);
    expect(new Set(slices.flatMap(({ servers }) => servers.map(({ name }) => name))).size).toBe(401);
    expect(header.slices).toHaveLength(3);
  });

  test('whatever is changed in it is found', () => {
    const made = plan(3);
    expect(tampered(made)).toBeNull();
    expect(tampered({ ...made, header: { ...made.header, budget: { failures: 99, percent: null } } })).toMatch(
      /header/,
    );
    expect(tampered({ ...made, slices: made.slices.slice(1) })).toMatch(/slice/);
    expect(tampered({ ...made, slices: [...made.slices, ...made.slices] })).toMatch(/slice/);
    const slice = made.slices[0];
    if (!slice) throw new Error('a plan has a slice');
    const other = {
      ...slice,
      verdicts: { ...slice.verdicts, '3': { ...slice.verdicts['3'], 'api-1': { verdict: 'nothing' as const } } },
    };
    expect(tampered({ ...made, slices: [other] })).toMatch(/slice 0/);
  });
});
