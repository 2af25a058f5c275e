import type { Finding, PlanHeader } from '../model/index.ts';
import { neededOf, takesRisk } from './timing.ts';

/** What is wrong with the time that a plan is given: its window, its planned length, and the freezes that it meets. */
export function reviewWindow(header: PlanHeader): Finding[] {
  const agreed = agreedFindings(header);
  // Whether it fits is a question for a window that is one.
  if (agreed.some(({ severity }) => severity === 'refusal')) return agreed;
  return [...agreed, ...fitFindings(header), ...freezeFindings(header)];
}

/** The earliest instant at which the run can begin, and how long it then has. */
function spanOf({ window, madeAtMs }: PlanHeader): { readonly fromMs: number; readonly roomMs: number } {
  const fromMs = Math.max(madeAtMs, window.opensAtMs ?? madeAtMs);
  return { fromMs, roomMs: Math.min(window.limitMs, (window.closesAtMs ?? Infinity) - fromMs) };
}

function agreedFindings({ window, madeAtMs, notAfterMs }: PlanHeader): Finding[] {
  const { opensAtMs: opens, closesAtMs: closes } = window;
  if (opens !== null && closes !== null && closes <= opens)
    return [refusal('the window closes before it opens', 'Give a --closes that is later than --opens')];
  if (closes !== null && closes <= madeAtMs)
    return [refusal(`the window closed ${span(madeAtMs - closes)} ago`, 'Give a --closes that is to come')];
  if (opens !== null && opens > notAfterMs)
    return [
      refusal(
        `the window opens in ${span(opens - madeAtMs)}, and what was read for this plan holds for ${span(notAfterMs - madeAtMs)}`,
        `Make the plan nearer to its window: in ${span(opens - notAfterMs)} at the earliest`,
      ),
    ];
  if (opens !== null && opens < madeAtMs)
    return [
      { severity: 'warning', code: 'window', what: `the window opened ${span(madeAtMs - opens)} ago`, cures: [] },
    ];
  return [];
}

function fitFindings(header: PlanHeader): Finding[] {
  const { expectedMs, limitMs, plannedMs } = header.window;
  const { runMs, homeMs } = neededOf(header);
  const { roomMs } = spanOf(header);
  const findings: Finding[] = [];
  if (runMs + homeMs > roomMs)
    findings.push(
      refusal(
        `the run is expected to take ${minutes(runMs)} min and its way home ${minutes(homeMs)} min, and the window is ${minutes(roomMs)} min${roomMs < limitMs ? ' until it closes' : ''}`,
        'Make the window longer, the waves larger or the outage shorter',
      ),
    );
  if (plannedMs !== null && plannedMs > roomMs)
    findings.push(
      refusal(
        `${minutes(plannedMs)} min are planned, and the window is ${minutes(roomMs)} min`,
        'Plan less, or make the window longer',
      ),
    );
  else if (plannedMs !== null && expectedMs > plannedMs)
    findings.push({
      severity: 'warning',
      code: 'planned',
      what: `the run is expected to take ${minutes(expectedMs)} min, and ${minutes(plannedMs)} min are planned: people will be told of an overrun`,
      cures: ['Plan what it is expected to take: --planned'],
    });
  return findings;
}

/**
 * A freeze that the agreed window meets is a refusal, of a class of its own. Without an agreed opening the run may begin
 * at any time, and is held against the calendars when it does.
 */
function freezeFindings(header: PlanHeader): Finding[] {
  const { window, freezes, notAfterMs } = header;
  const { runMs, homeMs } = neededOf(header);
  const { fromMs } = spanOf(header);
  const untilMs = fromMs + runMs + homeMs;
  const agreed = window.opensAtMs !== null;
  return freezes.flatMap(({ title, fromMs: begins, toMs: ends }): Finding[] => {
    if (ends <= fromMs) return [];
    const meets = begins < untilMs;
    if (!meets && (agreed || begins > notAfterMs)) return [];
    const holds = begins <= fromMs;
    const when = holds
      ? `holds ${agreed ? 'when the window opens' : 'now'} and for ${span(ends - fromMs)} more`
      : `begins ${span(begins - fromMs)} ${agreed ? 'after the window opens' : 'from now'} and lasts ${span(ends - begins)}`;
    return [
      {
        severity: agreed && takesRisk(header.steps) ? 'refusal' : 'warning',
        code: 'freeze',
        what: `the freeze "${title}" ${when}: nothing is begun inside it, nor what could not be taken back before it`,
        cures: ['Choose another window', 'Or decide against the freeze: neap run --override freeze --reason "..."'],
      },
    ];
  });
}

function refusal(what: string, cure: string): Finding {
  return { severity: 'refusal', code: 'window', what, cures: [cure] };
}

function minutes(ms: number): number {
  return Math.ceil(ms / 60_000);
}

/** `12 min`, `5 h 10 min`, `9 days`. */
function span(ms: number): string {
  const inAll = minutes(ms);
  if (inAll < 120) return `${inAll} min`;
  const hours = Math.floor(inAll / 60);
  if (hours < 48) return inAll % 60 === 0 ? `${hours} h` : `${hours} h ${inAll % 60} min`;
  return `${Math.round(hours / 24)} days`;
}
