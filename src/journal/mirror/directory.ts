import { constants } from 'node:fs';
import { access, mkdir, open, readFile, readdir, rename, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { MirrorMoved, type MirrorStand, type MirrorStore } from './store.ts';

/** Of the file's end, for finding its last line: longer than any row. */
const TAIL_BYTES = 4 * 1024 * 1024;

/**
 * A mirror in a directory of this machine: another disk, or a mount. The directory has to be there. `apartFrom`: a
 * path on whose filesystem it must not lie; a disk that is not mounted leaves its empty mount point behind, and a
 * copy in there would be none.
 */
export function directoryMirror(root: string, apartFrom: string | null): MirrorStore {
  const pathOf = (run: string, file: string): string => join(root, run, file);
  const ready = async (run: string): Promise<void> => {
    await access(root, constants.W_OK);
    if (apartFrom !== null && (await isSameFilesystem(root, apartFrom)))
      throw new Error(`${root} lies on the journal's own filesystem now: is its disk mounted?`);
    await mkdir(join(root, run), { mode: 0o700 }).catch(unlessThere);
    await flush(root);
  };
  return {
    name: `dir:${root}`,
    stand: async (run) => {
      await ready(run);
      const file = await open(pathOf(run, 'rows.ndjson'), 'a+', 0o600);
      return closing(file, async () => {
        await file.sync();
        await flush(join(root, run));
        return standOf(file);
      });
    },
    put: async (run, name, text) => {
      await ready(run);
      const beside = pathOf(run, `${name}.new`);
      const file = await open(beside, 'w', 0o600);
      await closing(file, async () => {
        await file.writeFile(text);
        await file.sync();
      });
      await rename(beside, pathOf(run, name));
      await flush(join(root, run));
    },
    append: async (run, atBytes, text) => {
      // Not made here: a file that is gone is not one to go on with.
      const file = await open(pathOf(run, 'rows.ndjson'), 'r+');
      await closing(file, async () => {
        const { size } = await file.stat();
        if (size !== atBytes) throw new MirrorMoved(size, atBytes);
        const bytes = Buffer.from(text);
        for (let from = 0; from < bytes.length;) {
          const { bytesWritten } = await file.write(bytes, from, bytes.length - from, atBytes + from);
          from += bytesWritten;
        }
        await file.sync();
      });
    },
    cut: async (run, atBytes) => {
      const file = await open(pathOf(run, 'rows.ndjson'), 'r+');
      await closing(file, async () => {
        await file.truncate(atBytes);
        await file.sync();
      });
    },
    read: (run, name) => readFile(pathOf(run, name), 'utf8').catch(nullWhereMissing),
    runs: async () =>
      (await readdir(root, { withFileTypes: true })).flatMap((each) => (each.isDirectory() ? [each.name] : [])),
    close: () => undefined,
  };
}

/** Whether two paths lie on one filesystem; the first that exists of each one's parents counts. */
export async function isSameFilesystem(one: string, other: string): Promise<boolean> {
  return (await deviceOf(one)) === (await deviceOf(other));
}

async function deviceOf(path: string): Promise<number> {
  const facts = await stat(path).catch(nullWhereMissing);
  return facts === null ? deviceOf(join(path, '..')) : facts.dev;
}

async function standOf(file: FileHandle): Promise<MirrorStand> {
  let lines = 0;
  let wholeBytes = 0;
  const { size } = await file.stat();
  const chunk = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < size;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) break;
    const read = chunk.subarray(0, bytesRead);
    for (let end = read.indexOf(10); end >= 0; end = read.indexOf(10, end + 1)) {
      lines += 1;
      wholeBytes = at + end + 1;
    }
    at += bytesRead;
  }
  const from = Math.max(0, wholeBytes - TAIL_BYTES);
  const tail = Buffer.alloc(wholeBytes - from);
  await file.read(tail, 0, tail.length, from);
  return { lines, wholeBytes, bytes: size, last: tail.toString('utf8').trimEnd().split('\n').at(-1) ?? '' };
}

async function closing<T>(file: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await file.close();
  }
}

/** A new name is on disk only when its directory is. */
async function flush(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await closing(handle, () => handle.sync());
}

function unlessThere(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'EEXIST') return undefined;
  throw error;
}

function nullWhereMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
