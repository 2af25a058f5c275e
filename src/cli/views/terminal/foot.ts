import {
  budgetOf,
  clockTime,
  closesAtMs,
  gateOf,
  guardWords,
  isOverridden,
  opensAtMs,
  waitsForOpening,
  watchedGuards,
  type Machine,
  type RunState,
} from '../../../run/index.ts';
import { leftMs, progressOf } from './estimate.ts';
import { fuseLines } from './fuse-lines.ts';
import { takenOf, takenText } from './taken.ts';
import { about, cut, lines, paint, widthOf } from './text.ts';

/** What a screen shows below the tree, besides the run's state. */
export interface FootInput {
  readonly run: string;
  readonly nowMs: number;
  readonly columns: number;
  /** What happened lately, newest last. */
  readonly notices: readonly string[];
  /** What stands above an open prompt: the gate's text, or what leaving would leave. */
  readonly question: readonly string[];
  /** Whether keys are read: not while a prompt has them. */
  readonly keys: boolean;
}

/** How wide the bar of progress is. */
const BAR = 16;
/** So many guards that are not clear have a line each. */
const GUARDS_MAX = 3;
/** So many servers that are out are told of in full. */
const OUT_MAX = 3;

/** The lines that are always there: how far, how long, the fuse, what is wrong; most important first, each fitting the screen. */
export function statusLines(state: RunState, machine: Machine, { run, nowMs, columns, question }: FootInput): string[] {
  const { header } = machine.index.plan;
  const { spent, failures } = budgetOf(state, machine.index);
  const pages = Object.keys(state.paged).length;
  const budget = `failures ${spent} of ${failures}`;
  return [
    paint('bold', cut(`${run}  ${header.title}`, columns)),
    progressLine(state, machine, nowMs, columns),
    [
      clockTime(nowMs),
      windowWords(state, machine, nowMs),
      spent === 0 ? budget : paint(spent >= failures ? 'red' : 'yellow', budget),
      ...(pages > 0 ? [pages === 1 ? '1 page sent' : `${pages} pages sent`] : []),
    ].join('  '),
    // A gate that asks about the fuse tells of it by itself.
    ...(question.some((line) => line.includes('Fuse ')) ? [] : fuseLines(state, machine, nowMs, columns)),
    ...(state.mode === 'home' && state.homeWhy
      ? lines(`GOING HOME: ${state.homeWhy.why}`, columns, 2).map((line) => paint('yellow', line))
      : []),
    ...guardLines(state, machine, columns),
    ...(state.halted
      ? [paint('yellow', cut('HALTED: no new work; watching goes on. Press g to go on.', columns))]
      : []),
  ];
}

/** Guards that stop the run, or may soon; what is clear needs no line. */
function guardLines(state: RunState, { index }: Machine, columns: number): string[] {
  return watchedGuards(state, index)
    .filter(({ id }) => state.guards[id]?.standing !== 'clear')
    .slice(0, GUARDS_MAX)
    .map((guard) => {
      const stops = state.guards[guard.id]?.standing !== 'warn' && !isOverridden(state, guard.id);
      const words = cut(guardWords(state, guard), columns);
      return paint(stops ? 'red' : 'yellow', `${words[0]?.toUpperCase()}${words.slice(1)}`);
    });
}

function windowWords(state: RunState, { index }: Machine, nowMs: number): string {
  const opens = opensAtMs(state, index);
  if (waitsForOpening(state) && opens !== null)
    return paint('yellow', `window opens in ${about(Math.max(0, opens - nowMs))}`);
  const leftMs = closesAtMs(state, index) - nowMs;
  if (leftMs <= 0) return paint('red', 'window closed');
  const words = `window closes in ${about(leftMs)}`;
  return leftMs < 5 * 60_000 ? paint('yellow', words) : words;
}

function progressLine(state: RunState, machine: Machine, nowMs: number, columns: number): string {
  const main = state.tracks[0];
  const total = main?.steps.length ?? 0;
  const at = Math.min((main?.cursor ?? 0) + 1, total);
  const left = leftMs(state, machine, nowMs);
  const asked = state.tracks.some((track) => gateOf(track, machine.index)?.state.phase === 'asked');
  const time = left <= 0 ? '' : `, about ${about(left)} left${asked ? ' once answered' : ''}`;
  return cut(
    state.mode === 'home'
      ? homeWords(state, time)
      : `${progressBar(progressOf(state, machine, nowMs))}  step ${at} of ${total}${time}`,
    columns,
  );
}

function homeWords({ tracks }: RunState, time: string): string {
  const goesOn = tracks
    .filter(({ kind, status }) => kind === 'contingency' && status === 'running')
    .map(({ id }) => id);
  const home = tracks.some(({ kind, status }) => kind === 'home' && status === 'finished');
  return home && goesOn.length > 0 ? `home; contingency ${goesOn.join(', ')} goes on` : `on the way home${time}`;
}

function progressBar(share: number): string {
  const full = Math.round(share * BAR);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${Math.round(share * 100)}%`;
}

/** How much is told of a server that fell out: up to four lines, two, or one where there is no room for more. */
type Length = 'long' | 'short' | 'bare';

/** Servers that fell out: what happened, what state it left, what to do now. */
function outLines({ out }: RunState, { run, columns }: FootInput, length: Length): string[] {
  const entries = Object.entries(out).toSorted(
    ([, a], [, b]) => Number(a.recovered) - Number(b.recovered) || b.sinceMs - a.sinceMs,
  );
  const shown = entries.slice(0, OUT_MAX).flatMap(([server, { failure, step, title, recovered, fate, track }]) => {
    if (recovered) return [paint('green', cut(`${server} is recovered and takes traffic`, columns))];
    const head = `${server} ${fate === 'hung' ? 'HUNG' : 'OUT'} at ${step} ${title}: ${failure.what}`;
    const first = paint('red', cut(head, columns));
    if (length === 'bare') return [first];
    const remedy = track === null ? failure.remedy : `contingency ${track} has it`;
    // What is cut off at the end is least missed: the command comes first.
    if (length === 'short') return [first, cut(`  Next: neap status ${run}; ${remedy}. ${failure.state}`, columns)];
    const next = `${failure.state}. Next: ${remedy.includes('neap ') ? '' : `neap status ${run}; `}${remedy}`;
    return [
      ...lines(head, columns, 2).map((line) => paint('red', line)),
      ...lines(next, columns - 2, 2).map((line) => `  ${line}`),
    ];
  });
  return entries.length > OUT_MAX
    ? [...shown, cut(`and ${entries.length - OUT_MAX} more are out: neap status ${run}`, columns)]
    : shown;
}

/**
 * Everything below the tree, cut down to `room` lines: hints and old notices go first, failures become shorter. At
 * most `utmost` lines, which the tree can spare, so that a failure still says what to do.
 */
export function footLines(
  state: RunState,
  machine: Machine,
  input: FootInput,
  { room, utmost }: { readonly room: number; readonly utmost: number },
): string[] {
  const status = statusLines(state, machine, input);
  const offers =
    state.mode === 'home'
      ? 'Ctrl-C: detach'
      : state.halted
        ? 'g: go on   Ctrl-C: detach, abort'
        : 'Ctrl-C: detach, halt, abort';
  const hint = input.keys ? [paint('dim', offers)] : [];
  const notices = input.notices.map((notice) => paint('dim', cut(notice, input.columns)));
  const spare = (outs: readonly string[]): number =>
    room - status.length - input.question.length - outs.length - hint.length;
  const [long, short] = [outLines(state, input, 'long'), outLines(state, input, 'short')];
  const bare = outLines(state, input, 'bare').slice(0, Math.max(1, spare([])));
  const outs = spare(long) >= 0 ? long : spare(short) + utmost - room >= 0 ? short : bare;
  const taken = takenOf(state, machine);
  const takenLine =
    taken.length > 0 && spare(outs) > 0 ? [cut(`Taken now: ${takenText(taken, machine)}`, input.columns)] : [];
  const shownNotices = notices.slice(
    notices.length - Math.max(0, Math.min(notices.length, spare([...outs, ...takenLine]))),
  );
  return [...status, ...takenLine, ...outs, ...shownNotices, ...input.question, ...hint].map((line) =>
    widthOf(line) > input.columns ? cut(line, input.columns) : line,
  );
}
