import ssh2, { type Attributes, type SFTPWrapper } from 'ssh2';
import type { ServerState } from '../herd/index.ts';
import { LAB_USER } from './account.ts';
import { contentOf, isFolder, mayWrite } from './file-scripts.ts';
import type { Stage } from './stage.ts';

const { STATUS_CODE: STATUS, OPEN_MODE } = ssh2.utils.sftp;

/** Open handles of one session, and the size of a file that is put. */
const MAX_HANDLES = 64;
const MAX_PUT_BYTES = 4 * 1024 * 1024;

/** SFTP over the model's files: get, put, ls, stat, rm. Writes only where the account may. */
export function serveSftp(stage: Stage, server: ServerState, sftp: SFTPWrapper): void {
  const session: SftpSession = { stage, server, sftp, handles: new Map(), last: 0 };
  // The client has said all that it has to say: without this it waits for ever.
  sftp.on('end', () => sftp.end());
  sftp.on('OPEN', (id, name, flags) => openFile(session, id, absolute(name), flags));
  sftp.on('READ', (id, name, offset, length) => read(session, id, handleOf(session, name), { offset, length }));
  sftp.on('WRITE', (id, name, offset, data) => write(session, id, handleOf(session, name), { offset, data }));
  sftp.on('CLOSE', (id, name) => close(session, id, name));
  sftp.on('OPENDIR', (id, path) => {
    if (isFolder({ server }, absolute(path)))
      open(session, id, { path: absolute(path), writing: false, bytes: Buffer.alloc(0), listed: false });
    else sftp.status(id, STATUS.NO_SUCH_FILE);
  });
  sftp.on('READDIR', (id, name) => list(session, id, handleOf(session, name)));
  sftp.on('REALPATH', (id, path) =>
    sftp.name(id, [{ filename: absolute(path), longname: absolute(path), attrs: {} as Attributes }]),
  );
  sftp.on('STAT', (id, path) => stat(session, id, absolute(path)));
  sftp.on('LSTAT', (id, path) => stat(session, id, absolute(path)));
  sftp.on('FSTAT', (id, name) => stat(session, id, handleOf(session, name)?.path ?? ''));
  sftp.on('FSETSTAT', (id) => sftp.status(id, STATUS.OK));
  sftp.on('REMOVE', (id, name) => remove(session, id, absolute(name)));
}

interface SftpSession {
  readonly stage: Stage;
  readonly server: ServerState;
  readonly sftp: SFTPWrapper;
  readonly handles: Map<number, Handle>;
  last: number;
}

interface Handle {
  readonly path: string;
  readonly writing: boolean;
  bytes: Buffer;
  listed: boolean;
}

function openFile(session: SftpSession, id: number, path: string, flags: number): void {
  const writing = (flags & (OPEN_MODE.WRITE | OPEN_MODE.APPEND)) !== 0;
  const content = contentOf(session, path);
  if (writing && (!mayWrite(LAB_USER, path) || isFolder(session, path)))
    session.sftp.status(id, STATUS.PERMISSION_DENIED);
  else if (!writing && content === null) session.sftp.status(id, STATUS.NO_SUCH_FILE);
  else
    open(session, id, {
      path,
      writing,
      bytes: Buffer.from((flags & OPEN_MODE.TRUNC) === 0 ? (content ?? '') : '', 'latin1'),
      listed: false,
    });
}

function open(session: SftpSession, id: number, handle: Handle): void {
  if (session.handles.size >= MAX_HANDLES) {
    session.sftp.status(id, STATUS.FAILURE);
    return;
  }
  session.last += 1;
  session.handles.set(session.last, handle);
  const name = Buffer.alloc(4);
  name.writeUInt32BE(session.last);
  session.sftp.handle(id, name);
}

function handleOf({ handles }: SftpSession, name: Buffer): Handle | undefined {
  return name.length === 4 ? handles.get(name.readUInt32BE()) : undefined;
}

function read(
  { sftp }: SftpSession,
  id: number,
  handle: Handle | undefined,
  { offset, length }: { offset: number; length: number },
): void {
  const bytes = handle?.bytes.subarray(offset, offset + length);
  if (bytes === undefined) sftp.status(id, STATUS.FAILURE);
  else if (bytes.length === 0) sftp.status(id, STATUS.EOF);
  else sftp.data(id, bytes);
}

function write(
  { sftp }: SftpSession,
  id: number,
  handle: Handle | undefined,
  { offset, data }: { offset: number; data: Buffer },
): void {
  if (handle?.writing !== true || offset + data.length > MAX_PUT_BYTES) {
    sftp.status(id, STATUS.FAILURE);
    return;
  }
  const grown = Buffer.alloc(Math.max(handle.bytes.length, offset + data.length));
  handle.bytes.copy(grown);
  data.copy(grown, offset);
  handle.bytes = grown;
  sftp.status(id, STATUS.OK);
}

function close(session: SftpSession, id: number, name: Buffer): void {
  const { stage, server, sftp, handles } = session;
  const handle = handleOf(session, name);
  if (handle?.writing === true) {
    server.files[handle.path] = {
      content: handle.bytes.toString('latin1'),
      mode: '0644',
      owner: `${LAB_USER}:${LAB_USER}`,
      writtenMs: stage.world.nowMs,
    };
    stage.record.add({
      server: server.name,
      via: 'sftp',
      what: `put ${handle.path}`,
      writes: true,
      changed: true,
      ok: true,
    });
  }
  if (name.length === 4) handles.delete(name.readUInt32BE());
  sftp.status(id, STATUS.OK);
}

function list(session: SftpSession, id: number, handle: Handle | undefined): void {
  if (handle === undefined || handle.listed) {
    session.sftp.status(id, STATUS.EOF);
    return;
  }
  handle.listed = true;
  const prefix = handle.path === '/' ? '/' : `${handle.path}/`;
  const below = Object.keys(session.server.files).flatMap((path) =>
    path.startsWith(prefix) ? path.slice(prefix.length).split('/').slice(0, 1) : [],
  );
  session.sftp.name(
    id,
    [...new Set(below)].flatMap((filename) => {
      const attrs = attributes(session, prefix + filename);
      return attrs === null ? [] : [{ filename, longname: filename, attrs }];
    }),
  );
}

function stat(session: SftpSession, id: number, path: string): void {
  const found = attributes(session, path);
  if (found === null) session.sftp.status(id, STATUS.NO_SUCH_FILE);
  else session.sftp.attrs(id, found);
}

function attributes({ stage, server }: SftpSession, path: string): Attributes | null {
  const content = contentOf({ server }, path);
  const file = server.files[path];
  const seconds = Math.floor((file?.writtenMs ?? stage.world.nowMs) / 1_000);
  const base = { uid: 0, gid: 0, atime: seconds, mtime: seconds };
  if (content !== null)
    return { ...base, mode: 0o100000 | Number.parseInt(file?.mode ?? '0444', 8), size: content.length };
  return isFolder({ server }, path) ? { ...base, mode: 0o040755, size: 0 } : null;
}

function remove({ stage, server, sftp }: SftpSession, id: number, path: string): void {
  if (!mayWrite(LAB_USER, path)) {
    sftp.status(id, STATUS.PERMISSION_DENIED);
    return;
  }
  const there = server.files[path] !== undefined;
  delete server.files[path];
  stage.record.add({ server: server.name, via: 'sftp', what: `rm ${path}`, writes: true, changed: there, ok: there });
  sftp.status(id, there ? STATUS.OK : STATUS.NO_SUCH_FILE);
}

/** Relative paths start at the account's home; dots are resolved. */
function absolute(path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `/home/${LAB_USER}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
