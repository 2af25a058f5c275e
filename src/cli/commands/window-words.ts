import type { Command } from 'commander';

/** When what is planned may be run: `parseWindow` reads these. */
export function withWindow(command: Command): Command {
  return command
    .option('--opens <time>', 'when its window opens: 2026-12-01T02:00 in the zone, or with an offset')
    .option('--closes <time>', 'when it closes, at the latest')
    .option('--planned <length>', 'how long it is meant to take, e.g. 45m: beyond that people are told')
    .option('--zone <name>', "the zone of those times (default: the configuration's, or UTC)");
}
