import { sentence, FailureError } from '../model/index.ts';
import { wallClockMs } from './clock.ts';
import { runEngine, StalePlan } from './compose.ts';
import { placeOf } from './runs.ts';

/**
 * The engine's own process: `main STATE_DIR RUN start|resume`. Its terminal is nobody's: views come over the socket,
 * and it tells its parent, if that still listens, that it stands or why it does not.
 */
const [stateDir = '', run = '', mode = 'start'] = process.argv.slice(2);

// The terminal that started it may go: the run does not.
process.on('SIGHUP', () => undefined);
process.on('SIGINT', () => undefined);

try {
  process.exitCode = await runEngine(placeOf(stateDir, run), stateDir, mode === 'resume' ? 'resume' : 'start', () =>
    tell({ ready: true }),
  );
} catch (error) {
  const stale = error instanceof StalePlan;
  const text =
    error instanceof FailureError
      ? sentence(error.failure)
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`${new Date(wallClockMs()).toISOString()} ${text}\n`);
  tell({ ready: false, text, stale });
  process.exitCode = stale ? 6 : 5;
}
if (process.connected) process.disconnect?.();

function tell(message: object): void {
  if (process.connected) process.send?.(message);
}
