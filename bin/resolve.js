// Which copy of neap is running, and the resolve hook that makes `import ... from 'neap'` mean that copy.
import { existsSync } from 'node:fs';

// A package holds no src/: Node strips no types below node_modules, so it ships what tsc emitted.
const inCheckout = existsSync(new URL('../src/', import.meta.url));

/**
 * The URL of a module of the running copy, by its path in src/ without extension.
 * @param {string} path
 * @returns {string}
 */
export function running(path) {
  return new URL(inCheckout ? `../src/${path}.ts` : `../dist/src/${path}.js`, import.meta.url).href;
}

/**
 * A resolve hook for `module.registerHooks`. A user's runbook says `import ... from 'neap'` from a folder which has
 * no node_modules, or another version of neap in it: it must get the very copy that runs it. And a user's `.ts` is an
 * ES module whatever the nearest package.json says: `npm init` writes `"type": "commonjs"` these days.
 */
export function resolve(specifier, context, nextResolve) {
  const resolved = nextResolve(specifier === 'neap' ? running('index') : specifier, context);
  return isOwnTypeScript(resolved.url) ? { ...resolved, format: 'module-typescript' } : resolved;
}

function isOwnTypeScript(url) {
  return url.startsWith('file:') && /\.ts(?:[?#]|$)/.test(url) && !url.includes('/node_modules/');
}
