import type { ActStep, Decider, GateStep, Plan, PlanStep } from '../model/index.ts';
import type { Deed } from './net-effect.ts';
import { concurrencyOf } from './timing.ts';

/** How long a flagged step's gate waits for a person before people are told again. */
const ASK_EXPIRES_MS = 4 * 60 * 60_000;

/** A step of the way back; `line` says what it takes back, and a gate is nobody's. */
export interface Laid {
  readonly step: PlanStep;
  readonly line: string | null;
}

/** One step of one track: a contingency that was armed twice has each of its steps twice. */
export function lineOf({ track, step }: Deed): string {
  return `${track}/${step}`;
}

export function stepOf({ header }: Plan, id: string): ActStep {
  const all = [...header.steps, ...header.contingencies.flatMap(({ steps }) => steps)];
  const step = all.find((each) => each.id === id);
  if (step?.step !== 'act') throw new Error(`the plan has no act step ${id}`);
  return step;
}

/** A step and those servers of it whose part is taken back. */
interface Undo {
  readonly old: ActStep;
  readonly nature: ActStep['nature'];
  readonly waves: readonly (readonly string[])[];
  readonly line: string;
}

/**
 * The steps of the way back, last first: a step stands where it was first begun, its waves in reverse. Where a server
 * is taken away by one step and given back by the next ones, the servers go through all of these in small groups, so
 * that never more than the step's cap and the budget allow are away at once.
 */
export function undoSteps(
  run: string,
  plan: Plan,
  back: readonly Deed[],
  kinds: ReadonlyMap<string, Decider>,
): readonly Laid[] {
  const undos = [...Map.groupBy(back, lineOf).entries()]
    .map(([line, deeds]) => ({ line, deeds, begun: Math.min(...deeds.map(({ begun }) => begun)) }))
    .toSorted((a, b) => b.begun - a.begun)
    .map(({ line, deeds }): Undo => {
      const was = stepOf(plan, deeds[0]?.step ?? '');
      const kind = kinds.get(was.id);
      // Its changes are in the form of today's kind.
      const old = kind ? { ...was, kind: { name: kind.name, version: kind.version } } : was;
      const took = kind?.nature(kind.input.parse(old.input) as never) === 'risk';
      const waves = [...Map.groupBy(deeds, ({ wave }) => wave).entries()]
        .toSorted(([a], [b]) => b - a)
        .map(([, wave]) => wave.map(({ server }) => server));
      return { old, nature: took ? 'restore' : 'risk', waves, line };
    });
  const laid: Laid[] = [];
  const id = (): string => String(laid.length + 1);
  for (const bundle of bundles(undos, kinds)) {
    for (const undo of bundle) if (undo.old.askBeforeUndo) laid.push({ step: askStep(undo, id()), line: null });
    for (const part of inGroups(bundle, plan.header.budget.failures))
      for (const undo of part) laid.push({ step: undoStep(run, undo, id()), line: undo.line });
  }
  return laid;
}

/** Steps one after another that take an aspect of a server and give it back: the first is a risk, and shares what it alters with each. */
function bundles(undos: readonly Undo[], kinds: ReadonlyMap<string, Decider>): Undo[][] {
  const all: Undo[][] = [];
  for (const undo of undos) {
    const last = all.at(-1);
    const first = last?.[0];
    const alters = (each: Undo): readonly string[] => kinds.get(each.old.id)?.alters ?? [];
    if (last && first?.nature === 'risk' && alters(undo).some((aspect) => alters(first).includes(aspect)))
      last.push(undo);
    else all.push([undo]);
  }
  return all;
}

/** A bundle of one step stays whole: its waves are its pace. */
function inGroups(bundle: readonly Undo[], failures: number): (readonly Undo[])[] {
  if (bundle.length < 2) return [bundle];
  const size = Math.min(...bundle.map(({ old, nature }) => concurrencyOf({ ...old, nature }, failures)));
  const servers = [...new Set(bundle.flatMap(({ waves }) => waves.flat()))];
  return Array.from({ length: Math.ceil(servers.length / size) }, (_, at) => {
    const group = new Set(servers.slice(at * size, (at + 1) * size));
    return bundle.flatMap((undo): Undo[] => {
      const wave = undo.waves.flat().filter((server) => group.has(server));
      return wave.length > 0 ? [{ ...undo, waves: [wave] }] : [];
    });
  });
}

function undoStep(run: string, { old, nature, waves }: Undo, id: string): ActStep {
  return {
    ...old,
    id,
    title: `undo of step ${old.id}: ${old.title}`,
    nature,
    onUnmet: 'fail',
    failureEnds: false,
    waves: waves.map((wave) => [...wave]),
    releasedBy: null,
    releases: null,
    soakMs: 0,
    undoes: { run, step: old.id },
    askBeforeUndo: false,
  };
}

function askStep({ old, waves }: Undo, id: string): GateStep {
  return {
    step: 'gate',
    id,
    title: `Take back step ${old.id}, "${old.title}", on ${waves.flat().length} servers?`,
    role: 'operator',
    answers: { yes: 'go-on', no: 'go-home' },
    fuse: null,
    freshMs: null,
    expiresMs: ASK_EXPIRES_MS,
    onTimeout: 'hold',
    ahead: false,
    renewFrom: null,
  };
}
