import { durationOf, instantOf, type Config, type PlanWish } from '../../engine/index.ts';
import { usage } from '../usage.ts';

/** When a plan may be run, as its maker says it. */
export interface WindowOptions {
  readonly opens?: string;
  readonly closes?: string;
  readonly planned?: string;
  readonly zone?: string;
}

/** Words become absolute instants once, here. The zone is the one that is named, or the configuration's, or UTC: never this machine's. */
export function parseWindow(config: Config, options: WindowOptions): NonNullable<PlanWish['window']> {
  const { opens, closes, planned } = options;
  const zone = options.zone ?? config.zone ?? 'UTC';
  if (options.zone !== undefined && opens === undefined && closes === undefined)
    throw usage('--zone says in which zone --opens and --closes are meant', 'Give --opens or --closes with it');
  const plannedMs = planned === undefined ? null : durationOf(planned);
  if (planned !== undefined && plannedMs === null)
    throw usage(`--planned ${planned} is no length of time`, 'Write it as 45m, 1h30m or 90s');
  return {
    ...(opens === undefined ? {} : { opensAtMs: instantOf(opens, zone, '--opens') }),
    ...(closes === undefined ? {} : { closesAtMs: instantOf(closes, zone, '--closes') }),
    ...(plannedMs === null ? {} : { plannedMs }),
    ...(opens === undefined && closes === undefined && config.zone === undefined ? {} : { zone }),
  };
}

/** Whether any of it was said. */
export function saysWindow({ opens, closes, planned, zone }: WindowOptions): boolean {
  return [opens, closes, planned, zone].some((word) => word !== undefined);
}
