import type { Json, Server } from '../model/index.ts';
import type { ExpectedFile } from '../ports/index.ts';
import { lineOf, trackOf, type Machine, type Place, type RunState } from '../run/index.ts';
import { FleetActor, type ActorInput } from './act.ts';
import { expectedFiles } from './expected.ts';
import { knownSteps } from './kinds.ts';
import type { LoadedRun } from './loaded-run.ts';

export interface RunActorInput extends Pick<ActorInput, 'run' | 'reach' | 'clock' | 'mayAct'> {
  readonly loaded: LoadedRun;
  readonly machine: Machine;
  /** How the run stands now. */
  readonly state: () => RunState;
}

/** The actor of one run: its plan's steps on its fleet's servers. Contacts nobody yet. */
export function runActor({ run, loaded, machine, state, reach, clock, mayAct }: RunActorInput): FleetActor {
  const { plan, fleet, outline } = loaded;
  const expectedBy = new Map<string, Promise<ExpectedFile[]>>();
  const expected = (server: Server): Promise<readonly ExpectedFile[]> => {
    const captured = plan.slices.find((slice) => server.name in slice.captured)?.captured[server.name] ?? {};
    const known = expectedBy.get(server.name) ?? expectedFiles(server, fleet.path, captured);
    expectedBy.set(server.name, known);
    return known;
  };
  return new FleetActor({
    run,
    kinds: knownSteps(plan, outline, (track, at) => stepIdAt(state(), machine, track, at)),
    servers: new Map(fleet.value.servers.map((server) => [server.name, server])),
    reach,
    clock,
    expected,
    recorded: (place) => changeAt(state(), place),
    goesHome: () => state().mode === 'home',
    mayAct,
  });
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
