import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, lstatSync, openSync, rmSync, statfsSync, truncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { RESERVE_BYTES } from './limits.ts';
import { flushDirectory } from './place.ts';

const reservePath = (journal: string): string => `${journal}-reserve`;

/**
 * Keeps space beside the journal, so that a run which meets a full disk can still record how it went home. Returns
 * whether it is there; on a disk that has no room for it the journal works without. Never throws.
 */
export function keepReserve(journal: string): boolean {
  const path = reservePath(journal);
  try {
    const size = lstatSync(path, { throwIfNoEntry: false })?.size;
    if (size === RESERVE_BYTES) return true;
    // Empty: it was spent when this journal met trouble, and the space is for the events that end the run.
    if (size === 0) return false;
    const { bavail, bsize } = statfsSync(dirname(journal));
    if (bavail * bsize < 2 * RESERVE_BYTES) return false;
    rmSync(path, { force: true });
    writeReserve(path);
    return true;
  } catch {
    removeReserve(journal);
    return false;
  }
}

function writeReserve(path: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    // Random bytes, since some filesystems store zeros as nothing.
    const written = writeSync(file, randomBytes(RESERVE_BYTES));
    if (written < RESERVE_BYTES) throw new Error('the disk has no room for the reserve');
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Gives the space to the events; the empty file says so to the next owner. Never throws. */
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
