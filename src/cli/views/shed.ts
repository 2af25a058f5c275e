import type { PlanHeader } from '../../model/index.ts';
import { clockTime, duration, flyingOf, type RunEvent, type RunState } from '../../run/index.ts';

/** What a reading of the clocks changed about the fuse; null: nothing that a person needs to know. */
export function countedText(before: RunState | null, state: RunState): string | null {
  const { fuse, nowMs } = state;
  if (!before?.fuse || !fuse || before.fuse === fuse) return null;
  const moved = fuse.expiresAtMs - before.fuse.expiresAtMs;
  return `the fuse is ${duration(Math.abs(moved))} ${moved < 0 ? 'shorter' : 'longer'} than was read before: ${fuse.clock} on ${fuse.server} expires first, in ${duration(fuse.expiresAtMs - nowMs)} (${clockTime(fuse.expiresAtMs)})`;
}

/** That the balancer's page is turned now. */
export function sheddingText(on: boolean): string {
  return on ? "sheds load: turns the balancer's page on" : "turns the balancer's page off";
}

/** What became of turning the balancer's page. */
export function shedText(event: Extract<RunEvent, { type: 'shed' }>, before: RunState | null): string {
  const effect = before ? flyingOf(before.flying, event.id) : undefined;
  const on = effect?.effect === 'shed' ? effect.on : event.id.endsWith('/on');
  const word = on ? 'on' : 'off';
  if (event.failure?.kind === 'needs') return `the balancer's page stays on: ${event.failure.what}`;
  if (event.failure)
    return `the balancer's page could not be turned ${word}: ${event.failure.what}. ${event.failure.state}. ${event.failure.remedy}`;
  if (event.found === word) return `the balancer's page was ${word} already`;
  return on
    ? 'the balancer answers with its page: nothing reaches the servers'
    : "the balancer's page is off: requests reach the servers";
}

/** What the plan does when its outage outlasts the fuse; null: it has no outage, or nothing to do. */
export function planShedLine({ countdown }: PlanHeader): string | null {
  const shed = countdown?.shed ?? null;
  if (shed === null) return null;
  const back =
    shed.warmPerSecond === null
      ? 'off again when the database answers'
      : `off again when the database answers and expired caches are refreshed, ${Math.round(shed.warmPerSecond * 100) / 100} a second`;
  return `Shed: if the outage outlasts the fuse, the balancer's page goes on ${duration(shed.actMs)} before the first expiry (one timeout of ${duration(shed.timeoutMs)}, and ${duration(shed.takesMs)} to shed, ${shed.takesFrom}); ${back}.`;
}
