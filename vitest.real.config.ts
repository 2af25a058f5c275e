import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * `npm run test:real`: against real OpenSSH servers in namespaces of their own, as root on Linux. One file at a time,
 * since each starts a fleet of its own. Where servers cannot be started the files say why and are skipped.
 */
export default defineConfig({
  resolve: { alias: { neap: fileURLToPath(new URL('src/index.ts', import.meta.url)) } },
  test: {
    include: ['test/real/**/*.test.ts'],
    fileParallelism: false,
    pool: 'forks',
    // A fleet each, for two cores.
    maxConcurrency: 3,
    testTimeout: 160_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
});
