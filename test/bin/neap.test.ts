import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** The launcher, by real processes: a checkout's shell script, the version check, and what 'neap' means to a runbook. */

const root = join(import.meta.dirname, '../..');
const { version, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  devDependencies: { node: string };
};
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'neap-launch-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('bin/neap', () => {
  test('goes on with the Node of the checkout, whichever stands first on the PATH', () => {
    const run = start(join(root, 'bin/neap'), ['--version'], { PATH: `${fakeNode('v20.20.2')}:/usr/bin:/bin` });
    expect(run).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('finds its checkout through relative and absolute links, from any folder', () => {
    symlinkSync(join(root, 'bin/neap'), join(folder, 'absolute'));
    symlinkSync('absolute', join(folder, 'relative'));
    const path = { PATH: `${folder}:/usr/bin:/bin` };
    expect(start('relative', ['--version'], path)).toMatchObject({ status: 0, stdout: `${version}\n` });
    expect(start('./relative', ['--version'], path)).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  test('leaves no shell behind: the process that was started is neap', () => {
    const checkout = copyOfBin('exec');
    mkdirSync(join(checkout, 'node_modules/node/bin'), { recursive: true });
    writeFileSync(join(checkout, 'node_modules/node/bin/node'), '#!/bin/sh\necho "$$ $*"\n', { mode: 0o755 });
    const run = start(join(checkout, 'bin/neap'), ['plan', 'a b']);
    expect(run.stdout).toBe(`${run.pid} ${join(checkout, 'bin/neap.js')} plan a b\n`);
  });

  test('without that Node takes the one on the PATH, if it is new enough', () => {
    const checkout = copyOfBin('path');
    mkdirSync(join(checkout, 'node_modules'));
    const run = start(join(checkout, 'bin/neap'), ['status'], { PATH: `${fakeNode('v24.0.0')}:/usr/bin:/bin` });
    expect(run).toMatchObject({ status: 0, stdout: `ran ${join(checkout, 'bin/neap.js')} status\n`, stderr: '' });
  });

  test.each([
    [
      'an old Node',
      'v20.20.2',
      true,
      /needs Node 24 or newer; on the PATH: v20\.20\.2\. Nothing was started\. Run: .*npm ci/,
    ],
    ['no Node', undefined, true, /needs Node 24 or newer; on the PATH: none\. Nothing was started\. Run: .*npm ci/],
    ['no packages', 'v24.0.0', false, /packages are not installed in .*\. Nothing was started\. Run: cd .* && npm ci/],
  ])('with %s says what to do', (what, found, installed, says) => {
    const checkout = copyOfBin(what.replaceAll(' ', '-'));
    if (installed) mkdirSync(join(checkout, 'node_modules'));
    const tools = found === undefined ? toolsWithoutNode() : `${fakeNode(found)}:/usr/bin:/bin`;
    const run = start(join(checkout, 'bin/neap'), ['status'], { PATH: tools });
    expect(run).toMatchObject({ status: 2, stdout: '' });
    expect(run.stderr).toMatch(says);
    expect(run.stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('bin/neap.js', () => {
  test('can be read by an old Node, and then says what to do', () => {
    const old = join(folder, 'old.mjs');
    writeFileSync(
      old,
      `Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } });
       Object.defineProperty(process, 'version', { value: 'v20.20.2' });
       await import(${JSON.stringify(join(root, 'bin/neap.js'))});`,
    );
    const run = start(process.execPath, [old, 'demo']);
    expect(run).toMatchObject({ status: 2, stdout: '' });
    expect(run.stderr).toMatch(
      /^neap: needs Node 24 or newer; this is v20\.20\.2 \(.*\)\. Nothing was started\. Install/,
    );
  });

  test('keeps its compile cache with the user, and does without where it cannot', () => {
    const caches = join(folder, 'caches');
    const neap = join(root, 'bin/neap.js');
    expect(start(process.execPath, [neap, '--version'], { XDG_CACHE_HOME: caches }).status).toBe(0);
    expect(existsSync(join(caches, 'neap/compile'))).toBe(true);
    const file = join(folder, 'no-folder');
    writeFileSync(file, '');
    const run = start(process.execPath, [neap, '--version'], { XDG_CACHE_HOME: file });
    expect(run).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('the resolve hook', () => {
  const register = new URL('../../bin/register.js', import.meta.url).href;

  test.each([
    ['no package.json', undefined],
    ['a package.json without a type', {}],
    ['the package.json that npm init writes', { type: 'commonjs' }],
  ])('gives a runbook in a folder with %s the running copy of neap', (what, manifest) => {
    const project = join(folder, what.replaceAll(' ', '-'));
    mkdirSync(project);
    if (manifest !== undefined) writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
    const runbook = join(project, 'mine.ts');
    writeFileSync(
      runbook,
      `import { z, type Way } from 'neap';\nconst way: Way = 'ssh';\nexport default z.literal(way);\n`,
    );
    const same = `const [mine, neap] = await Promise.all([import(process.argv[1]), import('neap')]);
      console.log(mine.default.value, mine.default instanceof neap.z.ZodLiteral, import.meta.resolve('neap'));`;
    const run = start(process.execPath, ['--import', register, '--input-type=module', '--eval', same, runbook]);
    expect(run.stderr).toBe('');
    expect(run.stdout).toBe(`ssh true ${new URL('../../src/index.ts', import.meta.url).href}\n`);
  });
});

describe('npm scripts', () => {
  test('run on the Node that the checkout brings', () => {
    const run = start('npm', ['exec', '--offline', '-c', 'node --version'], { PATH: withoutCheckout() }, root);
    expect(run).toMatchObject({ status: 0, stdout: `v${devDependencies.node}\n` });
  });
});

function start(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd = folder,
): SpawnSyncReturns<string> {
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...inherited } = process.env;
  const env = { ...inherited, ...environment };
  return spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 90_000 });
}

/** A copy of bin/ in a folder that is no checkout yet. */
function copyOfBin(name: string): string {
  const checkout = join(folder, `checkout-${name}`);
  cpSync(join(root, 'bin'), join(checkout, 'bin'), { recursive: true });
  return checkout;
}

/** A folder for the PATH in which `node` says that it is of this version, and otherwise what it was told to run. */
function fakeNode(says: string): string {
  const tools = join(folder, `node-${says}`);
  mkdirSync(tools, { recursive: true });
  const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo ${says}; else echo "ran $*"; fi\n`;
  writeFileSync(join(tools, 'node'), script, { mode: 0o755 });
  return tools;
}

/** A folder for the PATH with what the script itself needs, and no `node`. */
function toolsWithoutNode(): string {
  const tools = join(folder, 'tools');
  mkdirSync(tools, { recursive: true });
  if (!existsSync(join(tools, 'readlink'))) symlinkSync('/usr/bin/readlink', join(tools, 'readlink'));
  return tools;
}

/** The PATH as it is outside npm: what npm put in front of it names this checkout. */
function withoutCheckout(): string {
  const parts = (process.env['PATH'] ?? '').split(':');
  return parts.filter((part) => !part.startsWith(root) && !part.includes('node-gyp-bin')).join(':');
}
