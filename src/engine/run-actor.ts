import type { Json, Plan, Server } from '../model/index.ts';
import type { ExpectedFile } from '../ports/index.ts';
import { knownClocks, lineOf, trackOf, type Machine, type Place, type RunState } from '../run/index.ts';
import { FleetActor, type ActorInput } from './act.ts';
import { expectedFiles } from './expected.ts';
import type { EdgeSwitch } from './edge.ts';
import { knownSteps } from './kinds.ts';
import type { LoadedRun } from './loaded-run.ts';
import { believing } from './rehearsed.ts';
import { warmUp } from './warm-up.ts';
import { FuseWatch } from './watch-fuse.ts';

export interface RunActorInput extends Pick<ActorInput, 'run' | 'reach' | 'clock' | 'mayAct' | 'room'> {
  readonly loaded: LoadedRun;
  readonly machine: Machine;
  /** Null: the fleet names no page of the balancer. */
  readonly edge: EdgeSwitch | null;
  /** Rejects when this engine is stale or cannot know. */
  readonly ask: () => Promise<void>;
  /** How the run stands now. */
  readonly state: () => RunState;
}

/** The actor of one run: its plan's steps on its fleet's servers. Contacts nobody yet. */
export function runActor({
  run,
  loaded,
  machine,
  state,
  reach,
  clock,
  mayAct,
  room,
  edge,
  ask,
}: RunActorInput): FleetActor {
  const { plan, fleet, outline } = loaded;
  const expectedBy = new Map<string, Promise<ExpectedFile[]>>();
  const expected = (server: Server): Promise<readonly ExpectedFile[]> => {
    const captured = plan.slices.find((slice) => server.name in slice.captured)?.captured[server.name] ?? {};
    const known = expectedBy.get(server.name) ?? expectedFiles(server, fleet.path, captured);
    expectedBy.set(server.name, known);
    return known;
  };
  const servers = new Map(
    believing(fleet.value.servers, plan.header.rehearsals).map((server) => [server.name, server] as const),
  );
  const known = (server: string) => knownClocks(state(), server, machine.index);
  const perSecond = plan.header.countdown?.shed?.warmPerSecond ?? null;
  const warm =
    perSecond === null
      ? null
      : () => {
          const line = inTheRun(plan, state()).flatMap((name) => servers.get(name) ?? []);
          return warmUp({ servers: line, reader: reach.reader, hands: reach.hands, clock, known, perSecond });
        };
  return new FleetActor({
    run,
    kinds: knownSteps(plan, outline, (track, at) => stepIdAt(state(), machine, track, at)),
    servers,
    reach,
    clock,
    expected,
    recorded: (place) => changeAt(state(), place),
    goesHome: () => state().mode === 'home',
    mayAct,
    room,
    known,
    fuse: new FuseWatch({ servers, reader: reach.reader, clock, edge, ask, known, warm }),
  });
}

/** Whoever is in the run, or back in it. */
function inTheRun({ slices }: Plan, { out }: RunState): string[] {
  const names = slices.flatMap(({ servers }) => servers.map(({ name }) => name));
  return names.filter((name) => !out[name] || out[name].recovered);
}

/** Which of the plan's steps a track's n-th is: a way home and a contingency have lines of their own. */
function stepIdAt(state: RunState, machine: Machine, track: string, at: number): string {
  const found = trackOf(state, track);
  return (found && lineOf(machine.index, found)[found.steps[at]?.plan ?? -1]?.id) ?? '';
}

function changeAt(state: RunState, { track, step, wave, target }: Place): Json | null {
  const act = trackOf(state, track)?.steps[step];
  return (act?.step === 'act' ? act.waves[wave]?.targets[target]?.change : null) ?? null;
}
