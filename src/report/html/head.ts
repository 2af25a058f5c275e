import type { Report } from '../report.ts';
import { chainText, endings, endingsText, restOfSummary, verdictOf } from '../standing.ts';
import { windowText } from '../texts.ts';
import { askedBy, counted, instantOf, spanOf } from '../words.ts';
import { html, type Html } from './markup.ts';
import { badge } from './table.ts';

/** The first screen: how it ended, for whom, how long it took, and what still needs somebody. */
export function head(report: Report): Html {
  const { word, tone } = verdictOf(report);
  return html`<header><p class="soft">Run ${report.run} · neap ${report.plan.neap}</p><h1>${report.title}</h1>
<p>${badge(word, tone)} ${restOfSummary(report)}</p>${alerts(report)}
<ul class="tiles">${tiles(report)}</ul>
<dl><dt>Asked for by</dt><dd>${askedBy(report)}</dd>
<dt>Key</dt><dd><code>${report.key ?? 'not told'}</code></dd>
<dt>Ticket</dt><dd>${report.ticket ?? 'none'}</dd>
<dt>Fleet</dt><dd>${report.plan.fleet.name} <span class="soft">(${report.plan.fleet.path})</span></dd>
<dt>Opened</dt><dd>${instantOf(report.openedAtMs)}</dd>
<dt>${report.closedAtMs === null ? 'Seen until' : 'Closed'}</dt><dd>${instantOf(report.closedAtMs ?? report.seenUntilMs)}</dd>
<dt>Plan</dt><dd><code>${report.plan.hash}</code></dd>
<dt>Journal</dt><dd>${chainText(report)}${report.journal.head === null ? null : html`<br>Its head: <code>${report.journal.head}</code>`}</dd></dl></header>`;
}

function alerts(report: Report): Html[] {
  const { standing, waiting, journal, servers, run } = report;
  const unproven = servers.filter((server) => server.ended === 'not proven');
  return [
    ...(journal.chain?.ok === false
      ? [alert('bad', 'The journal was changed after it was written.', chainText(report))]
      : []),
    ...unproven.map((server) =>
      alert(
        'bad',
        `${server.name}: its state is not proven.`,
        `${server.why ?? 'What was begun on it has no known end'}. ${server.remedy ?? 'Look at it, and take it out of traffic until it is proven'}`,
      ),
    ),
    ...(standing.turn ? [alert('warn', 'It turned for home.', `Because ${standing.turn.why}.`)] : []),
    ...waiting.map((gate) =>
      alert(
        'warn',
        `Waits for a person, role ${gate.role}: ${gate.question}`,
        `neap approve ${run} ${gate.gate} ${gate.answers.join('|')}`,
      ),
    ),
  ].slice(0, ALERTS_MAX);
}

/** More than this is read in the table of servers. */
const ALERTS_MAX = 12;

function alert(tone: 'warn' | 'bad', what: string, why: string): Html {
  return html`<div class="alert ${tone}"><p><strong>${what}</strong></p><p>${why}</p></div>`;
}

function tiles(report: Report): Html[] {
  const { standing, servers, budget, journal } = report;
  const taken = servers.filter(({ ended }) => ended !== 'left out').length;
  const ended = endings(report);
  return [
    tile(
      'Exit code',
      standing.exitCode === null ? 'not closed' : String(standing.exitCode),
      standing.live ? 'the run is live' : standing.exitCode === null ? 'no engine runs it' : '',
    ),
    tile('Took', spanOf(report.tookMs), windowText(report)),
    tile('Servers', String(taken), ended.length > 0 ? endingsText(report) : 'none'),
    ...fuseTile(report),
    tile('Failures', `${budget.spent} of ${budget.failures}`, 'of the budget spent'),
    tile(
      'Journal',
      journal.chain === null ? 'not verified' : journal.chain.ok ? 'verified' : 'broken',
      counted(journal.events, 'event'),
    ),
  ];
}

function fuseTile({ fuse }: Report): Html[] {
  const outage = fuse?.outage;
  if (!outage) return [];
  const length = outage.endMs === null ? 'not over' : spanOf(outage.endMs - outage.startMs);
  const left = outage.leftMs === null ? '' : `; fuse left ${spanOf(outage.leftMs)}`;
  return [tile('Outage', length, `planned ${spanOf(outage.plannedMs)}${left}`)];
}

function tile(name: string, value: string, more: string): Html {
  return html`<li><span class="soft">${name}</span><b>${value}</b><span class="sub">${more}</span></li>`;
}
