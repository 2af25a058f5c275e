#!/usr/bin/env node
// Starts neap: in a checkout its TypeScript, in an installed package its emitted JavaScript. Written so that an
// old Node can still read it and say what is wrong: nothing newer than Node 12 before the version is known.
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const oldest = 24;

if (Number(process.versions.node.split('.')[0]) < oldest) {
  process.stderr.write(
    `neap: needs Node ${oldest} or newer; this is ${process.version} (${process.execPath}). Nothing was started. ` +
      'Install a newer Node from https://nodejs.org, or in a checkout run: npm ci && bin/neap\n',
  );
  process.exitCode = 2;
} else {
  // Halves the time to the first line. Kept in the user's own cache and not under /tmp, where somebody else
  // could have put code in wait. Where it cannot be written, Node goes on without it.
  module.enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'neap', 'compile'));
  await import('./register.js');
  const { running } = await import('./resolve.js');
  const { main } = await import(running('cli/main'));
  process.exitCode = await main(process.argv.slice(2));
}
