import { lineOf, type ActState, type Machine, type RunState } from '../../../run/index.ts';

/** What a run has taken and not given back: for each kind of change, its title and on which servers. */
export interface Taken {
  readonly kind: string;
  readonly title: string;
  readonly servers: ReadonlySet<string>;
}

const known = new WeakMap<RunState, readonly Taken[]>();

/** What would stay taken if nothing more were done now. A step gives back what a risk step of its kind took. */
export function takenOf(state: RunState, machine: Machine): readonly Taken[] {
  const before = known.get(state);
  if (before) return before;
  const all = new Map<string, { readonly title: string; readonly servers: Set<string> }>();
  for (const track of state.tracks) {
    const line = lineOf(machine.index, track);
    for (const act of track.steps) {
      const step = line[act.plan];
      if (act.step !== 'act' || step?.step !== 'act') continue;
      const takes = act.does === 'perform' && step.nature === 'risk';
      const kind = all.get(step.kind.name) ?? { title: step.title, servers: new Set<string>() };
      if (takes) all.set(step.kind.name, kind);
      count(act, takes, kind.servers);
    }
  }
  const taken = [...all].flatMap(([kind, { title, servers }]) => (servers.size > 0 ? [{ kind, title, servers }] : []));
  known.set(state, taken);
  return taken;
}

function count({ waves }: ActState, takes: boolean, servers: Set<string>): void {
  for (const [server, { phase, dirty }] of waves.flatMap(({ targets }) => Object.entries(targets))) {
    if (takes && dirty) servers.add(server);
    else if (!takes && phase === 'done') servers.delete(server);
  }
}

/** `11 of 12 servers offline; "cut its own path to the database" on api-01`. */
export function takenText(taken: readonly Taken[], machine: Machine): string {
  if (taken.length === 0) return 'nothing is taken from any server';
  const total = machine.index.plan.slices.reduce((sum, slice) => sum + slice.servers.length, 0);
  return taken
    .map(({ kind, title, servers }) => {
      if (kind === 'offline-mode') return `${servers.size} of ${total} servers offline`;
      const [first = ''] = servers;
      return `"${title}" on ${servers.size === 1 ? first : `${servers.size} servers`}`;
    })
    .join('; ');
}
