import { chmod, rename, writeFile } from 'node:fs/promises';
import { FailureError } from '../model/index.ts';

/** Writes a document, readable by its owner only; a reader sees the whole of it or nothing. Throws FailureError. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  try {
    await writeFile(beside, text, { mode: 0o600 });
    await chmod(beside, 0o600);
    await rename(beside, path);
  } catch (error) {
    const what = `the document cannot be written: ${error instanceof Error ? error.message : String(error)}`;
    throw new FailureError(
      {
        kind: 'condition',
        what,
        where: path,
        state: 'Nothing else was touched',
        remedy: 'Name a file in a folder that exists and that you may write to',
      },
      { cause: error },
    );
  }
}
