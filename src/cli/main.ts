import { readFile } from 'node:fs/promises';
import { root } from '../launch/index.ts';

/** Runs one command line. Resolves to its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === '--version') {
    const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (argv[0] === '--help') {
    process.stdout.write('Usage: neap [options] [command]\n');
    return 0;
  }
  process.stderr.write('neap: no such command. Run: neap --help\n');
  return 2;
}
