import { sanitise } from '../transport/index.ts';
import { REHEARSAL_COLUMNS, rehearsalCells } from './rehearsal-cells.ts';
import type { Report } from './report.ts';
import { chainText, endingsText, restOfSummary, verdictOf } from './standing.ts';
import {
  deedLines,
  engineText,
  inputsText,
  sentText,
  shownRows,
  stepText,
  turnoutText,
  verdictsText,
  viewText,
  wordText,
  windowText,
} from './texts.ts';
import { askedBy, counted, instantOf, spanOf, timeOf } from './words.ts';

/** The report as Markdown (CommonMark with GFM tables), for a ticket or a post-mortem. */
export function toMarkdown(report: Report): string {
  const parts = [
    summary(report),
    timeline(report),
    fuse(report),
    rehearsals(report),
    people(report),
    servers(report),
    guards(report),
    incidents(report),
    planPart(report),
  ];
  return `${parts.flat().join('\n').trim()}\n`;
}

function summary(report: Report): string[] {
  const { standing, plan, budget, journal, waiting, run } = report;
  return [
    `# ${text(report.title)}`,
    '',
    `**${verdictOf(report).word}.** ${text(restOfSummary(report))}`.trim(),
    '',
    ...(standing.turn ? [`It turned for home because ${text(standing.turn.why)}.`, ''] : []),
    ...waiting.map(
      (gate) =>
        `Waits for a person, role ${text(gate.role)}: ${text(gate.question)} Answer: neap approve ${text(run)} ${text(gate.gate)} ${text(gate.answers.join(' or '))}\n`,
    ),
    ...rows(
      ['What', 'Figure'],
      [
        ['Run', run],
        ['Exit code', standing.exitCode === null ? 'not closed' : String(standing.exitCode)],
        ['By', askedBy(report)],
        ['Key', report.key ?? 'not told'],
        ['Ticket', report.ticket ?? 'none'],
        ['Fleet', `${plan.fleet.name} (${plan.fleet.path})`],
        ['Opened', instantOf(report.openedAtMs)],
        [report.closedAtMs === null ? 'Seen until' : 'Closed', instantOf(report.closedAtMs ?? report.seenUntilMs)],
        ['Took', `${spanOf(report.tookMs)}, ${windowText(report)}`],
        ['Servers', endingsText(report)],
        ['Failure budget', `${budget.spent} of ${budget.failures} spent`],
        ['Plan', plan.hash],
        ['Journal', chainText(report)],
        ['Journal head', journal.head ?? 'not read'],
      ],
    ),
  ];
}

function timeline(report: Report): string[] {
  const cells = shownRows(report.timeline).map((shown) => [
    `${stepText(shown)}${shown.row.trackKind === 'main' ? '' : ` (${shown.row.track})`}`,
    shown.row.startedAtMs === null ? shown.row.state : timeOf(shown.row.startedAtMs, report.openedAtMs),
    shown.tookMs === null ? shown.row.state : spanOf(shown.tookMs),
    shown.expectedMs === null ? '' : spanOf(shown.expectedMs),
    turnoutText(shown.row),
  ]);
  return [...heading('Timeline'), ...rows(['Step', 'Began', 'Took', 'Expected', 'Servers'], cells)];
}

function fuse({ fuse: burnt, openedAtMs }: Report): string[] {
  if (burnt === null) return [];
  const { outage, spans } = burnt;
  const lines = outage
    ? [
        `The outage ${outage.endMs === null ? 'is not over' : `took ${spanOf(outage.endMs - outage.startMs)}`}, planned were ${spanOf(outage.plannedMs)} with a margin of ${spanOf(outage.marginMs)}.${outage.leftMs === null ? '' : ` Fuse left: ${spanOf(outage.leftMs)}.`}`,
        '',
      ]
    : [];
  const cells = spans.map((span) => [
    timeOf(span.fromMs, openedAtMs),
    timeOf(span.toMs, openedAtMs),
    timeOf(span.expiresAtMs, openedAtMs),
    `${span.clock} on ${span.server}`,
  ]);
  return [...heading('The fuse'), ...lines, ...rows(['From', 'To', 'First expiry', 'Of'], cells)];
}

function rehearsals({ rehearsals: all, openedAtMs }: Report): string[] {
  if (all.length === 0) return [];
  return [
    ...heading('Rehearsal'),
    ...rows(
      REHEARSAL_COLUMNS,
      all.map((each) => rehearsalCells(each, openedAtMs)),
    ),
  ];
}

function people({ people: words, openedAtMs }: Report): string[] {
  const cells = words.map((word) => [
    word.by,
    `${wordText(word)}${word.reason === null ? '' : ` (${word.reason})`}`,
    timeOf(word.atMs, openedAtMs),
    word.waitedMs === null ? '' : spanOf(word.waitedMs),
    word.ageMs === null ? '' : spanOf(word.ageMs),
    word.fate,
  ]);
  return [
    ...heading('Approvals and answers'),
    ...rows(['Who', 'Said', 'At', 'After the question', 'Age when used', 'What came of it'], cells),
  ];
}

function servers({ servers: all, openedAtMs }: Report): string[] {
  const cells = all.map((server) => [
    server.name,
    server.domain ?? '',
    server.ended,
    [
      ...(server.why === null ? [] : [server.why]),
      ...deedLines(server.deeds).map((line) => `${line.text} ${timeOf(line.atMs, openedAtMs)}`),
    ].join('; '),
    server.boots.map(({ bootId }) => bootId).join(', then '),
    String(server.resets.reduce((sum, { attempts }) => sum + attempts, 0)),
  ]);
  return [
    ...heading('Servers'),
    ...rows(['Server', 'Domain', 'Ended', 'Why, and what was done', 'Boots', 'Resets'], cells),
  ];
}

function guards({ guards: stood, plan, openedAtMs }: Report): string[] {
  if (plan.guards.length === 0) return [];
  const cells = stood.map(({ atMs, guard, title, standing, onsetAtMs, seen }) => [
    timeOf(atMs, openedAtMs),
    `${guard} ${title}`,
    standing,
    timeOf(onsetAtMs, openedAtMs),
    seen,
  ]);
  return [...heading('Guards'), ...rows(['At', 'Guard', 'Stood', 'Since', 'Seen'], cells)];
}

function incidents({ budget, pages, engines, views, openedAtMs }: Report): string[] {
  const spent = budget.entries.map(({ atMs, name, isPath, why }) => [
    isPath ? `path ${name}` : name,
    timeOf(atMs, openedAtMs),
    why,
  ]);
  const told = pages.map((page) => [timeOf(page.atMs, openedAtMs), page.text, sentText(page, openedAtMs)]);
  const came = [
    ...engines.map((engine) => [timeOf(engine.atMs, openedAtMs), engineText(engine)]),
    ...views.map((view) => [timeOf(view.atMs, openedAtMs), viewText(view)]),
  ];
  return [
    ...heading('Failure budget'),
    `${budget.spent} of ${counted(budget.failures, 'failure')} spent.`,
    '',
    ...rows(['What failed', 'At', 'Why'], spent),
    ...heading('Pages'),
    ...(told.length > 0 ? rows(['At', 'Page', 'Delivery'], told) : ['Nobody was paged.']),
    ...heading('Engine and terminals'),
    ...rows(['At', 'What'], came),
  ];
}

function planPart({ plan, servers: all }: Report): string[] {
  const except = all.filter(({ ended }) => ended === 'left out').map(({ name, why }) => `${name} (${why ?? ''})`);
  const steps = plan.steps.map((row) => [
    `${row.id} ${row.title}`,
    row.step === 'act' ? row.nature : row.step,
    String(row.servers),
    String(row.waves),
    verdictsText(row),
    row.irreversible ?? '',
  ]);
  return [
    ...heading('The plan'),
    ...rows(
      ['What', 'Value'],
      [
        ['Hash', plan.hash],
        ['Made', `${instantOf(plan.madeAtMs)}, good until ${instantOf(plan.notAfterMs)}`],
        ['Runbook', `${plan.runbook.path} ${plan.runbook.digest}`],
        ['Fleet file', `${plan.fleet.path} ${plan.fleet.digest}`],
        ['Inputs', inputsText(plan.inputs)],
        ['Left out', except.length > 0 ? except.join('; ') : 'nobody'],
        [
          'Fuse forecast',
          plan.forecast === null
            ? 'none'
            : plan.forecast.fuseMs === null
              ? 'no expiry is fatal'
              : spanOf(plan.forecast.fuseMs),
        ],
      ],
    ),
    ...heading('Findings and warnings'),
    ...(plan.findings.length === 0
      ? ['The preview found nothing to warn of.']
      : plan.findings.flatMap(({ severity, code, what, cures }) => [
          `- **${severity} (${text(code)}):** ${text(what)}`,
          ...cures.map((cure) => `  - ${text(cure)}`),
        ])),
    ...heading('Steps and verdicts'),
    ...rows(['Step', 'Nature', 'Servers', 'Waves', 'Verdicts of the preview', 'No way back'], steps),
  ];
}

function heading(title: string): string[] {
  return ['', `## ${title}`, ''];
}

/** A GFM table; every cell is made harmless. */
function rows(head: readonly string[], cells: readonly (readonly string[])[]): string[] {
  if (cells.length === 0) return [];
  const line = (row: readonly string[]): string => `| ${row.map(text).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...cells.map(line)];
}

/** On one line, with no markup, no HTML, no cell's end and no control characters in it. */
function text(words: string): string {
  return sanitise(words)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~]/g, (character) => `\\${character}`);
}
