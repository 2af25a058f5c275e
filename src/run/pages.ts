import { marginPages } from './countdown.ts';
import { gateOf } from './gates.ts';
import { PATH_BROKEN_MAX_MS } from './limits.ts';
import { mirrorPages } from './mirror.ts';
import { currentOf, lineOf, type PlanIndex } from './lines.ts';
import { awayOf } from './away.ts';
import type { RunState, Track } from './state.ts';
import { loadPages } from './serving.ts';
import { slottedOf } from './slots.ts';
import { guardPages } from './standings.ts';
import { shedPages } from './shed.ts';
import { windowPages } from './window-pages.ts';
import { approveCommand, clockTime, nameServers, partTitle } from './words.ts';

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
    ...guardPages(state, index),
    ...loadPages(state, index),
    ...mirrorPages(state, index),
    ...anchorPages(state),
    ...state.tracks.flatMap((track) => [
      ...heldPages(state, track, index),
      ...gatePages(state, track, index),
      ...frozenPages(state, track, index),
      ...stillInPages(state, track, index),
    ]),
    ...marginPages(state, index),
    ...shedPages(state, index),
    ...fusePages(state),
    ...windowPages(state, index),
  ];
}

function homePage({ mode, homeWhy, run }: RunState): Page[] {
  if (mode !== 'home' || !homeWhy) return [];
  const given =
    homeWhy.to === undefined
      ? 'what was taken is given back'
      : `what was taken after step ${homeWhy.to} is given back, and every hold is let go of`;
  return [
    {
      key: 'home',
      text: `Run ${run} turns for home: ${homeWhy.why}. Nothing more is taken; ${given}. Watch it: neap attach ${run}`,
    },
  ];
}

/** Once a run, however often the sink comes and goes: it stops nothing. */
function anchorPages({ anchorLost, run }: RunState): Page[] {
  if (anchorLost === null) return [];
  return [
    {
      key: 'anchor',
      text: `Run ${run}: the head of its journal cannot be told outside since ${clockTime(anchorLost.sinceMs)}: ${anchorLost.seen}. The run goes on; keep the head that this page ends with, and mend journal.anchor in neap.config.ts`,
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
  // Waves behind the current one are settled but for those passed by, and none ahead has begun.
  const open = [...current.behind, current.wave].flatMap((at) => current.waves[at] ?? []);
  const held = open.flatMap(({ targets }) =>
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
      text: `Holding the safe state before "${step.step === 'act' ? partTitle(step, current.does) : step.title}" on ${servers}: ${first.what}. It goes on by itself when that is mended. See: neap status ${run}`,
    },
  ];
}

/** No slots are given: it goes on by itself, and a person knows why nothing moves. */
function frozenPages({ run }: RunState, track: Track, index: PlanIndex): Page[] {
  const slotted = slottedOf(track, index);
  const pace = slotted?.act.pace;
  if (!slotted || pace?.share !== 0) return [];
  const { step } = slotted;
  return [
    {
      key: `frozen/${track.id}/${step.id}`,
      text: `Run ${run}: "${step.title}" (step ${step.id}) stands still: ${pace.why}. Nobody more is begun until that is over; then it goes on by itself, slower. Look at the database. See: neap status ${run}`,
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

/** Whoever could not be taken out of the balancer may still be in the way. */
function stillInPages(state: RunState, track: Track, index: PlanIndex): Page[] {
  // One that a person stopped has been answered for.
  if (track.kind !== 'contingency' || track.status === 'stopped') return [];
  return track.servers.flatMap((server) => {
    if (awayOf(state, index, server) !== 'not out') return [];
    const why = track.steps.flatMap((act) =>
      act.step === 'act' ? act.waves.flatMap(({ targets }) => targets[server]?.failure?.what ?? []) : [],
    )[0];
    return [
      {
        key: `still-in/${track.id}/${server}`,
        text: `${server} is out of run ${state.run} and could not be taken out of the balancer${why === undefined ? '' : ` (${why})`}. It may still take traffic: take it out by hand. See: neap status ${state.run}`,
      },
    ];
  });
}

function fusePages({ fuse, nowMs, shed }: RunState): Page[] {
  if (!fuse || nowMs < fuse.expiresAtMs || (shed?.wanted === 'on' && shed.phase === 'done')) return [];
  return [
    {
      key: `fuse/${fuse.expiresAtMs}`,
      text: `The fuse has burnt down: ${fuse.clock} on ${fuse.server} expired at ${clockTime(fuse.expiresAtMs)}. Answer at the edge now if the database is still away.`,
    },
  ];
}
