import type { Failure } from '../model/index.ts';
import type { RunEvent } from './events.ts';
import { NOTHING_FLIES } from './flying.ts';
import type { PlanIndex } from './lines.ts';
import type { Out, RunState } from './state.ts';
import { mainTrack } from './tracks.ts';

/** What a run is when its journal has its first line; nothing was moved on yet. */
export function opening(event: Extract<RunEvent, { type: 'opened' }>, atMs: number, index: PlanIndex): RunState {
  const main = mainTrack(index);
  const out: Record<string, Out> = {};
  for (const slice of index.plan.slices) {
    for (const [step, byServer] of Object.entries(slice.verdicts)) {
      for (const [server, verdict] of Object.entries(byServer)) {
        if (verdict.verdict === 'contingency' && !out[server]) out[server] = foundHung(server, step, atMs);
      }
    }
  }
  return {
    run: event.run,
    answerable: answerableOf(event),
    openedAtMs: atMs,
    nowMs: atMs,
    begunAtMs: null,
    skewMs: 0,
    freezes: null,
    freezesUnread: null,
    mode: 'forward',
    homeWhy: null,
    halted: false,
    tracks: [main],
    out,
    paths: {},
    fuse: null,
    counting: null,
    shed: null,
    engines: [],
    slowed: {},
    guards: {},
    mirrorBehind: null,
    short: false,
    leaseLost: null,
    anchorLost: null,
    overrides: [],
    ahead: {},
    paged: {},
    flying: NOTHING_FLIES,
    closed: null,
  };
}

function answerableOf({ by, host, user, key, ticket }: Extract<RunEvent, { type: 'opened' }>): RunState['answerable'] {
  return { by, host, user: user ?? null, key: key ?? null, ticket: ticket ?? null };
}

function foundHung(server: string, step: string, atMs: number): Out {
  const failure: Failure = {
    kind: 'hung',
    what: 'it was hung when the plan was made',
    where: server,
    state: 'Nothing was done to it',
    remedy: 'The plan has a contingency for it',
  };
  return {
    step,
    title: 'preview',
    failure,
    fate: 'undiagnosed',
    sinceMs: atMs,
    track: null,
    recovered: false,
    path: null,
  };
}
