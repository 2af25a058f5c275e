import { forecastFuse, waitMs, type AwayManner, type FuseQuestion } from '../herd/index.ts';
import type { ActStep, Finding, Forecast, PlanStep, Server } from '../model/index.ts';
import { concurrencyOf, reckonedOf } from '../plan/index.ts';

/** Before hardware work somebody reads the gate and answers: plan milliseconds allowed for that. */
const ANSWER_MS = 10_000;

/**
 * Whether an outage that a gate of this plan speaks of fits the fuse that a refresh right before it gives. Null: the
 * plan has no such gate.
 */
export function forecastOf(
  steps: readonly PlanStep[],
  servers: readonly Server[],
  failures: number,
  /** Where the servers' numbers come from. */
  sources: readonly string[] = [],
): { readonly forecast: Forecast; readonly findings: readonly Finding[] } | null {
  const question = questionOf(steps, servers, failures);
  if (question === null) return null;
  const { accepted, cures, fuseMs, because } = forecastFuse(question);
  const { outageMs, marginMs } = question;
  const refusal: Finding = {
    severity: 'refusal',
    code: 'fuse',
    what: `the planned outage of ${seconds(outageMs)} s with its margin of ${seconds(marginMs)} s does not fit the fuse of ${fuseMs === null ? 'no' : seconds(fuseMs)} s`,
    cures: cures.map((cure) => cure.text),
  };
  return {
    forecast: { outageMs, marginMs, fuseMs, because: [...because, ...sources] },
    findings: accepted ? [] : [refusal],
  };
}

/** What the plan's first gate with an outage asks of the fuse; null: it has none. */
export function questionOf(
  steps: readonly PlanStep[],
  servers: readonly Server[],
  failures: number,
  /** How the dependencies are away; as the gate says, if it is not said. */
  away?: AwayManner | null,
): FuseQuestion | null {
  const at = steps.findIndex((step) => step.step === 'gate' && step.fuse !== null);
  const gate = steps[at];
  if (gate?.step !== 'gate' || gate.fuse === null) return null;
  const { outageMs, marginMs } = gate.fuse;
  const manner = away === undefined ? (gate.fuse.manner ?? null) : away;
  const from = steps.findIndex((step) => step.id === gate.renewFrom);
  const refresh = steps[from];
  const clocks = Math.max(1, ...servers.map((server) => server.service.clocks.length));
  const rule =
    refresh?.step === 'act' && refresh.perSecond !== null
      ? {
          perSecond: laidOutRate(refresh) / clocks,
          overheadMs: ANSWER_MS + between(steps.slice(from + 1, at), failures),
        }
      : null;
  return {
    servers: servers.map(({ name, service }) => ({
      name,
      clocks: service.clocks.map(({ name: clock, whenExpired, ttlMs }) => ({ name: clock, whenExpired, ttlMs })),
      dependencyTimeoutMs: longestWait(service, manner),
      refusedWaitMs: longestRefusal(service),
      load: service.load,
    })),
    refresh: rule,
    outageMs,
    marginMs,
  };
}

/** What a preview asked of the fuse, so that somebody else can ask it again with a thing changed. */
export interface Asked {
  /** How the dependency will be away; null: the plan does not say, and the worst is taken. */
  readonly manner: AwayManner | null;
  /** The least that any dependency serves of refreshes a second, of those that say so. */
  readonly capacityPerSecond: number | null;
  readonly question: (manner: AwayManner | null) => FuseQuestion;
}

/** What the plan's outage is asked about; null: it speaks of none. */
export function askedOf(steps: readonly PlanStep[], servers: readonly Server[], failures: number): Asked | null {
  const gate = steps.find((step) => step.step === 'gate' && step.fuse !== null);
  const asked = questionOf(steps, servers, failures);
  if (gate?.step !== 'gate' || asked === null) return null;
  const capacities = servers.flatMap(({ service }) =>
    Object.values(service.dependencies).flatMap(({ capacityPerSecond }) => capacityPerSecond ?? []),
  );
  return {
    manner: gate.fuse?.manner ?? null,
    capacityPerSecond: capacities.length === 0 ? null : Math.min(...capacities),
    question: (manner) => questionOf(steps, servers, failures, manner) ?? asked,
  };
}

/** How long a request waits for the slowest of its dependencies, away like that. */
export function longestWait({ dependencies }: Server['service'], manner: AwayManner | null): number {
  return Math.max(1, ...Object.values(dependencies).map((each) => waitMs(each, manner)));
}

/** The same for those that refuse; undefined where it is not known of each. */
function longestRefusal({ dependencies }: Server['service']): number | undefined {
  const all = Object.values(dependencies);
  return all.length === 0 || all.some(({ tries }) => tries === undefined)
    ? undefined
    : Math.max(1, ...all.map((each) => waitMs(each, 'refuse')));
}

/** Slots that draw on more than their rate, or wait behind a canary, take as long as they were laid out: the first has aged by that. */
function laidOutRate({ perSecond, slots, waves }: ActStep): number {
  const rate = perSecond ?? Infinity;
  if (!slots?.forecast || (slots.resources.length === 1 && slots.canary === null)) return rate;
  const servers = waves.reduce((sum, { length }) => sum + length, 0);
  return Math.min(rate, (servers * 1000) / slots.forecast.spanMs);
}

function between(steps: readonly PlanStep[], failures: number): number {
  return steps.reduce((sum, step) => {
    if (step.step !== 'act') return sum;
    const sizes = step.waves.map((wave) => wave.length);
    return sum + reckonedOf(step, sizes, concurrencyOf(step, failures));
  }, 0);
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
