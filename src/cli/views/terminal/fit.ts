import type { Group, Row } from './rows.ts';
import { paint } from './text.ts';

/** A row of the tree as it is shown, in its place: steps that found no room are told of by number. */
export interface Shown extends Row {
  /** Key of the row above it in the tree; null: it stands at the root. */
  readonly parent: string | null;
}

/**
 * As many steps as `room` lines hold: where each track is comes first, then what comes next and what lies just
 * behind, and the others by number, unless not even that has room. `room` Infinity: all of them.
 */
export function fit(groups: readonly Group[], room: number): Shown[] {
  const windows = least(groups, leastLines(groups).whole <= room);
  let grown = true;
  while (grown) {
    grown = false;
    for (const window of windows) {
      for (const [back, ahead] of [
        [0, 1],
        [1, 0],
      ] as const) {
        const next = wider(window, back, ahead);
        if (next === null) continue;
        const tried = windows.map((each) => (each === window ? next : each));
        if (heightOf(tried) > room) continue;
        Object.assign(window, next);
        grown = true;
      }
    }
  }
  return windows.flatMap(shownOf);
}

interface Window {
  readonly group: Group;
  from: number;
  to: number;
  /** Whether the steps that have no room are told of by number. */
  readonly counts: boolean;
}

/** The fewest lines of a tree: told of as a whole, and where each track is and nothing else. */
export function leastLines(groups: readonly Group[]): { readonly whole: number; readonly bare: number } {
  return { whole: heightOf(least(groups, true)), bare: heightOf(least(groups, false)) };
}

function least(groups: readonly Group[], counts: boolean): Window[] {
  return groups.map((group) => ({ group, from: startOf(group), to: startOf(group) + (group.live ? 1 : 0), counts }));
}

/** Where to look first: the current step, or the end of a track that has ended. */
function startOf({ at, rows, live }: Group): number {
  return live ? Math.min(at, Math.max(0, rows.length - 1)) : Math.min(at, rows.length);
}

function wider({ group, from, to, counts }: Window, back: number, ahead: number): Window | null {
  const next = { group, counts, from: Math.max(0, from - back), to: Math.min(group.rows.length, to + ahead) };
  return next.from === from && next.to === to ? null : next;
}

function heightOf(windows: readonly Window[]): number {
  return windows.flatMap(shownOf).reduce((sum, { details }) => sum + 1 + details.length, 0);
}

function shownOf({ group: { key, heading, rows, live }, from, to, counts }: Window): Shown[] {
  const parent = heading === null ? null : key;
  const before = counts ? rows.slice(0, from) : [];
  const behind = counts ? rows.slice(to) : [];
  const inner: Row[] = [
    ...(before.length === 0 ? [] : [summary(`${key}/before`, before)]),
    ...rows.slice(from, to),
    ...(behind.length === 0
      ? []
      : [
          {
            key: `${key}/behind`,
            mark: live ? ('waiting' as const) : ('stopped' as const),
            text: paint('dim', `${span(behind)} ${live ? 'to come' : 'not done'}`),
            details: [],
          },
        ]),
  ];
  return [...(heading === null ? [] : [{ ...heading, parent: null }]), ...inner.map((row) => ({ ...row, parent }))];
}

function summary(key: string, rows: readonly Row[]): Row {
  const bad = rows.filter(({ mark }) => mark === 'warned' || mark === 'failed').length;
  return {
    key,
    mark: bad > 0 ? 'warned' : 'done',
    text: `${span(rows)} behind us${bad > 0 ? `, ${bad} with failures` : ''}`,
    details: [],
  };
}

function span(rows: readonly Row[]): string {
  return rows.length === 1 ? '1 step' : `${rows.length} steps`;
}
