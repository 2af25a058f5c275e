import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  loadConfig,
  loadFleet,
  loadRunbook,
  makePlan,
  parseInputs,
  type Config,
  type RunPlace,
} from '../../engine/index.ts';
import { labDown, labUp, type LabFile } from '../../lab/index.ts';
import type { Plan } from '../../model/index.ts';
import { attach, type Session } from '../session.ts';
import { LogView } from '../views/log.ts';
import { planText } from '../views/plan.ts';
import { writeReport } from './report.ts';
import { prepareAndStart } from './run.ts';
import { Understudy } from './understudy.ts';

const SERVERS = 12;
/** Lab seconds in a real one. People need time to read a gate before the fuse is too short and caches are refreshed again. */
const TIME_LAPSE = { interactive: 10, unattended: 20 };
/** The plan as it was, and as it is cured: by a shorter outage. */
const AS_IT_WAS = 'outageMs=300000';
const CURED = 'outageMs=60000';

/** `neap demo`: 1 February 2021 on the embedded lab, as neap would have it. */
export async function demo({ keep }: { readonly keep?: boolean }): Promise<number> {
  const config = await loadConfig(process.cwd());
  const interactive = process.stdin.isTTY && process.stdout.isTTY;
  const timeLapse = interactive ? TIME_LAPSE.interactive : TIME_LAPSE.unattended;
  say('1 February 2021: a database upgrade behind offline mode, planned for five minutes. It took an hour.');
  say(`Starting a lab of ${SERVERS} servers, with the bug that nobody knew of; ${timeLapse} lab seconds pass in one.`);
  const lab = await labUp({
    stateDir: config.stateDir,
    name: `demo-${randomBytes(2).toString('hex')}`,
    servers: SERVERS,
    timeLapse,
    scenario: 'feb-2021',
  });
  let exitCode = 5;
  try {
    say('\n1. The plan as it was: an outage of 300 s.\n');
    show(await plan(config, lab, AS_IT_WAS), true);
    say('\n2. Cured: the same work in an outage of 60 s.\n');
    const cured = await plan(config, lab, CURED);
    show(cured);
    if (interactive && !(await approved(cured))) return 4;
    say(`\n3. The run. On the way a server hangs; its gate decides about the hard reset.\n`);
    const place = await prepareAndStart(config, cured, {});
    exitCode = interactive ? await onTerminal(place, lab, config) : await unattended(place, lab, config);
    const report = join(place.dir, 'report.html');
    await writeReport(place, { html: report });
    say(`\nReport:  ${report}\nJournal: ${place.journal}`);
    say(
      [
        `Next:    neap status ${place.run}`,
        '         neap lab up --servers 40 --time-lapse 20 --scenario dead-fleet --detach',
        '         neap run recover-fleet --fleet FILE     (the file that lab up prints)',
        '         neap init, for a fleet of your own',
      ].join('\n'),
    );
    return exitCode;
  } finally {
    if (!keep) await labDown({ stateDir: config.stateDir, name: lab.name });
  }
}

async function plan(config: Config, lab: LabFile, input: string): Promise<Plan> {
  const runbook = await loadRunbook('database-upgrade', config.cwd);
  const fleet = await loadFleet(lab.fleetFile, config.cwd);
  return (await makePlan({ runbook, fleet, inputs: parseInputs(runbook.value, [input]), except: [] })).plan;
}

function show(made: Plan, brief = false): void {
  process.stdout.write(
    planText(made, {
      columns: process.stdout.columns ?? 100,
      color: process.stdout.isTTY,
      commands: [],
      out: null,
      brief,
    }),
  );
}

async function approved(made: Plan): Promise<boolean> {
  const { confirm } = await import('@inquirer/prompts');
  try {
    return await confirm({ message: `Approve plan ${made.hash.slice(0, 12)} and run it?`, default: true });
  } catch {
    return false;
  }
}

/** People answer; the understudy only plays the database's engineers and the server that hangs. */
async function onTerminal(place: RunPlace, lab: LabFile, config: Config): Promise<number> {
  const understudy = new Understudy({ stateDir: config.stateDir, name: lab.name }, null);
  const session = await attach(place, (event, state) => understudy.see(event, state));
  if (session) understudy.begin(session);
  const { watchOnTerminal } = await import('../views/terminal.ts');
  return watchOnTerminal(place);
}

/** Nobody is there: the lab's own approver opens the gates. */
async function unattended(place: RunPlace, lab: LabFile, config: Config): Promise<number> {
  const understudy = new Understudy({ stateDir: config.stateDir, name: lab.name }, 'demo');
  const early: (() => void)[] = [];
  let view: LogView | null = null;
  const session: Session | null = await attach(place, (event, state) => {
    const shown = (): void => view?.show(event, state);
    if (view) shown();
    else early.push(shown);
    understudy.see(event, state);
  });
  if (!session) return 5;
  view = new LogView(session.machine, (line) => process.stdout.write(`${line}\n`));
  for (const shown of early) shown();
  understudy.begin(session);
  await session.ended;
  return session.state().closed?.exitCode ?? 5;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
