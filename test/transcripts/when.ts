import { expect } from 'vitest';
import type { Runbook } from '../../src/model/index.ts';
import type { RunEvent } from '../../src/run/index.ts';
import databaseUpgrade from '../../runbooks/database-upgrade.ts';
import type { End, Stage } from './teller.ts';

/** The runbook of most stories. Its gates: 10 "Hardware work may start?", 11 "Hardware work done?". */
export const UPGRADE = databaseUpgrade as unknown as Runbook;

/** A gate is asked. */
export const asked =
  (gate: string) =>
  (event: RunEvent): boolean =>
    event.type === 'intended' && event.effect.effect === 'ask' && event.effect.gate === gate;

export const answered =
  (gate: string) =>
  (event: RunEvent): boolean =>
    event.type === 'answered' && event.gate === gate;

/** An effect of that sort is intended on a server, at a step of a track. */
export const meant =
  (word: string, server: string, at: { readonly step?: number; readonly track?: string } = {}) =>
  (event: RunEvent): boolean =>
    event.type === 'intended' &&
    'place' in event.effect &&
    event.effect.effect === word &&
    event.effect.place.target === server &&
    (at.step === undefined || event.effect.place.step === at.step) &&
    event.effect.place.track === (at.track ?? 'main');

export const turnedHome = (event: RunEvent): boolean => event.type === 'turned';

/** The hardware work: away right behind the question whether it is done, back before that is answered. */
export function workInTime(stage: Stage): void {
  stage.upon(asked('11'), 'the database goes away: the hardware work begins', () => (stage.world.databaseUp = false));
  stage.upon(asked('11'), 'the database is back', () => (stage.world.databaseUp = true), 15_000);
}

/** The work takes that long, and the question is answered when it is done. */
export function workFor(stage: Stage, lastsMs: number): void {
  stage.upon(asked('11'), 'the database goes away: the hardware work begins', () => (stage.world.databaseUp = false));
  stage.upon(asked('11'), 'the database is back', () => (stage.world.databaseUp = true), lastsMs);
}

/** Everybody is as before, but for those named, and the run ended like that. */
export function allBack({ state, world }: End, exitCode: number, but: readonly string[] = []): void {
  expect(state.closed?.exitCode).toBe(exitCode);
  for (const { name, offline, traffic, life } of world.servers.values())
    if (!but.includes(name))
      expect({ name, offline, traffic, life }).toEqual({ name, offline: false, traffic: 'in', life: 'up' });
}

/** So often that came through to a server. */
export function deeds({ world }: End, server: string, what: string): number {
  return world.deeds.filter((deed) => deed.server === server && deed.what === what).length;
}
