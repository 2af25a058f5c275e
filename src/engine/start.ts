import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { z } from 'zod';
import { extension, launchArguments } from '../launch/index.ts';
import { FailureError } from '../model/index.ts';
import { afterRealMs } from './clock.ts';
import type { TakeOver } from './lease/hold.ts';
import type { HomeWord } from './messages.ts';
import type { RunPlace } from './runs.ts';
import type { Purpose } from './stale.ts';

/** An engine may take so long from one word to the next until it stands, in real milliseconds: it reads its journal again and claims its servers. */
const STAND_MS = 60_000;

const wordSchema = z.union([
  z.object({ ready: z.literal(true) }),
  /** It is on its way: so many servers know by now that they are this run's. */
  z.object({ ready: z.null(), fenced: z.number() }),
  z.object({ ready: z.literal(false), text: z.string(), stale: z.boolean() }),
]);

type FinalWord = Exclude<z.output<typeof wordSchema>, { ready: null }>;

/** An engine that did not start, with its own words. */
export class EngineRefused extends FailureError {
  readonly stale: boolean;

  constructor(run: string, text: string, stale: boolean, purpose: Purpose) {
    const again: Record<Purpose, string> = {
      start: 'Mend that, then run the plan again',
      resume: `Mend that, then: neap resume ${run}`,
      home: `Mend that, then: neap abort ${run}`,
    };
    super({
      kind: 'condition',
      what: text,
      where: `run ${run}`,
      state: 'No engine was left running',
      // What makes a plan stale is said with what to do about it.
      remedy: stale && purpose !== 'start' ? `How it stands: neap status ${run}` : again[purpose],
    });
    this.stale = stale;
  }
}

/**
 * Starts a run's engine as a process of its own session, and resolves when it stands: from then on a terminal is only a
 * view. `home`: with `resume`, it takes the run home from its first decision on. Rejects with EngineRefused.
 */
export async function startEngine(
  place: RunPlace,
  stateDir: string,
  mode: 'start' | 'resume',
  takeOver: TakeOver | null = null,
  home: HomeWord | null = null,
): Promise<void> {
  const log = openSync(place.log, 'a', 0o600);
  const entry = new URL(`./main${extension}`, import.meta.url);
  const child = spawn(
    process.execPath,
    [...launchArguments(entry), stateDir, place.run, mode, JSON.stringify(takeOver), JSON.stringify(home)],
    {
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    },
  );
  closeSync(log);
  const word = await new Promise<FinalWord>((resolve) => {
    const late = (): void =>
      resolve({
        ready: false,
        text: `the engine did not stand within ${STAND_MS / 1000} s; see ${place.log}`,
        stale: false,
      });
    let cancel = afterRealMs(STAND_MS, late);
    const settle = (said: FinalWord): void => {
      cancel();
      resolve(said);
    };
    child.on('message', (message) => {
      const said = wordSchema.parse(message);
      if (said.ready !== null) return settle(said);
      cancel();
      cancel = afterRealMs(STAND_MS, late);
    });
    child.once('error', (error) => settle({ ready: false, text: error.message, stale: false }));
    child.once('exit', (code, signal) =>
      settle({ ready: false, text: `the engine ended at once (${code ?? signal}); see ${place.log}`, stale: false }),
    );
  });
  child.removeAllListeners();
  if (child.connected) child.disconnect();
  child.unref();
  if (!word.ready) throw new EngineRefused(place.run, word.text, word.stale, home === null ? mode : 'home');
}
