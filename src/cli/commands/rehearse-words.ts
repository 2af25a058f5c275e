import type { Command } from 'commander';
import type { RehearseOptions } from './rehearse.ts';

/** `neap rehearse`: what an outage does to one server, found out before the window. */
export function addRehearseCommand(program: Command, done: (exitCode: number) => void): void {
  program
    .command('rehearse')
    .description('cut one offline server from a dependency and measure how long it goes on answering; kept as evidence')
    .requiredOption('--cut <dependency>', 'the dependency that will be away, as the fleet file names it')
    .requiredOption('--on <server>', 'the canary; it is out of the balancer meanwhile')
    .option('--fleet <file>', 'the fleet file (default: fleet in neap.config.ts)')
    .option('--outage <duration>', 'the outage that is planned: 120s, 5m', '120s')
    .option('--margin <duration>', 'by how much it may overrun', '20s')
    .option(
      '--traffic <share>',
      "requests that are sent, as a share of one server's production rate (default: as the fleet file says, or 0.05)",
    )
    .option('--runbook <file>', 'how it is done; without one of its own, the shipped one', 'runbooks/rehearse.ts')
    .option('--out <file>', 'write the plan there, to be approved and run by `neap run`, and run nothing')
    .option('--ticket <id>', 'what the run answers for')
    .option('--yes', 'do not ask before it starts')
    .option('--unattended', "open gates as the approver that a lab's fleet names")
    .option('--detach', 'return once the engine stands')
    .option('--no-wait', 'end with 3 at the first gate, without a terminal')
    .addHelpText('after', '\nExample:\n  neap rehearse --cut database --on api-01 --outage 120s --margin 20s')
    .action(async (options: RehearseOptions) => done(await (await import('./rehearse.ts')).rehearse(options)));
}
