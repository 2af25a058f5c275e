import type { Command } from 'commander';

const collect = (word: string, words: readonly string[]): readonly string[] => [...words, word];

/** The commands by which a run is proven to others. */
export function addAuditCommands(program: Command, done: (exitCode: number) => void): void {
  const audit = program.command('audit').description('prove what a run did');
  audit
    .command('verify [run-or-export]')
    .description("find any change, removal or reordering in a run's journal, and name the first bad event")
    .option(
      '--anchor <seq:hash|file>',
      'a head that was kept elsewhere, or a log that holds some; may be given several times',
      collect,
      [],
    )
    .option('--json', 'for scripts')
    .addHelpText(
      'after',
      '\nExit code: 0 sound, 1 not sound.\n\nExample:\n  neap audit verify 2026-11-21-ab12cd --anchor /var/log/syslog',
    )
    .action(
      async (what: string | undefined, options: { readonly anchor: readonly string[]; readonly json?: boolean }) =>
        done(await (await import('./audit.ts')).verify(what, options)),
    );
  audit
    .command('export [run]')
    .description('write plan, order and all events of a run to one file, which can be verified anywhere')
    .requiredOption('--out <file>', 'the file to write; one that is there is not written over')
    .option('--force', 'write over a file that is there')
    .addHelpText('after', '\nExample:\n  neap audit export 2026-11-21-ab12cd --out audit.jsonl')
    .action(async (run: string | undefined, options: { readonly out: string; readonly force?: boolean }) =>
      done(await (await import('./audit.ts')).exportRun(run, options)),
    );
}
