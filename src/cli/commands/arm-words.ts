import type { Command } from 'commander';
import type { ArmOptions } from './arm.ts';

/** The words of `neap arm`. */
export function addArm(program: Command, done: (exitCode: number) => void): void {
  program
    .command('arm <run> <contingency>')
    .description("begin a contingency of the run's plan; until it is through the run takes nothing")
    .option('--only <servers>', 'only for these servers, by name, with commas between them')
    .requiredOption('--reason <text>', 'why; it stands in the journal')
    .addHelpText(
      'after',
      '\nExample:\n  neap arm 2026-11-21-ab12cd c2 --only api-07,api-08 --reason "they answer slowly"',
    )
    .action(async (run: string, contingency: string, options: ArmOptions) =>
      done(await (await import('./arm.ts')).arm(run, contingency, options)),
    );
}
