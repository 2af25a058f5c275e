import type { Command } from 'commander';
import type { ForecastOptions } from './forecast.ts';

const collect = (word: string, words: readonly string[]): readonly string[] => [...words, word];

/** The command by which one looks ahead. */
export function addForecastCommand(program: Command, done: (exitCode: number) => void): void {
  program
    .command('forecast [runbook]')
    .description('what an outage would do to a fleet, with and without each cure; or an incident, told again')
    .option('--fleet <file>', 'the fleet file (default: fleet in neap.config.ts)')
    .option('--input <name=value>', "one of the runbook's inputs", collect, [])
    .option('--except <server=reason>', 'leave a server out, and say why', collect, [])
    .option('--scenario <name>', 'an incident in place of a runbook; --scenario list names them')
    .option('--what-if <name=value>', 'change one thing; may be given several times', collect, [])
    .option('--seed <n>', 'where chance begins', '1')
    .option('--html <file>', 'write one page with its pictures')
    .option('--json', 'print all of it as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  neap forecast --scenario feb-2021 --what-if timeout=1s\n  neap forecast database-upgrade --fleet fleet.ts',
    )
    .action(async (runbook: string | undefined, options: ForecastOptions) =>
      done(await (await import('./forecast.ts')).forecast(runbook, options)),
    );
}
