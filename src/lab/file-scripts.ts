import { createHash } from 'node:crypto';
import type { FileState } from '../herd/index.ts';
import {
  FILE_EXIT,
  MAX_TEXT_BYTES,
  READ_FILES_SCRIPT,
  RESTORE_FILE_SCRIPT,
  WRITE_FILE_SCRIPT,
} from '../transport/index.ts';
import type { Call, Outcome } from './commands.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** Like a small disk: a server of the lab takes no larger file, and no more files. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 200;

/**
 * Does what one of neap's file scripts would do on a server with GNU coreutils, on the model's files. Null where the
 * script is another one: no script is ever interpreted.
 */
export function runFileScript(script: string, args: readonly string[], call: Call): Outcome | null {
  switch (script) {
    case READ_FILES_SCRIPT:
      return done(
        args.map((path, index) => `${index} ${readRecord(call, path)}\n`).join(''),
        `read-files ${args.join(' ')}`,
      );
    case WRITE_FILE_SCRIPT:
      return writeFile(args, call);
    case RESTORE_FILE_SCRIPT:
      return restoreFile(args, call);
    default:
      return null;
  }
}

/** The content of a file as seen on the server: one byte a character; null where there is none. */
export function contentOf({ server }: Pick<Call, 'server'>, path: string): string | null {
  if (path === BOOT_ID) return `${server.bootId}\n`;
  return server.files[path]?.content ?? null;
}

/** Whether the path is a folder above some file. */
export function isFolder({ server }: Pick<Call, 'server'>, path: string): boolean {
  const prefix = path.endsWith('/') ? path : `${path}/`;
  return (
    prefix === '/' || FOLDERS.includes(prefix) || Object.keys(server.files).some((file) => file.startsWith(prefix))
  );
}

/** Folders that are there though no file of the model lies in them. */
const FOLDERS: readonly string[] = ['/home/', '/home/neap/', '/tmp/', '/var/', '/var/lib/'];

/** Whether the user may write there: root everywhere, others at home and in /tmp. */
export function mayWrite(user: string, path: string): boolean {
  return user === 'root' || path.startsWith(`/home/${user}/`) || path.startsWith('/tmp/');
}

function readRecord(call: Call, path: string): string {
  const content = contentOf(call, path);
  if (content === null) return isFolder(call, path) ? 'not-a-file' : 'absent';
  const { mode, owner } = call.server.files[path] ?? { mode: '0444', owner: 'root:root' };
  if (call.user !== 'root' && !owner.startsWith(`${call.user}:`) && (Number.parseInt(mode, 8) & 0o4) === 0)
    return 'denied';
  const bytes = Buffer.from(content, 'latin1');
  const text = bytes.length <= MAX_TEXT_BYTES ? bytes.toString('base64') : '-';
  return `${mode} ${owner} ${bytes.length} ${sha256(content)} ${text}`;
}

function writeFile(args: readonly string[], call: Call): Outcome {
  const [path = '', mode = '', owner = '', backup = '', digest = ''] = args;
  const { server, stdin } = call;
  const what = `write-file ${path}`;
  const old = server.files[path];
  if (path === BOOT_ID || !mayWrite(call.user, path))
    return failed(FILE_EXIT.denied, `mktemp: failed to create file: Permission denied`, what);
  if (isFolder(call, path)) return failed(FILE_EXIT.notAFile, `not a file: ${path}`, what);
  if (stdin.length > MAX_FILE_BYTES || Object.keys(server.files).length >= MAX_FILES)
    return failed(FILE_EXIT.full, 'cat: write error: No space left on device', what);
  if (sha256(stdin) !== digest) return failed(FILE_EXIT.cutShort, 'the content ended early', what);
  if (server.files[backup] === undefined && server.files[`${backup}.absent`] === undefined) {
    if (old === undefined)
      server.files[`${backup}.absent`] = {
        content: '',
        mode: '0600',
        owner: `${call.user}:${call.user}`,
        writtenMs: call.world.nowMs,
      };
    else server.files[backup] = old;
  }
  const next: FileState = { content: stdin, mode: mode.padStart(4, '0'), owner, writtenMs: call.world.nowMs };
  server.files[path] = next;
  const changed =
    old === undefined || old.content !== next.content || old.mode !== next.mode || old.owner !== next.owner;
  return { ...done('', what), writes: true, changed };
}

function restoreFile(args: readonly string[], call: Call): Outcome {
  const [path = '', backup = ''] = args;
  const { server } = call;
  const what = `restore-file ${path}`;
  const kept = server.files[backup];
  const old = server.files[path];
  const absent = server.files[`${backup}.absent`] !== undefined;
  if ((kept !== undefined || absent) && !mayWrite(call.user, path))
    return failed(FILE_EXIT.denied, 'mktemp: failed to create file: Permission denied', what);
  if (kept !== undefined) {
    server.files[path] = kept;
    const changed =
      old === undefined || old.content !== kept.content || old.mode !== kept.mode || old.owner !== kept.owner;
    return { ...done('restored\n', what), writes: true, changed };
  }
  if (!absent) return { ...done('untouched\n', what), writes: true };
  delete server.files[path];
  return { ...done('removed\n', what), writes: true, changed: old !== undefined };
}

function done(stdout: string, what: string): Outcome {
  return { code: 0, stdout, stderr: '', tookMs: 0, what, writes: false, changed: false };
}

function failed(code: number, why: string, what: string): Outcome {
  return { code, stdout: '', stderr: `${why}\n`, tookMs: 0, what, writes: true, changed: false };
}

function sha256(content: string): string {
  return createHash('sha256').update(content, 'latin1').digest('hex');
}
