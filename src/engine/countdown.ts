import type { Countdown, Finding, Fleet, Forecast, PlanStep, Server, Shed } from '../model/index.ts';
import { duration } from '../run/index.ts';
import type { GuardReader } from '../ports/index.ts';
import { SHED_KEY } from './durations.ts';
import { openEdge, type EdgeSwitch } from './edge.ts';
import { longestWait } from './forecast.ts';
import { historyOf } from './history.ts';
import type { ReachCommand } from './reach/index.ts';

/** A burning fuse is read again so often, in plan milliseconds. */
const EVERY_MS = 5_000;

export interface ResortInput {
  readonly forecast: Forecast | null;
  readonly fleet: Fleet;
  readonly servers: readonly Server[];
  readonly steps: readonly PlanStep[];
  /** Runs a command as guards are read. */
  readonly read: GuardReader;
  readonly report: (command: ReachCommand) => void;
  /** Where earlier runs lie; null: nowhere. */
  readonly earlier: string | null;
}

/** What a plan does when its outage outlasts the fuse, and what is wrong with that. The page is read once: what is to save the fleet must work beforehand. */
export async function lastResort({ forecast, fleet, servers, steps, read, report, earlier }: ResortInput): Promise<{
  readonly countdown: Countdown | null;
  readonly findings: readonly Finding[];
}> {
  const edge = fleet.edge ? openEdge(fleet.edge, read, report) : null;
  const measuredMs = earlier === null ? null : await measuredShed(earlier, fleet);
  const countdown = countdownOf(forecast, fleet, servers, steps, measuredMs);
  return { countdown, findings: await shedFindings(countdown, forecast, edge) };
}

/** The longest that shedding took in earlier runs of this fleet; null: none had to. */
async function measuredShed(stateDir: string, fleet: Fleet): Promise<number | null> {
  const times = (await historyOf(stateDir, fleet)).get(SHED_KEY);
  return times === undefined ? null : Math.max(...times.tookMs);
}

/**
 * How the fuse of this plan is watched and what is shed before it is over; null: it has none, since no expiry is fatal.
 * `measuredMs`: how long shedding took in earlier runs of this fleet.
 */
function countdownOf(
  forecast: Forecast | null,
  { edge }: Pick<Fleet, 'edge'>,
  servers: readonly Server[],
  steps: readonly PlanStep[],
  measuredMs: number | null,
): Countdown | null {
  if (forecast === null || forecast.fuseMs === null) return null;
  return {
    everyMs: EVERY_MS,
    shed: edge === undefined ? null : { ...shedOf(edge.takesMs, servers, measuredMs), warmPerSecond: warmRate(steps) },
  };
}

/** The pace of the refresh that the gate with the fuse goes back to; null: there is none. */
function warmRate(steps: readonly PlanStep[]): number | null {
  const gate = steps.find((step) => step.step === 'gate' && step.fuse !== null);
  const refresh = steps.find((step) => gate?.step === 'gate' && step.id === gate.renewFrom);
  return refresh?.step === 'act' ? refresh.perSecond : null;
}

/** One dependency timeout before the first expiry nothing more may come in; and shedding takes its time. */
function shedOf(
  declaredMs: number,
  servers: readonly Server[],
  measuredMs: number | null,
): Omit<Shed, 'warmPerSecond'> {
  const timeoutMs = Math.max(0, ...servers.map(({ service }) => longestWait(service, null)));
  const isMeasured = measuredMs !== null && measuredMs > declaredMs;
  const takesMs = isMeasured ? measuredMs : declaredMs;
  return {
    by: 'edge',
    actMs: timeoutMs + takesMs,
    timeoutMs,
    takesMs,
    takesFrom: isMeasured ? 'measured' : 'declared',
  };
}

/** What is wrong with the plan's last resort. */
async function shedFindings(
  countdown: Countdown | null,
  forecast: Forecast | null,
  edge: EdgeSwitch | null,
): Promise<Finding[]> {
  if (countdown === null || forecast === null) return [];
  const { shed } = countdown;
  if (shed === null || edge === null)
    return [
      {
        severity: 'warning',
        code: 'shed',
        what: 'an outage is planned, and nothing is declared that sheds load when it outlasts the fuse: then every server hangs',
        cures: ["Add the balancer's page to the fleet file, as `edge`; neap turns it on before the first expiry"],
      },
    ];
  return [...(await pageFindings(edge)), ...lateFindings(shed, forecast)];
}

async function pageFindings(edge: EdgeSwitch): Promise<Finding[]> {
  try {
    if ((await edge.read()) === 'off') return [];
    return [
      {
        severity: 'warning',
        code: 'shed',
        what: "the balancer's page is on now: nothing reaches the servers",
        cures: ['See who turned it on, and why; neap leaves it on'],
      },
    ];
  } catch (error) {
    return [
      {
        severity: 'refusal',
        code: 'shed',
        what: `the balancer's page cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        cures: [
          'Make edge.read of the fleet file answer from this machine: what is to save the fleet must work beforehand',
        ],
      },
    ];
  }
}

function lateFindings({ actMs }: Shed, { fuseMs, outageMs, marginMs }: Forecast): Finding[] {
  // An outage that does not fit is refused, with better cures.
  if (fuseMs === null || fuseMs - actMs >= outageMs || outageMs + marginMs >= fuseMs) return [];
  return [
    {
      severity: 'warning',
      code: 'shed',
      what: `load would be shed ${duration(fuseMs - actMs)} after the cut, before the planned outage of ${duration(outageMs)} is over: shedding begins ${duration(actMs)} before the first expiry`,
      cures: [`Plan a margin of at least ${duration(actMs)}, or shorten the dependency timeout`],
    },
  ];
}
