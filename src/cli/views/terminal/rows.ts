import type { PlanStep } from '../../../model/index.ts';
import {
  duration,
  clockTime,
  gateOf,
  lineOf,
  nameServers,
  type ActState,
  type GateState,
  type Machine,
  type RunState,
  type Track,
} from '../../../run/index.ts';
import type { Begun } from './begun.ts';
import { countsOf } from './counts.ts';
import { detailsOf } from './details.ts';
import { stepLeftMs } from './estimate.ts';
import { about, cut, paint, plain } from './text.ts';

/** What stands before a row. */
export type Mark = 'waiting' | 'running' | 'done' | 'warned' | 'failed' | 'asks' | 'stopped' | 'none';

/** One step on the screen: its line, and what is told of it below while it matters. */
export interface Row {
  readonly key: string;
  readonly mark: Mark;
  readonly text: string;
  readonly details: readonly string[];
}

/** A track on the screen: the main line has no heading. */
export interface Group {
  readonly key: string;
  readonly heading: Row | null;
  readonly rows: readonly Row[];
  /** The row that the track is at; past the last one when it has come to its end. */
  readonly at: number;
  readonly live: boolean;
}

/** Room for `12 of 12 in 2 min 21 s` or an answer with its instant, so that the titles before it stand in one column. */
const ASIDE = 25;
/** Longer titles are cut, unless the screen is wide. */
const TITLE_MAX = 64;

/** The steps of every track as rows for a screen that has `width` columns for them. */
export function groupsOf(state: RunState, machine: Machine, begun: Begun, nowMs: number, width: number): Group[] {
  return state.tracks.map((track) => {
    // Rows below a heading stand two further in.
    const columns = track.kind === 'main' ? width : width - 2;
    const line = lineOf(machine.index, track);
    const steps = track.steps.map((step) => (step.step === 'gate' && step.gate ? step.gate : line[step.plan]));
    const idWidth = Math.max(2, ...steps.map((step) => step?.id.length ?? 0));
    const titleWidth = Math.max(
      16,
      Math.min(TITLE_MAX, columns - idWidth - ASIDE - 4, Math.max(...steps.map((step) => titleOf(step, track).length))),
    );
    const rows = track.steps.map((step, at): Row => {
      const planned = steps[at];
      const shown =
        step.step === 'act'
          ? actLook(step, planned, track, at, machine, nowMs)
          : step.step === 'gate'
            ? gateLook(step, track, at, machine)
            : restLook(track, at);
      const title = titleOf(planned, track);
      const words = shown.aside === '' ? title : `${cut(title, titleWidth).padEnd(titleWidth)}  ${shown.aside}`;
      const text = cut(`${(planned?.id ?? '').padStart(idWidth)}  ${words}`, columns);
      const details =
        at === track.cursor && step.step === 'act' && track.status !== 'stopped'
          ? detailsOf(step, planned, (server) => begun.sinceMs(track.id, server), nowMs, columns - idWidth - 2)
          : [];
      return {
        key: `${track.id}/${at}`,
        mark: shown.mark,
        text:
          shown.mark === 'waiting' || shown.mark === 'stopped'
            ? paint('dim', text)
            : at === track.cursor && isLive(track)
              ? paint('bold', text)
              : text,
        details: details.map((detail) => `${' '.repeat(idWidth)}${detail}`),
      };
    });
    return {
      key: track.id,
      heading: headingOf(track, state, machine, width),
      rows,
      at: track.cursor,
      live: isLive(track),
    };
  });
}

function isLive({ status }: Track): boolean {
  return status === 'running' || status === 'draining';
}

interface Look {
  readonly mark: Mark;
  readonly aside: string;
}

function actLook(
  act: ActState,
  step: PlanStep | undefined,
  track: Track,
  at: number,
  machine: Machine,
  nowMs: number,
): Look {
  const { total, done, failed } = countsOf(act);
  const fell = failed.length > 0 ? `, ${failed.length} failed` : '';
  if (act.endedAtMs !== null) {
    if (total === 0) return { mark: 'stopped', aside: 'nothing to do' };
    const took = act.startedAtMs === null ? '' : ` in ${duration(act.endedAtMs - act.startedAtMs)}`;
    return {
      mark: failed.length === 0 ? 'done' : done === 0 ? 'failed' : 'warned',
      aside: `${done} of ${total}${fell}${took}`,
    };
  }
  if (at > track.cursor) return { mark: isLive(track) ? 'waiting' : 'stopped', aside: '' };
  if (track.status === 'stopped')
    return { mark: failed.length > 0 ? 'failed' : 'stopped', aside: `stopped at ${done} of ${total}${fell}` };
  const left = step?.step === 'act' ? stepLeftMs(act, step, machine.index.plan.header.budget.failures, nowMs) : 0;
  return {
    mark: 'running',
    aside: `${done} of ${total}${track.status === 'draining' ? ', comes to rest' : left > 0 ? `, ${about(left)} left` : ''}`,
  };
}

function gateLook(gate: GateState, track: Track, at: number, machine: Machine): Look {
  const { answer, phase } = gate;
  const said = answer ? `${plain(answer.answer)}, by ${plain(answer.by)} at ${clockTime(answer.atMs).slice(0, 8)}` : '';
  if (phase === 'passed') return { mark: 'done', aside: said };
  if (phase === 'refused') return { mark: 'failed', aside: said };
  if (at !== track.cursor) return restLook(track, at);
  if (track.status !== 'running') return { mark: 'stopped', aside: 'not answered' };
  if (phase === 'answered') return { mark: 'asks', aside: said };
  return { mark: 'asks', aside: `waits for ${plain(gateOf(track, machine.index)?.step.role ?? 'a person')}` };
}

function restLook(track: Track, at: number): Look {
  if (at < track.cursor) return { mark: 'done', aside: '' };
  if (!isLive(track)) return { mark: 'stopped', aside: '' };
  return at === track.cursor ? { mark: 'running', aside: '' } : { mark: 'waiting', aside: '' };
}

function titleOf(step: PlanStep | undefined, track: Track): string {
  return plain(step ? `${track.kind === 'home' ? 'undo: ' : ''}${step.title}` : '');
}

function headingOf(track: Track, state: RunState, machine: Machine, columns: number): Row | null {
  if (track.kind === 'main') return null;
  const title =
    track.kind === 'home'
      ? state.mode === 'home'
        ? 'The way home'
        : `Brings back ${nameServers(track.servers)}`
      : track.kind === 'doubt'
        ? `${track.id}  What became of ${nameServers(track.servers)}?`
        : `${track.id}  ${machine.index.plan.header.contingencies.find((each) => each.id === track.contingency)?.title ?? ''}: ${nameServers(track.servers)}`;
  const failed = track.steps.some((step) => step.step === 'act' && countsOf(step).failed.length > 0);
  const mark: Mark = isLive(track) ? 'running' : track.status === 'stopped' || failed ? 'failed' : 'done';
  return { key: track.id, mark, text: paint('bold', cut(title, columns - 4)), details: [] };
}
