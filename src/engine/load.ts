import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { shippedRunbook } from '../launch/index.ts';
import { FailureError, fleetSchema, type Fleet, type Json, type Runbook } from '../model/index.ts';
import { canonicalJson } from '../plan/index.ts';

/** A module that a user wrote, with the digest of its text. */
export interface Loaded<T> {
  readonly path: string;
  readonly digest: string;
  readonly value: T;
}

/**
 * Loads a fleet file. Its digest is over what was written, not over what today's schema fills in, and leaves out a lab's
 * clock, which is no part of what the fleet is.
 */
export async function loadFleet(path: string, cwd: string): Promise<Loaded<Fleet>> {
  const file = resolve(cwd, path);
  const written = await defaultExport(file, 'fleet');
  const parsed = fleetSchema.safeParse(written);
  if (!parsed.success)
    throw unfit(
      'fleet',
      file,
      z.prettifyError(parsed.error),
      'Correct the fleet file; `neap fleet check` reads it again',
    );
  const names = parsed.data.servers.map((server) => server.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw unfit('fleet', file, `server ${twice} is listed twice`, 'Give every server a name of its own');
  const { clock: _, ...lasting } = JSON.parse(JSON.stringify(written)) as { clock?: Json; [name: string]: Json };
  return { path: file, digest: sha256(canonicalJson(lasting)), value: tended(parsed.data) };
}

/** What servers share is refreshed by the first that names it. */
function tended(fleet: Fleet): Fleet {
  const first = new Map<string, string>();
  for (const { name, service } of fleet.servers)
    for (const { shared } of service.clocks) if (shared !== undefined && !first.has(shared)) first.set(shared, name);
  if (first.size === 0) return fleet;
  const servers = fleet.servers.map((server) => ({
    ...server,
    service: {
      ...server.service,
      clocks: server.service.clocks.map((clock) => {
        const by = clock.shared === undefined ? undefined : (clock.tendedBy ?? first.get(clock.shared));
        return by === undefined ? clock : { ...clock, tendedBy: by };
      }),
    },
  }));
  return { ...fleet, servers };
}

/** Loads a runbook: a file, or the name of one that ships. */
export async function loadRunbook(pathOrName: string, cwd: string): Promise<Loaded<Runbook>> {
  const file = findRunbook(pathOrName, cwd);
  const value = (await defaultExport(file, 'runbook')) as Runbook | undefined;
  if (
    typeof value !== 'object' ||
    value === null ||
    typeof value.steps !== 'function' ||
    typeof value.reach !== 'object'
  ) {
    throw unfit(
      'runbook',
      file,
      'its default export is not what defineRunbook gives',
      'Write: export default defineRunbook({ ... })',
    );
  }
  return { path: file, digest: sha256(await readFile(file, 'utf8')), value };
}

/** Reads a runbook's inputs from `key=value` words: JSON where it parses, else text; then its schema judges. */
export function parseInputs(runbook: Runbook, words: readonly string[]): { readonly [name: string]: Json } {
  const given: Record<string, Json> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 1) throw unfit('input', word, 'it is not key=value', 'Write: --input outageMs=120000');
    given[word.slice(0, at)] = jsonOrText(word.slice(at + 1));
  }
  const parsed = runbook.inputs.safeParse(given);
  if (parsed.success) return parsed.data as { readonly [name: string]: Json };
  throw unfit(
    'input',
    runbook.title,
    z.prettifyError(parsed.error),
    `Correct --input; this runbook takes: ${namesOf(runbook.inputs)}`,
  );
}

function namesOf(inputs: z.ZodType): string {
  return inputs instanceof z.ZodObject ? Object.keys(inputs.shape).join(', ') : 'what its `inputs` say';
}

function jsonOrText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function findRunbook(pathOrName: string, cwd: string): string {
  const file = isAbsolute(pathOrName) ? pathOrName : resolve(cwd, pathOrName);
  if (existsSync(file)) return file;
  const name = /^(?:runbooks\/)?([a-z0-9-]+)(?:\.ts)?$/.exec(pathOrName)?.[1];
  const shipped = name === undefined ? null : fileURLToPath(shippedRunbook(name));
  if (shipped !== null && existsSync(shipped)) return shipped;
  throw unfit(
    'runbook',
    file,
    'there is no such file, and no runbook of that name ships',
    'Give the path of a .ts file, or a name such as database-upgrade',
  );
}

async function defaultExport(file: string, what: string): Promise<unknown> {
  if (!existsSync(file))
    throw unfit(
      what,
      file,
      'there is no such file',
      `Give the ${what}'s path${what === 'fleet' ? ' with --fleet' : ''}`,
    );
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    return module.default;
  } catch (error) {
    throw unfit(
      what,
      file,
      `it cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      'Correct it; an editor with TypeScript shows where',
    );
  }
}

function unfit(what: string, where: string, why: string, remedy: string): FailureError {
  return new FailureError({
    kind: 'condition',
    what: `the ${what} is not usable: ${why}`,
    where,
    state: 'Nothing was contacted',
    remedy,
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
