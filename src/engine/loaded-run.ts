import type { Fleet, Plan } from '../model/index.ts';
import { outline, type Outline } from '../plan/index.ts';
import { groupsOf, takeOut } from '../steps/index.ts';
import { planClock } from './clock.ts';
import { loadFleet, loadRunbook, type Loaded } from './load.ts';
import { ownVersion } from './planning.ts';
import { readOrder, readPlan, type Order, type RunPlace } from './runs.ts';
import { refuseOld, staleness, stalePlan, strangeKind, type Purpose, type Stale } from './stale.ts';

/** A run's plan and order, with the code and fleet behind them. */
export interface LoadedRun {
  readonly order: Order;
  readonly plan: Plan;
  readonly fleet: Loaded<Fleet>;
  readonly outline: Outline;
  /** The version of this copy of neap. */
  readonly neap: string;
}

/**
 * The plan, and the code and fleet that it was made with: anything else is another plan. To go home, another neap will
 * do, and kinds that read their earlier changes. Throws StalePlan.
 */
export async function loadRun(place: RunPlace, purpose: Purpose): Promise<LoadedRun> {
  const order = await readOrder(place);
  const plan = await readPlan(place.plan);
  const { header } = plan;
  const fleet = await loadFleet(order.restored?.fleet ?? header.fleet.path, order.cwd);
  const runbook = await loadRunbook(order.restored?.runbook ?? header.runbook.path, order.cwd);
  const neap = await ownVersion();
  const refuse = (stale: Stale | null): void => {
    if (stale !== null && !(purpose === 'home' && stale.mayGoHome)) throw stalePlan(place.run, stale, purpose);
  };
  refuse(staleness(order, plan, { neap, fleet: fleet.digest, runbook: runbook.digest }));
  if (purpose === 'start') refuseOld(place.run, header.notAfterMs, planClock(fleet.value.clock).nowMs());
  const except = leftOutOf(plan, fleet.value);
  const groups = groupsOf(runbook.value.reach);
  const laid = outline(runbook.value, groups, header.inputs, fleet.value, except, takeOut);
  refuse(strangeKind(plan, laid));
  return { order, plan, fleet, outline: laid, neap };
}

/** Whoever the plan does not have: left out by name, or the plan is for a few servers only. */
function leftOutOf({ header, slices }: Plan, fleet: Fleet): Set<string> {
  if (header.rollbackOf !== null) return new Set(header.rollbackOf.except);
  const has = new Set(slices.flatMap((slice) => slice.servers.map(({ name }) => name)));
  return new Set(fleet.servers.flatMap(({ name }) => (has.has(name) ? [] : [name])));
}
