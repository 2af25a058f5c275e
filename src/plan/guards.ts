import { z } from 'zod';
import {
  guardSchema,
  type ArmedBy,
  type ContingencySpec,
  type Guard,
  type GuardRead,
  type GuardSpec,
} from '../model/index.ts';
import { canonicalJson } from './canonical.ts';
import { refuse } from './refuse.ts';

/** More often is a load of its own. */
const EVERY_LEAST_MS = 1_000;

/** A guard of the runbook, and the steps of the main line that it was laid around. */
export interface Watched {
  readonly spec: GuardSpec;
  readonly covers: readonly string[];
}

type NamedContingency = { readonly id: string; readonly spec: ContingencySpec };

/**
 * The guards of a plan, numbered as they come: `g1`, `g2`. One that is laid around several blocks is one guard. What a
 * positive reading starts is linked from both ends: by the guard's `onTrip`, and by the contingency's `when`. Refuses
 * what could never hold: an empty guard, times that do not fit each other, a contingency that is not there.
 */
export function guardsOf(watched: readonly Watched[], contingencies: readonly NamedContingency[]): Guard[] {
  const guards: Guard[] = [];
  for (const { spec, covers } of watched) {
    const where = `guard "${spec.title}"`;
    const same = guards.find(({ title }) => title === spec.title);
    const guard = { ...checked(spec, where), onTrip: onTripOf(spec, contingencies, where) };
    if (!same) {
      guards.push({ id: `g${guards.length + 1}`, ...guard, covers: [...covers] });
      continue;
    }
    const { id, covers: earlier } = same;
    if (canonicalJson({ ...guard, id, covers: earlier }) !== canonicalJson(same))
      refuse('two guards have this title and are not the same', where, 'Give each guard a title of its own');
    guards[guards.indexOf(same)] = { ...same, covers: [...new Set([...earlier, ...covers])] };
  }
  return guards;
}

/** What arms a contingency, with the guard's id in the place of its title. */
export function armedByOf({ title, when }: ContingencySpec, guards: readonly Guard[]): ArmedBy {
  if (typeof when === 'string') return when;
  const guard = guards.find((each) => each.title === when.guard);
  if (guard) return { guard: guard.id };
  return refuse(
    `no guard has the title "${when.guard}"`,
    `contingency "${title}"`,
    guards.length > 0
      ? `The runbook's guards are: ${guards.map((each) => `"${each.title}"`).join(', ')}`
      : 'Lay that guard around steps with guarded()',
  );
}

/** Refuses a contingency, armed by a guard or a person, that could never come to its end. */
export function demandSummonable({ title, when, steps }: ContingencySpec): void {
  if (when === 'hung' || when === 'out') return;
  const where = `contingency "${title}"`;
  if (steps.length === 0) refuse('it has no step', where, 'Say what is to be done');
  if (steps.some(({ step }) => step === 'rejoin'))
    refuse(
      'it waits until the fleet is back, and the main line waits for it',
      where,
      'Leave out whenFleetIsBack(): it is for servers that fell out of the line',
    );
}

function checked(spec: GuardSpec, where: string): Omit<Guard, 'id' | 'covers' | 'onTrip'> {
  const parsed = guardSchema.omit({ id: true, covers: true, onTrip: true }).safeParse({
    title: spec.title,
    read: spec.read,
    everyMs: spec.everyMs,
    forMs: spec.forMs,
    clearForMs: spec.clearForMs,
    noDataMs: spec.noDataMs,
  });
  if (!parsed.success) return refuse(z.prettifyError(parsed.error).replaceAll('\n', ' '), where, 'Correct the guard');
  const guard = parsed.data;
  const wrong = readTrouble(guard.read) ?? timeTrouble(guard);
  if (wrong) refuse(wrong.what, where, wrong.remedy);
  return guard;
}

interface Trouble {
  readonly what: string;
  readonly remedy: string;
}

function timeTrouble({ everyMs, forMs, noDataMs, read }: Omit<Guard, 'id' | 'covers' | 'onTrip'>): Trouble | null {
  if (everyMs < EVERY_LEAST_MS)
    return { what: `everyMs is ${everyMs}, less than ${EVERY_LEAST_MS}`, remedy: 'Ask less often' };
  if (forMs > 0 && forMs < everyMs)
    return {
      what: `forMs (${forMs}) is less than everyMs (${everyMs}): between two readings nothing is seen`,
      remedy: 'Make forMs at least everyMs, or 0 for the first bad reading',
    };
  if (noDataMs < everyMs)
    return {
      what: `noDataMs (${noDataMs}) is less than everyMs (${everyMs}): it would have no data between two readings`,
      remedy: 'Make noDataMs a few times everyMs',
    };
  const readMs = read.guard === 'probe' ? read.withinMs : read.timeoutMs;
  return readMs > noDataMs
    ? {
        what: `a reading may take ${readMs} ms, longer than noDataMs (${noDataMs})`,
        remedy: `Make ${read.guard === 'probe' ? 'withinMs' : 'timeoutMs'} less than noDataMs`,
      }
    : null;
}

function readTrouble(read: GuardRead): Trouble | null {
  switch (read.guard) {
    case 'command':
      return read.run[0] === '' || read.run.some((word) => word.includes('\0'))
        ? { what: 'run does not begin with a program', remedy: "Write: run: ['check-load', '--limit', '8']" }
        : null;
    case 'probe':
      return urlTrouble(read.get);
    case 'prometheus':
      return urlTrouble(read.url) ?? limitTrouble(read);
  }
}

function urlTrouble(url: string): Trouble | null {
  if (!/^https?:\/\//i.test(url)) return { what: `${url} is no http address`, remedy: 'Write http:// or https://' };
  // What a plan holds is shown to people and kept for ever.
  return /^https?:\/\/[^/]*@/i.test(url)
    ? {
        what: 'its address holds a name or password',
        remedy: 'A plan holds no secrets: ask an address that needs none',
      }
    : null;
}

function limitTrouble({
  warnAbove,
  tripAbove,
  warnBelow,
  tripBelow,
}: Extract<GuardRead, { guard: 'prometheus' }>): Trouble | null {
  if (tripAbove === null && tripBelow === null)
    return { what: 'it has no limit, so it could never trip', remedy: 'Give tripAbove or tripBelow' };
  if (tripAbove !== null && tripBelow !== null && tripBelow >= tripAbove)
    return { what: `tripBelow (${tripBelow}) is not below tripAbove (${tripAbove})`, remedy: 'Leave room between' };
  if (warnAbove !== null && tripAbove !== null && warnAbove >= tripAbove)
    return { what: `warnAbove (${warnAbove}) is not below tripAbove (${tripAbove})`, remedy: 'Warn before it trips' };
  if (warnBelow !== null && tripBelow !== null && warnBelow <= tripBelow)
    return { what: `warnBelow (${warnBelow}) is not above tripBelow (${tripBelow})`, remedy: 'Warn before it trips' };
  return null;
}

function onTripOf(
  { title, onTrip }: GuardSpec,
  contingencies: readonly NamedContingency[],
  where: string,
): Guard['onTrip'] {
  const naming = contingencies.filter(({ spec: { when } }) => typeof when === 'object' && when.guard === title);
  const [one, other] = naming;
  if (one && other)
    refuse(
      `two contingencies are armed by it: "${one.spec.title}" and "${other.spec.title}"`,
      where,
      'A guard arms one contingency',
    );
  if (onTrip === 'stop') return one ? { contingency: one.id } : 'stop';
  if (onTrip === 'home') {
    if (one) refuse(`it goes home when it trips, and arms "${one.spec.title}"`, where, 'Decide for one of the two');
    return 'home';
  }
  const named = contingencies.find(({ spec }) => spec.title === onTrip.contingency);
  if (!named) {
    const known = contingencies.filter(({ spec: { when: by } }) => by !== 'hung' && by !== 'out');
    return refuse(
      `there is no contingency "${onTrip.contingency}"`,
      where,
      known.length > 0
        ? `A guard can arm: ${known.map(({ spec }) => `"${spec.title}"`).join(', ')}`
        : 'Write one with whenGuard() or byHand()',
    );
  }
  const { when } = named.spec;
  if (one && one !== named)
    refuse(`it arms "${named.spec.title}", and "${one.spec.title}" names it`, where, 'A guard arms one contingency');
  if (when !== 'hand' && (typeof when === 'string' || when.guard !== title))
    refuse(
      `contingency "${named.spec.title}" is armed by something else`,
      where,
      `Write it with whenGuard({ guard: "${title}" }) or byHand()`,
    );
  return { contingency: named.id };
}
