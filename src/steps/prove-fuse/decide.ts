import { z } from 'zod';
import type { Condition, Verdict } from '../../model/index.ts';

export const input = z.strictObject({
  outageMs: z.number().int().positive(),
  marginMs: z.number().int().nonnegative(),
});

interface Readings {
  readonly clocks: readonly {
    readonly name: string;
    readonly whenExpired: string;
    readonly ageMs: number;
    readonly ttlMs: number;
    readonly unknown?: true | undefined;
  }[];
}

export function decide(): Verdict<never> {
  return { verdict: 'nothing' };
}

export function judge({ clocks }: Readings, { outageMs, marginMs }: z.output<typeof input>): Condition {
  const unknown = clocks.find((clock) => clock.whenExpired === 'fatal' && clock.unknown);
  if (unknown)
    return {
      holds: false,
      why: `the age of ${unknown.name} cannot be read, and this run has not refreshed it: unknown, refresh first`,
    };
  const shortest = clocks
    .filter((clock) => clock.whenExpired === 'fatal')
    .map((clock) => ({ name: clock.name, leftMs: clock.ttlMs - clock.ageMs }))
    .toSorted((a, b) => a.leftMs - b.leftMs)[0];
  if (!shortest || shortest.leftMs > outageMs + marginMs) return { holds: true };
  return {
    holds: false,
    why: `${shortest.name} expires in ${seconds(shortest.leftMs)} s, and the planned outage with its margin takes ${seconds(outageMs + marginMs)} s`,
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
