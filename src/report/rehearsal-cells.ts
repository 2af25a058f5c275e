import type { Rehearsed } from '../model/index.ts';
import { spanOf, timeOf } from './words.ts';

/** The columns of a table of rehearsals. */
export const REHEARSAL_COLUMNS = ['Server', 'Cut', 'At', 'Shown', 'Traffic', 'Software', 'Why'] as const;

/** What one rehearsal showed, cell by cell. */
export function rehearsalCells(rehearsal: Rehearsed, openedAtMs: number): string[] {
  const { server, dependency, manner, cutAtMs, software, traffic, why } = rehearsal;
  const production = traffic.productionPerSecond === null ? '' : ` of ${traffic.productionPerSecond} in production`;
  return [
    server,
    `${dependency}${manner === null ? '' : `, ${manner}`}`,
    timeOf(cutAtMs, openedAtMs),
    shownText(rehearsal),
    `${traffic.sent} requests, ${traffic.perSecond}/s${production}`,
    `${software.version ?? 'version not told'}; configuration ${software.configuration?.slice(0, 12) ?? 'not told'}`,
    why ?? '',
  ];
}

function shownText({ result, lastedMs, plannedMs }: Rehearsed): string {
  switch (result) {
    case 'failed':
      return `measured fuse ${spanOf(lastedMs)}`;
    case 'survived':
      return `survived ${spanOf(lastedMs)}, planned ${spanOf(plannedMs)}`;
    case 'void':
      return 'nothing';
  }
}
