import type { Command } from 'commander';
import { addOverride } from './override-words.ts';
import { withWindow } from './window-words.ts';
import { addArm } from './arm-words.ts';
import type { ApproveOptions } from './control.ts';
import type { PlanOptions } from './plan.ts';
import { addQuarantine } from './quarantine-words.ts';
import type { ReportFiles } from './report.ts';
import type { RollbackOptions } from './rollback.ts';
import type { AbortOptions, ResumeOptions } from './control.ts';
import type { RunOptions } from './run.ts';
import type { UnfenceOptions } from './unfence.ts';

type Done = (exitCode: number) => void;

const collect = (word: string, words: readonly string[]): readonly string[] => [...words, word];

/** The commands about plans, runs and fleets; each loads its own modules when it is used. */
export function addRunCommands(program: Command, done: Done): void {
  addPlanning(program, done);
  addWatching(program, done);
  addDeciding(program, done);
}

function addPlanning(program: Command, done: Done): void {
  program
    .command('init [folder]')
    .description('write a configuration, a fleet to fill in and a copy of the shipped runbooks')
    .addHelpText('after', '\nExample:\n  neap init maintenance && cd maintenance')
    .action(async (folder: string | undefined) => done(await (await import('./init.ts')).init(folder)));
  withWindow(program.command('plan <runbook>'))
    .description('preview a runbook on a fleet: contacts every server, writes nothing')
    .option('--fleet <file>', 'the fleet file (default: fleet in neap.config.ts)')
    .option('--input <key=value>', 'an input of the runbook; may be given several times', collect, [])
    .option('--except <server=reason>', 'leave a server out, by name and reason', collect, [])
    .option('--out <file>', 'write the plan there, to be run exactly')
    .option('--json', 'print the plan as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  neap plan database-upgrade --fleet fleet.ts --input outageMs=120000 --out plan.json\n  neap plan database-upgrade --opens 2026-12-01T02:00 --closes 2026-12-01T04:00 --zone Europe/Amsterdam --out plan.json',
    )
    .action(async (runbook: string, options: PlanOptions) =>
      done(await (await import('./plan.ts')).plan(runbook, options)),
    );
  withWindow(program.command('run <plan-or-runbook>'))
    .description('run exactly one plan, and watch it')
    .option('--fleet <file>', 'the fleet file, for a runbook')
    .option('--input <key=value>', 'an input of the runbook; may be given several times', collect, [])
    .option('--except <server=reason>', 'leave a server out, by name and reason', collect, [])
    .option('--yes', 'do not ask before it starts')
    .option('--unattended', "open gates as the approver that a lab's fleet names")
    .option('--ticket <text>', 'what the run is done for; it stands in the journal')
    .option('--override <class>', 'begin it in spite of a freeze, or of its fuse: freeze, fuse; with --reason')
    .option('--reason <text>', 'why that is overridden; it stands in the journal')
    .option('--detach', 'return once the engine stands')
    .option('--no-wait', 'end with 3 at the first gate, without a terminal')
    .addHelpText('after', '\nExample:\n  neap run plan.json')
    .action(async (what: string, options: RunOptions) => done(await (await import('./run.ts')).run(what, options)));
  const fleet = program.command('fleet').description('the machines');
  fleet
    .command('check')
    .description('try every reading that the fleet lists, on every server, and show it with its source; writes nothing')
    .option('--fleet <file>', 'the fleet file (default: fleet in neap.config.ts)')
    .option('--json', 'for scripts')
    .addHelpText('after', '\nExample:\n  neap fleet check --fleet fleet.ts')
    .action(async (options: { readonly fleet?: string; readonly json?: boolean }) =>
      done(await (await import('./fleet.ts')).check(options)),
    );
  addQuarantine(fleet, done);
  fleet
    .command('unfence <run>')
    .description('end a run that nobody has any more on its servers, so that others may have them')
    .option('--fleet <file>', 'the fleet file (default: fleet in neap.config.ts)')
    .option('--reason <text>', 'why; it is kept in this state folder')
    .option('--force', 'although its engine may be there')
    .addHelpText(
      'after',
      '\nExample:\n  neap fleet unfence 2026-11-21-ab12cd --reason "the bastion that had it is scrapped"',
    )
    .action(async (run: string, options: UnfenceOptions) =>
      done(await (await import('./unfence.ts')).unfence(run, options)),
    );
}

function addWatching(program: Command, done: Done): void {
  program
    .command('attach [run]')
    .description('watch a run (default: the newest)')
    .option('--no-wait', 'end with 3 at the first gate, without a terminal')
    .addHelpText('after', '\nExample:\n  neap attach')
    .action(async (run: string | undefined, options: { readonly wait: boolean }) =>
      done(await (await import('./control.ts')).attach(run, options)),
    );
  program
    .command('status [run]')
    .description('how a run stands and what to do now (default: the newest)')
    .option('--json', 'for scripts')
    .addHelpText('after', '\nExample:\n  neap status')
    .action(async (run: string | undefined, options: { readonly json?: boolean }) =>
      done(await (await import('./control.ts')).status(run, options)),
    );
  program
    .command('report [run]')
    .description('write what a run did, to whom, when and why (default: the newest)')
    .option('--html <file>', 'as one page')
    .option('--markdown <file>', 'as text')
    .option('--json <file>', 'as data')
    .addHelpText('after', '\nExample:\n  neap report --html report.html')
    .action(async (run: string | undefined, options: ReportFiles) =>
      done(await (await import('./report.ts')).report(run, options)),
    );
}

function addDeciding(program: Command, done: Done): void {
  program
    .command('approve <run> <gate> [answer]')
    .description('answer a gate, or one that will be asked, where the plan lets that be')
    .option('--as <name>', "who answers; a lab's fleet names an approver of its own")
    .option('--reason <text>', 'why')
    .option('--take-back', 'what was answered ahead does not hold any more')
    .addHelpText(
      'after',
      '\nExamples:\n  neap approve 2026-11-21-ab12cd 10 yes\n  neap approve 2026-11-21-ab12cd c1.2 --take-back',
    )
    .action(async (run: string, gate: string, answer: string | undefined, options: ApproveOptions) =>
      done(await (await import('./control.ts')).approve(run, gate, answer, options)),
    );
  program
    .command('resume <run>')
    .description('go on with a run that is halted, or whose engine is gone')
    .option('--from <mirror>', 'build the run from a mirror first: dir:/path or ssh:HOST:/path')
    .option('--fleet <file>', 'with --from: where the fleet file lies on this machine')
    .option('--runbook <file>', 'with --from: where the runbook lies on this machine')
    .option('--take-over', 'also from an engine of another machine, once it is proven gone')
    .option('--override <reason>', 'with --take-over: although nothing proves that it is gone')
    .option('--detach', 'return once the engine stands')
    .option('--no-wait', 'end with 3 at the first gate, without a terminal')
    .addHelpText(
      'after',
      '\nExamples:\n  neap resume 2026-11-21-ab12cd\n  neap resume 2026-11-21-ab12cd --from ssh:vault:/srv/neap --fleet fleet.ts',
    )
    .action(async (run: string, options: ResumeOptions) =>
      done(await (await import('./control.ts')).resume(run, options)),
    );
  program
    .command('halt <run>')
    .description('begin no new work; what is under way ends, and everything is watched as before')
    .addHelpText('after', '\nExample:\n  neap halt 2026-11-21-ab12cd')
    .action(async (run: string) => done(await (await import('./control.ts')).halt(run)));
  program
    .command('abort <run>')
    .description('stop taking, and go home the safe way')
    .option('--reason <text>', 'why; it stands in the journal')
    .option('--take-over', 'also from an engine of another machine, once it is proven gone')
    .option('--override <reason>', 'with --take-over: although nothing proves that it is gone')
    .option('--detach', 'return once the engine has it')
    .addHelpText('after', `\nExample:\n  neap abort 2026-11-21-ab12cd --reason "the part is missing"`)
    .action(async (run: string, options: AbortOptions) =>
      done(await (await import('./control.ts')).abort(run, options)),
    );
  addRollback(program, done);
  addOverride(program, done);
  addArm(program, done);
}

function addRollback(program: Command, done: Done): void {
  program
    .command('rollback <run>')
    .description('take a run back: one under way goes home; of one that is over the way back is previewed, then run')
    .option('--to <step>', 'only what came after this step; the step itself stays')
    .option('--only <servers>', 'only these servers, by name, with commas between them')
    .option('--except <server=reason>', 'leave a server as it is, by name and reason', collect, [])
    .option('--out <file>', 'write the plan of the way back there, and run nothing')
    .option('--json', 'print the plan as JSON, and run nothing')
    .option('--yes', 'do not ask before it starts')
    .option('--unattended', "open gates as the approver that a lab's fleet names")
    .option('--reason <text>', 'why; it stands in the journal')
    .option('--override <what>', 'decide against a freeze beforehand, with --reason')
    .option('--ticket <text>', 'of a run that is over: what the way back is done for (default: as the run)')
    .option('--detach', 'return once the engine has it')
    .option('--no-wait', 'end with 3 at the first gate, without a terminal')
    .addHelpText(
      'after',
      '\nExamples:\n  neap rollback 2026-11-21-ab12cd\n  neap rollback 2026-11-21-ab12cd --to 7 --only api-07,api-08 --out back.json',
    )
    .action(async (run: string, options: RollbackOptions) =>
      done(await (await import('./rollback.ts')).rollback(run, options)),
    );
}
