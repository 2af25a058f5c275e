import { z } from 'zod';
import type { ClaimAnswer, ClaimWish, Holding } from '../ports/index.ts';

/** All claims of a store that keeps them as one text. */
export const tableSchema = z.strictObject({
  format: z.literal(1),
  /** The last epoch that was given. */
  epoch: z.number().int().nonnegative(),
  held: z.array(
    z.strictObject({
      run: z.string().max(200),
      epoch: z.number().int().positive(),
      sinceMs: z.number(),
      by: z.string().max(200),
      user: z.string().max(200),
      host: z.string().max(300),
      machine: z.string().max(200),
      boot: z.string().max(200),
      pid: z.number().int(),
      servers: z.array(z.string().max(300)),
    }),
  ),
});
export type Table = z.output<typeof tableSchema>;

export const EMPTY: Table = { format: 1, epoch: 0, held: [] };

/** When each holder was last heard of, and what time it is, by the store's clock. `beats`: `RUN EPOCH` to an instant. */
export interface Pulse {
  readonly nowMs: number;
  readonly beats: ReadonlyMap<string, number>;
}

/** A claim as the table that it would make; a string of conflicts where it cannot be granted. */
export function claimIn(
  table: Table,
  { run, servers, holder, atLeast, supersedes }: ClaimWish,
  pulse: Pulse,
): { readonly answer: ClaimAnswer; readonly table: Table | null } {
  const own = table.held.find((each) => each.run === run);
  if (own !== undefined && own.epoch !== supersedes)
    return { answer: { granted: false, conflicts: [holdingOf(own, pulse)] }, table: null };
  const wanted = new Set(servers);
  const conflicts = table.held
    .filter((each) => each.run !== run)
    .map((each) => ({ ...holdingOf(each, pulse), servers: each.servers.filter((server) => wanted.has(server)) }))
    .filter((each) => each.servers.length > 0);
  if (conflicts.length > 0) return { answer: { granted: false, conflicts }, table: null };
  const epoch = Math.max(table.epoch, atLeast) + 1;
  const { by, user, host, machine, boot, pid } = holder;
  const held = { run, epoch, sinceMs: pulse.nowMs, by, user, host, machine, boot, pid, servers: [...wanted] };
  return {
    answer: { granted: true, epoch, sinceMs: pulse.nowMs },
    table: { ...table, epoch, held: [...table.held.filter((each) => each.run !== run), held] },
  };
}

/** The table without what the run holds under that epoch; null: it holds nothing under it. */
export function releaseIn(table: Table, run: string, epoch: number): Table | null {
  const held = table.held.filter((each) => each.run !== run || each.epoch !== epoch);
  return held.length === table.held.length ? null : { ...table, held };
}

export function holdingOf(held: Table['held'][number], { nowMs, beats }: Pulse): Holding {
  const renewedAtMs = Math.max(held.sinceMs, beats.get(`${held.run} ${held.epoch}`) ?? 0);
  return { ...held, servers: held.servers.toSorted(), renewedAtMs, silentMs: Math.max(0, nowMs - renewedAtMs) };
}
