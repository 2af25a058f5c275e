import type { PlanHeader, Rehearsed } from '../../model/index.ts';
import { duration } from '../../run/index.ts';

/** What a rehearsal showed, as one line. */
export function rehearsedText({ server, dependency, manner, result, lastedMs, why, traffic }: Rehearsed): string {
  const cut = `with its path to the ${dependency} cut${manner === null ? '' : ` (${manner})`}`;
  const sent = `${traffic.sent} requests, ${traffic.perSecond} a second`;
  switch (result) {
    case 'survived':
      return `rehearsed: ${server} served for ${duration(lastedMs)} ${cut} (${sent})`;
    case 'failed':
      return `rehearsed: measured fuse ${duration(lastedMs)} on ${server} ${cut}: ${why ?? 'requests failed'} (${sent})`;
    case 'void':
      return `rehearsed: nothing is shown of ${server}: ${why ?? 'it was not watched'}`;
  }
}

/** What a finished rehearsal is good for, as lines. */
export function conclusionText(all: readonly Rehearsed[]): string {
  const last = all.at(-1);
  if (last === undefined) return 'Nothing was rehearsed: the run ended before the path was cut. See: neap report';
  const { result, server, group, dependency, lastedMs, why, software, clocks, manner } = last;
  const kept = `Kept as evidence for group ${group} and the ${dependency}, version ${software.version ?? 'not told'}${manner === null ? '' : `, cut: ${manner}`}.`;
  if (result === 'void') return `Nothing is shown: ${why ?? 'it was not watched'}. Rehearse it again.`;
  if (result === 'failed')
    return `Measured fuse: ${duration(lastedMs)} on ${server} (${why ?? 'requests failed'}).\n${kept} An outage must be shorter than that by its margin and by what the caches age before the cut.`;
  const outlived = clocks.filter(({ maxMs }) => lastedMs > maxMs).map(({ name }) => name);
  const beyond = outlived.length === 0 ? '' : ` It outlived ${outlived.join(', ')}.`;
  return `${server} served for ${duration(lastedMs)} without the ${dependency}.${beyond}\n${kept}`;
}

/** The forecast's fuse, in words. */
export function fuseWords({ forecast, rehearsals }: PlanHeader): string {
  if (forecast?.fuseMs != null) return duration(forecast.fuseMs);
  return rehearsals?.some(({ blind }) => blind) ? 'not known, no clock is declared' : 'no expiry is fatal';
}

/** Who has shown that the outage is survived, or will: a line for each group. */
export function planRehearsalLines({ rehearsals = [] }: PlanHeader): string[] {
  return rehearsals.map((each) => {
    const of = rehearsals.length > 1 ? ` of ${each.group}` : '';
    if (each.run !== null && each.lastedMs !== null) {
      const what =
        each.result === 'failed'
          ? `measured a fuse of ${duration(each.lastedMs)}`
          : `went on for ${duration(each.lastedMs)}`;
      const again = each.carriedBy === null ? '' : `; step ${each.carriedBy} rehearses it again`;
      return `Rehearsal${of}: ${each.server ?? ''} ${what} in run ${each.run}${again}.`;
    }
    return each.carriedBy === null
      ? `Rehearsal${of}: none that counts.`
      : `Rehearsal${of}: step ${each.carriedBy} of this plan; the run goes home if it fails.`;
  });
}
