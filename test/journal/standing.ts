import type { RunState, StepState } from '../../src/run/index.ts';

/**
 * What of a folded run must stay the same for ever, whatever else a state comes to hold: how it ended, who is out and
 * why, and for every step of every track what became of each server. Recorded by the version that wrote the journal.
 */
export function standingOf({
  closed,
  mode,
  homeWhy,
  out,
  paths,
  paged,
  tracks,
  fuse,
  openedAtMs,
  nowMs,
}: RunState): object {
  return {
    closed,
    mode,
    turn: homeWhy?.code ?? null,
    openedAtMs,
    nowMs,
    fuse,
    paths: Object.keys(paths),
    paged: Object.keys(paged).toSorted(),
    out: mapped(out, ({ step, fate, recovered, track, failure }) => ({
      step,
      fate,
      recovered,
      track,
      why: failure.what,
    })),
    tracks: tracks.map(({ id, kind, status, cursor, servers, contingency, steps }) => ({
      id,
      kind,
      status,
      cursor,
      servers,
      contingency,
      steps: steps.map(stepOf),
    })),
  };
}

function stepOf(step: StepState): object {
  if (step.step === 'rejoin') return { plan: step.plan };
  if (step.step === 'gate')
    return { plan: step.plan, gate: step.phase, asks: step.asks, answer: step.answer?.answer ?? null };
  const targets = step.waves.map((wave) =>
    mapped(wave.targets, ({ phase, attempts, decided, change, failure }) => ({
      phase,
      attempts,
      decided,
      change,
      why: failure?.what ?? null,
    })),
  );
  return { plan: step.plan, does: step.does, startedAtMs: step.startedAtMs, endedAtMs: step.endedAtMs, waves: targets };
}

function mapped<T>(record: Readonly<Record<string, T>>, pick: (value: T) => object): Record<string, object> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, pick(value)]));
}
