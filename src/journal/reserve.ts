import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, lstatSync, openSync, rmSync, statfsSync, truncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { flushDirectory } from './place.ts';

/** Written at once. */
const PART_BYTES = 4 * 1024 * 1024;

const reservePath = (journal: string): string => `${journal}-reserve`;

/**
 * Keeps space beside the journal, so that a run which meets a full disk can still record how it went home. Returns
 * whether it is there; on a disk that has no room for it, and as much again, the journal works without: a reserve
 * that was spent is laid by anew only when there is space for the events too. Never throws.
 */
export function keepReserve(journal: string, reserveBytes: number): boolean {
  const path = reservePath(journal);
  try {
    const size = lstatSync(path, { throwIfNoEntry: false })?.size;
    if (size === reserveBytes) return true;
    const { bavail, bsize } = statfsSync(dirname(journal));
    if (reserveBytes === 0 || bavail * bsize < 2 * reserveBytes) return false;
    rmSync(path, { force: true });
    writeReserve(path, reserveBytes);
    return true;
  } catch {
    removeReserve(journal);
    return false;
  }
}

function writeReserve(path: string, reserveBytes: number): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    // Random bytes, since some filesystems store zeros as nothing.
    for (let left = reserveBytes; left > 0;) {
      const part = Math.min(left, PART_BYTES);
      if (writeSync(file, randomBytes(part)) < part) throw new Error('the disk has no room for the reserve');
      left -= part;
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Gives the space to the events. Never throws. */
export function spendReserve(journal: string): void {
  quietly(() => truncateSync(reservePath(journal), 0));
}

/** The journal is closed in good order. Never throws. */
export function removeReserve(journal: string): void {
  quietly(() => {
    rmSync(reservePath(journal), { force: true });
    flushDirectory(dirname(journal));
  });
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // There is nothing to give back, or the disk is in a bad way and the caller is about to say so.
  }
}
