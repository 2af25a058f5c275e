import { fileURLToPath } from 'node:url';

/**
 * Where the running copy of neap lies and how a further process of it is started: the one place that knows a
 * checkout (`src/*.ts`) from an installed package (`dist/src/*.js`). Deals in URLs and words only; starts nothing.
 */

/** `.ts` in a checkout, `.js` in a package: tsc does not rewrite the URLs of workers and entries. */
export const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** The folder that holds bin/ and package.json, with a slash at its end. */
export const root = new URL(extension === '.ts' ? '../../' : '../../../', import.meta.url);

/**
 * The arguments for `process.execPath` which start `entry` with the same resolve hook as the command itself, so that
 * runbooks of users find 'neap' there too.
 */
export function launchArguments(entry: URL): string[] {
  return ['--import', new URL('bin/register.js', root).href, fileURLToPath(entry)];
}

/** A runbook that ships with neap, by its name without extension: `database-upgrade`. */
export function shippedRunbook(name: string): URL {
  return new URL(`../../runbooks/${name}${extension}`, import.meta.url);
}
