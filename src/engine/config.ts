import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { configSchema, FailureError, type ConfigData } from '../model/index.ts';

/** Settings as they hold for one command. */
export interface Config extends Pick<ConfigData, 'lease' | 'journal' | 'ticket' | 'freezes' | 'zone'> {
  readonly cwd: string;
  readonly fleet: string | null;
  readonly stateDir: string;
  readonly page: { readonly command: readonly string[] } | null;
}

/** Reads `neap.config.ts` (or .js) of a folder; without one the defaults hold. Throws FailureError where it is wrong. */
export async function loadConfig(cwd: string): Promise<Config> {
  const file = ['neap.config.ts', 'neap.config.js'].map((name) => join(cwd, name)).find((each) => existsSync(each));
  const parsed = configSchema.safeParse(file === undefined ? {} : await defaultExport(file));
  if (!parsed.success) throw unfit(file ?? cwd, z.prettifyError(parsed.error));
  const { fleet, stateDir, page, lease, journal, ticket, freezes, zone } = parsed.data;
  return {
    cwd,
    fleet: fleet === undefined ? null : resolve(cwd, fleet),
    stateDir: stateDir === undefined ? defaultStateDir() : resolve(cwd, stateDir),
    page: page ?? null,
    lease,
    journal,
    ticket,
    freezes: freezes.map((each) => ({ ...each, calendar: calendarAt(cwd, each.calendar) })),
    zone,
  };
}

/** A file is named from the configuration's folder. */
function calendarAt(cwd: string, calendar: string): string {
  return calendar.includes('://') ? calendar : resolve(cwd, calendar);
}

function defaultStateDir(): string {
  const override = process.env['NEAP_STATE_DIR'];
  if (override) return resolve(override);
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'neap');
}

async function defaultExport(file: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(file).href)) as { default?: unknown }).default;
  } catch (error) {
    throw unfit(file, `it cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unfit(file: string, why: string): FailureError {
  return new FailureError({
    kind: 'condition',
    what: `the configuration is not usable: ${why}`,
    where: file,
    state: 'Nothing was started',
    remedy: 'Correct it; defineConfig tells an editor what there is',
  });
}
