import type { ActStep } from '../../../src/model/index.ts';
import { actStepOf, isSettled, type Machine, type RunState, type Track } from '../../../src/run/index.ts';
import { Broken, type Record, type Targeted, type WatchInput } from './record.ts';

type Look = Extract<Targeted, { effect: 'look' }>;

/** Instants are rounded to milliseconds, and so are gaps between them. */
const ROUNDING_MS = 2;

/** Judges that a server of the main line is started: promises 6, 7, 8. */
export function demandStart(
  record: Record,
  { machine }: WatchInput,
  state: RunState,
  track: Track,
  at: number,
  step: ActStep,
  { id, place }: Look,
  atMs: number,
): void {
  if (state.mode === 'forward' && !record.hasOpened)
    throw new Broken('promise 7', `${id} was started before the window opened`);
  if (track.kind !== 'main') return;
  // Letting go of a hold is no new work.
  if (state.halted && step.releases === null) throw new Broken('promise 8', `${id} was started while halted`);
  if (step.nature === 'restore') return;
  if (state.mode === 'home') throw new Broken('promise 7', `${id} was started after the run turned for home`);
  const { header } = machine.index.plan;
  if (step.nature === 'risk') demandNoStop(record, machine, state, step, id, atMs);
  demandLoad(machine, state, track, step, place.target, id);
  // Behind the last risk and question everything only gives back.
  const isBehind = !header.steps.some(
    (each, position) => position >= at && (each.step !== 'act' || each.nature === 'risk'),
  );
  const counted = spent(state) + underWay(track, machine);
  if (!isBehind && counted >= header.budget.failures)
    throw new Broken(
      'promise 6',
      `${id} was started with ${spent(state)} failed and ${underWay(track, machine)} under way of ${header.budget.failures}`,
    );
}

/** Nobody who serves gets more than the plan shows: whoever is gone, or out of the run, does not serve. */
function demandLoad(machine: Machine, state: RunState, track: Track, step: ActStep, target: string, id: string): void {
  const load = step.serving?.load;
  if (!load || !takesAway(step)) return;
  const { index } = machine;
  const gone = new Set([...Object.keys(state.out), target]);
  for (const [at, act] of track.steps.slice(0, track.cursor + 1).entries()) {
    if (act.step !== 'act') continue;
    const planned = actStepOf(index, track, at);
    const isHere = at === track.cursor;
    for (const [server, each] of act.waves.flatMap(({ targets }) => Object.entries(targets))) {
      const isBegun = each.phase !== 'waiting' && each.phase !== 'left';
      if (planned.serving?.does === 'restarts' ? isHere && isBegun && !isSettled(each) : isBegun && takesAway(planned))
        gone.add(server);
      else if (isBegun && isSettled(each) && givesBack(planned)) gone.delete(server);
    }
  }
  // Whom the plan found hung it did not count on.
  const counted = [...gone].filter((server) =>
    index.plan.header.steps.every(
      ({ id: each }) => !['contingency', 'failed'].includes(index.verdict(each, server).verdict),
    ),
  );
  const first = index.plan.header.steps.flatMap((each) => (each.step === 'act' ? (each.serving?.load ?? []) : []))[0];
  const left = (first?.serving ?? 0) - counted.length;
  const shown = Math.max(...load.waves.map(({ perSecond }) => perSecond));
  if (left > 0 && load.trafficPerSecond / left > shown * (1 + 1e-9))
    throw new Broken('load', `${id} was started, and leaves ${left} with more than the ${shown}/s that the plan shows`);
}

function takesAway({ serving }: ActStep): boolean {
  return serving?.does === 'goes-offline' || serving?.does === 'leaves-traffic' || serving?.does === 'restarts';
}

function givesBack({ serving }: ActStep): boolean {
  return serving?.does === 'comes-online' || serving?.does === 'takes-traffic';
}

/** Budget apart, everything that stops risk: window, freezes, guards, the lease, the mirror. */
function demandNoStop(
  record: Record,
  machine: Machine,
  state: RunState,
  step: ActStep,
  id: string,
  atMs: number,
): void {
  const { window, guards, mirror } = machine.index.plan.header;
  const agreedMs = window.closesAtMs === null ? Infinity : window.closesAtMs - Math.max(0, record.skewMs);
  const until = record.overrides.flatMap(({ class: sort, untilMs }) => (sort === 'window' && untilMs ? [untilMs] : []));
  if (atMs > Math.max(Math.min(Math.max(state.openedAtMs, window.opensAtMs ?? 0) + window.limitMs, agreedMs), ...until))
    throw new Broken('promise 7', `${id} was started after the window closed`);
  if (record.isCalendarUnread && !record.isOverridden('freeze'))
    throw new Broken('promise 7', `${id} was started while the calendars could not be read`);
  if (record.isLeaseLost) throw new Broken('promise 7', `${id} was started while the store of claims was silent`);
  for (const guard of guards) {
    const said = record.guards.get(guard.id)?.standing;
    if (!guard.covers.includes(step.id) || said === 'clear' || said === 'warn') continue;
    if (!record.isOverridden('guard', guard.id))
      throw new Broken('promise 7', `${id} was started while guard ${guard.id} says ${said ?? 'nothing yet'}`);
  }
  for (const { title, fromMs, toMs } of record.freezes)
    if (atMs >= fromMs && atMs < toMs && !record.isOverridden('freeze', title))
      throw new Broken('promise 7', `${id} was started within the freeze ${title}`);
  const waits = !step.idempotent || (step.irreversible !== null && !step.leavesNothing);
  if (mirror !== null && record.isMirrorBehind && waits && !record.isOverridden('mirror'))
    throw new Broken('promise 7', `${id} cannot be taken back, and was started while the mirror was behind`);
}

/** Judges the pace of every start, on the way in and on the way back: promise 9. */
export function demandPace(
  record: Record,
  track: Track,
  step: ActStep,
  effect: Look,
  undoes: boolean,
  atMs: number,
): void {
  const { id, place } = effect;
  const busy = new Set(
    [...record.flying.values()].flatMap(({ place: other }) =>
      other.track === place.track && other.step === place.step ? [other.target] : [],
    ),
  );
  busy.delete(place.target);
  if (busy.size >= step.atMost)
    throw new Broken('promise 9', `${id} was started with ${busy.size} under way of at most ${step.atMost}`);
  if (step.perSecond === null || undoes) return;
  const key = `${track.id}/${place.step}/${track.renewals}`;
  const sinceMs = atMs - (record.startedAtMs.get(key) ?? -Infinity);
  const share = record.shares.get(`${track.id}/${step.id}`) ?? 1;
  if (sinceMs < 1000 / step.perSecond / share - ROUNDING_MS)
    throw new Broken(
      'promise 9',
      `${id} was started ${sinceMs} ms after the one before it, at ${share} of ${step.perSecond} a second`,
    );
  demandTokens(record, key, step, effect, sinceMs, atMs);
  record.startedAtMs.set(key, atMs);
}

/** Every resource that a slot draws on has its own bound, and behind the canary lies a pause. */
function demandTokens(
  record: Record,
  key: string,
  { slots }: ActStep,
  { id, place }: Look,
  sinceMs: number,
  atMs: number,
): void {
  if (!slots) return;
  const behind = `${key} behind the canary`;
  if (slots.canary !== null && place.wave > 0 && !record.startedAtMs.has(behind) && sinceMs < slots.canary.pauseMs)
    throw new Broken('promise 9', `${id} was started ${sinceMs} ms behind the canary`);
  if (place.wave > 0) record.startedAtMs.set(behind, atMs);
  for (const { name, everyMs, of } of slots.resources) {
    if (of !== null && of[place.target] === undefined) continue;
    const bucket = `${key} ${name} ${of?.[place.target] ?? ''}`;
    const spentMs = atMs - (record.startedAtMs.get(bucket) ?? -Infinity);
    if (spentMs < everyMs - ROUNDING_MS)
      throw new Broken('promise 9', `${id} took a token of ${name} ${spentMs} ms behind the one before it`);
    record.startedAtMs.set(bucket, atMs);
  }
}

function spent(state: RunState): number {
  const own = Object.values(state.out).filter(({ path }) => path === null).length;
  return own + Object.keys(state.paths).length;
}

/** Servers begun and not settled in main steps that count, whichever step. */
function underWay(track: Track, machine: Machine): number {
  let count = 0;
  track.steps.forEach((act, at) => {
    if (act.step !== 'act' || actStepOf(machine.index, track, at).nature === 'restore') return;
    for (const { targets } of act.waves)
      for (const target of Object.values(targets)) if (target.phase !== 'waiting' && !isSettled(target)) count += 1;
  });
  return count;
}
