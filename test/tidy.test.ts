import { existsSync, globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  impure,
  levels,
  maxLines,
  pure,
  purePackages,
  shapelessNames,
  timekeepers,
  timekeeping,
} from './tidy/rules.ts';
import { parseSource, readSource, repositoryPaths, root, type Source } from './tidy/sources.ts';

/** The repository looks at itself. Each test lists everything that breaks its rule, one line each, with the way out. */

const paths = repositoryPaths();
const sources = paths.filter((path) => /^(?:src|bin|runbooks|test|bench)\/.*\.[jt]s$/.test(path)).map(readSource);
const src = sources.filter(({ path }) => path.startsWith('src/'));
const byPath = new Map(sources.map((source) => [source.path, source]));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
};

describe('layers', () => {
  test('imports run one way, and folders of one level do not import each other', () => {
    expect(src.flatMap(againstTheLevels)).toEqual([]);
  });

  test('every folder of src/ has its level', () => {
    const known = levels.flat();
    expect([...new Set(src.map(({ path }) => folderOf(path)))].filter((folder) => !known.includes(folder))).toEqual([]);
  });

  test('outsiders come in by a folder’s door, its index.ts', () => {
    expect(src.flatMap(pastTheDoor)).toEqual([]);
  });

  test('src/ports holds types only', () => {
    expect(
      src.filter(({ path, typesOnly }) => folderOf(path) === 'ports' && !typesOnly).map(({ path }) => path),
    ).toEqual([]);
  });

  test('a runbook imports from neap and from nowhere else', () => {
    const strangers = sources
      .filter(({ path }) => path.startsWith('runbooks/'))
      .flatMap(({ path, imports }) =>
        imports.filter(({ from }) => from !== 'neap').map(({ from }) => `${path}: ${from}`),
      );
    expect(strangers).toEqual([]);
  });

  test('every file of src/ is reached from the command line or from what a runbook imports', () => {
    const reached = reachedFrom(['src/index.ts', 'src/cli/main.ts']);
    expect(src.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
  });
});

describe('purity', () => {
  test('pure code says nothing that touches the world', () => {
    expect(src.filter(({ path }) => isPure(path)).flatMap(impurities)).toEqual([]);
  });

  test('pure code imports pure code, types, zod and @noble/hashes', () => {
    expect(src.filter(({ path }) => isPure(path)).flatMap(impureImports)).toEqual([]);
  });

  test('only those who may look at a clock do', () => {
    const offenders = sources
      .filter(({ path }) => !timekeepers.some((keeper) => keeper.path.test(path)))
      .flatMap(({ path, says, imports }) =>
        timekeeping
          .filter((name) => says.has(name) || imports.some(({ from }) => from === name))
          .map((name) => `${path}: ${name}; use the Clock, or hand the deadline to the transport`),
      );
    expect(offenders).toEqual([]);
  });
});

describe('files', () => {
  test('are short', () => {
    const long = sources
      .filter(({ path, lines }) => lines > (path.startsWith('test/') ? maxLines.test : maxLines.other))
      .map(({ path, lines }) => `${path}: ${lines} lines; split it by concept`);
    expect(long).toEqual([]);
  });

  test('and folders have names that say what is in them', () => {
    const shapeless = paths.filter((path) =>
      path.split('/').some((part) => shapelessNames.includes(part.replace(/\..*/, ''))),
    );
    expect(shapeless).toEqual([]);
  });

  test('hold no work left for later, and no type given up', () => {
    const marks = /\b(?:TODO|FIXME|XXX|HACK)\b|\bas any\b|@ts-(?:ignore|nocheck)\b/;
    const marked = sources
      .filter(({ path }) => !path.startsWith('test/tidy'))
      .flatMap(({ path, text }) =>
        text.split('\n').flatMap((line, index) => (marks.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
      );
    expect(marked).toEqual([]);
  });
});

describe('packages', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean } & Partial<Record<DependencyField, Record<string, string>>>>;
  };
  const builtIn = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
  const packagesOf = (source: Source): string[] =>
    source.imports
      .filter(
        ({ from, path }) => path === undefined && from !== 'neap' && !from.startsWith('node:') && !builtIn.has(from),
      )
      .map(({ from }) => from.split('/', from.startsWith('@') ? 2 : 1).join('/'));

  test('what src/ imports is installed with neap, and what is installed is imported', () => {
    const imported = new Set(src.flatMap(packagesOf));
    const declared = new Set(Object.keys(manifest.dependencies));
    expect({
      missing: [...imported.difference(declared)],
      unused: [...declared.difference(imported)],
    }).toEqual({ missing: [], unused: [] });
  });

  test('each has one exact version', () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test('each install script is allowed or refused by name, so that npm has nothing to say', () => {
    const scripted = Object.entries(lock.packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path.replace(/^.*node_modules\//, ''));
    expect(scripted.toSorted()).toEqual(Object.keys(manifest.allowScripts).toSorted());
  });

  test('the lock is whole for every platform: newer npms refuse `npm ci` where an optional package is missing', () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !foldersAbove(path).some((folder) => `${folder}node_modules/${name}` in lock.packages))
        .map((name) => `${path}: ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('documents', () => {
  const documents = paths
    .filter((path) => path.endsWith('.md'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  const tops = new Set(paths.map((path) => path.split('/')[0] ?? path));

  test('name paths that exist', () => {
    const gone = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/`([\w.*-]+(?:\/[\w.*-]*)*)`/g)]
        .map(([, word = '']) => word)
        .filter((word) => (word.includes('/') && tops.has(word.split('/')[0] ?? '')) || /^[A-Z]+\.md$/.test(word))
        .filter((word) =>
          word.includes('*') ? globSync(word, { cwd: root }).length === 0 : !existsSync(join(root, word)),
        )
        .map((word) => `${path}: ${word}`),
    );
    expect(gone).toEqual([]);
  });

  test('link to files that exist', () => {
    const broken = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)]
        .map(([, target = '']) => posix.join(dirname(path), target))
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test('name npm scripts that exist', () => {
    const unknown = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)]
        .map(([, run, short]) => run ?? short ?? '')
        .filter((script) => !(script in manifest.scripts))
        .map((script) => `${path}: npm run ${script}`),
    );
    expect(unknown).toEqual([]);
  });
});

describe('these rules', () => {
  test.each([
    ['upwards', 'src/model/x.ts', `import { a } from '../run/index.ts';`, 'src/model/x.ts: model must not import run'],
    ['sideways', 'src/plan/x.ts', `export * from '../herd/index.ts';`, 'src/plan/x.ts: plan must not import herd'],
    ['by type', 'src/run/x.ts', `type A = import('../ports/index.ts').A;`, 'src/run/x.ts: run must not import ports'],
    [
      'round the door',
      'src/run/x.ts',
      `import type { A } from '../plan/a.ts';`,
      'src/run/x.ts: ../plan/a.ts; import its index.ts',
    ],
    [
      'into depth',
      'src/run/x.ts',
      `import type { A } from '../plan/b/index.ts';`,
      'src/run/x.ts: ../plan/b/index.ts; import its index.ts',
    ],
    ['a built-in', 'src/run/x.ts', `await import('node:fs');`, 'src/run/x.ts: node:fs'],
    [
      'chance',
      'src/run/x.ts',
      `f(Math['random']());`,
      'src/run/x.ts: Math.random; chance comes from the seed in the plan',
    ],
    ['a clock', 'src/steps/a/decide.ts', `const d = Date;`, `src/steps/a/decide.ts: Date; ${String(impure['Date'])}`],
  ])('catch an import or name: %s', (_what, path, text, offence) => {
    expect(offences(path, text)).toContain(offence);
  });

  test('leave alone what only has such a name', () => {
    const text = `import { Plan, fetch } from '../plan/index.ts'; fetch(); const { fetch: f, process = 1 } = a; process; interface A { Date: string; fetch(): void }
      export const a = (x: A) => ({ process: x.Date, y: x.fetch }); // Date, setTimeout`;
    expect(offences('src/run/x.ts', text)).toEqual([]);
  });

  test('follow workers and processes to their files', () => {
    const text = 'new URL(`./worker${extension}`, import.meta.url); new URL("../lab/main.ts", import.meta.url)';
    expect(parseSource('src/journal/x.ts', text).starts).toEqual(['src/lab/main.ts', 'src/journal/worker.ts']);
  });
});

/** `src/plan/x.ts` -> `plan`; `src/index.ts` is a folder of its own. */
function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function isPure(path: string): boolean {
  return pure.some((pattern) => pattern.test(path));
}

function levelOf(folder: string): number {
  return levels.findIndex((level) => level.includes(folder));
}

function againstTheLevels({ path, imports }: Source): string[] {
  const own = folderOf(path);
  return imports
    .flatMap((one) => (one.path?.startsWith('src/') === true ? [folderOf(one.path)] : []))
    .filter((other) => other !== own && levelOf(other) >= levelOf(own))
    .map((other) => `${path}: ${own} must not import ${other}`);
}

/** A file of another folder of src/ comes in by `index.ts`; within one such folder files know each other. */
function pastTheDoor({ path, imports }: Source): string[] {
  return imports
    .filter(({ path: there }) => {
      if (there === undefined || !there.startsWith('src/') || folderOf(there) === folderOf(path)) return false;
      const down = there.split('/').slice(2);
      return down.length > 0 && !(down.length === 1 && down[0] === 'index.ts');
    })
    .map(({ from }) => `${path}: ${from}; import its index.ts`);
}

function impurities({ path, says }: Source): string[] {
  return isPure(path)
    ? Object.entries(impure)
        .filter(([name]) => says.has(name))
        .map(([name, instead]) => `${path}: ${name}; ${instead}`)
    : [];
}

function impureImports({ path, imports }: Source): string[] {
  if (!isPure(path)) return [];
  const allowed = ({ from, path: file, typesOnly }: Source['imports'][number]): boolean =>
    file === undefined
      ? purePackages.some((name) => from === name || from.startsWith(`${name}/`))
      : isPure(file) || typesOnly;
  return imports.filter((one) => !allowed(one)).map(({ from }) => `${path}: ${from}`);
}

function reachedFrom(entries: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const source = byPath.get(path);
    if (source === undefined || reached.has(path)) continue;
    reached.add(path);
    open.push(...source.imports.flatMap((one) => one.path ?? []), ...source.starts);
  }
  return reached;
}

type DependencyField = 'dependencies' | 'optionalDependencies';

/** Where npm looks for what a package of the lock needs: `node_modules/a/`, then the root. */
function foldersAbove(path: string): string[] {
  const parts = path === '' ? [] : path.split(/(?<=.)\/(?=node_modules\/)/);
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`).concat('');
}

/** Everything that the rules of layers and purity have against one file. */
function offences(path: string, text: string): string[] {
  const source = parseSource(path, text);
  return [...againstTheLevels(source), ...pastTheDoor(source), ...impurities(source), ...impureImports(source)];
}
