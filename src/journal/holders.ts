import { lstatSync, readFileSync } from 'node:fs';

/**
 * Which processes hold a lock on a file, as far as Linux tells (/proc/locks, proc(5)); empty where it does not, as
 * for a process of another container.
 */
export function holdersOf(path: string): readonly number[] {
  try {
    const { dev, ino } = lstatSync(path, { bigint: true });
    // glibc's gnu_dev_major and gnu_dev_minor.
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
    const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
    const file = `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}:${ino}`;
    // "1: POSIX  ADVISORY  WRITE 4711 fe:00:1234 1073741824 1073742335"
    const pids = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map((line) => line.split(/\s+/))
      .filter((fields) => fields.includes(file))
      .map((fields) => Number(fields[fields.indexOf(file) - 1]));
    return [...new Set(pids.filter((pid) => pid > 0))];
  } catch {
    return [];
  }
}
