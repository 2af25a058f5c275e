import { Command, CommanderError } from 'commander';
import { ownVersion, EngineRefused, StalePlan } from '../engine/index.ts';
import { FailureError, sentence } from '../model/index.ts';
import { addAuditCommands } from './commands/audit-words.ts';
import { addForecastCommand } from './commands/forecast-words.ts';
import { addLabCommands } from './commands/lab-words.ts';
import { addRehearseCommand } from './commands/rehearse-words.ts';
import { addRunCommands } from './commands/run-words.ts';
import { UsageError } from './usage.ts';

/** Runs one command line. Resolves to its exit code: see the README for what each means. */
export async function main(argv: readonly string[]): Promise<number> {
  // Whoever read the output may go (`neap status | head -1`): what was asked for is done all the same, and its exit code holds.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let exitCode = 0;
  const done = (code: number): void => {
    exitCode = code;
  };
  const program = new Command('neap')
    .description('Maintenance windows: previewed, approved, run, rolled back or recovered.')
    .version(await ownVersion())
    .exitOverride()
    .showHelpAfterError('(neap COMMAND --help shows an example)');
  addRunCommands(program, done);
  addAuditCommands(program, done);
  addRehearseCommand(program, done);
  addForecastCommand(program, done);
  addLabCommands(program, done);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  // Never 1, which says that a run is home: of what a defect left nothing is known.
  if (!(error instanceof FailureError)) {
    process.stderr.write(
      `This is a defect of neap; please report it. A run that is under way goes on by itself: neap status\n${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return 5;
  }
  process.stderr.write(`${sentence(error.failure)}\n`);
  if (error instanceof UsageError) return 2;
  if (error instanceof EngineRefused) return error.stale ? 6 : 4;
  if (error instanceof StalePlan) return 6;
  return 2;
}
