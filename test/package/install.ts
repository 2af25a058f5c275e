import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** The root of the checkout. */
export const root = join(import.meta.dirname, '../..');

/** Packing, installing and a demo take seconds each on a good day; nothing here may hang a CI run. */
const limitMs = 240_000;

export interface Running {
  readonly cwd: string;
  /** The folder of the `node` that stands first on the PATH. */
  readonly node: string;
  readonly home?: string;
}

/** Runs a command to its end as a user outside this checkout would: nothing of npm's own environment goes along. */
export function run(command: string, args: readonly string[], { cwd, node, home }: Running): SpawnSyncReturns<string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_(?!config_(?:cache|registry|nodedir)$)|NODE_|VITEST|XDG_)/i.test(name),
  );
  const outer = (process.env['PATH'] ?? '').split(':').filter((part) => !part.includes('node_modules'));
  const env = {
    ...Object.fromEntries(kept),
    PATH: [node, ...outer].join(':'),
    npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
    ...(home === undefined ? {} : { HOME: home }),
  };
  return spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: limitMs, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The same, for what must succeed: throws with everything it printed if it does not. */
export function mustRun(command: string, args: readonly string[], where: Running): string {
  const { status, signal, stdout, stderr, error } = run(command, args, where);
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? status ?? signal}\n${stdout}\n${stderr}`);
}

/** The folder of this process's own Node. */
export const ownNode = dirname(process.execPath);

/**
 * The folder of a Node of exactly that version, from npm, kept outside the repository. Undefined where the registry
 * has no build for this machine or cannot be asked.
 */
export function nodeOfVersion(version: string): string | undefined {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'neap-test');
  const name = `node-${process.platform}-${process.arch}`;
  const kept = join(cache, `${name}-${version}`);
  const bin = join(kept, 'node_modules', name, 'bin');
  if (existsSync(join(bin, 'node'))) return bin;
  mkdirSync(cache, { recursive: true });
  // Installed aside and renamed, so that a run which is killed half-way leaves nothing that looks whole.
  const aside = mkdtempSync(join(cache, 'installing-'));
  writeFileSync(join(aside, 'package.json'), '{}');
  const { status } = run('npm', ['install', '--no-audit', '--no-fund', `${name}@${version}`], {
    cwd: aside,
    node: ownNode,
  });
  if (status === 0) renameSync(aside, kept);
  rmSync(aside, { recursive: true, force: true });
  return existsSync(join(bin, 'node')) ? bin : undefined;
}

/** Packs the checkout as it would be published, and says where the tarball lies. */
export function pack(destination: string): string {
  mustRun('npm', ['pack', '--pack-destination', destination], { cwd: root, node: ownNode });
  const tarball = readdirSync(destination).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${destination}`);
  return join(destination, tarball);
}

/** Installs a tarball globally into an empty prefix, install scripts and all, and says where the prefix lies. */
export function installGlobally(tarball: string, prefix: string, node: string): string {
  const flags = ['--global', '--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund'];
  mkdirSync(prefix, { recursive: true });
  mustRun('npm', ['install', ...flags, tarball], { cwd: prefix, node });
  return prefix;
}
