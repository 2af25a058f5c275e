import type { Plan, PlanHeader, PlanStep } from '../../src/model/index.ts';
import { createMachine, type Effect, type Machine, type RunEvent, type RunState } from '../../src/run/index.ts';
import type { Planted } from './engine.ts';

/** A bug that is planted on purpose, and the promise that the simulation must find broken by it. */
export interface Bug {
  readonly name: string;
  readonly promise: string;
  /** It is found by one of the seeds from 1 to this. */
  readonly within: number;
  readonly planted: Planted;
}

/** One or more for every promise that a run can show. Each is switched on by a test, and found within the seeds that it states. */
export const BUGS: readonly Bug[] = [
  {
    name: 'the preview refreshes what it reads',
    within: 12,
    promise: 'promise 1',
    planted: {
      reader: (reader, world, name) => ({
        ...reader,
        ask: async (what) => {
          world.refresh(world.server(name));
          return reader.ask(what);
        },
      }),
    },
  },
  {
    name: 'a change that the plan does not hold',
    within: 12,
    promise: 'promise 2',
    planted: {
      machine: onEffects((effect) => (effect.effect === 'perform' ? { ...effect, change: { to: 'worse' } } : effect)),
    },
  },
  {
    name: 'an undo of what was never done',
    within: 12,
    promise: 'promise 2',
    planted: {
      machine: onEffects((effect) => (effect.effect === 'undo' ? { ...effect, change: { to: 'worse' } } : effect)),
    },
  },
  { name: 'the disk says yes before it has written', within: 12, promise: 'promise 3', planted: { hastyDisk: true } },
  {
    name: 'a new engine forgets what was in doubt',
    within: 12,
    promise: 'promise 3',
    planted: { machine: onState((state, event) => (event.type === 'engine' ? forgetDoubt(state) : state)) },
  },
  {
    name: 'folding an event depends on more than the event',
    within: 12,
    promise: 'promise 3',
    planted: { machine: impure, isReplayed: true },
  },
  {
    name: 'nobody sheds load before the fuse is over',
    within: 60,
    promise: 'foresight',
    planted: { machine: withoutEffects((effect) => effect.effect === 'shed' && effect.on) },
  },
  {
    name: 'the page is forgotten when the run ends',
    within: 60,
    promise: 'promise 8',
    planted: {
      machine: onState((state) =>
        state.fuse === null && state.shed?.wanted === 'on' ? { ...state, shed: null } : state,
      ),
    },
  },
  { name: 'the fence lets a zombie through', within: 250, promise: 'promise 4', planted: { openFence: true } },
  {
    name: 'a server that was left out is read too',
    within: 40,
    promise: 'promise 5',
    planted: {
      actor: (actor, reach, world) => ({
        act: async (effect) => {
          const last = [...world.servers.keys()].at(-1) ?? '';
          if (effect.effect === 'look')
            await reach
              .reader({ name: last })
              .ask('offline')
              .catch(() => '');
          return actor.act(effect);
        },
      }),
    },
  },
  {
    name: 'the budget is one too large',
    within: 12,
    promise: 'promise 6',
    planted: {
      machine: onPlan((header) => ({ ...header, budget: { ...header.budget, failures: header.budget.failures + 1 } })),
    },
  },
  {
    name: 'guards stop nothing',
    within: 12,
    promise: 'promise 7',
    planted: { machine: onPlan((header) => ({ ...header, guards: [] })) },
  },
  {
    name: 'a guard without data turns the run for home',
    within: 250,
    promise: 'promise 7',
    planted: {
      machine: onEvents((event) =>
        event.type === 'guard' && event.standing === 'no-data' ? { ...event, standing: 'trip', positive: true } : event,
      ),
    },
  },
  {
    name: 'slots go on as if nothing had been seen in the database',
    within: 300,
    promise: 'promise 9',
    planted: { machine: onEvents((event) => (event.type === 'paced' ? { type: 'time' } : event)) },
  },
  {
    name: 'servers leave service whoever fell out before',
    within: 40,
    promise: 'load',
    planted: {
      machine: onPlan((header) => ({
        ...header,
        steps: header.steps.map((step) => (step.step === 'act' ? { ...step, serving: undefined } : step)),
      })),
    },
  },
  {
    name: 'the window never closes',
    within: 300,
    promise: 'promise 7',
    planted: {
      machine: onPlan((header) => ({ ...header, window: { ...header.window, limitMs: 1e9, closesAtMs: null } })),
    },
  },
  {
    name: 'freezes stop nothing',
    within: 60,
    promise: 'promise 7',
    planted: { machine: onPlan((header) => ({ ...header, freezes: [] })) },
  },
  {
    name: 'calendars that cannot be read stop nothing',
    within: 400,
    promise: 'promise 7',
    planted: { machine: onEvents((event) => (event.type === 'freezes' && event.unread ? { type: 'time' } : event)) },
  },
  {
    name: 'the window is open at once',
    within: 60,
    promise: 'promise 7',
    planted: { machine: onPlan((header) => ({ ...header, window: { ...header.window, opensAtMs: null } })) },
  },
  {
    name: 'a mirror that is behind is not waited for',
    within: 300,
    promise: 'promise 3',
    planted: { machine: onPlan((header) => ({ ...header, mirror: null })) },
  },
  {
    name: 'the lease may be lost',
    within: 300,
    promise: 'promise 7',
    planted: { machine: onEvents((event) => (event.type === 'lease' ? { type: 'time' } : event)) },
  },
  {
    name: 'nobody is paged when the run turns for home',
    within: 12,
    promise: 'promise 7',
    planted: { machine: onState((state) => ({ ...state, paged: { ...state.paged, home: true } })) },
  },
  {
    name: 'halt stops nothing',
    within: 400,
    promise: 'promise 8',
    planted: { machine: onState((state) => (state.halted ? { ...state, halted: false } : state)) },
  },
  {
    name: 'one server is forgotten on the way home',
    within: 12,
    promise: 'promise 8',
    planted: { machine: onDecision((event) => (event.type === 'homeward' ? { ...event, servers: [] } : event)) },
  },
  {
    name: 'needs are taken for granted',
    within: 40,
    promise: 'promise 9',
    planted: {
      machine: onEvents((event) =>
        event.type === 'looked' && !('failure' in event.outcome)
          ? { ...event, outcome: { ...event.outcome, need: { holds: true } } }
          : event,
      ),
    },
  },
  {
    name: 'the pace of refreshes is not kept',
    within: 12,
    promise: 'promise 9',
    planted: {
      machine: onSteps((step) =>
        step.step === 'act' && step.perSecond !== null ? { ...step, perSecond: step.perSecond * 3 } : step,
      ),
    },
  },
  { name: 'all at once on the way back', within: 12, promise: 'promise 9', planted: { machine: allAtOnce } },
  {
    name: 'silence of one way is taken for hung',
    within: 40,
    promise: 'promise 10',
    planted: {
      reader: (reader) => ({
        ...reader,
        vitals: async () => ({
          ...(await reader.vitals()),
          ssh: 'silent',
          http: 'silent',
          balancer: 'down',
          power: 'On',
          control: 'answers',
        }),
      }),
    },
  },
  {
    name: 'nothing is waited for',
    within: 12,
    promise: 'promise 12',
    planted: { machine: (machine) => ({ ...machine, next: (state) => ({ ...machine.next(state), wakeAtMs: null }) }) },
  },
  {
    name: 'a page without words',
    within: 12,
    promise: 'promise 14',
    planted: { machine: onEffects((effect) => (effect.effect === 'page' ? { ...effect, text: 'oh' } : effect)) },
  },
  {
    name: 'what was seen is acted upon a little later',
    within: 12,
    promise: 'design, facts',
    planted: { machine: late },
  },
  {
    name: 'every run says that it went well',
    within: 12,
    promise: 'exit codes',
    planted: { machine: onDecision((event) => (event.type === 'closed' ? { ...event, exitCode: 0 } : event)) },
  },
];

type Wrap = (machine: Machine) => Machine;

function onEffects(change: (effect: Effect) => Effect): Wrap {
  return (machine) => ({
    ...machine,
    next: (state) => {
      const next = machine.next(state);
      return { ...next, effects: next.effects.map(change) };
    },
  });
}

/** Effects that it never makes. */
function withoutEffects(isDropped: (effect: Effect) => boolean): Wrap {
  return (machine) => ({
    ...machine,
    next: (state) => {
      const next = machine.next(state);
      return { ...next, effects: next.effects.filter((effect) => !isDropped(effect)) };
    },
  });
}

function onDecision(change: (event: RunEvent) => RunEvent): Wrap {
  return (machine) => ({
    ...machine,
    next: (state) => {
      const next = machine.next(state);
      return { ...next, decision: next.decision && change(next.decision) };
    },
  });
}

function onEvents(change: (event: RunEvent) => RunEvent): Wrap {
  return (machine) => ({
    ...machine,
    apply: (state, { atMs, event }) => machine.apply(state, { atMs, event: change(event) }),
  });
}

function onState(change: (state: RunState, event: RunEvent) => RunState): Wrap {
  return (machine) => ({
    ...machine,
    apply: (state, stamped) => change(machine.apply(state, stamped), stamped.event),
  });
}

/** A machine that goes by another plan than the one that was approved. */
function onPlan(change: (header: PlanHeader) => PlanHeader): Wrap {
  return ({ index: { plan } }) => createMachine({ ...plan, header: change(plan.header) } satisfies Plan);
}

function onSteps(change: (step: PlanStep) => PlanStep): Wrap {
  return onPlan((header) => ({ ...header, steps: header.steps.map(change) }));
}

function forgetDoubt(state: RunState): RunState {
  const tracks = state.tracks.map((track) => ({
    ...track,
    steps: track.steps.map((step) =>
      step.step === 'act'
        ? {
            ...step,
            waves: step.waves.map(({ targets }) => ({
              targets: Object.fromEntries(
                Object.entries(targets).map(([server, target]) => [
                  server,
                  target.phase === 'doubt'
                    ? {
                        ...target,
                        phase: 'waiting' as const,
                        dirty: false,
                        inDoubt: false,
                        attempts: target.attempts + 1,
                      }
                    : target,
                ]),
              ),
            })),
          }
        : step,
    ),
  }));
  return { ...state, tracks };
}

/** The way home does not wait for its waves. */
function allAtOnce(machine: Machine): Machine {
  return {
    ...machine,
    next: (state) => {
      const next = machine.next(state);
      const more = state.tracks.flatMap((track) => {
        const act = track.steps[track.cursor];
        if (track.kind !== 'home' || track.status !== 'running' || act?.step !== 'act') return [];
        return act.waves.flatMap(({ targets }, wave) =>
          Object.entries(targets).flatMap(([target, { phase }]): Effect[] => {
            const place = { track: track.id, step: track.cursor, wave, target };
            const id = `${track.id}/${track.cursor}.${wave}/${target}/look/0`;
            return phase === 'waiting' ? [{ effect: 'look', id, place, for: 'undo', soakUntilMs: null }] : [];
          }),
        );
      });
      const known = new Set(next.effects.map(({ id }) => id));
      return { ...next, effects: [...next.effects, ...more.filter(({ id }) => !known.has(id))] };
    },
  };
}

/** Changes are made ten seconds after they were decided. */
function late(machine: Machine): Machine {
  const firstSeen = new Map<string, number>();
  const isDue = (effect: Effect, nowMs: number): boolean => {
    if (effect.effect !== 'perform') return true;
    firstSeen.set(effect.id, firstSeen.get(effect.id) ?? nowMs);
    return nowMs >= (firstSeen.get(effect.id) ?? nowMs) + 10_000;
  };
  return {
    ...machine,
    next: (state) => {
      const next = machine.next(state);
      const effects = next.effects.filter((effect) => isDue(effect, state.nowMs));
      return { ...next, effects, wakeAtMs: Math.min(next.wakeAtMs ?? Infinity, state.nowMs + 1_000) };
    },
  };
}

function impure(machine: Machine): Machine {
  let calls = 0;
  return {
    ...machine,
    apply: (state, stamped) => {
      calls += 1;
      const next = machine.apply(state, stamped);
      return calls % 50 === 0 ? { ...next, openedAtMs: next.openedAtMs + 1 } : next;
    },
  };
}
