/** Writes docs/incidents.md and its pictures: `node test/incidents/write.ts`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { incidentPages } from './page.ts';

const root = join(import.meta.dirname, '../..');
for (const [path, text] of incidentPages()) {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  process.stdout.write(`${path}\n`);
}
