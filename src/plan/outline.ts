import type {
  ActSpec,
  ActStep,
  ContingencySpec,
  Decider,
  Fleet,
  GateSpec,
  GateStep,
  GroupsOf,
  Guard,
  GuardedSpec,
  PlanStep,
  Reach,
  Runbook,
  Server,
  StepSpec,
} from '../model/index.ts';
import { failuresOf } from './budget.ts';
import { quarantines, type TakeOut } from './quarantine.ts';
import { armedByOf, demandSummonable, guardsOf, type Watched } from './guards.ts';
import { refuse } from './refuse.ts';
import { demandSuccessors, slotRate, slotRuleOf } from './slots.ts';
import { countOf, cutWaves } from './waves.ts';

/** How many servers a step works on at a time when the runbook does not say. */
const AT_ONCE = 32;

/** A runbook laid over a fleet: every step with its servers, before anything was contacted. */
export interface Outline {
  readonly servers: readonly Server[];
  readonly steps: readonly PlanStep[];
  readonly contingencies: readonly {
    readonly spec: ContingencySpec;
    readonly id: string;
    readonly steps: readonly PlanStep[];
  }[];
  /** The kind behind each act step, by step id. */
  readonly kinds: ReadonlyMap<string, Decider>;
  readonly canaries: readonly string[];
  readonly guards: readonly Guard[];
  /** How many servers may fail in the whole run. */
  readonly failures: number;
}

/**
 * Expands a runbook. Refuses, in the compiler's words, what the compiler refuses (Node checks no types): servers that
 * lack a way that a step needs, an empty selection (promise 5), a wave above its cap.
 */
export function outline(
  runbook: Runbook,
  groups: GroupsOf<Reach>,
  inputs: unknown,
  fleet: Fleet,
  except: ReadonlySet<string>,
  takeOut: TakeOut | null = null,
): Outline {
  const servers = fleet.servers
    .filter((server) => server.group in runbook.reach && !except.has(server.name))
    .toSorted(byName);
  for (const group of Object.keys(runbook.reach)) {
    if (!servers.some((server) => server.group === group)) {
      refuse(
        `group ${group} has no server left`,
        `fleet ${fleet.name}`,
        `The runbook needs servers of group ${group}: is it the right fleet, or are all of them under --except?`,
      );
    }
  }
  const kinds = new Map<string, Decider>();
  const canaries = new Set<string>();
  const expansion = new Expansion(runbook, servers, kinds, canaries);
  const steps = expansion.expand(runbook.steps(groups, inputs), '');
  demandSuccessors(steps);
  const failures = failuresOf(runbook.budget, servers.length);
  const said = runbook.contingencies?.(groups, inputs) ?? [];
  const specs = [...said, ...(takeOut ? quarantines(steps, servers, said, failures, takeOut) : [])];
  const named = specs.map((spec, index) => ({ spec, id: `c${index + 1}` }));
  for (const { spec } of named) demandSummonable(spec);
  const guards = guardsOf(expansion.watched, named);
  const contingencies = named.map(({ spec, id }) => ({
    spec: { ...spec, when: armedByOf(spec, guards) },
    id,
    steps: expansion.expand(spec.steps, `${id}.`),
  }));
  return {
    servers,
    steps: withRenewals(steps),
    contingencies,
    kinds,
    canaries: [...canaries].toSorted(),
    guards,
    failures,
  };
}

function byName(a: Server, b: Server): number {
  return a.name < b.name ? -1 : 1;
}

class Expansion {
  readonly #runbook: Runbook;
  readonly #servers: readonly Server[];
  readonly #kinds: Map<string, Decider>;
  readonly #canaries: Set<string>;
  readonly #watched: Watched[] = [];

  constructor(runbook: Runbook, servers: readonly Server[], kinds: Map<string, Decider>, canaries: Set<string>) {
    this.#runbook = runbook;
    this.#servers = servers;
    this.#kinds = kinds;
    this.#canaries = canaries;
  }

  /** The guards met so far. */
  get watched(): readonly Watched[] {
    return this.#watched;
  }

  expand(specs: readonly StepSpec[], prefix: string): PlanStep[] {
    const steps: PlanStep[] = [];
    const id = (): string => `${prefix}${steps.length + 1}`;
    const add = (spec: StepSpec): void => {
      switch (spec.step) {
        case 'act':
          steps.push(this.#act(spec, id(), prefix !== ''));
          return;
        case 'gate':
          steps.push(gateStep(spec, id()));
          return;
        case 'guarded': {
          this.#demandWatchable(spec, prefix);
          const from = steps.length;
          const covers: string[] = [];
          this.#watched.push({ spec: spec.guard, covers });
          for (const inner of spec.steps) add(inner);
          covers.push(...steps.slice(from).map((step) => step.id));
          return;
        }
        case 'rejoin':
          steps.push({ step: 'rejoin', id: id(), title: 'wait until the main line has brought the fleet back' });
          return;
        case 'hold': {
          this.#demandReleasable(spec.hold, prefix !== '', `step ${id()}`);
          const at = steps.length;
          const hold = this.#act(spec.hold, id(), prefix !== '');
          steps.push(hold);
          for (const inner of spec.steps) add(inner);
          const release = releaseOf(hold, id());
          this.#kinds.set(release.id, spec.hold.kind);
          steps.push(release);
          steps[at] = { ...hold, releasedBy: release.id };
        }
      }
    };
    for (const spec of specs) add(spec);
    return steps;
  }

  #demandWatchable({ guard, steps }: GuardedSpec, prefix: string): void {
    const where = `guard "${guard.title}"`;
    if (steps.length === 0) refuse('it covers no step', where, 'Lay guarded() around the steps that it watches');
    if (prefix !== '')
      refuse('a contingency gives back, so no guard stops it', where, 'Lay guarded() around steps of the main line');
  }

  #act(spec: ActSpec, id: string, inContingency: boolean): ActStep {
    const { kind } = spec;
    const input = kind.input.parse(spec.input) as never;
    const where = `step ${id} (${kind.title(input)})`;
    this.#demandReach(spec, where);
    const chosen = this.#select(spec, where);
    const isCanary = spec.targets.part.of === 'first' && chosen.length < this.#group(spec.targets.group).length;
    if (isCanary) for (const server of chosen) this.#canaries.add(server.name);
    if (spec.waves?.canary) for (const server of chosen.slice(0, spec.waves.canary)) this.#canaries.add(server.name);
    this.#kinds.set(id, kind);
    const soakMs = kind.soakMs?.(input) ?? 0;
    const group = this.#group(spec.targets.group);
    const slots = slotRuleOf(spec.slots, { kind, group, chosen, keepsWaves: spec.waves !== undefined, where });
    return {
      step: 'act',
      id,
      title: kind.title(input),
      kind: { name: kind.name, version: kind.version },
      // A contingency gives back: budget and window do not stop it.
      nature: inContingency && kind.nature(input) === 'risk' ? 'restore' : kind.nature(input),
      input: spec.input,
      idempotent: kind.idempotent,
      onUnmet: kind.onUnmet ?? 'fail',
      failureEnds: isCanary || kind.onUnmet === 'end',
      needs: [...(kind.needs?.(input) ?? [])],
      undoNeeds: [...(kind.undoNeeds?.(input) ?? [])],
      irreversible: kind.irreversible ?? null,
      leavesNothing: kind.leavesNothing ?? false,
      alters: [...kind.alters],
      waves: cutWaves(chosen, spec.waves, where, slots),
      atMost: spec.waves ? countOf(spec.waves.atMost, chosen.length, 'atMost', where) : AT_ONCE,
      perSecond: slotRate(spec.slots, chosen),
      ...(slots ? { slots } : {}),
      releasedBy: null,
      releases: null,
      soakMs,
      expectedMs: kind.expectedMs(input),
      expectedFrom: { from: 'kind' },
      undoes: null,
      askBeforeUndo: spec.askBeforeUndo ?? false,
      ...(inContingency && kind.nature(input) === 'risk' ? { takes: true } : {}),
    };
  }

  /** Whatever ends the steps under a hold, it is let go of: by its undo, on the main line or on the way home from it. */
  #demandReleasable({ kind }: ActSpec, inContingency: boolean, where: string): void {
    if (inContingency)
      refuse('a hold is taken in a contingency', where, 'Take it in the main line, around what the contingency is for');
    if (kind.irreversible !== undefined || kind.leavesNothing === true)
      refuse(`${kind.name} has no undo, so it cannot be held`, where, 'Hold by a kind whose back has an undo');
  }

  #group(group: string): readonly Server[] {
    return this.#servers.filter((server) => server.group === group);
  }

  #select({ targets: { group, part } }: ActSpec, where: string): readonly Server[] {
    const all = this.#group(group);
    if (part.of === 'armed') return [];
    const least = part.of === 'first' ? 1 : 0;
    if (part.of !== 'all' && (!Number.isInteger(part.count) || part.count < least)) {
      refuse(
        `${part.of}() is given ${part.count}, not a whole number from ${least} up`,
        where,
        `Say how many servers of group ${group} are meant`,
      );
    }
    const chosen = part.of === 'all' ? all : part.of === 'first' ? all.slice(0, part.count) : all.slice(part.count);
    if (chosen.length === 0)
      refuse(
        `no server of group ${group} is selected`,
        where,
        'An empty selection is an error, never "all": correct first() or rest(), or the fleet',
      );
    return chosen;
  }

  #demandReach({ kind, targets: { group } }: ActSpec, where: string): void {
    const declared = this.#runbook.reach[group];
    if (!declared) refuse(`group ${group} is not in the runbook's reach`, where, `Add ${group} to reach`);
    for (const way of kind.reach) {
      if (!declared.includes(way)) {
        const has = declared.map((each) => JSON.stringify(each)).join(' | ');
        refuse(
          `Targets<${has}> is not assignable to parameter of type Targets<${JSON.stringify(way)}>`,
          where,
          `Reach of group ${group} lacks ${way}: use servers that can be reached by ${way}`,
        );
      }
      const lacking = this.#group(group).find((server) => !canBeReached(server, way));
      if (lacking)
        refuse(
          `server ${lacking.name} cannot be reached by ${way}`,
          where,
          `Give ${lacking.name} its ${way === 'bmc' ? 'bmc' : 'url'} in the fleet, or leave it out with --except`,
        );
    }
  }
}

function canBeReached(server: Server, way: string): boolean {
  if (way === 'bmc') return server.bmc !== undefined;
  if (way === 'http') return server.url !== undefined;
  return true;
}

function gateStep(spec: GateSpec, id: string): GateStep {
  return {
    step: 'gate',
    id,
    title: spec.question,
    role: spec.role,
    answers: { ...spec.answers },
    fuse: spec.fuse ? { ...spec.fuse } : null,
    freshMs: spec.freshMs ?? null,
    expiresMs: spec.expiresMs,
    onTimeout: spec.onTimeout,
    ahead: spec.ahead ?? false,
    renewFrom: null,
  };
}

/** Releasing is the hold's own undo, for the servers that hold it. */
function releaseOf(hold: ActStep, id: string): ActStep {
  return {
    ...hold,
    id,
    title: `release: ${hold.title}`,
    nature: 'restore',
    needs: [],
    undoNeeds: [],
    failureEnds: true,
    releasedBy: null,
    releases: hold.id,
    soakMs: 0,
  };
}

/** A gate that shows the fuse goes back to the last scheduled refresh before it. */
function withRenewals(steps: readonly PlanStep[]): PlanStep[] {
  let refresh: string | null = null;
  return steps.map((step) => {
    // What is only paced, and takes something away, refreshes nothing.
    if (step.step === 'act' && step.perSecond !== null && step.leavesNothing) refresh = step.id;
    return step.step === 'gate' && step.fuse ? { ...step, renewFrom: refresh } : step;
  });
}
