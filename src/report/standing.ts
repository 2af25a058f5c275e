import type { Report } from './report.ts';
import { counted } from './words.ts';

/** How a run ended, in a word or two, and whether that is good news. */
export function verdictOf({ standing }: Report): { readonly word: string; readonly tone: 'good' | 'warn' | 'bad' } {
  switch (standing.outcome) {
    case 'done':
      return { word: 'Done', tone: 'good' };
    case 'home':
      return { word: 'Home and clean', tone: 'warn' };
    case 'stale':
      return { word: 'Plan was stale', tone: 'warn' };
    case 'human':
      return { word: 'A person is needed', tone: 'bad' };
    case null:
      if (!standing.live) return { word: 'Engine gone', tone: 'bad' };
      return standing.mode === 'home'
        ? { word: 'On its way home', tone: 'warn' }
        : { word: standing.halted ? 'Halted' : 'Under way', tone: 'warn' };
  }
}

/** The summary without the words that `verdictOf` gives already. */
export function restOfSummary(report: Report): string {
  const { summary } = report.standing;
  const { word } = verdictOf(report);
  return summary.startsWith(`${word}.`) ? summary.slice(word.length + 1).trim() : summary;
}

/** How many servers ended which way, in the order in which a reader wants to know. */
export function endings({ servers }: Report): readonly { readonly ended: string; readonly count: number }[] {
  const order = [
    'not proven',
    'out',
    'quarantined',
    'recovered',
    'under way',
    'home',
    'untouched',
    'done',
    'left out',
  ] as const;
  return order
    .map((ended) => ({ ended, count: servers.filter((server) => server.ended === ended).length }))
    .filter(({ count }) => count > 0);
}

/** `11 done, 1 recovered`. */
export function endingsText(report: Report): string {
  return endings(report)
    .map(({ ended, count }) => `${count} ${ended}`)
    .join(', ');
}

/** The journal's proof in a sentence. */
export function chainText({ journal }: Report): string {
  const events = counted(journal.events, 'event');
  if (journal.chain === null) return `${events}; the chain was not verified for this report`;
  if (journal.chain.ok) return `${events}, each chained to the one before: verified`;
  return `Not what was written: ${journal.chain.why}. From event ${journal.chain.seq} on this report proves nothing`;
}
