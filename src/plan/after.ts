import type { Plan } from '../model/index.ts';
import type { Deed } from './net-effect.ts';

/**
 * What a run did after that step, which itself stays. On another line (a contingency beside the main one) that is what
 * was begun after the step's line had come so far. Null: the plan has no such step.
 */
export function deedsAfter(deeds: readonly Deed[], { header }: Plan, to: string): Deed[] | null {
  const lines = [header.steps, ...header.contingencies.map(({ steps }) => steps)].map((steps) =>
    steps.map(({ id }) => id),
  );
  const line = lines.find((ids) => ids.includes(to));
  if (!line) return null;
  const kept = new Set(line.slice(0, line.indexOf(to) + 1));
  const passedAt = Math.max(-1, ...deeds.filter(({ step }) => kept.has(step)).map(({ lastBegun }) => lastBegun));
  return deeds.filter(({ step, begun }) => !kept.has(step) && (line.includes(step) || begun > passedAt));
}

/** Ids that `--to` takes, as people are told them. */
export function stepIds({ header }: Plan): string[] {
  return [...header.steps, ...header.contingencies.flatMap(({ steps }) => steps)].map(({ id }) => id);
}
