import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { isEngine } from './lease/holder.ts';
import type { RunPlace } from './runs.ts';

const engineSchema = z.object({ pid: z.number(), socket: z.string() });

/** Where a run's engine is found: its process, and the socket that it listens on. */
export type EngineAt = z.output<typeof engineSchema>;

/** The engine that a run has now; null when none runs, or when what says so is no such file: a disk can be full. */
export async function engineOf(place: RunPlace): Promise<EngineAt | null> {
  const text = await readFile(place.engine, 'utf8').catch(() => '');
  const parsed = engineSchema.safeParse(jsonOf(text));
  return parsed.success && isEngine(parsed.data.pid, place.run) ? parsed.data : null;
}

/** From here on others find this engine. Whoever looks meanwhile sees all of it or nothing. */
export async function showEngine(place: RunPlace, engine: EngineAt): Promise<void> {
  const beside = `${place.engine}.new`;
  await writeFile(beside, `${JSON.stringify(engine)}\n`, { mode: 0o600 });
  await rename(beside, place.engine);
}

/** Nobody looks for an engine here any more. */
export async function hideEngine(place: RunPlace): Promise<void> {
  await rm(place.engine, { force: true });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
