import type { Command } from 'commander';
import type { RejoinOptions } from './quarantine.ts';

type Done = (exitCode: number) => void;

/** `neap fleet quarantine` and `neap fleet rejoin`: who is kept out, and how they come back. */
export function addQuarantine(fleet: Command, done: Done): void {
  fleet
    .command('quarantine')
    .description('who is kept out until proven, since when and why')
    .option('--fleet <file>', 'the fleet file (default: fleet in neap.config.ts; without either: every fleet)')
    .option('--json', 'for scripts')
    .addHelpText('after', '\nExample:\n  neap fleet quarantine')
    .action(async (options: { readonly fleet?: string; readonly json?: boolean }) =>
      done(await (await import('./quarantine.ts')).quarantine(options)),
    );
  fleet
    .command('rejoin <server...>')
    .description('prove servers that were kept out, and give them traffic again')
    .option('--fleet <file>', 'the fleet file (default: fleet in neap.config.ts)')
    .option('--runbook <file>', 'how servers come back; without one of its own, the shipped one', 'runbooks/rejoin.ts')
    .option('--input <key=value>', 'an input of the runbook; may be given several times', collect, [])
    .option('--ticket <id>', 'what the run answers for')
    .option('--yes', 'do not ask before it starts')
    .option('--unattended', "open gates as the approver that a lab's fleet names")
    .option('--detach', 'return once the engine stands')
    .option('--no-wait', 'end with 3 at the first gate, without a terminal')
    .addHelpText('after', '\nExample:\n  neap fleet rejoin api-03 api-07')
    .action(async (servers: readonly string[], options: RejoinOptions) =>
      done(await (await import('./quarantine.ts')).rejoin(servers, options)),
    );
}

function collect(word: string, words: readonly string[]): readonly string[] {
  return [...words, word];
}
