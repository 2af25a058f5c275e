import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error(
    `neap's tests need Node 24 or newer; this is ${process.version}. Run them by: npm test, or with node_modules/.bin first on the PATH`,
  );
}

/**
 * `quick` is `npm test`, and needs no more than a bare machine. `voyages` are whole runs on labs, and the engine killed in
 * the middle: minutes of them. `package` packs, installs and uses the package, and has
 * a script of its own, as have the tests against real servers (vitest.real.config.ts).
 */
export default defineConfig({
  // A runbook under test means the sources beside it.
  resolve: { alias: { neap: fileURLToPath(new URL('src/index.ts', import.meta.url)) } },
  test: {
    // Two cores, and tests that mostly wait for processes of their own: a third worker uses what two leave idle, and more
    // would make deadlines late.
    maxWorkers: 3,
    pool: 'forks',
    // A limit for what hangs, not a measure: a busy machine makes a test of two seconds last a minute.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: ['test/real/**', 'test/package/**', 'test/voyages/**', 'test/kill/**', 'node_modules/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'voyages',
          include: ['test/voyages/**/*.test.ts', 'test/kill/**/*.test.ts'],
          testTimeout: 300_000,
          // Each is a lab, an engine and a view: more of them at once would measure the machine.
          maxWorkers: 2,
          maxConcurrency: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
