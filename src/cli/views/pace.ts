import type { ActStep, PlanHeader } from '../../model/index.ts';
import { concurrencyOf } from '../../plan/index.ts';

/** A step's waves and how many servers are under way at once in each: what cap and failure budget leave (promise 6). */
export function paceWords(step: ActStep, { budget }: PlanHeader): string[] {
  const sizes = step.waves.map((wave) => wave.length);
  const inAll = sizes.reduce((sum, size) => sum + size, 0);
  if (inAll <= 1) return [];
  // Slots set the pace, and their waves are nothing to go by.
  if (step.slots && !step.slots.keepsWaves) return [];
  const cap = concurrencyOf(step, budget.failures);
  const runs = runsOf(sizes);
  const paces = new Set(sizes.map((size) => Math.min(cap, size)));
  const alike = paces.size === 1;
  const words = runs.map(
    ({ size, times }) =>
      `${times > 1 ? `${times} of ${size}` : size}${alike ? '' : ` (${Math.min(cap, size)} at a time)`}`,
  );
  return [
    ...(sizes.length > 1
      ? [runs.length === 1 ? `${sizes.length} waves of ${sizes[0]}` : `${sizes.length} waves: ${words.join(', ')}`]
      : []),
    ...(alike ? [`${Math.min(cap, sizes[0] ?? cap)} at a time`] : []),
  ];
}

/** The failure budget, where it comes from, and what each failure does. */
export function budgetWords({ budget }: PlanHeader): string {
  const from = budget.percent === null ? '' : ` (at most ${budget.percent}% of the servers)`;
  return `Failure budget: ${budget.failures}${from}; each failure in a step halves how many servers it has under way.`;
}

/** Waves of one size that follow each other. */
function runsOf(sizes: readonly number[]): { readonly size: number; readonly times: number }[] {
  const runs: { size: number; times: number }[] = [];
  for (const size of sizes) {
    const last = runs.at(-1);
    if (last?.size === size) last.times += 1;
    else runs.push({ size, times: 1 });
  }
  return runs;
}
