import { forecastFuse } from '../herd/index.ts';
import type { Finding, Forecast, PlanStep, Server } from '../model/index.ts';
import { concurrencyOf, reckonedOf } from '../plan/index.ts';

/** Before hardware work somebody reads the gate and answers: plan milliseconds allowed for that. */
const ANSWER_MS = 10_000;

/**
 * Whether an outage that a gate of this plan speaks of fits the fuse that a refresh right before it gives. Null: the
 * plan has no such gate.
 */
export function forecastOf(
  steps: readonly PlanStep[],
  servers: readonly Server[],
  failures: number,
): { readonly forecast: Forecast; readonly findings: readonly Finding[] } | null {
  const at = steps.findIndex((step) => step.step === 'gate' && step.fuse !== null);
  const gate = steps[at];
  if (gate?.step !== 'gate' || gate.fuse === null) return null;
  const from = steps.findIndex((step) => step.id === gate.renewFrom);
  const refresh = steps[from];
  const clocks = Math.max(1, ...servers.map((server) => server.service.clocks.length));
  const rule =
    refresh?.step === 'act' && refresh.perSecond !== null
      ? { perSecond: refresh.perSecond / clocks, overheadMs: ANSWER_MS + between(steps.slice(from + 1, at), failures) }
      : null;
  const { accepted, cures, fuseMs, because } = forecastFuse({
    servers: servers.map(({ name, service }) => ({
      name,
      clocks: service.clocks.map(({ name: clock, whenExpired, ttlMs }) => ({ name: clock, whenExpired, ttlMs })),
      dependencyTimeoutMs: Math.max(1, ...Object.values(service.dependencies).map(({ timeoutMs }) => timeoutMs)),
      load: service.load,
    })),
    refresh: rule,
    ...gate.fuse,
  });
  const { outageMs, marginMs } = gate.fuse;
  const refusal: Finding = {
    severity: 'refusal',
    code: 'fuse',
    what: `the planned outage of ${seconds(outageMs)} s with its margin of ${seconds(marginMs)} s does not fit the fuse of ${fuseMs === null ? 'no' : seconds(fuseMs)} s`,
    cures: cures.map((cure) => cure.text),
  };
  return { forecast: { outageMs, marginMs, fuseMs, because: [...because] }, findings: accepted ? [] : [refusal] };
}

function between(steps: readonly PlanStep[], failures: number): number {
  return steps.reduce((sum, step) => {
    if (step.step !== 'act') return sum;
    const sizes = step.waves.map((wave) => wave.length);
    return sum + reckonedOf(step, sizes, concurrencyOf(step, failures));
  }, 0);
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
