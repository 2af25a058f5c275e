import { loadConfig } from '../../engine/index.ts';
import {
  forecastScenario,
  KnobError,
  plannedScenario,
  scenarios,
  type Scenario,
  type ScenarioForecast,
} from '../../herd/index.ts';
import { forecastHtml } from '../../report/index.ts';
import { usage } from '../usage.ts';
import { writeWhole } from '../whole-file.ts';
import { preview } from './plan.ts';
import { scenarioText, wrap } from '../views/forecast.ts';

export interface ForecastOptions {
  readonly fleet?: string;
  readonly input: readonly string[];
  readonly except: readonly string[];
  readonly scenario?: string;
  readonly whatIf: readonly string[];
  readonly seed: string;
  readonly html?: string;
  readonly json?: boolean;
}

/** So many seeds, one after the other, show how much is chance; in a large fleet it is little, and time is more. */
const SEEDS = { few: 5, many: 2, manyServers: 1_000 };

/** `neap forecast`: 0 when it has told what was asked; the verdict is in the text, for a forecast begins nothing. */
export async function forecast(runbook: string | undefined, options: ForecastOptions): Promise<number> {
  if (options.scenario === 'list') {
    process.stdout.write(listText());
    return 0;
  }
  if ((runbook === undefined) === (options.scenario === undefined))
    throw usage(
      'neither or both of a runbook and a scenario are named',
      `Write: neap forecast RUNBOOK --fleet FILE, or: neap forecast --scenario ${names()}`,
    );
  const first = seedOf(options.seed);
  const subject = runbook === undefined ? incident(options) : await planned(runbook, options);
  await show(tellScenario(subject, first, options), options);
  return 0;
}

/** What is told, and of how many servers. */
interface Subject {
  readonly scenario: Scenario;
  readonly servers: number;
}

function incident({ scenario, whatIf }: ForecastOptions): Subject {
  const found = scenarios.find(({ name }) => name === scenario);
  if (found === undefined) throw usage(`there is no scenario called ${scenario ?? ''}`, `There are: ${names()}`);
  const servers = /^servers=(\d+)$/;
  return { scenario: found, servers: Math.max(0, ...whatIf.map((word) => Number(servers.exec(word)?.[1] ?? 0))) };
}

/** Makes the plan as `neap plan` does, which reads and writes nothing, and takes its outage for a scenario. */
async function planned(runbook: string, options: ForecastOptions): Promise<Subject> {
  const config = await loadConfig(process.cwd());
  const { plan, asked } = await preview(config, runbook, options);
  const { header, slices } = plan;
  if (asked === null)
    throw usage(
      `no gate of ${header.title} speaks of an outage, so there is nothing to forecast`,
      'Give the gate before the hardware work its fuse: gate(..., { fuse: { outageMs, marginMs } })',
    );
  const servers = slices.reduce((sum, slice) => sum + slice.servers.length, 0);
  const scenario = plannedScenario({
    title: `${header.title}, on ${servers} servers of ${header.fleet.name}`,
    source: `${header.fleet.path}, as it is declared and was read now`,
    facts: header.forecast?.because ?? [],
    ...asked,
  });
  return { scenario, servers };
}

function tellScenario({ scenario, servers }: Subject, first: number, { whatIf }: ForecastOptions): ScenarioForecast {
  const seeds = servers > SEEDS.manyServers ? SEEDS.many : SEEDS.few;
  try {
    return forecastScenario(scenario, { whatIf, seeds: Array.from({ length: seeds }, (_, at) => first + at) });
  } catch (error) {
    if (error instanceof KnobError) throw usage(error.message, error.remedy);
    throw error;
  }
}

async function show(told: ScenarioForecast, { json, html }: ForecastOptions): Promise<void> {
  if (html !== undefined) await writeWhole(html, forecastHtml(told));
  process.stdout.write(
    json
      ? `${JSON.stringify(told)}\n`
      : scenarioText(told, { columns: process.stdout.columns ?? 80, color: process.stdout.isTTY }),
  );
  if (html !== undefined && !json) process.stdout.write(`\nWith its pictures: ${html}\n`);
}

function seedOf(word: string): number {
  const seed = Number(word);
  if (!Number.isInteger(seed) || seed < 0 || seed > 2 ** 31)
    throw usage(`--seed ${word} is no seed`, 'Give a whole number from 0 to 2147483648');
  return seed;
}

function names(): string {
  return scenarios.map(({ name }) => name).join(', ');
}

function listText(): string {
  const lines = scenarios.flatMap(({ name, title, source }) => [name, ...wrap(title, 78, '  '), `  ${source}`]);
  return `${lines.join('\n')}\n`;
}
