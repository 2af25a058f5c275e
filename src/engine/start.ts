import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { extension, launchArguments } from '../launch/index.ts';
import { FailureError } from '../model/index.ts';
import { afterRealMs } from './clock.ts';
import type { RunPlace } from './runs.ts';

/** An engine may take so long until it stands, in real milliseconds: it reads its journal again and claims its servers. */
const STAND_MS = 60_000;

const wordSchema = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ ready: z.literal(false), text: z.string(), stale: z.boolean() }),
]);

/** An engine that did not start, with its own words. */
export class EngineRefused extends FailureError {
  readonly stale: boolean;

  constructor(run: string, text: string, stale: boolean, mode: 'start' | 'resume') {
    super({
      kind: 'condition',
      what: text,
      where: `run ${run}`,
      state: 'No engine was left running',
      remedy: mode === 'resume' ? `Mend that, then: neap resume ${run}` : 'Mend that, then run the plan again',
    });
    this.stale = stale;
  }
}

/** Starts a run's engine as a process of its own session, and resolves when it stands: from then on a terminal is only a view. */
export async function startEngine(place: RunPlace, stateDir: string, mode: 'start' | 'resume'): Promise<void> {
  const log = openSync(place.log, 'a', 0o600);
  const entry = new URL(`./main${extension}`, import.meta.url);
  const child = spawn(process.execPath, [...launchArguments(entry), stateDir, place.run, mode], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const word = await new Promise<z.output<typeof wordSchema>>((resolve) => {
    const cancel = afterRealMs(STAND_MS, () =>
      resolve({
        ready: false,
        text: `the engine did not stand within ${STAND_MS / 1000} s; see ${place.log}`,
        stale: false,
      }),
    );
    const settle = (said: z.output<typeof wordSchema>): void => {
      cancel();
      resolve(said);
    };
    child.once('message', (message) => settle(wordSchema.parse(message)));
    child.once('error', (error) => settle({ ready: false, text: error.message, stale: false }));
    child.once('exit', (code, signal) =>
      settle({ ready: false, text: `the engine ended at once (${code ?? signal}); see ${place.log}`, stale: false }),
    );
  });
  child.removeAllListeners();
  if (child.connected) child.disconnect();
  child.unref();
  if (!word.ready) throw new EngineRefused(place.run, word.text, word.stale, mode);
}

const engineSchema = z.object({ pid: z.number(), socket: z.string() });

/** The engine that a run has now; null when none runs. */
export async function engineOf(place: RunPlace): Promise<z.output<typeof engineSchema> | null> {
  const text = await readFile(place.engine, 'utf8').catch(() => null);
  const parsed = text === null ? null : engineSchema.safeParse(JSON.parse(text));
  return parsed?.success && (await lives(parsed.data.pid, place.run)) ? parsed.data : null;
}

/**
 * A process id alone proves nothing: it may be another process's by now, or that of an engine which was killed and not
 * collected yet. Where the system tells (Linux), its command line has to name the run; a dead one has none.
 */
async function lives(pid: number, run: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return words.split('\0').includes(run);
}
