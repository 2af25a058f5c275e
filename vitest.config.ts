import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error(
    `neap's tests need Node 24 or newer; this is ${process.version}. Run them by: npm test, or with node_modules/.bin first on the PATH`,
  );
}

/**
 * `quick` is `npm test`. The others are slow or need more than a bare machine, and each has a script of its own:
 * `package` packs, installs and uses the package; `real` drives real OpenSSH servers in network namespaces.
 */
export default defineConfig({
  // A runbook under test means the sources beside it.
  resolve: { alias: { neap: fileURLToPath(new URL('src/index.ts', import.meta.url)) } },
  test: {
    // Two cores, and tests that start processes of their own: more workers only make deadlines late.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: ['test/real/**', 'test/kill/**', 'test/package/**', 'node_modules/**'],
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
      {
        extends: true,
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
