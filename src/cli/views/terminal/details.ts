import { duration } from '../../../run/index.ts';
import type { PlanStep } from '../../../model/index.ts';
import type { ActState, TargetState } from '../../../run/index.ts';
import { countsOf, isHeld } from './counts.ts';
import { cut, paint } from './text.ts';

/** Servers that one step names at most: failed ones first, then held ones, then the slowest. */
const NAMED_MAX = 8;
/** Of which so many failed ones with their reason, one a line. */
const FAILED_MAX = 3;

/** Since when a server has been at its part of the step, in plan time. */
export type Since = (server: string) => number | null;

/** Whoever is at its part of a step for longer is shown with its time, in plan milliseconds. */
const SLOW_MS = 5_000;

/** What is told below the step that is under way: its wave, who failed and why, who is held and for what, who is slow. */
export function detailsOf(
  act: ActState,
  step: PlanStep | undefined,
  since: Since,
  nowMs: number,
  columns: number,
): string[] {
  if (act.endedAtMs !== null || act.startedAtMs === null) return [];
  const { failed, active, held, waiting } = countsOf(act);
  const failures = failedLines(act, failed, columns);
  const room = NAMED_MAX - Math.min(failed.length, FAILED_MAX);
  return [
    ...waveLine(act, step, { active, held, waiting, failed: failed.length }, columns),
    ...failures,
    ...heldLines(act, columns, room),
    ...triedLines(act, columns),
    ...(active > 0 ? [slowLine(act, since, nowMs, columns, Math.max(2, room - held))] : []),
  ];
}

type Numbers = { readonly active: number; readonly held: number; readonly waiting: number; readonly failed: number };

function waveLine(
  act: ActState,
  step: PlanStep | undefined,
  { active, held, waiting, failed }: Numbers,
  columns: number,
): string[] {
  const parts = [
    act.waves.length > 1 && !bySlots(step)
      ? `wave ${Math.min(act.wave + 1, act.waves.length)} of ${act.waves.length}`
      : null,
    active > 0 ? `${active} under way` : null,
    held > 0 ? `${held} held` : null,
    failed > 0 ? `${failed} failed` : null,
    waiting > 0 ? `${waiting} to come` : null,
    step?.step === 'act' && step.perSecond !== null && waiting > 0 ? paceOf(act, step.perSecond) : null,
  ].filter((part) => part !== null);
  // Alone it would say what the line below says by name.
  return parts.length > 1 ? [cut(parts.join(', '), columns)] : [];
}

/** Slots go through waves without a stop: which one is under way says nothing. */
function bySlots(step: PlanStep | undefined): boolean {
  return step?.step === 'act' && step.slots !== undefined && !step.slots.keepsWaves;
}

function paceOf({ pace }: ActState, perSecond: number): string {
  if (pace?.share === 0) return `no slots are given: ${pace.why}`;
  return `at most ${Number((perSecond * (pace?.share ?? 1)).toPrecision(2))} a second`;
}

/** Servers of the waves that are begun and not settled. */
function openTargets({ behind, wave, waves }: ActState): [string, TargetState][] {
  return [...behind, wave].flatMap((at) => Object.entries(waves[at]?.targets ?? {}));
}

function failedLines(act: ActState, failed: readonly string[], columns: number): string[] {
  const shown = failed
    .slice(-FAILED_MAX)
    .map((server) => paint('red', cut(`${server} failed: ${whyOf(act, server)}`, columns)));
  return failed.length > FAILED_MAX
    ? [...shown, paint('red', cut(`and ${failed.length - FAILED_MAX} failed before`, columns))]
    : shown;
}

function whyOf({ waves }: ActState, server: string): string {
  return waves.map(({ targets }) => targets[server]?.failure?.what).find((what) => what !== undefined) ?? '';
}

/** Held servers by what they wait for: often it is one thing for all of them. */
function heldLines({ waves }: ActState, columns: number, room: number): string[] {
  const reasons = new Map<string, string[]>();
  for (const { targets } of waves) {
    for (const [server, target] of Object.entries(targets)) {
      if (!isHeld(target)) continue;
      const why = target.failure?.what ?? '';
      reasons.set(why, [...(reasons.get(why) ?? []), server]);
    }
  }
  return [...reasons]
    .slice(0, 2)
    .map(([why, servers]) =>
      paint('yellow', cut(`held: ${asManyAs(servers, Math.max(1, room), columns / 2)}: ${why}`, columns)),
    );
}

/** Those that did not answer and are looked at again: silence is not failure yet. */
function triedLines(act: ActState, columns: number): string[] {
  const tried = openTargets(act).filter(([, target]) => isActive(target) && target.failure !== null);
  const [first] = tried;
  if (!first) return [];
  const others = tried.length > 1 ? ` and ${tried.length - 1} more` : '';
  return [paint('yellow', cut(`tries ${first[0]}${others} again: ${first[1].failure?.what ?? ''}`, columns))];
}

/** Those under way, the one that has been at it longest first. */
function slowLine(act: ActState, since: Since, nowMs: number, columns: number, room: number): string {
  const targets = openTargets(act).filter(([, target]) => isActive(target));
  const timed = targets.map(([server, target]) => ({ server, target, forMs: nowMs - (since(server) ?? nowMs) }));
  const sorted = timed.toSorted((a, b) => b.forMs - a.forMs);
  const soakMs = sorted.reduce((longest, { target }) => Math.max(longest, (target.soakUntilMs ?? 0) - nowMs), 0);
  const soaks = soakMs > 0 ? `, to stay proven for ${duration(soakMs)} more` : '';
  const words = sorted.map(({ server, forMs }) => (forMs < SLOW_MS ? server : `${server} ${duration(forMs)}`));
  return `now: ${asManyAs(words, room, columns - 5 - soaks.length)}${soaks}`;
}

/** The first few, at most `most` of them and as they fit, and how many there are besides. */
function asManyAs(words: readonly string[], most: number, columns: number): string {
  for (let count = Math.min(most, words.length); count > 1; count -= 1) {
    const text = words.slice(0, count).join(', ') + (words.length > count ? ` and ${words.length - count} more` : '');
    if (text.length <= columns) return text;
  }
  return cut(`${words[0] ?? ''}${words.length > 1 ? ` and ${words.length - 1} more` : ''}`, columns);
}

function isActive(target: TargetState): boolean {
  return (
    ['looking', 'ready', 'acting', 'acted', 'doubt', 'confirming'].includes(target.phase) ||
    (target.phase === 'held' && !isHeld(target))
  );
}
