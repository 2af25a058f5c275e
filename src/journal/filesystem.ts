/**
 * The name of a filesystem that must not hold a journal, because another machine keeps it or because nobody knows
 * how it flushes; null for a local one. `type` is statfs's magic number on Linux (statfs(2), linux/magic.h);
 * `mounts` is the text of /proc/self/mountinfo, which tells FUSE filesystems apart.
 */
export function foreignFilesystem(type: number, directory: string, mounts: string): string | null {
  const magic = type >>> 0;
  if (magic === FUSE) {
    const name = mountedType(directory, mounts) ?? 'fuse';
    return LOCAL_FUSE.has(name) ? null : `${name} (a filesystem in user space)`;
  }
  const name = NETWORK[magic];
  return name === undefined ? null : `${name} (a network filesystem)`;
}

const FUSE = 0x65735546;

/** Those that stand on a local disk: Windows disks, and the disk of a virtual machine's or container's own host. */
const LOCAL_FUSE: ReadonlySet<string> = new Set(['fuseblk', 'virtiofs']);

const NETWORK: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xfe534d42: 'SMB',
  0xff534d42: 'CIFS',
  0x01021997: '9p',
  0x5346414f: 'AFS',
  0x6b414653: 'AFS',
  0x00c36400: 'Ceph',
  0x0bd00bd0: 'Lustre',
  0x01161970: 'GFS2',
  0x7461636f: 'OCFS2',
  0x73757245: 'Coda',
  0x564c: 'NCP',
  0x47504653: 'GPFS',
};

/** The type of the mount that a directory lies in: the longest mount point that leads to it, the last one mounted there. */
function mountedType(directory: string, mounts: string): string | null {
  let best: { readonly point: string; readonly type: string } | null = null;
  for (const line of mounts.split('\n')) {
    // proc(5): "36 35 98:0 /root /mount/point options optional... - type source options", blanks as \040.
    const [before, after] = line.split(' - ');
    const point = before
      ?.split(' ')[4]
      ?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const type = after?.split(' ')[0];
    if (point === undefined || type === undefined) continue;
    const leads = point === '/' || directory === point || directory.startsWith(`${point}/`);
    if (leads && (best === null || point.length >= best.point.length)) best = { point, type };
  }
  return best?.type ?? null;
}
