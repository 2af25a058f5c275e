import type { Command } from 'commander';

type Done = (exitCode: number) => void;

const collect = (word: string, words: readonly string[]): readonly string[] => [...words, word];

/** The commands about plans and runs; each loads its own modules when it is used. */
export function addRunCommands(program: Command, done: Done): void {
  program
    .command('plan <runbook>')
    .description('preview a runbook on a fleet: contacts every server, writes nothing')
    .option('--fleet <file>', 'the fleet file (default: fleet in neap.config.ts)')
    .option('--input <key=value>', 'an input of the runbook; may be given several times', collect, [])
    .option('--except <server=reason>', 'leave a server out, by name and reason', collect, [])
    .option('--out <file>', 'write the plan there, to be run exactly')
    .option('--json', 'print the plan as JSON')
    .addHelpText('after', '\nExample:\n  neap plan database-upgrade --fleet fleet.ts --input outageMs=120000 --out plan.json')
    .action(async (runbook, options) => done(await (await import('./plan.ts')).plan(runbook, options)));
  program
    .command('run <plan-or-runbook>')
    .description('run exactly one plan, and watch it')
    .option('--fleet <file>', 'the fleet file, for a runbook')
    .option('--input <key=value>', 'an input of the runbook; may be given several times', collect, [])
    .option('--except <server=reason>', 'leave a server out, by name and reason', collect, [])
    .option('--yes', 'do not ask before it starts')
    .option('--unattended', "open gates as the approver that a lab's fleet names")
    .option('--detach', 'return once the engine stands')
    .option('--no-wait', 'end with 3 at the first gate, without a terminal')
    .addHelpText('after', '\nExample:\n  neap run plan.json')
    .action(async (what, options) => done(await (await import('./run.ts')).run(what, options)));
}
