import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installGlobally, mustRun, nodeOfVersion, ownNode, pack, root, run } from './install.ts';

/** The package as its users get it: really packed, really installed into an empty prefix, used from an empty folder. */

const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};
let folder: string;
let tarball: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'neap-package-'));
  tarball = pack(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('holds what runs and what is read, and nothing else', () => {
  const files = mustRun('tar', ['-tzf', tarball], { cwd: folder, node: ownNode })
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
  const foreign = files.filter(
    (path) =>
      !/^(?:bin\/[\w-]+\.js|dist\/(?:src|runbooks)\/.+\.(?:js|d\.ts)|runbooks\/.+\.ts|[A-Z]+(?:\.md)?|package\.json)$/.test(
        path,
      ),
  );
  expect(foreign).toEqual([]);
  expect(files).toEqual(
    expect.arrayContaining([
      'LICENSE',
      'README.md',
      'bin/neap.js',
      'bin/register.js',
      'bin/resolve.js',
      'dist/src/cli/main.js',
      'dist/src/index.d.ts',
      'dist/runbooks/database-upgrade.js',
      'runbooks/database-upgrade.ts',
    ]),
  );
});

const nodes: readonly (readonly [major: string, bin: string | undefined])[] = [
  ['24', nodeOfVersion('24.21.0')],
  ['26', ownNode],
];

describe.each(nodes.filter(([, bin]) => bin === undefined))('installed globally with Node %s', (major) => {
  test.skip(`left out: no Node ${major} for ${process.platform} ${process.arch} in the registry, or no registry`, () => {});
});

describe.each(nodes.filter(([, bin]) => bin !== undefined))('installed globally with Node %s', (major, node = '') => {
  let where: { cwd: string; node: string; home: string };
  let neap: string;
  let installed: string;

  beforeAll(() => {
    const prefix = installGlobally(tarball, join(folder, `prefix-${major}`), node);
    where = { cwd: join(folder, `empty-${major}`), node, home: join(folder, `home-${major}`) };
    mkdirSync(where.cwd);
    mkdirSync(where.home);
    neap = join(prefix, 'bin/neap');
    installed = join(prefix, 'lib/node_modules/neap');
  });

  test('is the Node it says', () => {
    expect(mustRun('node', ['--version'], where)).toMatch(new RegExp(`^v${major}\\.`));
  });

  test('brings what it depends on, and nothing that only builds or tests it', () => {
    const brought = readdirSync(join(installed, 'node_modules'));
    expect(Object.keys(dependencies).filter((name) => !existsSync(join(installed, 'node_modules', name)))).toEqual([]);
    expect(
      brought.filter((name) => /^(?:node|typescript|vitest|vite|oxlint|oxfmt|fast-check|@types)$/.test(name)),
    ).toEqual([]);
  });

  test('answers from an empty folder, and leaves it empty', () => {
    expect(run(neap, ['--version'], where)).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
    expect(run(neap, ['--help'], where)).toMatchObject({ status: 0, stderr: '' });
    expect(run(neap, ['no-such-command'], where).status).toBe(2);
    expect(readdirSync(where.cwd)).toEqual([]);
  });

  test('loads a TypeScript runbook, which imports the very copy that runs', () => {
    const runbook = join(where.home, 'mine.ts');
    copyFileSync(join(root, 'test/types/cases/good.ts'), runbook);
    const look = `const { default: mine } = await import(process.argv[1]);
      console.log(mine.title, import.meta.resolve('neap'));`;
    const register = join(installed, 'bin/register.js');
    const args = ['--import', register, '--input-type=module', '--eval', look, runbook];
    const loaded = run('node', args, where);
    expect(loaded).toMatchObject({ status: 0, stderr: '' });
    expect(loaded.stdout).toMatch(/^Compiles file:.*\/neap\/dist\/src\/index\.js\n$/);
  });

  test('starts further processes of itself with the same hook', () => {
    const entry = join(where.home, 'entry.ts');
    writeFileSync(entry, `import { z } from 'neap';\nconsole.log(z.literal('ok').value as string, import.meta.url);\n`);
    const launch = `const { launchArguments, shippedRunbook } = await import(process.argv[1]);
      const { pathToFileURL } = await import('node:url');
      console.log(JSON.stringify([launchArguments(pathToFileURL(process.argv[2])), shippedRunbook('database-upgrade')]));`;
    const door = join(installed, 'dist/src/launch/index.js');
    const said = mustRun('node', ['--input-type=module', '--eval', launch, door, entry], where);
    const [args, shipped] = JSON.parse(said) as [string[], string];
    expect(run('node', args, where)).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/^ok file:/),
    });
    expect(existsSync(new URL(shipped))).toBe(true);
  });

  test('runs the demo', { timeout: 240_000 }, () => {
    expect(mustRun(neap, ['demo'], where)).not.toBe('');
  });
});

describe('types of the package', () => {
  const flags = {
    noEmit: true,
    target: 'es2024',
    lib: ['es2024', 'dom'],
    types: [],
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    skipLibCheck: false,
  };

  test.each([
    ['good.ts', undefined],
    ['power-without-bmc.ts', 'TS2345'],
    ['no-way-back.ts', 'TS2741'],
    ['unknown-input.ts', 'TS2339'],
  ])('a strict consumer compiles %s as the checkout does', (file, code) => {
    const project = mkdtempSync(join(folder, 'consumer-'));
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: flags, files: [file] }));
    copyFileSync(join(root, 'test/types/cases', file), join(project, file));
    symlinkSync(join(folder, 'prefix-26/lib/node_modules'), join(project, 'node_modules'));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = run('node', [tsc, '-p', project, '--pretty', 'false'], { cwd: project, node: ownNode });
    const errors = stdout.split('\n').filter((line) => / error TS/.test(line));
    expect(errors.map((line) => / error (TS\d+)/.exec(line)?.[1])).toEqual(code === undefined ? [] : [code]);
  });
});
