import type { CaseForecast, Outcome, ScenarioForecast, Verdict } from '../../herd/index.ts';
import { forecastWords } from '../../report/index.ts';
import { sanitise } from '../../transport/index.ts';
import { plot } from './plot.ts';

const { briefOf, clock, curveTitle, factsOf, scaleText, tellingCurves, tellingUntilMs, topOf, troubleText, VERDICTS } =
  forecastWords;

export interface ForecastLook {
  readonly columns: number;
  readonly color: boolean;
}

const COLORS: Readonly<Record<Verdict, string>> = {
  collapse: '\u001B[31m',
  errors: '\u001B[33m',
  page: '\u001B[33m',
  unharmed: '\u001B[32m',
  refused: '\u001B[31m',
};

/** More curves than these are for the page. */
const CURVES_MAX = 2;

/** A scenario for a terminal: the first case with its numbers and curves, then all of them in a line each. */
export function scenarioText(told: ScenarioForecast, look: ForecastLook): string {
  const width = Math.max(60, Math.min(look.columns, 80));
  const [first] = told.cases;
  if (!first) return '';
  const lines = [
    ...wrap(`${told.name}: ${told.title}`, width),
    ...wrap(`Source: ${told.source}`, width, '  '),
    '',
    ...wrap(`${VERDICTS[first.verdict]}: ${first.name}${first.what === '' ? '' : `; ${first.what}`}`, width).map(
      (line, at) => (at === 0 ? colored(line, VERDICTS[first.verdict], first.verdict, look) : line),
    ),
    ...(first.verdict === 'refused' ? ['If it were begun all the same:'] : []),
    ...factLines(first, width),
    '',
    ...curveLines(first.outcome, tellingUntilMs(first.outcome), width),
    ...closeUpLines(first, width),
    ...first.outcome.marks.flatMap(({ atMs, what }) => wrap(`${clock(atMs).padEnd(9)} ${what}`, width, '  ', 10)),
    '',
    'One thing changed at a time:',
    row('', 'verdict', 'how bad', 'whole again'),
    ...told.cases.map((each) => caseLine(each, look)),
    ...told.cases.flatMap((each) => refusal(each, width)),
    '',
    ...wrap(`Seeds ${told.seeds.join(', ')}. To change, as --what-if NAME=VALUE: ${told.settings.join(' ')}`, width),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function colored(line: string, word: string, verdict: Verdict, { color }: ForecastLook): string {
  return color ? line.replace(word, `${COLORS[verdict]}${word}\u001B[0m`) : line;
}

/** The numbers, in two columns where they fit into two. */
function factLines(first: CaseForecast, width: number): readonly string[] {
  const facts = factsOf(first);
  const half = Math.ceil(facts.length / 2);
  const column = Math.floor((width - 2) / 2) + 2;
  const one = facts.map(([name, value]) => `  ${name.padEnd(21)} ${value}`);
  const two = facts.slice(0, half).map((_, at) => {
    const right = facts[at + half];
    return right ? `${one[at]?.padEnd(column)} ${right[0].padEnd(19)} ${right[1]}` : (one[at] ?? '');
  });
  return two.every((line) => line.length <= width) ? two : one;
}

/** The case's curves that change at all, one under the other. */
function curveLines(outcome: Outcome, untilMs: number, width: number): readonly string[] {
  const telling = tellingCurves(outcome).slice(0, CURVES_MAX);
  return telling.flatMap((curve) => [
    curveTitle(curve),
    ...plot(
      // A share is that of the time since the point before; the first has none before it.
      curve.points.slice(curve.unit === 'share' ? 1 : 0).filter(([atMs]) => atMs <= untilMs),
      {
        columns: width,
        rows: telling.length > 2 ? 5 : 7,
        top: topOf(curve),
        label: (value) => scaleText(curve.unit, value),
        time: clock,
      },
    ),
    '',
  ]);
}

/** The beginning, where the whole is so long that nobody sees it there. */
function closeUpLines({ outcome, closeUp }: CaseForecast, width: number): readonly string[] {
  const endMs = closeUp?.curves[0]?.points.at(-1)?.[0] ?? 0;
  if (closeUp === null || endMs > tellingUntilMs(outcome) / 2) return [];
  return ['The beginning, closer:', ...curveLines(closeUp, endMs, width)];
}

function caseLine(each: CaseForecast, look: ForecastLook): string {
  const word = VERDICTS[each.verdict];
  const whole = each.verdict === 'refused' ? 'not begun' : troubleText(each);
  return colored(row(each.name, word, briefOf(each), whole), word, each.verdict, look);
}

function row(name: string, verdict: string, how: string, whole: string): string {
  return `  ${name.padEnd(24)} ${verdict.padEnd(9)} ${how.padEnd(11)} ${whole}`.trimEnd();
}

/** Why the preview refuses it, with the cures. */
function refusal({ name, refused }: CaseForecast, width: number): readonly string[] {
  if (refused.length === 0) return [];
  return ['', `The preview refuses it (${name}):`, ...refused.flatMap((line) => wrap(`- ${line}`, width, '  ', 2))];
}

/** Lines of at most `width`, broken between words; every line after the first is indented further by `hang`. */
export function wrap(text: string, width: number, indent = '', hang = 0): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of sanitise(text).split(' ')) {
    if (line === '') line = indent + word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = indent + ' '.repeat(hang) + word;
    }
  }
  return [...lines, line];
}
