import type { GuardNow } from '../../engine/index.ts';
import type { Contingency, Guard, GuardRead, PlanHeader } from '../../model/index.ts';
import {
  actStepOf,
  currentOf,
  loadStop,
  stopsOf,
  trackOf,
  answersAhead,
  clockTime,
  duration,
  guardWords,
  isOverridden,
  isSummoned,
  watchedGuards,
} from '../../run/index.ts';
import type { Machine, RunState } from '../../run/index.ts';

/** What each guard of a plan asks, how often, when it trips and what follows; and what it says now, where it was read. */
export function planGuardLines({ guards, contingencies }: PlanHeader, now: readonly GuardNow[]): string[] {
  return guards.flatMap((guard) => {
    const reading = now.find((each) => each.guard.id === guard.id)?.reading;
    const { id, title, covers, everyMs, forMs, clearForMs, noDataMs } = guard;
    const times = [
      `steps ${covers.join(', ')}`,
      `read every ${duration(everyMs)}`,
      forMs === 0 ? 'trips at the first bad reading' : `trips when bad for ${duration(forMs)}`,
      `clear again after ${duration(clearForMs)}`,
      `no data after ${duration(noDataMs)}`,
    ];
    return [
      `${id.padStart(4)}  guard: ${title}  [${times.join('; ')}]`,
      `        asks ${askedBy(guard.read)}`,
      `        while tripped or without data nothing is taken, and a page is sent${followed(guard, contingencies)}`,
      ...(reading ? [`        now: ${reading.sort === 'no-data' ? 'no data' : reading.sort}, ${reading.seen}`] : []),
    ];
  });
}

function askedBy(read: GuardRead): string {
  switch (read.guard) {
    case 'probe':
      return `GET ${read.get}; bad when it answers with no 2xx within ${read.withinMs} ms, no data without a connection`;
    case 'command':
      return `a command here: ${read.run.map(wordText).join(' ')} (exit 0 good, 1 warn, 2 bad; at most ${duration(read.timeoutMs)})`;
    case 'prometheus': {
      const limits = [
        read.tripAbove === null ? null : `bad above ${read.tripAbove}`,
        read.tripBelow === null ? null : `bad below ${read.tripBelow}`,
        read.warnAbove === null ? null : `warns above ${read.warnAbove}`,
        read.warnBelow === null ? null : `warns below ${read.warnBelow}`,
      ].filter((each) => each !== null);
      return `Prometheus at ${read.url}: ${read.query} (${limits.join(', ')}; no sample older than ${duration(read.staleMs)})`;
    }
  }
}

function wordText(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : JSON.stringify(word);
}

function followed({ onTrip }: Guard, contingencies: readonly Contingency[]): string {
  if (onTrip === 'stop') return '';
  if (onTrip === 'home') return '; a bad reading turns the run for home';
  const title = contingencies.find(({ id }) => id === onTrip.contingency)?.title ?? '';
  return `; a bad reading starts contingency ${onTrip.contingency} "${title}"`;
}

/** What begins a contingency, as its heading in a preview. */
export function armedWords(
  { id, when, title, suspectAbove, afterwards }: Contingency,
  guards: readonly Guard[],
): string {
  if (when === 'hung') return `If servers hang: ${title} (more than ${suspectAbove} at once: power is disarmed first)`;
  if (when === 'out')
    return `If servers fall out of the line: ${title} (more than ${suspectAbove}: a person is asked first)`;
  const then = {
    return: 'then the run goes on',
    home: 'then the run goes home',
    end: 'then the run ends where it stands',
  }[afterwards];
  const how =
    when === 'hand'
      ? 'By hand'
      : `If guard ${when.guard} "${guards.find((each) => each.id === when.guard)?.title}" trips, or by hand`;
  return `${how} (neap arm RUN ${id}): ${title}; nothing is taken until it is through, ${then}`;
}

/** How the guards of a run stand that are watched now, and what was answered ahead. */
export function runGuardLines(state: RunState, { index }: Machine): string[] {
  const guards = watchedGuards(state, index).map((guard) => {
    const text = guardWords(state, guard);
    const over = isOverridden(state, guard.id) ? ' (overridden)' : '';
    return `${text[0]?.toUpperCase()}${text.slice(1)}${over}.`;
  });
  const ahead = state.closed
    ? []
    : answersAhead(state, index).map(
        ({ gate, title, answer, by, givenAtMs, tooOld }) =>
          `Answered ahead: gate ${gate} "${title}": "${answer}" by ${by} at ${clockTime(givenAtMs)}${tooOld ? ', too old by now: it will be asked' : ''}. Take it back: neap approve ${state.run} ${gate} --take-back`,
      );
  return [...guards, ...ahead];
}

/** What keeps the run from taking anything further now, besides the guards that are named already. */
export function stoppedLines(state: RunState, { index }: Machine): string[] {
  const main = trackOf(state, 'main');
  if (state.closed || main?.status !== 'running' || currentOf(main)?.step !== 'act') return [];
  const step = actStepOf(index, main, main.cursor);
  const load = loadStop(state, step, index);
  const stops = [...stopsOf(state, step, index), ...(load === null ? [] : [{ key: 'load', why: load }])];
  if (stops.length === 0) return [];
  const others = stops.filter(({ key }) => !key.startsWith('guard/')).map(({ why }) => why);
  return [`Nothing is taken now: ${others.length > 0 ? others.join('; ') : 'its guard is not clear'}.`];
}

/** Contingencies that a person can arm now. */
export function armableLines(state: RunState, { index }: Machine): string[] {
  if (state.closed) return [];
  return index.plan.header.contingencies
    .filter(
      (each) =>
        isSummoned(each) && !state.tracks.some((track) => track.contingency === each.id && track.status === 'running'),
    )
    .map(({ id, title }) => `Can be armed: ${id} "${title}": neap arm ${state.run} ${id} --reason WHY`);
}
