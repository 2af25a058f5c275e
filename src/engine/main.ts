import { sentence, FailureError } from '../model/index.ts';
import { wallClockMs } from './clock.ts';
import { runEngine } from './compose.ts';
import type { TakeOver } from './lease/hold.ts';
import { NotOurs } from './lease/words.ts';
import type { HomeWord } from './messages.ts';
import { tellParent } from './parent.ts';
import { placeOf } from './runs.ts';
import { StalePlan } from './stale.ts';

/**
 * The engine's own process: `main STATE_DIR RUN start|resume TAKEOVER HOME`, the last two as JSON. Its terminal is
 * nobody's: views come over the socket, and it tells its parent, if that still listens, that it stands or why it does
 * not.
 */
const [stateDir = '', run = '', mode = 'start', takeOver = 'null', home = 'null'] = process.argv.slice(2);
const said = JSON.parse(takeOver) as TakeOver | null;
const homeWord = JSON.parse(home) as HomeWord | null;

// The terminal that started it may go: the run does not.
process.on('SIGHUP', () => undefined);
process.on('SIGINT', () => undefined);
// Its log may lie on a disk that is full: what cannot be logged is no reason to leave a fleet.
process.stderr.on('error', () => undefined);

try {
  process.exitCode = await runEngine({
    place: placeOf(stateDir, run),
    stateDir,
    mode: mode === 'resume' ? 'resume' : 'start',
    takeOver: said ?? { takeOver: false, override: null },
    home: homeWord,
    ready: (fenced) => tellParent(fenced === null ? { ready: true } : { ready: null, fenced }),
  });
} catch (error) {
  const stale = error instanceof StalePlan;
  const text =
    error instanceof FailureError
      ? sentence(error.failure).replace(`run ${run}: `, '')
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`${new Date(wallClockMs()).toISOString()} ${text}\n`);
  tellParent({ ready: false, text, stale });
  process.exitCode = stale ? 6 : error instanceof NotOurs ? 4 : 5;
}
if (process.connected) process.disconnect?.();
