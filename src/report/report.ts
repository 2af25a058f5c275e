import type { Finding, Forecast, Guard, Json, PlanVerdict, Rehearsed } from '../model/index.ts';
import type { Outcome } from '../run/index.ts';

/**
 * What one run was, as plain data: the same journal gives the same report. Instants are plan time in milliseconds
 * since 1970, spans are milliseconds. Texts are as the journal holds them: whoever shows them makes them harmless.
 */
export interface Report {
  readonly format: 1;
  readonly run: string;
  readonly title: string;
  readonly standing: Standing;
  readonly by: string;
  /** The operating system's name of who asked, the key that neap logs in with, and the ticket; null: not said. */
  readonly user: string | null;
  readonly key: string | null;
  readonly ticket: string | null;
  readonly host: string;
  readonly openedAtMs: number;
  /** The last event in the journal, or the instant that the report was asked for while the run lives. */
  readonly seenUntilMs: number;
  readonly closedAtMs: number | null;
  /** Until its end, or until `seenUntilMs`. */
  readonly tookMs: number;
  /** How much of that it waited for its window to open. */
  readonly waitedMs: number;
  readonly plan: PlanPart;
  readonly timeline: readonly TimelineRow[];
  readonly fuse: FusePart | null;
  /** What its rehearsals showed, in order. */
  readonly rehearsals: readonly Rehearsed[];
  readonly people: readonly Word[];
  readonly waiting: readonly OpenGate[];
  readonly servers: readonly ServerRow[];
  readonly budget: BudgetPart;
  readonly pages: readonly PageRow[];
  readonly guards: readonly GuardRow[];
  readonly engines: readonly EngineRow[];
  readonly views: readonly ViewRow[];
  readonly journal: JournalPart;
}

/** How it ended, or stands. */
export interface Standing {
  readonly outcome: Outcome | null;
  readonly exitCode: number | null;
  /** Whether an engine acts on it now. Not closed and not live: its engine is gone. */
  readonly live: boolean;
  readonly mode: 'forward' | 'home';
  readonly halted: boolean;
  readonly summary: string;
  /** Why it turned for home. */
  readonly turn: { readonly code: string; readonly why: string } | null;
}

/** A guard stood otherwise from `atMs` on; what made it so began at `onsetAtMs`. */
export interface GuardRow {
  readonly guard: string;
  readonly title: string;
  readonly standing: 'clear' | 'warn' | 'trip' | 'no-data';
  readonly atMs: number;
  readonly onsetAtMs: number;
  readonly seen: string;
}

export interface PlanPart {
  readonly hash: string;
  readonly neap: string;
  readonly madeAtMs: number;
  readonly notAfterMs: number;
  readonly runbook: { readonly path: string; readonly digest: string };
  readonly fleet: { readonly name: string; readonly path: string; readonly digest: string };
  readonly inputs: { readonly [name: string]: Json };
  readonly canaries: readonly string[];
  readonly window: { readonly limitMs: number; readonly expectedMs: number; readonly homeMs: number };
  readonly forecast: Forecast | null;
  readonly findings: readonly Finding[];
  readonly guards: readonly Guard[];
  readonly steps: readonly PlanStepRow[];
}

/** One line of the plan, with how many servers got which verdict. */
export interface PlanStepRow {
  /** The contingency that it belongs to; null: the main line. */
  readonly contingency: string | null;
  readonly id: string;
  readonly title: string;
  readonly step: 'act' | 'gate' | 'rejoin';
  /** `risk`, `restore`, `check`; for a gate the role that answers. */
  readonly nature: string;
  readonly servers: number;
  readonly waves: number;
  readonly irreversible: string | null;
  readonly verdicts: { readonly [verdict in PlanVerdict['verdict']]: number };
}

/** One step of one track as it went. A step that was done again after a renewal has a row for each time. */
export interface TimelineRow {
  readonly track: string;
  readonly trackKind: 'main' | 'home' | 'contingency' | 'doubt';
  readonly id: string;
  readonly title: string;
  readonly step: 'act' | 'gate' | 'rejoin';
  readonly does: 'perform' | 'undo';
  readonly state: 'done' | 'under way' | 'stopped' | 'done again later' | 'not reached' | 'nobody to do it for';
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly expectedMs: number | null;
  readonly servers: number;
  readonly done: number;
  readonly failed: readonly string[];
  readonly unknown: readonly string[];
  /** Servers that took no part any more when their turn came. */
  readonly left: readonly string[];
  /** Neither done nor any of the above. */
  readonly open: number;
}

/** What a person said, and what came of it. */
export interface Word {
  readonly word: 'approved' | 'answered' | 'aborted' | 'armed' | 'halted' | 'unhalted' | 'overrode';
  readonly by: string;
  readonly atMs: number;
  readonly gate: string | null;
  readonly question: string | null;
  readonly answer: string | null;
  readonly reason: string | null;
  /** From the question to the answer. */
  readonly waitedMs: number | null;
  /** How old the answer was when the run acted upon it. */
  readonly ageMs: number | null;
  /** `too old`: it had to be given again; `too late`: the fuse no longer covered the outage, so caches came first. */
  readonly fate: 'taken' | 'asked again' | 'too old' | 'too late' | 'went home' | 'not needed any more' | 'taken back';
}

export interface OpenGate {
  readonly gate: string;
  readonly question: string;
  readonly role: string;
  readonly sinceMs: number | null;
  readonly answers: readonly string[];
}

export interface ServerRow {
  readonly name: string;
  /** Null for a server that was left out of the plan: the plan holds its name and the reason. */
  readonly group: string | null;
  readonly domain: string | null;
  /** `quarantined`: out of the balancer until it is proven. */
  readonly ended:
    | 'done'
    | 'recovered'
    | 'home'
    | 'untouched'
    | 'quarantined'
    | 'out'
    | 'not proven'
    | 'left out'
    | 'under way';
  readonly why: string | null;
  readonly remedy: string | null;
  readonly outAtMs: number | null;
  readonly outAt: string | null;
  /** Steps that changed something on it or failed, in order. */
  readonly deeds: readonly Deed[];
  /** Steps that found nothing to change. */
  readonly checks: number;
  readonly boots: readonly Boot[];
  readonly resets: readonly Deed[];
}

export interface Deed {
  readonly track: string;
  readonly id: string;
  readonly title: string;
  readonly does: 'perform' | 'undo';
  readonly state: 'done' | 'failed' | 'unknown' | 'under way';
  /** How often it was sent; 0: it failed before. */
  readonly attempts: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly why: string | null;
}

export interface Boot {
  readonly bootId: string;
  /** First seen. */
  readonly atMs: number;
}

export interface FusePart {
  readonly spans: readonly FuseSpan[];
  /** From the gate that shows the fuse to the end of the gate behind it. */
  readonly outage: Outage | null;
}

/** For so long this expiry was the first one. */
export interface FuseSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly expiresAtMs: number;
  readonly server: string;
  readonly clock: string;
}

export interface Outage {
  readonly startMs: number;
  /** Null: it is not over. */
  readonly endMs: number | null;
  readonly plannedMs: number;
  readonly marginMs: number;
  /** What was left of the fuse at its end, or is now; null: no fuse burnt. */
  readonly leftMs: number | null;
}

export interface BudgetPart {
  readonly failures: number;
  readonly spent: number;
  readonly entries: readonly {
    readonly atMs: number;
    readonly name: string;
    readonly isPath: boolean;
    readonly why: string;
  }[];
}

export interface PageRow {
  readonly atMs: number;
  readonly text: string;
  readonly sentAtMs: number | null;
  readonly failure: string | null;
}

export interface EngineRow {
  readonly atMs: number;
  readonly pid: number;
  readonly host: string;
  readonly neap: string;
  /** It took over from one that was gone. */
  readonly resumed: boolean;
  /** Since the last event of the engine before. */
  readonly silentMs: number;
  /** Effects that were under way then: each was looked at again. */
  readonly inDoubt: number;
}

export interface ViewRow {
  readonly atMs: number;
  readonly by: string;
  readonly what: 'attached' | 'lost' | 'detached';
}

export interface JournalPart {
  readonly events: number;
  /** The hash of the last event: kept elsewhere, it shows a tail that was cut off. Null: the rows were not given. */
  readonly head: string | null;
  readonly chain: { readonly ok: true } | { readonly ok: false; readonly seq: number; readonly why: string } | null;
}
