import {
  forecastScenario,
  scenarios,
  type CaseForecast,
  type Curve,
  type Outcome,
  type ScenarioForecast,
} from '../../src/herd/index.ts';
import { curveChart, forecastWords, type Line } from '../../src/report/index.ts';
import { stories, type Picture, type StoryText } from './stories.ts';

const { briefOf, clock, percent, tellingUntilMs, troubleText, VERDICTS } = forecastWords;

const SEEDS = [1, 2, 3] as const;

/** docs/incidents.md and its pictures, by path; what the command writes and the test compares. */
export function incidentPages(): ReadonlyMap<string, string> {
  const told = stories.map((story) => ({ story, forecast: forecastOf(story.scenario) }));
  const pictures = told.flatMap(({ story, forecast }) =>
    story.pictures.map((picture) => [pathOf(story, picture), pictureOf(forecast, picture)] as const),
  );
  const page = [
    '# Four incidents, told again',
    '',
    'Every number, table and picture on this page is made by `node test/incidents/write.ts` from the fleet model in',
    '`src/herd`; a test says when the page is not what that command would write. Each story is also a command, with',
    'numbers that can be changed: `neap forecast --scenario feb-2021 --what-if timeout=1s`. The model is fluid: rates, not',
    'single requests. What a source says is under *known*; what no source says, and had to be chosen, is under *chosen*.',
    '',
    '## Side by side',
    '',
    ...sideBySide(told),
    '',
    ...told.flatMap(({ story, forecast }) => storyLines(story, forecast)),
  ].join('\n');
  return new Map([['docs/incidents.md', `${page.trimEnd()}\n`], ...pictures]);
}

const forecasts = new Map<string, ScenarioForecast>();

/** A scenario as the page has it; told once, however often it is asked for. */
export function forecastOf(name: string): ScenarioForecast {
  const known = forecasts.get(name);
  if (known) return known;
  const scenario = scenarios.find((each) => each.name === name);
  if (!scenario) throw new RangeError(`no scenario is called ${name}`);
  const forecast = forecastScenario(scenario, { whatIf: [], seeds: SEEDS });
  forecasts.set(name, forecast);
  return forecast;
}

interface Told {
  readonly story: StoryText;
  readonly forecast: ScenarioForecast;
}

function sideBySide(told: readonly Told[]): readonly string[] {
  const row = (name: string, cell: (each: Told) => string): string => `| ${[name, ...told.map(cell)].join(' | ')} |`;
  return [
    row('', ({ story }) => story.date),
    `|${' --- |'.repeat(told.length + 1)}`,
    row('what set it off', ({ story }) => story.trigger),
    row('what ran out', ({ story }) => story.ranOut),
    row('why it did not end by itself', ({ story }) => story.sustained),
    row('as it happened', ({ forecast }) => resultOf(forecast.cases[0])),
    row('first request failed', ({ forecast }) => firstFailed(forecast.cases[0])),
    row('what ended it', ({ story }) => story.ended),
    row('what would have', ({ story, forecast }) => better(forecast, story.better)),
  ];
}

function resultOf(each: CaseForecast | undefined): string {
  if (!each) return '';
  const { failedShare, troubleMs } = each.outcome.figures;
  const how = each.verdict === 'collapse' ? briefOf(each) : `${percent(failedShare)} failed`;
  return `${how}; ${troubleMs === null ? 'no end by itself' : `whole ${troubleText(each)}`}`;
}

function firstFailed(each: CaseForecast | undefined): string {
  const range = each?.spread.firstFailedMs;
  if (!range) return 'none';
  return clock(range.min) === clock(range.max) ? clock(range.min) : `${clock(range.min)} to ${clock(range.max)}`;
}

function better({ cases }: ScenarioForecast, name: string): string {
  const each = cases.find((candidate) => candidate.name === name);
  if (!each) throw new RangeError(`no case is called ${name}`);
  const what = VERDICTS[each.verdict].toLowerCase();
  return `${name}: ${each.verdict === 'unharmed' ? what : resultOf(each)}`;
}

function storyLines(story: StoryText, forecast: ScenarioForecast): readonly string[] {
  const list = (title: string, lines: readonly string[]): readonly string[] => [
    `*${title}*`,
    '',
    ...lines.map((line) => `- ${line}`),
    '',
  ];
  return [
    `## ${story.date}: ${forecast.title.charAt(0).toLowerCase()}${forecast.title.slice(1)}`,
    '',
    `Source: ${forecast.source}.`,
    '',
    ...list('Known', forecast.facts),
    ...list('Chosen', forecast.chosen),
    ...story.pictures.flatMap((picture) => [`![${picture.words}](incidents/${fileOf(story, picture)})`, '']),
    '| told like this | verdict | how bad | whole again |',
    '| --- | --- | --- | --- |',
    ...forecast.cases.map(
      (each) =>
        `| ${each.name} | ${VERDICTS[each.verdict]} | ${briefOf(each)} | ${each.verdict === 'refused' ? 'not begun' : troubleText(each)} |`,
    ),
    '',
    ...refusalLines(forecast.cases),
    ...story.lesson.flatMap((paragraph) => [paragraph, '']),
  ];
}

function refusalLines(cases: readonly CaseForecast[]): readonly string[] {
  return cases
    .filter(({ refused }) => refused.length > 0)
    .flatMap(({ refused }) => ['What the preview says:', '', ...refused.map((line) => `- ${line}`), '']);
}

function pictureOf({ name, cases }: ScenarioForecast, picture: Picture): string {
  const lines = picture.lines.map(({ told, curve, tone, as }): Line => {
    const each = cases.find((candidate) => candidate.name === told);
    const outcome = picture.near ? each?.closeUp : each?.outcome;
    return { name: as ?? told, curve: curveOf(outcome, curve), tone };
  });
  const [first] = picture.lines;
  const outcome = cases.find((candidate) => candidate.name === first?.told);
  const shown = picture.near ? outcome?.closeUp : outcome?.outcome;
  if (!shown) throw new RangeError(`no case is called ${first?.told ?? ''}`);
  const lastMs = shown.curves[0]?.points.at(-1)?.[0] ?? 0;
  const untilMs = picture.near ? lastMs : (picture.untilMs ?? tellingUntilMs(shown));
  const chart = curveChart({
    lines,
    marks: [],
    untilMs,
    words: picture.words,
    id: `${name}-${picture.file}`,
    standalone: true,
  });
  return `${chart.markup}\n`;
}

function curveOf(outcome: Outcome | null | undefined, name: string): Curve {
  const curve = outcome?.curves.find((each) => each.name === name);
  if (!curve) throw new RangeError(`no curve is called ${name}`);
  return curve;
}

function pathOf(story: StoryText, picture: Picture): string {
  return `docs/incidents/${fileOf(story, picture)}`;
}

function fileOf({ scenario }: StoryText, { file }: Picture): string {
  return `${scenario}-${file}.svg`;
}
