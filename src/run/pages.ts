import { gateOf } from './gates.ts';
import { PATH_BROKEN_MAX_MS } from './limits.ts';
import { currentOf, lineOf, type PlanIndex } from './lines.ts';
import type { RunState, Track } from './state.ts';
import { approveCommand, clockTime, nameServers } from './words.ts';

/** A page and the key that makes it one, however often it is due. */
export interface Page {
  readonly key: string;
  readonly text: string;
}

/** Everything that a person must be told now. Told once: the state remembers which keys were paged. */
export function pagesDue(state: RunState, index: PlanIndex): Page[] {
  return [
    ...homePage(state),
    ...pathPages(state),
    ...state.tracks.flatMap((track) => [
      ...heldPages(state, track, index),
      ...gatePages(state, track, index),
      ...unknownPages(state, track, index),
    ]),
    ...fusePages(state),
  ];
}

function homePage({ mode, homeWhy, run }: RunState): Page[] {
  if (mode !== 'home' || !homeWhy) return [];
  return [
    {
      key: 'home',
      text: `Run ${run} turns for home: ${homeWhy.why}. Nothing more is taken; what was taken is given back. Watch it: neap attach ${run}`,
    },
  ];
}

/** One page a path, however many servers stand behind it. */
function pathPages({ paths, run }: RunState): Page[] {
  return Object.entries(paths).map(([path, { sinceMs }]) => ({
    key: `path/${path}`,
    text: `The way through ${path} is broken since ${clockTime(sinceMs)}: one fault, and whoever stands behind it is waited for, ${PATH_BROKEN_MAX_MS / 60_000} min at most. Bring ${path} back; the run then goes on by itself. See: neap status ${run}`,
  }));
}

/** Holding the safe state: which need, and for whom. */
function heldPages({ run }: RunState, track: Track, index: PlanIndex): Page[] {
  const current = currentOf(track);
  if (current?.step !== 'act') return [];
  const step = lineOf(index, track)[current.plan];
  const held = current.waves.flatMap(({ targets }) =>
    Object.entries(targets).filter(
      ([, target]) =>
        target.phase === 'held' && (target.failure?.kind === 'needs' || target.failure?.kind === 'condition'),
    ),
  );
  const first = held[0]?.[1].failure;
  if (!first || !step) return [];
  const servers = nameServers(held.map(([server]) => server));
  return [
    {
      key: `held/${track.id}/${track.cursor}`,
      text: `Holding the safe state before "${current.does === 'undo' ? `undo: ${step.title}` : step.title}" on ${servers}: ${first.what}. It goes on by itself when that is mended. See: neap status ${run}`,
    },
  ];
}

function gatePages(state: RunState, track: Track, index: PlanIndex): Page[] {
  const gate = gateOf(track, index);
  if (gate?.state.phase !== 'asked') return [];
  return [
    {
      key: `gate/${gate.id}`,
      text: `Run ${state.run} waits for a person (role ${gate.step.role}): ${gate.step.title} Answer: ${approveCommand(state.run, gate.id, Object.keys(gate.step.answers))}`,
    },
  ];
}

/** On the main line such a server is out, and few are: the whole line is not gone through at every event. */
function unknownPages(state: RunState, track: Track, index: PlanIndex): Page[] {
  const unknown =
    track.kind === 'main'
      ? Object.entries(state.out).flatMap(([server, { fate, title }]) =>
          fate === 'unknown' ? [{ server, title }] : [],
        )
      : track.steps.flatMap((act) => {
          if (act.step !== 'act') return [];
          const title = lineOf(index, track)[act.plan]?.title ?? '';
          return act.waves.flatMap(({ targets }) =>
            Object.entries(targets).flatMap(([server, { phase }]) => (phase === 'unknown' ? [{ server, title }] : [])),
          );
        });
  return unknown.map(({ server, title }) => ({
    key: `unknown/${track.id}/${server}`,
    text: `${server}: whether "${title}" was done is not known. Look at it; neap does not do it again. See: neap status ${state.run}`,
  }));
}

function fusePages({ fuse, nowMs }: RunState): Page[] {
  if (!fuse || nowMs < fuse.expiresAtMs) return [];
  return [
    {
      key: `fuse/${fuse.expiresAtMs}`,
      text: `The fuse has burnt down: ${fuse.clock} on ${fuse.server} expired at ${clockTime(fuse.expiresAtMs)}. Answer at the edge now if the database is still away.`,
    },
  ];
}
