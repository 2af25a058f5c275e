import { expect, test } from 'vitest';
import { planText } from '../../src/cli/views/plan.ts';
import { inWaves } from '../../src/index.ts';
import { setAside } from '../support/kinds.ts';
import { planOf } from '../support/made-up.ts';

const shown = (plan: ReturnType<typeof planOf>): string =>
  planText(plan, { columns: 200, color: false, commands: [], out: null });

test('the preview says how many servers are under way at once, wave by wave, and what the budget makes of it', () => {
  const plan = planOf({
    servers: 100,
    failures: 50,
    percent: 12,
    steps: (api) => [
      inWaves({ canary: 1, stages: ['5%', '25%'], atMost: 20 }, setAside(api)),
      inWaves({ atMost: 4 }, setAside(api)),
    ],
  });
  const text = shown(plan);
  expect(text).toContain(
    '1  set aside  [risk; 8 waves: 1 (1 at a time), 5 (5 at a time), 20 (12 at a time), 5 (5 at a time), 3 of 20 (12 at a time), 9 (9 at a time)]',
  );
  expect(text).toContain('2  set aside  [risk; 25 waves of 4; 4 at a time]');
  expect(text).toContain('Failure budget: 12 (at most 12% of the servers); each failure in a step halves');
  expect(text).toContain('Quarantine');
});
