import type {
  Countdown,
  Finding,
  Fleet,
  Forecast,
  Json,
  Plan,
  PlanHeader,
  PlanRehearsal,
  PlanStep,
  PlanVerdict,
  Runbook,
  Slice,
} from '../model/index.ts';
import { canonicalJson } from './canonical.ts';
import type { Foresight } from './foresee.ts';
import { sha256Hex } from './hash.ts';
import type { Outline } from './outline.ts';
import { review } from './review.ts';
import { expectedTotal, homeTotal } from './timing.ts';
import { LANE_MAX } from './waves.ts';

/** A plan made from facts holds for a week: later, make it anew. */
export const PLAN_HOLDS_MS = 7 * 24 * 60 * 60_000;

export interface CompileInput {
  readonly neap: string;
  readonly runbook: Runbook;
  readonly outline: Outline;
  readonly fleet: Fleet;
  readonly digests: {
    readonly runbookPath: string;
    readonly runbook: string;
    readonly fleetPath: string;
    readonly fleet: string;
  };
  readonly inputs: { readonly [name: string]: Json };
  readonly nowMs: number;
  readonly seed: number;
  /** What was foreseen for each server. */
  readonly foresights: ReadonlyMap<string, Foresight>;
  /** Digests captured for expected configuration, by server and path. */
  readonly captured: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly except: readonly {
    readonly server: string;
    readonly reason: string;
    readonly traffic: 'in' | 'out' | null | 'unknown';
  }[];
  /** When it may be run, as absolute instants, and how long that is meant to take. */
  readonly window?: Partial<Pick<PlanHeader['window'], 'opensAtMs' | 'closesAtMs' | 'plannedMs' | 'zone'>>;
  /** What the calendars freeze, as far as this plan can be run. */
  readonly freezes?: PlanHeader['freezes'];
  /** Where the journal is copied to. */
  readonly mirror?: string | null;
  readonly forecast: Forecast | null;
  /** How its fuse is watched while it burns; null: it has none. */
  readonly countdown?: Countdown | null;
  /** What rehearsals show of its outage, group by group. */
  readonly rehearsals?: readonly PlanRehearsal[];
  /** Where claims are kept, and whom they guard against: without it this machine's own. */
  readonly lease?: PlanHeader['lease'];
  /** Findings that the edge made: the forecast's refusal, the way neap itself goes. */
  readonly findings: readonly Finding[];
}

/** Facts and a runbook become a plan: pure, so the same facts give the same hash. */
export function compile(input: CompileInput): Plan {
  const { outline, runbook } = input;
  const slices = sliced(input);
  const { steps } = outline;
  const header: PlanHeader = {
    format: 1,
    neap: input.neap,
    title: runbook.title,
    runbook: { path: input.digests.runbookPath, digest: input.digests.runbook },
    fleet: {
      name: input.fleet.name,
      path: input.digests.fleetPath,
      digest: input.digests.fleet,
      rate: input.fleet.clock?.rate ?? 1,
    },
    inputs: { ...input.inputs },
    kinds: kindsOf([...steps, ...outline.contingencies.flatMap((each) => each.steps)]),
    madeAtMs: input.nowMs,
    notAfterMs: input.nowMs + PLAN_HOLDS_MS,
    seed: input.seed,
    canaries: [...outline.canaries],
    except: input.except.map(({ server, reason }) => ({ server, reason })),
    budget: { failures: outline.failures, percent: runbook.budget.percent ?? null },
    window: {
      limitMs: runbook.window.limitMs,
      expectedMs: Math.ceil(expectedTotal(steps, outline.failures)),
      homeMs: homeTotal(steps),
      opensAtMs: input.window?.opensAtMs ?? null,
      closesAtMs: input.window?.closesAtMs ?? null,
      plannedMs: input.window?.plannedMs ?? runbook.window.plannedMs ?? null,
      zone: input.window?.zone ?? null,
    },
    freezes: [...(input.freezes ?? [])],
    guards: [...outline.guards],
    lease: input.lease ?? { store: 'local', guards: 'this machine only' },
    mirror: input.mirror ?? null,
    rollbackOf: null,
    steps: [...steps],
    contingencies: outline.contingencies.map(({ spec, id, steps: branch }) => ({
      id,
      title: spec.title,
      when: spec.when,
      group: spec.group,
      suspectAbove: spec.suspectAbove,
      steps: [...branch],
      afterwards: spec.afterwards ?? 'return',
    })),
    forecast: input.forecast,
    ...(input.countdown ? { countdown: input.countdown } : {}),
    ...(input.rehearsals && input.rehearsals.length > 0 ? { rehearsals: [...input.rehearsals] } : {}),
    findings: [],
    slices: slices.map((slice) => sha256Hex(canonicalJson(slice))),
  };
  const findings = [...input.findings, ...review(header, slices, input.except)];
  const reviewed = { ...header, findings };
  return { hash: hashOf(reviewed), header: reviewed, slices };
}

/** A plan's file as it lies there: schemas fill in what a later version added, and that was never hashed. */
export interface PlanText {
  readonly hash: string;
  readonly header: { readonly slices: readonly string[]; readonly [field: string]: unknown };
  readonly slices: readonly unknown[];
}

/** The plan's hash is its header's; the header holds the slices'. */
export function hashOf(header: PlanText['header']): string {
  return sha256Hex(canonicalJson(header));
}

/**
 * Why a plan read from a file is not what its hash says; null when it is. It is given the file's own JSON, so that a
 * plan made before the schemas had all of today's fields keeps its hash.
 */
export function tampered(plan: PlanText): string | null {
  if (hashOf(plan.header) !== plan.hash) return 'its header does not have the hash that it names';
  const bad = plan.slices.findIndex((slice, index) => sha256Hex(canonicalJson(slice)) !== plan.header.slices[index]);
  if (bad >= 0 || plan.slices.length !== plan.header.slices.length)
    return `its slice ${bad >= 0 ? bad : plan.slices.length} does not have the hash that the header names`;
  return null;
}

function sliced({ outline, foresights, captured }: CompileInput): Slice[] {
  const lanes = Math.ceil(outline.servers.length / LANE_MAX);
  return Array.from({ length: lanes }, (_, lane) => {
    const servers = outline.servers.slice(lane * LANE_MAX, (lane + 1) * LANE_MAX);
    const verdicts: Record<string, Record<string, PlanVerdict>> = {};
    for (const { name } of servers) {
      for (const [step, verdict] of Object.entries(foresights.get(name)?.verdicts ?? {})) {
        verdicts[step] ??= {};
        verdicts[step][name] = verdict;
      }
    }
    const held = servers.flatMap(({ name }) =>
      captured.has(name) ? [[name, { ...captured.get(name) }] as const] : [],
    );
    return {
      lane,
      servers: servers.map(({ name, group, domain }) => ({ name, group, domain })),
      verdicts,
      captured: Object.fromEntries(held),
    };
  });
}

export function kindsOf(steps: readonly PlanStep[]): PlanHeader['kinds'] {
  const kinds = new Map(steps.flatMap((step) => (step.step === 'act' ? [[step.kind.name, step.kind] as const] : [])));
  return [...kinds.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, version }) => ({ name, version }));
}
