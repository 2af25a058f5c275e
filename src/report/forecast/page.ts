import type { CaseForecast, Outcome, ScenarioForecast, Verdict } from '../../herd/index.ts';
import { html, type Html } from '../html/markup.ts';
import { style } from '../html/style.ts';
import { badge, table } from '../html/table.ts';
import { curveChart, marksList, type Line } from './curve-chart.ts';
import { briefOf, curveTitle, factsOf, tellingCurves, tellingUntilMs, troubleText, VERDICTS } from './words.ts';

const TONES: Readonly<Record<Verdict, 'good' | 'warn' | 'bad'>> = {
  collapse: 'bad',
  errors: 'warn',
  page: 'warn',
  unharmed: 'good',
  refused: 'bad',
};

/** A forecast as one page that needs nothing else: no script, no font, no picture from anywhere. */
export function forecastHtml(told: ScenarioForecast): string {
  const [first, ...others] = told.cases;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>${told.name}: ${told.title}</title><style>${style}</style></head>
<body><header><p class="soft">neap forecast · ${told.source}</p><h1>${told.title}</h1>${first ? headOf(first) : null}</header>
<main>${first ? caseSection(first, 0) : null}${overview(told)}${refusals(told)}${others.map((each, at) => details(each, at + 1))}${ground(told)}</main>
<footer class="soft">A model, not a promise: what it is made of is named above. Times count from T, when the database goes or the load comes.</footer></body></html>
`;
  return page.markup;
}

function headOf(first: CaseForecast): Html {
  return html`<p>${badge(VERDICTS[first.verdict], TONES[first.verdict])} ${first.name}${first.what === '' ? null : html`: ${first.what}`}${first.verdict === 'refused' ? '. What follows is what would happen all the same.' : null}</p>
<ul class="tiles">${factsOf(first).map(([name, value]) => html`<li><span class="soft">${name}</span><b>${value}</b></li>`)}</ul>`;
}

function caseSection(each: CaseForecast, at: number): Html {
  const untilMs = tellingUntilMs(each.outcome);
  const whole = charts(each.name, each.outcome, untilMs, `c${at}`);
  // A close-up of most of it would say nothing new.
  const near = each.closeUp && tellingUntilMs(each.closeUp) < untilMs / 2 ? each.closeUp : null;
  return html`<section aria-label="${each.name}">${whole}${marksList(each.outcome.marks, untilMs)}${near ? html`<h3>The beginning, closer</h3>${charts(each.name, near, lastMs(near), `n${at}`)}` : null}</section>`;
}

function charts(name: string, outcome: Outcome, untilMs: number, id: string): readonly Html[] {
  return tellingCurves(outcome).map((curve, index) => {
    const line: Line = { name: curveTitle(curve), curve, tone: curve.unit === 'share' ? 'accent' : 'bad' };
    return html`<figure>${curveChart({ lines: [line], marks: outcome.marks, untilMs, words: `${name}: ${curveTitle(curve)}`, id: `${id}-${index}` })}</figure>`;
  });
}

function lastMs({ curves }: Outcome): number {
  return curves[0]?.points.at(-1)?.[0] ?? 0;
}

function overview({ cases, seeds }: ScenarioForecast): Html {
  const columns = [
    { title: 'Told like this', kind: 'now' },
    { title: 'Verdict', kind: 'now' },
    { title: 'How bad', kind: 'now' },
    { title: 'Whole again', kind: 'now' },
    { title: 'What is different', kind: 'wide' },
  ] as const;
  const rows = cases.map((each) => [
    each.name,
    badge(VERDICTS[each.verdict], TONES[each.verdict]),
    briefOf(each),
    each.verdict === 'refused' ? 'not begun' : troubleText(each),
    each.what,
  ]);
  return html`<section aria-labelledby="cases"><h2 id="cases">One thing changed at a time</h2>${table(`The worst of ${seeds.length} seeds; numbers over all of them.`, columns, rows)}</section>`;
}

function refusals({ cases }: ScenarioForecast): readonly Html[] {
  return cases
    .filter(({ refused }) => refused.length > 0)
    .map(
      ({ name, refused }) =>
        html`<section><h2>Why the preview refuses it <span class="soft">(${name})</span></h2><ul>${refused.map((line) => html`<li>${line}</li>`)}</ul></section>`,
    );
}

function details(each: CaseForecast, at: number): Html | null {
  if (tellingCurves(each.outcome).length === 0) return null;
  return html`<details><summary>${each.name} ${badge(VERDICTS[each.verdict], TONES[each.verdict])}</summary><p>${each.what}</p>
<dl>${factsOf(each).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>${caseSection(each, at)}</details>`;
}

/** What is known, and what was chosen. */
function ground({ facts, chosen, settings, seeds }: ScenarioForecast): Html {
  const list = (title: string, lines: readonly string[]): Html | null =>
    lines.length === 0 ? null : html`<h3>${title}</h3><ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
  return html`<section aria-labelledby="ground"><h2 id="ground">What it is made of</h2>${list('What the source says', facts)}${list('What was chosen, because no source says it', chosen)}
<h3>Settings</h3><p class="mono">${settings.join(' ')}</p><p class="soft">Seeds ${seeds.join(', ')}.</p></section>`;
}
