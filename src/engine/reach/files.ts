import { createHash } from 'node:crypto';
import type { FailureError } from '../../model/index.ts';
import type { FileFacts, Hands, Ran } from '../../ports/index.ts';
import {
  FILE_EXIT,
  MAX_FILES_A_COMMAND,
  parseFileRecords,
  parseRestored,
  readFilesCommand,
  restoreFileCommand,
  writeFileCommand,
} from '../../transport/index.ts';
import type { FileRecord } from '../../transport/index.ts';
import type { Lane } from './lane.ts';
import { failedOn, quoted } from './lane.ts';
import { FILES_TIMEOUT_MS, PATHS_BYTES, WRITTEN_BYTES } from './limits.ts';
import { readTwice } from './retry.ts';

/** Facts of files, in as few commands as their size allows. */
export async function readFiles(lane: Lane, paths: readonly string[]): Promise<readonly FileFacts[]> {
  const facts: FileFacts[] = [];
  for (const batch of batches(paths)) facts.push(...(await readBatch(lane, batch)));
  return facts;
}

function batches(paths: readonly string[]): readonly (readonly string[])[] {
  const all: string[][] = [];
  let bytes = 0;
  for (const path of paths) {
    const batch = all.at(-1);
    bytes += path.length * 4;
    if (batch === undefined || batch.length >= MAX_FILES_A_COMMAND || bytes > PATHS_BYTES) {
      all.push([path]);
      bytes = path.length * 4;
    } else batch.push(path);
  }
  return all;
}

async function readBatch(lane: Lane, paths: readonly string[]): Promise<readonly FileFacts[]> {
  const ran = await readTwice(() =>
    lane.run(readFilesCommand(paths), {
      timeoutMs: FILES_TIMEOUT_MS,
      become: becomes(lane),
      writes: false,
      label: `read files ${paths.join(' ')}`,
    }),
  );
  const records = ran.code === 0 && !ran.truncated ? parseFileRecords(ran.stdout, paths.length) : null;
  if (records === null) {
    throw failedOn(
      lane,
      'output',
      `reading ${paths.join(', ')} gave no facts (exit ${String(ran.code)}: ${quoted(lane, ran.stderr)})`,
      'Nothing was changed',
      'The account needs a POSIX shell with GNU coreutils (stat, sha256sum, base64) and a login that prints nothing',
    );
  }
  return records.map((record, index) => factsOf(lane, paths[index] ?? '', record));
}

function factsOf(lane: Lane, path: string, record: FileRecord): FileFacts {
  if (record.kind === 'absent') return { path, sha256: 'absent', mode: '', owner: '', sizeBytes: 0, text: null };
  if (record.kind !== 'file') throw unreadable(lane, path, record.kind);
  const { mode, owner, sha256, sizeBytes, content } = record;
  // Digest and content are read one after the other: a file that was written between the two has no facts.
  if (content !== null && createHash('sha256').update(content).digest('hex') !== sha256)
    throw failedOn(
      lane,
      'output',
      `${path} changed while it was read`,
      'Nothing was changed by neap',
      'Find out who writes it, and try again',
    );
  return { path, sha256, mode, owner, sizeBytes, text: content === null ? null : decode(content) };
}

function unreadable(lane: Lane, path: string, why: 'absent' | 'denied' | 'not-a-file'): FailureError {
  if (why === 'denied')
    return failedOn(
      lane,
      'denied',
      `the account may not read ${path}`,
      'Nothing was changed',
      'Set become: true in service.configuration, or let the account read it',
    );
  return failedOn(
    lane,
    'output',
    `${path} is no file`,
    'Nothing was changed',
    'Name a file in service.configuration.files',
  );
}

function decode(content: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return null;
  }
}

/** Writes one file whole or not at all. */
export async function putFile(lane: Lane, file: Parameters<Hands['putFile']>[0]): Promise<void> {
  if (Buffer.byteLength(file.text) > WRITTEN_BYTES)
    throw failedOn(
      lane,
      'command',
      `${file.path} would be larger than ${WRITTEN_BYTES} bytes`,
      'Nothing was sent to it',
      'Deploy data by other means: neap writes configuration',
    );
  const sha256 = createHash('sha256').update(file.text).digest('hex');
  const ran = await lane.run(writeFileCommand({ ...file, sha256 }), {
    timeoutMs: FILES_TIMEOUT_MS,
    stdin: file.text,
    become: becomes(lane),
    writes: true,
    label: `write file ${file.path}`,
  });
  refuseBadExit(lane, `writing ${file.path}`, ran);
}

/** Takes a write back; the same twice as once. */
export async function restoreFile(lane: Lane, file: Parameters<Hands['restoreFile']>[0]): Promise<void> {
  const ran = await lane.run(restoreFileCommand(file), {
    timeoutMs: FILES_TIMEOUT_MS,
    become: becomes(lane),
    writes: true,
    label: `restore file ${file.path}`,
  });
  refuseBadExit(lane, `restoring ${file.path}`, ran);
  if (parseRestored(ran.stdout) === null)
    throw failedOn(
      lane,
      'output',
      `restoring ${file.path} gave no answer`,
      'It may have been restored or not',
      `Look at ${file.path} and ${file.backup} there`,
    );
}

function refuseBadExit(lane: Lane, doing: string, ran: Ran): void {
  if (ran.code === 0) return;
  const said = quoted(lane, ran.stderr);
  const untouched = 'The file is as it was';
  if (ran.code === FILE_EXIT.full)
    throw failedOn(
      lane,
      'full',
      `${doing} found no space (${said})`,
      untouched,
      'Make room there (df -h; df -i), and try again',
    );
  if (ran.code === FILE_EXIT.denied)
    throw failedOn(
      lane,
      'denied',
      `${doing} was not allowed (${said})`,
      untouched,
      'Set become: true in service.configuration, or let the account write there',
    );
  if (ran.code === FILE_EXIT.cutShort)
    throw failedOn(lane, 'lost', `${doing} was cut short (${said})`, untouched, 'Try again when the connection holds');
  const how = ran.signal === null ? `failed with exit ${String(ran.code)}` : `was ended by ${ran.signal}`;
  throw failedOn(
    lane,
    'command',
    `${doing} ${how} (${said})`,
    'It is the former file or the new one, whole',
    'Look at the file and its directory there',
  );
}

function becomes(lane: Lane): boolean {
  return lane.server.service.configuration?.become === true;
}
