import type { Report } from '../report.ts';
import { inputsText, verdictsText } from '../texts.ts';
import { instantOf, spanOf } from '../words.ts';
import { html, type Html } from './markup.ts';
import { table } from './table.ts';

/** What was approved: where it came from, what the preview found, and every step with its verdicts. */
export function planSection({ plan, servers }: Report): Html {
  const except = servers.filter(({ ended }) => ended === 'left out');
  return html`<section aria-labelledby="plan"><h2 id="plan">The plan</h2>
<dl><dt>Hash</dt><dd><code>${plan.hash}</code></dd><dt>Made</dt><dd>${instantOf(plan.madeAtMs)}, good until ${instantOf(plan.notAfterMs)}</dd>
<dt>Runbook</dt><dd>${plan.runbook.path} <code>${plan.runbook.digest}</code></dd><dt>Fleet file</dt><dd>${plan.fleet.path} <code>${plan.fleet.digest}</code></dd>
<dt>Inputs</dt><dd><code>${inputsText(plan.inputs)}</code></dd><dt>Canary</dt><dd>${plan.canaries.length > 0 ? plan.canaries.join(', ') : 'none'}</dd>
<dt>Left out</dt><dd>${except.length > 0 ? except.map(({ name, why }) => `${name} (${why ?? ''})`).join('; ') : 'nobody'}</dd>
<dt>Window</dt><dd>${spanOf(plan.window.limitMs)}; expected ${spanOf(plan.window.expectedMs)}, way home ${spanOf(plan.window.homeMs)}</dd>
${plan.forecast ? html`<dt>Fuse forecast</dt><dd>${plan.forecast.fuseMs === null ? 'no expiry is fatal' : spanOf(plan.forecast.fuseMs)} for an outage of ${spanOf(plan.forecast.outageMs)} with a margin of ${spanOf(plan.forecast.marginMs)}${plan.forecast.because.map((line) => html`<span class="sub">${line}</span>`)}</dd>` : null}</dl>
<h3>Findings and warnings</h3>${findings(plan.findings)}
<h3>Steps and verdicts</h3>${steps(plan.steps)}</section>`;
}

function findings(found: Report['plan']['findings']): Html {
  if (found.length === 0) return html`<p>The preview found nothing to warn of.</p>`;
  return html`${found.map(({ severity, code, what, cures }) => html`<div class="alert ${severity === 'refusal' ? 'bad' : 'warn'}"><p><strong>${severity} (${code}):</strong> ${what}</p>${cures.map((cure) => html`<p>${cure}</p>`)}</div>`)}`;
}

function steps(rows: Report['plan']['steps']): Html {
  const columns = [
    { title: 'Step', kind: 'name' },
    { title: 'Nature' },
    { title: 'Servers', kind: 'num' },
    { title: 'Waves', kind: 'num' },
    { title: 'Verdicts of the preview', kind: 'wide' },
  ] as const;
  return table(
    'Every step that was approved, contingencies included.',
    columns,
    rows.map((row) => [
      html`${row.id} ${row.title}${row.contingency === null ? null : html`<span class="sub">only in contingency ${row.contingency}</span>`}`,
      row.step === 'gate' ? `gate, role ${row.nature}` : row.step === 'rejoin' ? 'wait' : row.nature,
      row.step === 'act' && row.contingency === null ? row.servers : null,
      row.step === 'act' && row.contingency === null ? row.waves : null,
      html`${verdictsText(row)}${row.irreversible === null ? null : html`<span class="sub">no way back: ${row.irreversible}</span>`}`,
    ]),
  );
}
