import type { GuardedSpec, GuardRead, GuardSpec, StepSpec } from '../model/index.ts';

/** How long a guard's command or query may take when the runbook does not say, in real milliseconds. */
const TIMEOUT_MS = 10_000;
/** How old a sample of Prometheus may be when the runbook does not say: four scrapes of the usual 15 s. */
const STALE_MS = 60_000;
/** A guard that has missed so many readings in a row has no data. */
const MISSED_MAX = 3;

/** What every guard says of itself, in plan milliseconds. */
export interface GuardOptions {
  readonly title: string;
  /** Read so often. */
  readonly everyMs: number;
  /** Bad for so long trips it; 0: the first bad reading does. */
  readonly forMs: number;
  /** Clear for so long clears it again; as long as `forMs`, but one reading at least, unless said. */
  readonly clearForMs?: number;
  /** No reading for so long is no data; three readings unless said. */
  readonly noDataMs?: number;
  /** What a positive bad reading starts besides stopping risk and paging; a contingency is named by its title. `stop` unless said. */
  readonly onTrip?: GuardSpec['onTrip'];
}

/** Takes no risk in these steps while the guard is tripped, has no data or was not read yet. */
export function guarded(guard: GuardSpec, steps: readonly StepSpec[]): GuardedSpec {
  return { step: 'guarded', guard, steps };
}

/** Asks over HTTP: bad when the answer is not a 2xx, or does not come within `withinMs` (real milliseconds). No connection is no data. */
export function httpProbe(options: GuardOptions & { readonly get: string; readonly withinMs: number }): GuardSpec {
  const { get, withinMs } = options;
  return guardOf(options, { guard: 'probe', get, withinMs }, withinMs);
}

/**
 * Asks a command on this machine, word by word and without a shell, in the runbook's folder: exit 0 is clear, 1 is
 * warn, 2 is bad, as monitoring plugins have it; anything else, and no end within `timeoutMs` (real), is no data.
 */
export function command(
  options: GuardOptions & { readonly run: readonly string[]; readonly timeoutMs?: number },
): GuardSpec {
  const { run, timeoutMs = TIMEOUT_MS } = options;
  return guardOf(options, { guard: 'command', run: [...run], timeoutMs }, timeoutMs);
}

/**
 * Asks Prometheus, by an instant query whose every sample is held against the limits. A sample older than `staleMs`
 * (real milliseconds), none at all, and what is no number are no data: query a value, not a comparison.
 */
export function prometheus(
  options: GuardOptions & {
    readonly url: string;
    readonly query: string;
    readonly warnAbove?: number;
    readonly tripAbove?: number;
    readonly warnBelow?: number;
    readonly tripBelow?: number;
    readonly staleMs?: number;
    readonly timeoutMs?: number;
  },
): GuardSpec {
  const { url, query, staleMs = STALE_MS, timeoutMs = TIMEOUT_MS } = options;
  const { warnAbove = null, tripAbove = null, warnBelow = null, tripBelow = null } = options;
  const limits = { warnAbove, tripAbove, warnBelow, tripBelow };
  return guardOf(options, { guard: 'prometheus', url, query, ...limits, staleMs, timeoutMs }, timeoutMs);
}

function guardOf(options: GuardOptions, read: GuardRead, readMs: number): GuardSpec {
  const { title, everyMs, forMs, onTrip = 'stop' } = options;
  return {
    title,
    read,
    everyMs,
    forMs,
    clearForMs: options.clearForMs ?? Math.max(forMs, everyMs),
    noDataMs: options.noDataMs ?? Math.max(MISSED_MAX * everyMs, everyMs + readMs),
    onTrip,
  };
}
