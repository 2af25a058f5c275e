import { verifyChain } from '../journal/index.ts';
import type { Plan } from '../model/index.ts';
import type { JournalRow } from '../ports/index.ts';
import { budgetOf, createMachine, type RunState, type Stamped } from '../run/index.ts';
import { FuseWatch } from './collect/fuse.ts';
import { GuardWatch } from './collect/guards.ts';
import { Incidents } from './collect/incidents.ts';
import { openGates, People } from './collect/people.ts';
import { Servers } from './collect/servers.ts';
import { Timeline } from './collect/timeline.ts';
import { planPart } from './plan-part.ts';
import type { JournalPart, Report, Standing } from './report.ts';

/** What the journal's events alone do not say. */
export interface ReportExtra {
  /** The journal's rows, from the first one on: their chain is verified. */
  readonly rows?: readonly JournalRow[] | undefined;
  /** Plan time now, for a run that has an engine; without it the run is over or its engine gone. */
  readonly liveAtMs?: number | undefined;
}

/**
 * One run, from its plan and everything in its journal. Throws when the events do not begin with "opened", or belong
 * to another plan: such a report would be believed.
 */
export function reportOf(plan: Plan, events: readonly Stamped[], extra: ReportExtra = {}): Report {
  const [first] = events;
  if (first?.event.type !== 'opened') throw new Error('a journal begins with the event "opened"');
  if (first.event.plan !== plan.hash)
    throw new Error(`the journal is of plan ${first.event.plan}, not of plan ${plan.hash}`);
  const machine = createMachine(plan);
  const [people, timeline, servers, fuse, incidents] = [
    new People(machine),
    new Timeline(machine),
    new Servers(machine),
    new FuseWatch(machine),
    new Incidents(),
  ];
  const guards = new GuardWatch(machine);
  let state: RunState | null = null;
  for (const { atMs, event } of events) {
    const before: RunState | null = state;
    const after = machine.apply(before, { atMs, event });
    for (const collector of [people, timeline, servers, fuse, incidents, guards])
      collector.see({ atMs, event, before, after });
    state = after;
  }
  if (state === null) throw new Error('a journal begins with the event "opened"');
  const { run, title, by, host } = first.event;
  const seenUntilMs = state.closed ? state.nowMs : Math.max(state.nowMs, Math.round(extra.liveAtMs ?? 0));
  const endMs = state.closed?.atMs ?? seenUntilMs;
  return {
    format: 1,
    run,
    title,
    standing: standingOf(state, extra.liveAtMs !== undefined),
    by,
    user: state.answerable.user,
    key: state.answerable.key,
    ticket: state.answerable.ticket,
    host,
    openedAtMs: state.openedAtMs,
    seenUntilMs,
    closedAtMs: state.closed?.atMs ?? null,
    tookMs: endMs - state.openedAtMs,
    waitedMs: (state.begunAtMs ?? endMs) - state.openedAtMs,
    plan: planPart(plan),
    timeline: timeline.rows(state),
    fuse: fuse.part(state, endMs),
    rehearsals: state.rehearsed ?? [],
    people: people.words,
    waiting: openGates(state, machine),
    servers: servers.rows(state),
    budget: { ...budgetOf(state, machine.index), entries: incidents.entries },
    pages: incidents.pages,
    guards: guards.rows,
    engines: incidents.engines,
    views: incidents.views,
    journal: journalPart(events.length, extra.rows),
  };
}

function standingOf(state: RunState, live: boolean): Standing {
  const { closed, mode, halted, homeWhy } = state;
  const open = mode === 'home' ? 'On its way home.' : halted ? 'Halted: no new work.' : 'Under way.';
  return {
    outcome: closed?.outcome ?? null,
    exitCode: closed?.exitCode ?? null,
    live: live && !closed,
    mode,
    halted,
    summary: closed?.summary ?? (live ? open : `${open} Its engine is gone: go on with it by neap resume ${state.run}`),
    turn: homeWhy,
  };
}

function journalPart(events: number, rows: readonly JournalRow[] | undefined): JournalPart {
  if (rows === undefined) return { events, head: null, chain: null };
  const check = verifyChain(rows);
  return {
    events,
    head: rows.at(-1)?.hash ?? null,
    chain: check.ok ? { ok: true } : { ok: false, seq: check.seq, why: check.why },
  };
}
