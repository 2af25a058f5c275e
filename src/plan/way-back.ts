import type { Decider, Finding, Guard, Json, Plan, PlanHeader, PlanStep, PlanVerdict, Slice } from '../model/index.ts';
import { canonicalJson } from './canonical.ts';
import { hashOf, kindsOf } from './compile.ts';
import { sha256Hex } from './hash.ts';
import { netEffect, type Deed, type Fate, type Judged, type Standing } from './net-effect.ts';
import { homeTotal, expectedTotal } from './timing.ts';
import { LANE_MAX } from './waves.ts';
import { lineOf, stepOf, undoSteps, type Laid } from './way-back-steps.ts';
import { leftOf, trouble } from './way-back-words.ts';

/** A way back made from facts holds for a day: what was seen is what will be undone. */
export const WAY_BACK_HOLDS_MS = 24 * 60 * 60_000;

export interface WayBackInput {
  readonly neap: string;
  /** The plan of the run that is taken back. */
  readonly plan: Plan;
  readonly run: string;
  readonly closed: { readonly outcome: string; readonly atMs: number };
  /** What it did and is to be taken back, in the order in which it was done. */
  readonly deeds: readonly Deed[];
  /** The kind behind each step of that plan. */
  readonly kinds: ReadonlyMap<string, Decider>;
  readonly standing: (deed: Deed) => Standing;
  readonly to: string | null;
  readonly only: readonly string[] | null;
  readonly except: readonly { readonly server: string; readonly reason: string }[];
  readonly fleet: PlanHeader['fleet'];
  readonly runbookPath: string;
  readonly nowMs: number;
  readonly seed: number;
  /** Findings that the edge made. */
  readonly findings: readonly Finding[];
  /** What holds for every plan that is made now: calendars, claims, the mirror. */
  readonly settings: Pick<PlanHeader, 'freezes' | 'lease' | 'mirror'>;
}

/** One deed, and what becomes of it. */
export interface Settled {
  readonly deed: Deed;
  readonly fate: Fate;
}

/**
 * The way back of a run as a plan of its own: what it did, last first, wave by wave as it went in, by the undo of each
 * step with the change that the journal holds. Undoing what took something gives it back (restore); undoing what gave
 * something takes it (risk), under the same budget and caps. Pure: the same facts give the same hash.
 */
export function wayBack(input: WayBackInput): Plan {
  const { plan: old } = input;
  const settled = settle(input);
  const back = settled.flatMap(({ deed, fate }) => (fate.fate === 'take-back' ? [deed] : []));
  const laid = undoSteps(input.run, old, back, input.kinds);
  const slices = sliced(old, back, laid);
  const steps = laid.map(({ step }) => step);
  const header: PlanHeader = {
    ...old.header,
    neap: input.neap,
    title: `Way back of run ${input.run}: ${old.header.title}`,
    runbook: { path: input.runbookPath, digest: old.header.runbook.digest },
    fleet: input.fleet,
    kinds: kindsOf(steps),
    madeAtMs: input.nowMs,
    notAfterMs: input.nowMs + WAY_BACK_HOLDS_MS,
    seed: input.seed,
    canaries: [],
    except: input.except.map(({ server, reason }) => ({ server, reason })),
    window: {
      ...old.header.window,
      expectedMs: Math.ceil(expectedTotal(steps, old.header.budget.failures)),
      homeMs: homeTotal(steps),
      opensAtMs: null,
      closesAtMs: null,
      plannedMs: null,
      zone: null,
    },
    ...input.settings,
    guards: guardsFor(old.header.guards, steps),
    rollbackOf: {
      run: input.run,
      to: input.to,
      only: input.only === null ? null : [...input.only],
      title: old.header.title,
      outcome: input.closed.outcome,
      closedAtMs: input.closed.atMs,
      except: old.header.except.map(({ server }) => server),
      left: leftOf(settled, (id) => stepOf(old, id)),
    },
    steps,
    contingencies: [],
    forecast: null,
    findings: [],
    slices: slices.map((slice) => sha256Hex(canonicalJson(slice))),
  };
  const findings = [...input.findings, ...trouble(settled, input.except, header, (deed) => diffOf(deed, old))];
  const reviewed = { ...header, findings };
  return { hash: hashOf(reviewed), header: reviewed, slices };
}

/** What becomes of each deed, server by server; who is left out stays as it is. */
function settle(input: WayBackInput): Settled[] {
  const out = new Set(input.except.map(({ server }) => server));
  const wanted = input.deeds.filter(({ server }) => !out.has(server) && (input.only?.includes(server) ?? true));
  return [...Map.groupBy(wanted, ({ server }) => server).values()].flatMap((deeds) => {
    const judged = deeds.map((deed): Judged => {
      const kind = input.kinds.get(deed.step);
      return {
        deed,
        kind: kind?.name ?? '',
        reads: kind?.reads ?? [],
        alters: kind?.alters ?? [],
        noWayBack: noWayBackOf(kind, deed.change),
        standing: input.standing(deed),
      };
    });
    return netEffect(judged).map((fate, at) => ({ deed: deeds[at] as Deed, fate }));
  });
}

function noWayBackOf(kind: Decider | undefined, change: Json): Judged['noWayBack'] {
  if (kind?.irreversible !== undefined) return { why: kind.irreversible, whole: true };
  const why = kind?.noWayBack?.(change as never) ?? null;
  return why === null ? null : { why, whole: false };
}

/** The changes to take back, as verdicts of the new steps. Who has none is not concerned. */
function sliced(plan: Plan, back: readonly Deed[], laid: readonly Laid[]): Slice[] {
  const known = new Map(plan.slices.flatMap(({ servers }) => servers.map((server) => [server.name, server] as const)));
  const names = [...new Set(back.map(({ server }) => server))].toSorted();
  return Array.from({ length: Math.ceil(names.length / LANE_MAX) }, (_, lane) => {
    const chosen = new Set(names.slice(lane * LANE_MAX, (lane + 1) * LANE_MAX));
    const verdicts: Record<string, Record<string, PlanVerdict>> = {};
    for (const deed of back.filter(({ server }) => chosen.has(server))) {
      const { step } = laid.find((each) => isPartOf(deed, each)) ?? {};
      const verdict: PlanVerdict = { verdict: 'change', change: deed.change, diff: diffOf(deed, plan) };
      if (step) (verdicts[step.id] ??= {})[deed.server] = verdict;
    }
    return {
      lane,
      servers: [...chosen].flatMap((name) => known.get(name) ?? []),
      verdicts,
      // What "as captured" means is what it meant to the run that is taken back.
      captured: Object.fromEntries(
        plan.slices.flatMap(({ captured }) => Object.entries(captured).filter(([server]) => chosen.has(server))),
      ),
    };
  });
}

function isPartOf(deed: Deed, { step, line }: Laid): boolean {
  return line === lineOf(deed) && step.step === 'act' && step.waves.some((wave) => wave.includes(deed.server));
}

/** What the run did there, as its own plan said it, or else from the change itself. */
function diffOf({ step, server, change }: Deed, { slices }: Plan): string[] {
  const planned = slices.find(({ servers }) => servers.some(({ name }) => name === server))?.verdicts[step]?.[server];
  if (planned?.verdict === 'change' && canonicalJson(planned.change) === canonicalJson(change))
    return [...planned.diff];
  return [changeWords(change)];
}

function changeWords(change: Json): string {
  if (typeof change === 'object' && change !== null && 'from' in change && 'to' in change)
    return [change['from'], change['to']]
      .map((each) => (typeof each === 'string' ? each : canonicalJson(each)))
      .join(' -> ');
  return canonicalJson(change);
}

/** A guard that covered a step covers its undo: what it starts on a trip is the way home at most, since there are no contingencies. */
function guardsFor(guards: readonly Guard[], steps: readonly PlanStep[]): Guard[] {
  return guards.flatMap((guard) => {
    const covers = steps.flatMap((step) =>
      step.step === 'act' && step.undoes !== null && guard.covers.includes(step.undoes.step) ? [step.id] : [],
    );
    const onTrip = typeof guard.onTrip === 'object' ? 'stop' : guard.onTrip;
    return covers.length > 0 ? [{ ...guard, covers, onTrip }] : [];
  });
}
