import type { Command } from 'commander';
import type { OverrideOptions } from './override.ts';

/** `neap override`, with what each class allows; it loads its own module when it is used. */
export function addOverride(program: Command, done: (exitCode: number) => void): void {
  program
    .command('override <run> <class> [about]')
    .description('decide against what stops a run: a freeze, the fuse, a guard, the mirror, or the end of its window')
    .requiredOption('--reason <text>', 'why; it stands in the journal')
    .option('--zone <name>', "for window: the zone of a time on the wall (default: the plan's)")
    .addHelpText(
      'after',
      `
What each one allows, by name and in this run only:
  freeze [title]         risk goes on in spite of that freeze
  fuse                   the outage begins although the fuse does not cover it: load is shed before the first expiry
  guard [guard]          risk goes on although that guard is tripped or has no data
  mirror                 what has no way back goes on although the journal's copy is behind
  window <30m|instant>   the window is open for so much longer, or until then; the way home must still fit

Examples:
  neap override 2026-11-21-ab12cd window 30m --reason "the part came late; agreed with the duty manager"
  neap override 2026-11-21-ab12cd guard g1 --reason "the exporter was restarted"`,
    )
    .action(async (run: string, word: string, about: string | undefined, options: OverrideOptions) =>
      done(await (await import('./override.ts')).override(run, word, about, options)),
    );
}
