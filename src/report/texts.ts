import { nameServers } from '../run/index.ts';
import type { Deed, EngineRow, PageRow, PlanStepRow, Report, TimelineRow, ViewRow, Word } from './report.ts';
import { counted, spanOf, timeOf } from './words.ts';

/** What a person said, in a sentence that every form of the report shows. */
export function wordText({ word, gate, question, answer }: Word): string {
  switch (word) {
    case 'approved':
      return `approved ${answer ?? ''}`;
    case 'answered':
      return `“${answer ?? ''}” to gate ${gate ?? ''}${question === null ? '' : `: ${question}`}`;
    case 'armed':
      return `contingency ${answer ?? ''}`;
    case 'aborted':
      return 'abort: go home';
    case 'overrode':
      return `overrode ${answer ?? ''}`;
    case 'halted':
      return 'halt: no new work';
    case 'unhalted':
      return 'go on';
  }
}

/** What was expected and allowed, and what part of the time went by before the window opened. */
export function windowText({ plan: { window }, waitedMs }: Pick<Report, 'plan' | 'waitedMs'>): string {
  const waited = waitedMs > 0 ? `${spanOf(waitedMs)} of it waiting for its window, ` : '';
  return `${waited}expected ${spanOf(window.expectedMs)}, window ${spanOf(window.limitMs)}`;
}

/** An engine's coming, and what it found. */
export function engineText({ pid, host, neap, resumed, silentMs, inDoubt }: EngineRow): string {
  const it = `engine ${pid} on ${host}, neap ${neap}`;
  if (!resumed) return `${it}: started`;
  return `${it}: took over from an engine that was gone for ${spanOf(silentMs)}; ${counted(inDoubt, 'effect')} in doubt, each looked at again`;
}

export function viewText({ by, what }: ViewRow): string {
  return what === 'lost' ? `a terminal of ${by} was lost; the run went on` : `${by} ${what}`;
}

/** Whether a page went out. */
export function sentText({ sentAtMs, failure }: PageRow, openedAtMs: number): string {
  if (failure !== null) return `not sent: ${failure}`;
  return sentAtMs === null ? 'not known' : `sent ${timeOf(sentAtMs, openedAtMs)}`;
}

/** The verdicts of a step that anybody got: `11 change, 1 nothing to do`. */
export function verdictsText({ step, verdicts }: PlanStepRow): string {
  if (step !== 'act') return '';
  const names = {
    change: 'change',
    nothing: 'nothing to do',
    unknown: 'unknown until then',
    refused: 'refused',
    failed: 'failed',
    contingency: 'hung',
  } as const;
  const keys = ['change', 'nothing', 'unknown', 'refused', 'failed', 'contingency'] as const;
  const parts = keys.filter((key) => verdicts[key] > 0).map((key) => `${verdicts[key]} ${names[key]}`);
  return parts.length > 0 ? parts.join(', ') : 'decided when it comes';
}

/** An input's value, on one line. */
export function inputsText(inputs: { readonly [name: string]: unknown }): string {
  const parts = Object.entries(inputs).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return parts.length > 0 ? parts.join(' ') : 'none';
}

/** What was done to a server, a line each; a step that was done again and again is one line with its last time. */
export function deedLines(deeds: readonly Deed[]): readonly { readonly text: string; readonly atMs: number }[] {
  const lines: { text: string; times: number; atMs: number }[] = [];
  for (const deed of deeds) {
    const text = deedText(deed);
    const atMs = deed.endedAtMs ?? deed.startedAtMs;
    const last = lines.at(-1);
    if (last?.text === text) Object.assign(last, { times: last.times + 1, atMs });
    else lines.push({ text, times: 1, atMs });
  }
  return lines.map(({ text, times, atMs }) => ({ text: times > 1 ? `${text}, ${times} times, last` : text, atMs }));
}

/** `7 enter offline mode`, `undo: 7 enter offline mode, failed after 3 attempts: it answered 500`. */
function deedText({ id, title, does, state, attempts, why }: Deed): string {
  const tried = attempts > 1 ? ` after ${attempts} attempts` : '';
  const reason = why === null ? '' : `: ${why}`;
  const how = state !== 'done' ? `, ${state}${tried}${reason}` : attempts > 1 ? `, done${tried}` : '';
  return `${id} ${does === 'undo' && !/^(?:release|undo of)/.test(title) ? 'undo: ' : ''}${title}${how}`;
}

/** A row as it is shown: what was done again and again while a gate waited is one row. */
export interface ShownRow {
  readonly row: TimelineRow;
  readonly times: number;
  /** All times together, as is `expectedMs`. */
  readonly tookMs: number | null;
  readonly expectedMs: number | null;
}

/** The timeline with its repetitions put together; the report's own data keeps each. */
export function shownRows(timeline: readonly TimelineRow[]): readonly ShownRow[] {
  const shown = new Map<string, ShownRow>();
  for (const [at, row] of timeline.entries()) {
    const key = row.state === 'done again later' ? `${row.track}/${row.id}` : String(at);
    const tookMs = row.startedAtMs === null || row.endedAtMs === null ? null : row.endedAtMs - row.startedAtMs;
    const known = shown.get(key) ?? { row, times: 0, tookMs: null, expectedMs: null };
    shown.set(key, {
      row: { ...row, startedAtMs: known.row.startedAtMs },
      times: known.times + 1,
      tookMs: tookMs === null ? known.tookMs : (known.tookMs ?? 0) + tookMs,
      expectedMs: row.expectedMs === null ? null : (known.expectedMs ?? 0) + row.expectedMs,
    });
  }
  return [...shown.values()];
}

/** A step of the timeline as people call it. */
export function stepText({ row: { id, title, step, trackKind }, times }: ShownRow): string {
  return `${id} ${step === 'gate' ? 'gate: ' : trackKind === 'home' ? 'undo: ' : ''}${title}${times > 1 ? ` (${times} times)` : ''}`;
}

/** How a step went for its servers; those that did not come through it by name, up to a sentence's worth. */
export function turnoutText(row: TimelineRow): string {
  if (row.step !== 'act') return row.state === 'done' ? (row.step === 'gate' ? 'opened' : 'waited for') : row.state;
  if (row.state === 'not reached') return counted(row.servers, 'server');
  const parts = [
    row.servers > 0 ? `${row.done} of ${row.servers} done` : '',
    row.failed.length > 0 ? `failed: ${nameServers(row.failed)}` : '',
    row.unknown.length > 0 ? `not known: ${nameServers(row.unknown)}` : '',
    row.left.length > 0 ? `took no part: ${nameServers(row.left)}` : '',
    row.open > 0 ? `${row.open} open` : '',
    row.state === 'done' ? '' : row.state,
  ];
  return parts.filter((part) => part !== '').join('; ');
}
