import { rehearsedCutSchema, type ActStep, type PlanStep, type Rehearsed } from '../model/index.ts';
import type { RunEvent } from './events.ts';
import { lineOf, trackOf, type PlanIndex } from './lines.ts';
import type { ActState, RunState, TargetState, Track } from './state.ts';

/** The kinds that make a rehearsal: a server that is offline, whose path to a dependency is cut. */
const CUT = 'cut-path';
const OFFLINE = 'offline-mode';

/**
 * What a rehearsal showed, as soon as its server has come through it: a step that sends traffic to a server of the main
 * line while that server is offline and its path is cut. Null: none has, or it is told already.
 */
export function rehearsed(state: RunState, index: PlanIndex): RunEvent | null {
  const main = trackOf(state, 'main');
  if (!main) return null;
  const line = lineOf(index, main);
  for (const [at, hold] of line.entries()) {
    if (hold.step !== 'act' || hold.kind.name !== CUT || hold.releasedBy === null) continue;
    const to = line.findIndex(({ id }) => id === hold.releasedBy);
    for (let under = at + 1; under < to; under += 1) {
      const told = ofStep(state, index, { main, line, hold: at, under });
      if (told !== null) return { type: 'rehearsed', rehearsal: told };
    }
  }
  return null;
}

interface Where {
  readonly main: Track;
  readonly line: readonly PlanStep[];
  readonly hold: number;
  readonly under: number;
}

function ofStep(state: RunState, index: PlanIndex, where: Where): Rehearsed | null {
  const { main, line, hold, under } = where;
  const step = line[under];
  const act = main.steps[under];
  const held = main.steps[hold];
  if (step?.step !== 'act' || step.soakMs === 0 || act?.step !== 'act' || held?.step !== 'act') return null;
  if (act.startedAtMs === null) return null;
  for (const { targets } of act.waves)
    for (const [server, target] of Object.entries(targets)) {
      if (target.phase !== 'done' && target.phase !== 'failed') continue;
      if (!isOffline(line.slice(0, hold), server)) continue;
      const told = ofServer(state, index, { server, step, target, held, hold: line[hold] as ActStep });
      if (told !== null) return told;
    }
  return null;
}

/** Whether the line has taken it into offline mode by then: only there is the outage rehearsed. */
function isOffline(before: readonly PlanStep[], server: string): boolean {
  const switches = before.filter(
    (step) => step.step === 'act' && step.kind.name === OFFLINE && step.waves.some((wave) => wave.includes(server)),
  );
  const last = switches.at(-1);
  return last?.step === 'act' && (last.input as { readonly on?: unknown }).on === true;
}

interface Part {
  readonly server: string;
  readonly step: ActStep;
  readonly target: TargetState;
  readonly hold: ActStep;
  readonly held: ActState;
}

function ofServer(state: RunState, index: PlanIndex, { server, step, target, hold, held }: Part): Rehearsed | null {
  const driven = drivenIn(target.readings);
  const cutPart = held.waves.map(({ targets }) => targets[server]).find((each) => each !== undefined);
  if (driven === null || cutPart === undefined) return null;
  const parsed = rehearsedCutSchema.safeParse((cutPart.readings as { readonly cut?: unknown } | null)?.cut);
  // An engine that took the run over confirmed the cut anew, or an older one told nothing of it.
  if (!parsed.success) return null;
  const { cutAtMs, manner, software, declared, dependencyTimeoutMs } = parsed.data;
  const isTold = state.rehearsed?.some(
    (each) => each.step === step.id && each.server === server && each.cutAtMs === cutAtMs,
  );
  if (isTold) return null;
  const { failure } = driven;
  const lastedMs = Math.max(0, (failure?.atMs ?? driven.untilMs) - cutAtMs);
  const why = whyVoid(state, step, target, driven, cutAtMs, lastedMs);
  return {
    step: step.id,
    server,
    group: groupOf(index, server),
    dependency: String((hold.input as { readonly from?: unknown }).from),
    manner,
    cutAtMs,
    plannedMs: step.soakMs,
    result: why !== null ? 'void' : failure === null ? 'survived' : 'failed',
    lastedMs: why === null ? lastedMs : 0,
    why: why ?? (failure === null ? null : `the first ${failure.request} request that failed ${failure.why}`),
    software,
    clocks: declared,
    dependencyTimeoutMs,
    traffic: {
      share: driven.share,
      productionPerSecond: driven.productionPerSecond,
      perSecond: driven.perSecond,
      sent: driven.sent,
    },
  };
}

/** A rehearsal that nobody watched for a while shows nothing: what failed then is not known. */
function whyVoid(
  { engines }: RunState,
  step: ActStep,
  { phase, failure }: TargetState,
  driven: DrivenLike,
  cutAtMs: number,
  lastedMs: number,
): string | null {
  if ((engines.at(-1)?.atMs ?? 0) > cutAtMs) return 'another engine took the run over meanwhile';
  if (driven.gap !== null) return driven.gap;
  if (driven.failure !== null) return null;
  if (phase === 'failed') return failure?.what ?? 'the step failed';
  return lastedMs < step.soakMs ? 'it was ended before its time' : null;
}

interface DrivenLike {
  readonly share: number;
  readonly productionPerSecond: number | null;
  readonly perSecond: number;
  readonly untilMs: number;
  readonly sent: number;
  readonly failure: { readonly atMs: number; readonly request: string; readonly why: string } | null;
  readonly gap: string | null;
}

/** What a step's readings tell of the traffic that was sent; they have the form of their kind's schema. */
function drivenIn(readings: unknown): DrivenLike | null {
  if (typeof readings !== 'object' || readings === null || !('driven' in readings)) return null;
  return (readings.driven as DrivenLike | null) ?? null;
}

function groupOf({ plan }: PlanIndex, server: string): string {
  return plan.slices.flatMap(({ servers }) => servers).find(({ name }) => name === server)?.group ?? '';
}
