import { describe, expect, test } from 'vitest';
import { inWaves } from '../../src/index.ts';
import type { ActStep, WaveSpec } from '../../src/model/index.ts';
import { setAside } from '../support/kinds.ts';
import { planOf } from '../support/made-up.ts';

function stepFor(servers: number, waves: WaveSpec, domains = 4): ActStep {
  const [step] = planOf({ servers, domains, steps: (api) => [inWaves(waves, setAside(api))] }).header.steps;
  if (step?.step !== 'act') throw new Error('no step');
  return step;
}

const sizes = (servers: number, waves: WaveSpec, domains?: number): number[] =>
  stepFor(servers, waves, domains).waves.map(({ length }) => length);

describe('stages', () => {
  test('grow by percentages of the step’s servers, rounded down, and no wave is above the cap', () => {
    expect(sizes(100, { canary: 1, stages: ['5%', '25%'], atMost: 20 })).toEqual([1, 5, 20, 5, 20, 20, 20, 9]);
    expect(sizes(30, { canary: 1, stages: ['5%', 4], atMost: '20%' })).toEqual([1, 1, 4, 6, 6, 6, 6]);
    expect(sizes(10, { stages: ['1%'], atMost: 10 })).toEqual([1, 9]);
    expect(sizes(3, { stages: [2, 2, 2], atMost: 3 })).toEqual([2, 1]);
  });

  test('take every server once, and no wave takes servers of two domains', () => {
    const { waves } = stepFor(23, { canary: 1, stages: ['10%', '30%'], by: 'domain', atMost: '20%' });
    expect(new Set(waves.flat()).size).toBe(23);
    expect(waves.flat()).toHaveLength(23);
    const domainOf = (name: string): number => (Number(name.slice(4)) - 1) % 4;
    for (const wave of waves) expect(new Set(wave.map(domainOf)).size).toBe(1);
    expect(Math.max(...waves.map(({ length }) => length))).toBeLessThanOrEqual(4);
  });

  test('a cap as a percentage is a number in the plan, at least one', () => {
    expect(stepFor(59, { atMost: '10%' }).atMost).toBe(5);
    expect(stepFor(5, { atMost: '10%' }).atMost).toBe(1);
  });

  test.each([
    [{ atMost: '0%' }, /"0%", no percentage above 0/],
    [{ atMost: '101%' }, /at most 100/],
    [{ atMost: '-5%' }, /no percentage/],
    [{ atMost: 3, stages: ['half%' as '5%'] }, /a stage is "half%"/],
    [{ atMost: 3, stages: [0] }, /a stage is 0/],
    [{ canary: 2, atMost: '10%' }, /a canary of 2 is above its atMost of 1/],
  ] as const)('%j is refused', (waves, why) => {
    expect(() => stepFor(10, waves as WaveSpec)).toThrow(why);
  });
});

describe('the budget', () => {
  const budgetOf = (servers: number, failures: number, percent?: number) =>
    planOf({ servers, failures, ...(percent === undefined ? {} : { percent }), steps: (api) => [setAside(api)] }).header
      .budget;

  test('is the smaller of count and percentage, rounded down and at least one', () => {
    expect(budgetOf(12, 3)).toEqual({ failures: 3, percent: null });
    expect(budgetOf(12, 3, 20)).toEqual({ failures: 2, percent: 20 });
    expect(budgetOf(100, 3, 20)).toEqual({ failures: 3, percent: 20 });
    expect(budgetOf(5, 3, 10)).toEqual({ failures: 1, percent: 10 });
  });

  test('of nothing, or of more than all, is refused', () => {
    expect(() => budgetOf(12, 0)).toThrow(/0 failures/);
    expect(() => budgetOf(12, 3, 0)).toThrow(/above 0/);
    expect(() => budgetOf(12, 3, 120)).toThrow(/at most 100/);
  });
});
