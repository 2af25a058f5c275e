import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FailureError } from '../model/index.ts';

const entrySchema = z.strictObject({
  fleet: z.string(),
  server: z.string(),
  /** The run that left it out, and when, in the fleet's own time. */
  run: z.string(),
  sinceMs: z.number(),
  why: z.string(),
  /** Whether the run saw it out of the balancer. */
  out: z.boolean(),
});

/** A server that is kept out until it is proven: no plan takes it in, and only `neap fleet rejoin` brings it back. */
export type Quarantined = z.output<typeof entrySchema>;

/**
 * Who is in quarantine, for all runs of this state folder: one small file a server, so that nobody has to lock anything
 * (a server belongs to one run at a time). Other machines do not see it.
 */
export async function listQuarantine(stateDir: string, fleet: string | null): Promise<Quarantined[]> {
  const root = join(stateDir, 'quarantine');
  const folders = fleet === null ? await namesIn(root) : [folderOf(fleet)];
  const entries: Quarantined[] = [];
  for (const folder of folders) {
    const names = (await namesIn(join(root, folder))).filter((name) => name.endsWith('.json'));
    for (const name of names) entries.push(await readEntry(join(root, folder, name)));
  }
  return entries.toSorted((a, b) => (a.server < b.server ? -1 : 1));
}

/** Writes an entry, on disk when it resolves. What is known of the server already stays: it has been out since then. */
export async function keepInQuarantine(stateDir: string, entry: Quarantined): Promise<void> {
  const path = pathOf(stateDir, entry);
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known !== null && (await readEntry(path)).run !== entry.run) return;
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  const beside = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(entry, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

/** The server is back, proven. */
export async function endQuarantine(stateDir: string, entry: Pick<Quarantined, 'fleet' | 'server'>): Promise<void> {
  await rm(pathOf(stateDir, entry), { force: true });
}

function pathOf(stateDir: string, { fleet, server }: Pick<Quarantined, 'fleet' | 'server'>): string {
  return join(stateDir, 'quarantine', folderOf(fleet), `${server}.json`);
}

/** A fleet may be called `..` or hold a slash: its folder is none of that. */
function folderOf(fleet: string): string {
  return `of-${encodeURIComponent(fleet)}`;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
}

async function readEntry(path: string): Promise<Quarantined> {
  const text = await readFile(path, 'utf8');
  const parsed = entrySchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new FailureError({
    kind: 'condition',
    what: `a record of quarantine cannot be read (${z.prettifyError(parsed.error).split('\n')[0]})`,
    where: path,
    state: 'Nothing was contacted',
    remedy: 'See whether that server is proven; then remove the file, or bring the server back: neap fleet rejoin',
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
