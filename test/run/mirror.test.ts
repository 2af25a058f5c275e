import { describe, expect, test } from 'vitest';
import { inWaves } from '../../src/index.ts';
import type { Plan, StepSpec } from '../../src/model/index.ts';
import type { RunEvent, TargetState } from '../../src/run/index.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { setAside, stamp } from '../support/kinds.ts';
import { planOf, type Api } from '../support/made-up.ts';

// Goal: what the mirror's standing does to a run, and what a run is that goes on from one. Method: the machine driven
// by hand, its world a script.

const BEHIND: RunEvent = { type: 'mirror', standing: 'behind', seen: 'no route to host' };
const CURRENT: RunEvent = { type: 'mirror', standing: 'current', seen: 'it has every event' };
const WITHOUT: RunEvent = {
  type: 'overrode',
  class: 'mirror',
  about: 'mirror',
  by: 'somebody',
  reason: 'no other way',
};

function mirrored(steps: (api: Api) => StepSpec[]): Plan {
  const plan = planOf({ servers: 4, steps });
  return { ...plan, header: { ...plan.header, mirror: 'dir:/elsewhere' } };
}

const stamping = (): Plan => mirrored((api) => [inWaves({ atMost: 4 }, stamp(api))]);
const asideThenStamp = (): Plan =>
  mirrored((api) => [inWaves({ atMost: 2 }, setAside(api)), inWaves({ atMost: 4 }, stamp(api))]);

const stampsWell = goesWell({ from: 0, to: 1 });
const bothWell: Script = (effect, nowMs) =>
  ('place' in effect && effect.place.step === 0 ? goesWell() : stampsWell)(effect, nowMs);
const pages = (drive: Drive): string[] =>
  drive.effects.flatMap((effect) => (effect.effect === 'page' ? [effect.text] : []));
const targetsAt = (drive: Drive, step: number): TargetState[] => {
  const act = drive.state.tracks[0]?.steps[step];
  return act?.step === 'act' ? act.waves.flatMap(({ targets }) => Object.values(targets)) : [];
};

describe('while the mirror is behind', () => {
  test('what has no way back waits, by name; it is looked at anew and done when the mirror has everything', () => {
    const drive = new Drive(asideThenStamp(), bothWell).say(BEHIND).settle();
    expect(drive.made('perform')).toHaveLength(4);
    expect(targetsAt(drive, 0).every(({ phase }) => phase === 'done')).toBe(true);
    expect(pages(drive).filter((text) => text.includes('its mirror is behind'))).toHaveLength(1);
    expect(pages(drive).find((text) => text.includes('waits for the mirror'))).toMatch(
      /"stamp" on api-1.* waits for the mirror.*neap override r mirror --reason/,
    );
    drive.say(CURRENT).settle();
    expect(drive.made('perform')).toHaveLength(8);
    expect(drive.closed.outcome).toBe('done');
  });

  test('a person may go on without it, until it has everything again', () => {
    const drive = new Drive(stamping(), stampsWell).say(BEHIND).settle();
    expect(drive.made('perform')).toEqual([]);
    drive.say(WITHOUT).settle();
    expect(drive.made('perform')).toHaveLength(4);
    const again = new Drive(stamping(), stampsWell).say(BEHIND).say(WITHOUT).say(CURRENT).say(BEHIND).settle();
    expect(again.made('perform')).toEqual([]);
  });

  test('a run without a mirror waits for none', () => {
    const plan = planOf({ servers: 4, steps: (api) => [stamp(api)] });
    expect(new Drive(plan, stampsWell).say(BEHIND).settle().closed.outcome).toBe('done');
  });

  test('an intention that could not be copied was never begun: it is no doubt, and is intended again', () => {
    let unsent = 1;
    const drive = new Drive(stamping(), (effect, nowMs) => {
      if (effect.effect === 'look')
        return { type: 'looked', id: effect.id, outcome: seen({ from: 0, to: 1 }, { repeatable: false }) };
      return effect.effect === 'perform' && unsent-- > 0
        ? { type: 'performed', id: effect.id, unsent: true }
        : stampsWell(effect, nowMs);
    }).settle();
    drive.until(60_000);
    expect(drive.made('perform').filter((server) => server === 'api-1')).toHaveLength(2);
    expect(drive.closed.outcome).toBe('done');
  });
});

describe('a run that goes on from a mirror', () => {
  const engine: RunEvent = { type: 'engine', pid: 1, host: 'there', neap: '0.0.0', from: 'dir:/elsewhere' };
  /** What the lost engine had set aside, and the copy does not tell of. */
  const aside =
    (servers: ReadonlySet<string>): Script =>
    (effect, nowMs) => {
      if (!('place' in effect) || effect.effect !== 'look') return bothWell(effect, nowMs);
      const { target, step } = effect.place;
      if (effect.for === 'undo') {
        const verdict = servers.has(target) ? ({ verdict: 'nothing' } as const) : seen({ to: 'out' }).verdict;
        return { type: 'looked', id: effect.id, outcome: seen(null, { verdict }) };
      }
      const done = step === 0 && servers.has(target);
      const change = step === 0 ? { to: 'out' } : { from: 0, to: 1 };
      return { type: 'looked', id: effect.id, outcome: seen(change, done ? { verdict: { verdict: 'nothing' } } : {}) };
    };
  const planned = (): Plan => {
    const plan = asideThenStamp();
    const verdict = { verdict: 'change' as const, change: { to: 'out' }, diff: [] };
    const slices = plan.slices.map((slice) => ({
      ...slice,
      verdicts: { '1': Object.fromEntries(slice.servers.map(({ name }) => [name, verdict])) },
    }));
    return { ...plan, slices };
  };

  test('what looking finds done was done by the lost engine: it is confirmed, not drift, and not done again', () => {
    const drive = new Drive(planned(), aside(new Set(['api-2', 'api-3']))).say(engine).settle();
    expect(drive.made('perform', 'main').filter((_, at) => at < 2)).toEqual(['api-1', 'api-4']);
    expect(drive.closed.outcome).toBe('done');
    const mistrusting = new Drive(planned(), aside(new Set(['api-2', 'api-3']))).settle();
    expect(mistrusting.state.out['api-2']?.fate).toBe('drifted');
  });

  test('on the way home everybody is looked after whom the lost engine may have reached', () => {
    const drive = new Drive(planned(), aside(new Set(['api-4'])));
    drive.say(engine).say({ type: 'abort', by: 'somebody', reason: 'the machine is lost' }).settle();
    drive.until(120_000);
    expect(drive.made('undo')).toEqual(['api-4']);
    expect(drive.closed.outcome).toBe('home');
  });
});

test('on a full disk the run turns for home before anything more is begun', () => {
  const drive = new Drive(stamping(), stampsWell);
  drive.say({ type: 'engine', pid: 1, host: 'here', neap: '0.0.0', after: 'the disk is full', short: true }).settle();
  expect(drive.made('perform')).toEqual([]);
  expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  expect(drive.closed.summary).toContain("the journal's disk is full");
});
