import type { RunPlace } from '../../engine/index.ts';
import {
  answersAhead,
  approveCommand,
  awayOf,
  budgetOf,
  clockTime,
  closesAtMs,
  currentOf,
  gateOf,
  isOverridden,
  isSettled,
  keptOut,
  lineOf,
  rejoinCommand,
  opensAtMs,
  outlookOf,
  waitsForOpening,
  watchedGuards,
  type Machine,
  type RunState,
  type Track,
} from '../../run/index.ts';
import { fuseJson, fuseStatus } from './fuse.ts';
import { armableLines, runGuardLines, stoppedLines } from './guards.ts';
import { runMirrorLines } from './mirror.ts';
import { slotStatus } from './slots.ts';
import { runWindowLines } from './window.ts';

/** How a run stands, in a few lines: what it does, what it waits for, who is out, and what to do now. */
export function statusText(place: RunPlace, state: RunState, machine: Machine, live: boolean): string {
  const { spent, failures } = budgetOf(state, machine.index);
  const lines = [
    `Run ${place.run}: ${machine.index.plan.header.title}`,
    headline(state, live),
    answerableText(state.answerable),
    `Budget: ${spent} of ${failures} failures.`,
    ...runWindowLines(state, machine),
    ...fuseStatus(state, machine),
    ...runGuardLines(state, machine),
    ...stoppedLines(state, machine),
    ...runMirrorLines(state, machine),
    ...state.tracks.flatMap((track) => trackLines(state, track, machine)),
    ...Object.entries(state.out).map(([server, out]) =>
      `${out.recovered ? 'Recovered' : awayOf(state, machine.index, server) === 'out' ? 'Out of the run and of the balancer' : 'Out'}: ${server}, at step ${out.step} "${out.title}": ${out.failure.what}. ${out.recovered ? '' : `${out.failure.state}. ${out.failure.remedy}`}`.trimEnd(),
    ),
    ...(live ? armableLines(state, machine) : []),
    nextCommand(place, state, machine, live),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same for scripts. */
export function statusJson(place: RunPlace, state: RunState, machine: Machine, live: boolean): object {
  return {
    run: place.run,
    live,
    answerable: state.answerable,
    mode: state.mode,
    halted: state.halted,
    closed: state.closed,
    turn: state.homeWhy,
    budget: budgetOf(state, machine.index),
    window: {
      opensAtMs: opensAtMs(state, machine.index),
      openedAtMs: state.begunAtMs,
      closesAtMs: closesAtMs(state, machine.index),
      riskUntilMs: outlookOf(state, machine.index)?.latestMs ?? null,
    },
    fuse: state.fuse,
    ...fuseJson(state, machine),
    mirror: { to: machine.index.plan.header.mirror, behind: state.mirrorBehind },
    guards: guardsJson(state, machine),
    gates: openGates(state, machine),
    ahead: answersAhead(state, machine.index),
    out: state.out,
    tracks: state.tracks.map((track) => ({
      id: track.id,
      kind: track.kind,
      status: track.status,
      step: stepName(track, machine),
      held: heldOf(track),
    })),
  };
}

/** Who must answer for it. Older journals name no key and no ticket. */
function answerableText({ by, host, user, key, ticket }: RunState['answerable']): string {
  const account = user === null || user === by ? '' : ` (account ${user})`;
  return `By ${by}${account} on ${host}${key === null ? '' : `, key ${key}`}${ticket === null ? '' : `, ticket ${ticket}`}.`;
}

function headline(state: RunState, live: boolean): string {
  if (state.closed)
    return `Closed at ${clockTime(state.closed.atMs)} with exit code ${state.closed.exitCode}: ${state.closed.summary}`;
  const engine = live ? '' : ' Its engine is gone.';
  if (state.mode === 'home') return `On its way home: ${state.homeWhy?.why}.${engine}`;
  if (waitsForOpening(state)) return `Waits for its window to open; nothing is done on any server.${engine}`;
  return `${state.halted ? 'Halted: no new work, watching goes on.' : 'Under way.'}${engine}`;
}

function trackLines(state: RunState, track: Track, machine: Machine): string[] {
  if (track.status === 'finished' || track.status === 'stopped') return [];
  const held = heldOf(track);
  const act = currentOf(track);
  const targets = act?.step === 'act' ? act.waves.flatMap((wave) => Object.values(wave.targets)) : [];
  const counts = targets.length > 0 ? `: ${targets.filter(isSettled).length} of ${targets.length} servers` : '';
  const gate = gateOf(track, machine.index);
  const asked = gate ? `: waits for a person, role ${gate.step.role}` : '';
  return [
    `${track.kind === 'main' ? 'Step' : track.kind === 'home' ? 'Way home, step' : track.kind === 'doubt' ? 'Question' : `Contingency ${track.id}, step`} ${stepName(track, machine)}${counts}${asked}`,
    ...slotStatus(state, track, machine),
    ...held.map(({ server, why }) => `  held: ${server}: ${why}`),
  ];
}

/** While it is looked at again it is held for the same reason. */
function heldOf(track: Track): { server: string; why: string }[] {
  const act = currentOf(track);
  if (act?.step !== 'act') return [];
  return act.waves.flatMap(({ targets }) =>
    Object.entries(targets).flatMap(([server, { phase, failure }]) =>
      (phase === 'held' || phase === 'looking') && failure ? [{ server, why: failure.what }] : [],
    ),
  );
}

function stepName(track: Track, machine: Machine): string {
  const act = currentOf(track);
  if (!act) return 'at its end';
  const step = act.step === 'gate' && act.gate ? act.gate : lineOf(machine.index, track)[act.plan];
  return step ? `${step.id} ${track.kind === 'home' ? 'undo: ' : ''}${step.title}` : '';
}

function guardsJson(state: RunState, { index }: Machine): object[] {
  return watchedGuards(state, index).map(({ id, title }) => ({
    guard: id,
    title,
    overridden: isOverridden(state, id),
    ...(state.guards[id] ?? { standing: 'unread' }),
  }));
}

function openGates(
  state: RunState,
  machine: Machine,
): { gate: string; question: string; answers: string[]; role: string }[] {
  return state.tracks.flatMap((track) => {
    const gate = gateOf(track, machine.index);
    return gate && !state.closed
      ? [{ gate: gate.id, question: gate.step.title, answers: Object.keys(gate.step.answers), role: gate.step.role }]
      : [];
  });
}

/** What to do now, as a command that can be typed. */
export function nextCommand({ run }: RunPlace, state: RunState, machine: Machine, live: boolean): string {
  // Whoever cannot be vouched for is looked at first: it reads every server and changes none.
  if (state.closed?.outcome === 'human')
    return `Next: neap fleet check --fleet ${machine.index.plan.header.fleet.path}`;
  const kept = state.closed ? keptOut(state, machine.index) : [];
  if (kept.length > 0) return `Next: ${rejoinCommand(kept, machine.index)}`;
  if (state.closed) return `Next: neap report ${run} --html report.html`;
  if (!live) return `Next: neap resume ${run}`;
  const [gate] = openGates(state, machine);
  if (gate) return `Next: ${approveCommand(run, gate.gate, gate.answers)}`;
  return state.halted
    ? `Next: neap resume ${run}, or neap abort ${run}`
    : `Next: neap attach ${run}, or neap abort ${run}`;
}
