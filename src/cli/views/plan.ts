import { styleText } from 'node:util';
import type { ActStep, Finding, Plan, PlanNeed, PlanStep } from '../../model/index.ts';
import type { GuardNow, ReachCommand } from '../../engine/index.ts';
import { duration } from '../../run/index.ts';
import { armedWords, planGuardLines } from './guards.ts';
import { planMirrorLine } from './mirror.ts';
import { budgetWords, paceWords } from './pace.ts';
import { fuseWords, planRehearsalLines } from './rehearsed.ts';
import { wayBackFoot, wayBackHead } from './way-back.ts';
import { servingLines } from './serving.ts';
import { slotLines, slotWords } from './slots.ts';
import { takesFrom, takesWords } from './takes.ts';
import { planShedLine } from './shed.ts';
import { stepVerdicts, type Paint } from './verdicts.ts';
import { planWindowLines } from './window.ts';
import { leaseLine } from './lease.ts';
import { wrap } from './words.ts';

export interface PlanViewOptions {
  readonly columns: number;
  readonly color: boolean;
  readonly commands: readonly ReachCommand[];
  /** What its guards say now, if they were read. */
  readonly guards?: readonly GuardNow[];
  /** Where the plan was written to, if it was. */
  readonly out: string | null;
  /** What a person decides against. */
  readonly overridden?: readonly string[];
  /** Without the steps: the forecast and the findings. */
  readonly brief?: boolean;
}

/** The preview is the plan, shown: order, servers, waves, changes with their diffs, gates, findings and cures, and the hash. */
export function planText(plan: Plan, options: PlanViewOptions): string {
  const paint: Paint = (style, text) => (options.color ? styleText(style, text, { validateStream: false }) : text);
  const { header } = plan;
  const lines = [
    paint('bold', header.title),
    ...wayBackHead(plan),
    `${count(plan)} servers of ${header.fleet.name}, inputs ${inputsOf(header.inputs)}`,
    ...(options.brief ? [] : stepsText(plan, options.guards ?? [], paint)),
    ...wayBackFoot(plan),
    '',
    ...footLines(plan, options, paint),
  ];
  return `${lines.flatMap((line) => wrap(line, options.columns)).join('\n')}\n`;
}

function stepsText(plan: Plan, now: readonly GuardNow[], paint: Paint): string[] {
  const { header } = plan;
  return [
    '',
    ...header.steps.flatMap((step) => stepLines(step, plan, paint)),
    ...(header.guards.length > 0 ? ['', ...planGuardLines(header, now)] : []),
    ...header.contingencies.flatMap((each) => [
      '',
      paint('bold', armedWords(each, header.guards)),
      ...each.steps.flatMap((step) => stepLines(step, plan, paint)),
    ]),
  ];
}

function stepLines(step: PlanStep, plan: Plan, paint: Paint): string[] {
  const id = step.id.padStart(4);
  if (step.step === 'rejoin') return [`${id}  ${step.title}`];
  if (step.step === 'gate') {
    const fuse = step.fuse ? `, shows the fuse` : '';
    const ahead = step.ahead ? ', may be answered ahead' : '';
    return [
      `${id}  ${paint('cyan', `gate: ${step.title}`)} (${step.role}: ${Object.keys(step.answers).join(' / ')}${fuse}${ahead}; no answer: ${step.onTimeout})`,
    ];
  }
  const { behind, below } = stepVerdicts(step, plan, paint);
  return [`${id}  ${step.title}${aside(step, plan)}${behind}`, ...below];
}

function aside(step: ActStep, { header }: Plan): string {
  const parts = [
    step.nature === 'check' ? null : step.nature,
    ...paceWords(step, header),
    step.perSecond === null ? null : `at most ${Math.round(step.perSecond * 100) / 100}/s`,
    ...slotWords(step),
    takesWords(step),
    step.soakMs > 0 ? `stays proven ${duration(step.soakMs)}` : null,
    step.needs.length > 0 ? `needs: ${step.needs.map((need) => needWords(need)).join(', ')}` : null,
    step.releasedBy === null ? null : `held until step ${step.releasedBy}`,
    step.irreversible === null ? null : `no way back: ${step.irreversible}`,
  ].filter((part) => part !== null);
  return parts.length > 0 ? `  [${parts.join('; ')}]` : '';
}

function needWords(need: PlanNeed): string {
  if (need.need === 'connections') return `room for ${need.each} connections to ${need.dependency}`;
  if (need.need !== 'answers') return need.need;
  return need.dependency === '*' ? 'dependencies answer' : `${need.dependency} answers`;
}

function footLines(plan: Plan, { out, commands, overridden }: PlanViewOptions, paint: Paint): string[] {
  const { header } = plan;
  const { forecast, window } = header;
  const refused = header.findings.some((finding) => finding.severity === 'refusal');
  // How a fuse was reckoned is for whoever must change something about it.
  const wrong = header.findings.length > 0;
  const written = commands.filter((command) => command.writes).length;
  return [
    ...(forecast
      ? [
          `Fuse: ${fuseWords(header)}; planned outage ${duration(forecast.outageMs)}, margin ${duration(forecast.marginMs)}`,
          ...(wrong ? forecast.because : forecast.because.slice(0, 1)).map((line) => `      ${line}`),
        ]
      : []),
    ...slotLines(plan),
    ...servingLines(header),
    ...planRehearsalLines(header),
    ...lineOf(planShedLine(header)),
    ...planWindowLines(header),
    `Expected: ${duration(window.expectedMs)}, way home ${duration(window.homeMs)}, window ${duration(window.limitMs)}.`,
    ...lineOf(takesFrom(header)),
    budgetWords(header),
    bmcLine(plan),
    `Points of no return: ${noReturn(plan)}.`,
    planMirrorLine(header),
    leaseLine(header),
    ...(commands.length === 0
      ? []
      : [`Read with ${commands.length} commands and requests, ${written} of them writing.`]),
    ...header.findings.flatMap((finding) => findingLines(finding, paint)),
    '',
    refused ? paint(['red', 'bold'], refusedWords(overridden ?? [])) : paint('green', 'This plan can be run.'),
    `Plan ${plan.hash}`,
    ...(out === null || refused ? [] : [`Written to ${out}. Run exactly this: neap run ${out}`]),
  ];
}

function refusedWords(overridden: readonly string[]): string {
  return overridden.length === 0
    ? 'Refused: this plan cannot be run.'
    : `Refused, and overridden: ${overridden.join(', ')}. Whoever says yes to it answers for that.`;
}

function lineOf(text: string | null): string[] {
  return text === null ? [] : [text];
}

/** Every server's BMC was read, and would reset it. */
function bmcLine({ header, slices }: Plan): string {
  const check = header.steps.find((step) => step.step === 'act' && step.kind.name === 'check-server');
  const verdicts = check ? slices.flatMap((slice) => Object.values(slice.verdicts[check.id] ?? {})) : [];
  if (verdicts.length === 0) return 'BMCs: not asked for by this runbook.';
  return `BMCs: ${verdicts.filter(({ verdict }) => verdict === 'nothing').length} of ${verdicts.length} servers read, powered on and ready for a hard reset.`;
}

function noReturn({ header }: Plan): string {
  const main = header.steps.flatMap((step) =>
    step.step === 'act' && step.irreversible !== null ? [`step ${step.id} (${step.irreversible})`] : [],
  );
  return main.length > 0 ? main.join(', ') : 'none in the main line';
}

function findingLines({ severity, what, cures }: Finding, paint: Paint): string[] {
  const head = severity === 'refusal' ? paint('red', 'Refused: ') : paint('yellow', 'Warning: ');
  return [`${head}${what}`, ...cures.map((cure, at) => `  ${cures.length > 1 ? `cure ${at + 1}` : 'cure'}: ${cure}`)];
}

function inputsOf(inputs: Plan['header']['inputs']): string {
  return Object.entries(inputs)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ');
}

function count({ slices }: Plan): number {
  return slices.reduce((sum, slice) => sum + slice.servers.length, 0);
}
