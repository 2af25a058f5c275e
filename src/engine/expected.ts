import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { FailureError, type ConfigFile, type Server } from '../model/index.ts';
import type { ExpectedFile } from '../ports/index.ts';

const run = promisify(execFile);

/** A command that renders a file may take so long, in real milliseconds, and print so much. */
const RENDER_MS = 30_000;
const RENDER_BYTES = 1024 * 1024;

/**
 * What a server's configuration is expected to be: texts declared in the fleet, local files, or what a local command
 * renders for it (it gets the server's name in NEAP_SERVER). For captured files the digest comes from the plan.
 */
export async function expectedFiles(
  server: Server,
  fleetPath: string,
  captured: Readonly<Record<string, string>>,
): Promise<ExpectedFile[]> {
  return Promise.all(
    (server.service.configuration?.files ?? []).map(async (file) => {
      const text = await textOf(file, server, fleetPath);
      const sha256 =
        text === null ? (captured[file.path] ?? 'not captured') : createHash('sha256').update(text).digest('hex');
      return { path: file.path, sha256, mode: file.mode, owner: file.owner, text, show: file.show ?? false };
    }),
  );
}

/** Paths whose expected content is what they hold when the plan is made. */
export function capturedPaths(server: Server): string[] {
  return (server.service.configuration?.files ?? [])
    .filter((file) => file.expect === 'captured')
    .map((file) => file.path);
}

async function textOf({ path, expect }: ConfigFile, server: Server, fleetPath: string): Promise<string | null> {
  if (expect === 'captured') return null;
  if ('text' in expect) return expect.text;
  const folder = dirname(fleetPath);
  try {
    if ('from' in expect) return await readFile(resolve(folder, expect.from), 'utf8');
    const { stdout } = await run('/bin/sh', ['-c', expect.rendered], {
      cwd: folder,
      timeout: RENDER_MS,
      maxBuffer: RENDER_BYTES,
      env: { ...process.env, NEAP_SERVER: server.name },
    });
    return stdout;
  } catch (error) {
    throw new FailureError({
      kind: 'condition',
      what: `the expected content of ${path} cannot be had: ${error instanceof Error ? error.message : String(error)}`,
      where: server.name,
      state: 'Nothing was changed',
      remedy: `Mend ${'from' in expect ? `the file ${expect.from}` : 'the command that renders it'}, which the fleet names`,
    });
  }
}
