import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { FailureError } from '../model/index.ts';

const configSchema = z.strictObject({
  /** The fleet file that is used without --fleet, relative to the configuration. */
  fleet: z.string().optional(),
  /** Where runs and labs are kept; must be a local disk. */
  stateDir: z.string().optional(),
  /** Pages people: a local command that gets the text on its standard input. Without it pages are shown and journaled only. */
  page: z.strictObject({ command: z.array(z.string()).min(1) }).optional(),
});

export type ConfigInput = z.input<typeof configSchema>;

/** A project's settings, for `neap.config.ts`. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/** Settings as they hold for one command. */
export interface Config {
  readonly cwd: string;
  readonly fleet: string | null;
  readonly stateDir: string;
  readonly page: { readonly command: readonly string[] } | null;
}

/** Reads `neap.config.ts` (or .js) of a folder; without one the defaults hold. Throws FailureError where it is wrong. */
export async function loadConfig(cwd: string): Promise<Config> {
  const file = ['neap.config.ts', 'neap.config.js'].map((name) => join(cwd, name)).find((each) => existsSync(each));
  const given = file === undefined ? {} : ((await import(pathToFileURL(file).href)) as { default?: unknown }).default;
  const parsed = configSchema.safeParse(given);
  if (!parsed.success) {
    throw new FailureError({ kind: 'condition', what: `the configuration is not usable: ${z.prettifyError(parsed.error)}`, where: file ?? cwd, state: 'Nothing was started', remedy: 'Correct it; defineConfig tells an editor what there is' });
  }
  const { fleet, stateDir, page } = parsed.data;
  return {
    cwd,
    fleet: fleet === undefined ? null : resolve(cwd, fleet),
    stateDir: stateDir === undefined ? defaultStateDir() : resolve(cwd, stateDir),
    page: page ?? null,
  };
}

function defaultStateDir(): string {
  const override = process.env['NEAP_STATE_DIR'];
  if (override) return resolve(override);
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'neap');
}
