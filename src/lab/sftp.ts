import ssh2, { type Attributes, type SFTPWrapper } from 'ssh2';
import type { ServerState } from '../herd/index.ts';
import { contentOf, isFolder, mayWrite } from './file-scripts.ts';
import { LAB_USER } from './account.ts';
import type { Stage } from './stage.ts';

const { STATUS_CODE: STATUS, OPEN_MODE } = ssh2.utils.sftp;

/** Open handles of one session, and the size of a file that is put. */
const MAX_HANDLES = 64;
const MAX_PUT_BYTES = 4 * 1024 * 1024;

interface Handle {
  readonly path: string;
  readonly writing: boolean;
  bytes: Buffer;
  listed: boolean;
}

/** SFTP over the model's files: get, put, ls, stat, rm. Writes only where the account may. */
export function serveSftp(stage: Stage, server: ServerState, sftp: SFTPWrapper): void {
  const handles = new Map<number, Handle>();
  let last = 0;
  const call = { world: stage.world, server, user: LAB_USER, stdin: '' };
  const attributes = (path: string): Attributes | null => {
    const content = contentOf(call, path);
    const file = server.files[path];
    const seconds = Math.floor((file?.writtenMs ?? stage.world.nowMs) / 1_000);
    const base = { uid: 0, gid: 0, atime: seconds, mtime: seconds };
    if (content !== null) return { ...base, mode: 0o100000 | Number.parseInt(file?.mode ?? '0444', 8), size: content.length };
    return isFolder(call, path) ? { ...base, mode: 0o040755, size: 0 } : null;
  };
  const stat = (id: number, path: string): void => {
    const found = attributes(absolute(path));
    if (found === null) sftp.status(id, STATUS.NO_SUCH_FILE);
    else sftp.attrs(id, found);
  };
  const open = (id: number, handle: Handle): void => {
    if (handles.size >= MAX_HANDLES) {
      sftp.status(id, STATUS.FAILURE);
      return;
    }
    last += 1;
    handles.set(last, handle);
    const name = Buffer.alloc(4);
    name.writeUInt32BE(last);
    sftp.handle(id, name);
  };
  const at = (name: Buffer): Handle | undefined => (name.length === 4 ? handles.get(name.readUInt32BE()) : undefined);

  sftp.on('OPEN', (id, name, flags) => {
    const path = absolute(name);
    const writing = (flags & (OPEN_MODE.WRITE | OPEN_MODE.APPEND)) !== 0;
    const content = contentOf(call, path);
    if (writing && !mayWrite(LAB_USER, path)) sftp.status(id, STATUS.PERMISSION_DENIED);
    else if (!writing && content === null) sftp.status(id, STATUS.NO_SUCH_FILE);
    else open(id, { path, writing, bytes: Buffer.from((flags & OPEN_MODE.TRUNC) === 0 ? (content ?? '') : '', 'latin1'), listed: false });
  });
  sftp.on('READ', (id, name, offset, length) => {
    const bytes = at(name)?.bytes.subarray(offset, offset + length);
    if (bytes === undefined) sftp.status(id, STATUS.FAILURE);
    else if (bytes.length === 0) sftp.status(id, STATUS.EOF);
    else sftp.data(id, bytes);
  });
  sftp.on('WRITE', (id, name, offset, data) => {
    const handle = at(name);
    if (handle?.writing !== true || offset + data.length > MAX_PUT_BYTES) {
      sftp.status(id, STATUS.FAILURE);
      return;
    }
    const grown = Buffer.alloc(Math.max(handle.bytes.length, offset + data.length));
    handle.bytes.copy(grown);
    data.copy(grown, offset);
    handle.bytes = grown;
    sftp.status(id, STATUS.OK);
  });
  sftp.on('CLOSE', (id, name) => {
    const handle = at(name);
    if (handle?.writing === true) {
      server.files[handle.path] = { content: handle.bytes.toString('latin1'), mode: '0644', owner: `${LAB_USER}:${LAB_USER}`, writtenMs: stage.world.nowMs };
      stage.record.add({ server: server.name, via: 'sftp', what: `put ${handle.path}`, writes: true, changed: true, ok: true });
    }
    if (name.length === 4) handles.delete(name.readUInt32BE());
    sftp.status(id, STATUS.OK);
  });
  sftp.on('OPENDIR', (id, path) => {
    if (isFolder(call, absolute(path))) open(id, { path: absolute(path), writing: false, bytes: Buffer.alloc(0), listed: false });
    else sftp.status(id, STATUS.NO_SUCH_FILE);
  });
  sftp.on('READDIR', (id, name) => {
    const handle = at(name);
    if (handle === undefined || handle.listed) {
      sftp.status(id, STATUS.EOF);
      return;
    }
    handle.listed = true;
    const prefix = handle.path === '/' ? '/' : `${handle.path}/`;
    const names = new Set(Object.keys(server.files).flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length).split('/')[0]!] : [])));
    sftp.name(id, [...names].map((filename) => ({ filename, longname: filename, attrs: attributes(prefix + filename)! })));
  });
  sftp.on('REALPATH', (id, path) => sftp.name(id, [{ filename: absolute(path), longname: absolute(path), attrs: {} as Attributes }]));
  sftp.on('STAT', stat);
  sftp.on('LSTAT', stat);
  sftp.on('FSTAT', (id, name) => stat(id, at(name)?.path ?? ''));
  sftp.on('FSETSTAT', (id) => sftp.status(id, STATUS.OK));
  sftp.on('REMOVE', (id, name) => {
    const path = absolute(name);
    if (!mayWrite(LAB_USER, path)) sftp.status(id, STATUS.PERMISSION_DENIED);
    else if (server.files[path] === undefined) sftp.status(id, STATUS.NO_SUCH_FILE);
    else {
      delete server.files[path];
      stage.record.add({ server: server.name, via: 'sftp', what: `rm ${path}`, writes: true, changed: true, ok: true });
      sftp.status(id, STATUS.OK);
    }
  });
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
