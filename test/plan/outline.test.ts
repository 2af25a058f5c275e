import { describe, expect, test } from 'vitest';
import {
  checkServer,
  defineRunbook,
  first,
  gate,
  hardReset,
  inSlots,
  inWaves,
  offlineMode,
  refreshCaches,
  rest,
  z,
  type Server,
} from '../../src/index.ts';
import { serverNameSchema } from '../../src/model/index.ts';
import type { ActStep, Runbook, StepSpec, Targets, Way } from '../../src/model/index.ts';
import { cutWaves } from '../../src/plan/waves.ts';
import { setAside } from '../support/kinds.ts';
import { paperFleet } from '../support/fleet.ts';
import { outlineOf } from '../support/plans.ts';

type Api = Targets<Way>;

function runbook(
  steps: (api: Api) => readonly StepSpec[],
  reach: Runbook['reach'] = { api: ['ssh', 'http', 'bmc'] },
): Runbook {
  const made = defineRunbook({
    title: 'made up',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures: 2 },
    window: { limitMs: 3_600_000 },
    steps: ({ api }) => steps(api),
  });
  return { ...made, reach } as unknown as Runbook;
}

function waves(servers: number, steps: (api: Api) => readonly StepSpec[], domains = 3): readonly (readonly string[])[] {
  return (outlineOf(runbook(steps), paperFleet({ servers, domains })).steps[0] as ActStep).waves;
}

describe('waves', () => {
  test.each([1, 2, 7, 19, 20, 21, 399, 400, 401])(
    '%i servers: none is lost, none comes twice, and no wave is above its cap',
    (count) => {
      for (const atMost of [1, 3, 20]) {
        for (const by of [undefined, 'domain'] as const) {
          const cut = waves(count, (api) => [inWaves({ atMost, ...(by ? { by } : {}) }, setAside(api))]);
          expect(cut.every((wave) => wave.length > 0 && wave.length <= atMost)).toBe(true);
          expect(cut.flat().toSorted()).toEqual(
            paperFleet({ servers: count, domains: 3 })
              .servers.map(({ name }) => name)
              .toSorted(),
          );
        }
      }
    },
  );

  test('without a specification a wave is at most 125', () => {
    expect(waves(300, (api) => [setAside(api)]).map((wave) => wave.length)).toEqual([125, 125, 50]);
    expect(waves(450, (api) => [inWaves({ atMost: 1_000 }, setAside(api))]).every((wave) => wave.length <= 125)).toBe(
      true,
    );
  });

  test('by domain, no wave takes servers of two domains', () => {
    const fleet = paperFleet({ servers: 17, domains: 4 });
    const domainOf = new Map(fleet.servers.map(({ name, domain }) => [name, domain]));
    const cut = waves(17, (api) => [inWaves({ by: 'domain', atMost: 3 }, setAside(api))], 4);
    expect(cut.every((wave) => new Set(wave.map((name) => domainOf.get(name))).size === 1)).toBe(true);
  });

  test('the canary goes first and alone', () => {
    const cut = waves(6, (api) => [inWaves({ canary: 2, atMost: 3 }, setAside(api))]);
    expect(cut[0]).toEqual(['api-1', 'api-2']);
    expect(cut.slice(1).flat()).not.toContain('api-1');
  });

  test.each([
    [{ canary: 4, atMost: 3 }, /canary of 4 is above its atMost of 3/],
    [{ atMost: 0 }, /not a whole number above 0/],
    [{ atMost: 2.5 }, /not a whole number above 0/],
    [{ canary: -1, atMost: 3 }, /canary/],
    [{ canary: 1.5, atMost: 3 }, /canary/],
  ])('%o is refused', (spec, words) => {
    expect(() => cutWaves(paperFleet({ servers: 5 }).servers as readonly Server[], spec, 'step 1')).toThrow(words);
  });
});

describe('what the compiler refuses, the plan refuses in the same words', () => {
  test('a step that needs a way which the reach lacks', () => {
    expect(() =>
      outlineOf(
        runbook((api) => [hardReset(api)], { api: ['ssh', 'http'] }),
        paperFleet({ servers: 2 }),
      ),
    ).toThrow('Targets<"ssh" | "http"> is not assignable to parameter of type Targets<"bmc">');
  });

  test('a server that has no BMC, by its name', () => {
    expect(() =>
      outlineOf(
        runbook((api) => [checkServer(api)]),
        paperFleet({ servers: 3, withoutBmc: [2] }),
      ),
    ).toThrow(/server api-2 cannot be reached by bmc.*--except/);
    expect(
      outlineOf(
        runbook((api) => [checkServer(api)]),
        paperFleet({ servers: 3, withoutBmc: [2] }),
        {},
        ['api-2'],
      ).servers,
    ).toHaveLength(2);
  });

  test('an unknown group', () => {
    expect(() =>
      outlineOf(
        runbook((api) => [setAside({ ...api, group: 'web' })]),
        paperFleet({ servers: 2 }),
      ),
    ).toThrow(/group web is not in the runbook's reach/);
  });
});

describe('an empty selection is an error, never "all"', () => {
  test.each([
    ['rest of too many', (api: Api) => [setAside(rest(api, 3))]],
    ['first none', (api: Api) => [setAside(first(api, 0))]],
    ['first of fewer than none', (api: Api) => [setAside(first(api, -1))]],
    ['rest of fewer than none', (api: Api) => [setAside(rest(api, -1))]],
    ['first of half a server', (api: Api) => [setAside(first(api, 0.5))]],
  ])('%s', (_what, steps) => {
    expect(() => outlineOf(runbook(steps), paperFleet({ servers: 3 }))).toThrow(/step 1/);
  });

  test('all servers left out', () => {
    expect(() =>
      outlineOf(
        runbook((api) => [setAside(api)]),
        paperFleet({ servers: 2 }),
        {},
        ['api-1', 'api-2'],
      ),
    ).toThrow(/group api has no server left/);
  });

  test('another group only', () => {
    expect(() =>
      outlineOf(
        runbook((api) => [setAside(api)]),
        paperFleet({ servers: 2, group: 'web' }),
      ),
    ).toThrow(/group api has no server left/);
  });
});

test('a gate with a fuse goes back to the last refresh in slots before it, and to nothing else that is paced', () => {
  const fuse = { outageMs: 1, marginMs: 1 };
  const { steps } = outlineOf(
    runbook((api) => [
      inSlots({ perSecond: 1, fraction: 1 }, refreshCaches(api)),
      inSlots({ perSecond: 1, fraction: 1 }, offlineMode(api, { on: true })),
      gate('Go?', { role: 'any', onTimeout: 'hold', fuse }),
    ]),
    paperFleet({ servers: 2 }),
  );
  expect(steps[2]).toMatchObject({ step: 'gate', renewFrom: '1' });
});

test('a canary is whoever a step takes first and alone, and its failure ends the run', () => {
  const laid = outlineOf(
    runbook((api) => [setAside(first(api, 1)), setAside(rest(api, 1))]),
    paperFleet({ servers: 3 }),
  );
  expect(laid.canaries).toEqual(['api-1']);
  expect(laid.steps.map((step) => step.step === 'act' && step.failureEnds)).toEqual([true, false]);
});

test.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty'])(
  'no server is called %s: records by name would know it without being told',
  (name) => {
    expect(serverNameSchema.safeParse(name).success).toBe(false);
    expect(serverNameSchema.safeParse(`${name}-1`).success).toBe(true);
  },
);
