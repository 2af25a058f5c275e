import type { ActStep, Manner, PlanStep, Service } from '../model/index.ts';
import { concurrencyOf, reckonedOf } from './timing.ts';

/** Before hardware work somebody reads the gate and answers: plan milliseconds allowed for that. */
const ANSWER_MS = 10_000;

/** The kinds that a rehearsal is made of. */
const CUT = 'cut-path';
const OFFLINE = 'offline-mode';
const PROBE = 'probe';
const ANSWERS = 'answers';

/**
 * For how long an outage is rehearsed, in plan milliseconds: until whatever lives longest has expired and a request has
 * waited for the dependency after that, or for the planned outage and its margin, whichever is longer.
 */
export function rehearsalMs(
  { clocks, dependencies }: Pick<Service, 'clocks' | 'dependencies'>,
  dependency: string,
  { outageMs, marginMs }: { readonly outageMs: number; readonly marginMs: number },
): number {
  const longest = Math.max(0, ...clocks.map(({ ttlMs }) => ttlMs.max));
  const timeoutMs = dependencies[dependency]?.timeoutMs ?? 0;
  return Math.ceil(Math.max(longest + timeoutMs, outageMs + marginMs));
}

/** The outage that a plan's first gate with a fuse speaks of. */
export interface PlannedOutage {
  /** Where that gate stands. */
  readonly at: number;
  readonly outageMs: number;
  readonly marginMs: number;
  /** The step that refreshes what has a clock, right before that gate; null: none does. */
  readonly renewFrom: string | null;
  /** How it will be away; null: the plan does not say. */
  readonly manner: Manner | null;
  /** What is away, as far as the line tells: what it waits for behind the gate; null: it does not. */
  readonly dependency: string | null;
}

/** Null: no gate of the plan speaks of an outage. */
export function plannedOutage(steps: readonly PlanStep[]): PlannedOutage | null {
  const at = steps.findIndex((step) => step.step === 'gate' && step.fuse !== null);
  const gate = steps[at];
  if (gate?.step !== 'gate' || gate.fuse === null) return null;
  const back = steps.slice(at).find((step) => step.step === 'act' && step.kind.name === ANSWERS);
  const from = back?.step === 'act' ? (back.input as { readonly from?: unknown }).from : undefined;
  const { outageMs, marginMs, manner = null } = gate.fuse;
  return {
    at,
    outageMs,
    marginMs,
    manner,
    renewFrom: gate.renewFrom,
    dependency: typeof from === 'string' ? from : null,
  };
}

/** A plan's own rehearsal: a canary that is offline, whose path is cut, and which must go on answering. */
export interface Carried {
  readonly step: string;
  readonly server: string;
  readonly forMs: number;
}

/** The longest one before the gate among these servers; null: the plan carries none. A canary that fails it ends the run. */
export function carriedRehearsal(
  steps: readonly PlanStep[],
  { at, dependency }: PlannedOutage,
  servers: ReadonlySet<string>,
): Carried | null {
  const found: Carried[] = [];
  for (const [from, hold] of steps.slice(0, at).entries()) {
    if (hold.step !== 'act' || hold.kind.name !== CUT || hold.releasedBy === null) continue;
    if (dependency !== null && (hold.input as { readonly from?: unknown }).from !== dependency) continue;
    const to = steps.findIndex(({ id }) => id === hold.releasedBy);
    for (const step of steps.slice(from + 1, Math.min(to, at)))
      if (step.step === 'act' && step.kind.name === PROBE && step.failureEnds && step.soakMs > 0) {
        const server = step.waves.flat().find((name) => servers.has(name) && goesOffline(steps.slice(0, from), name));
        if (server !== undefined) found.push({ step: step.id, server, forMs: step.soakMs });
      }
  }
  return found.toSorted((a, b) => b.forMs - a.forMs)[0] ?? null;
}

/**
 * For how long these servers' caches age until the cut: from the refresh right before it where they have clocks, and
 * from the first of them going offline, which resets them, where nobody knows what to refresh.
 */
export function ageingMs(
  steps: readonly PlanStep[],
  { at, renewFrom }: PlannedOutage,
  servers: ReadonlySet<string>,
  failures: number,
  hasClocks: boolean,
): number {
  const line = steps.slice(0, at);
  const of = (step: ActStep): number => step.waves.flat().filter((name) => servers.has(name)).length;
  // The canary's own time in offline mode is its rehearsal's.
  const most = Math.max(0, ...line.map((step) => (isOffline(step) ? of(step) : 0)));
  const offline = line.findIndex((step) => isOffline(step) && of(step) === most);
  const refresh = line.findIndex(({ id }) => id === renewFrom);
  const from = hasClocks && refresh >= 0 ? refresh : offline;
  if (from < 0) return ANSWER_MS;
  const taken = line.slice(from).reduce((sum, step) => {
    if (step.step !== 'act') return sum;
    const sizes = step.waves.map(({ length }) => length);
    return sum + reckonedOf(step, sizes, concurrencyOf(step, failures));
  }, ANSWER_MS);
  return Math.ceil(taken);
}

function goesOffline(before: readonly PlanStep[], server: string): boolean {
  return before.some((step) => isOffline(step) && step.waves.some((wave) => wave.includes(server)));
}

function isOffline(step: PlanStep): step is ActStep {
  return (
    step.step === 'act' && step.kind.name === OFFLINE && (step.input as { readonly on?: unknown } | null)?.on === true
  );
}

/** How bad it is for who asks: a dependency that accepts and never answers holds a request longest. */
const BADNESS: Readonly<Record<Manner, number>> = { refuse: 0, drop: 1, hang: 2 };

/**
 * Whether a rehearsal whose path was cut in that manner shows the outage. One that is at least as bad does; where the
 * plan does not say how the dependency will be away, it must have swallowed what was sent.
 */
export function showsManner(rehearsed: Manner | null, planned: Manner | null): boolean {
  return BADNESS[rehearsed ?? 'refuse'] >= BADNESS[planned ?? 'drop'];
}
