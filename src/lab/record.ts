import { closeSync, openSync, writeSync } from 'node:fs';
import type { LabClock } from './clock.ts';

/** One thing that somebody asked of the lab. */
export interface RecordEntry {
  readonly server: string | null;
  readonly via: 'ssh' | 'sftp' | 'bmc' | 'balancer' | 'control';
  readonly what: string;
  /** It is meant to change something. */
  readonly writes: boolean;
  /** It did: switching on what is on already did not. */
  readonly changed: boolean;
  readonly ok: boolean;
  readonly atMs: number;
  readonly realMs: number;
}

/** The lab's own record of every command and power action: independent of what neap believes that it did. */
export interface LabRecord {
  add(entry: Omit<RecordEntry, 'atMs' | 'realMs'>): void;
  /** The entries from this index on, at most `MAX_READ` of them. */
  read(from: number): readonly RecordEntry[];
  close(): void;
}

/** One answer holds no more entries than these; the rest is asked for by the next index. */
export const MAX_READ = 20_000;
const MAX_ENTRIES = 500_000;
const MAX_WHAT = 300;

/** Keeps the record in memory and appends each entry to the file, one JSON a line. */
export function openRecord(file: string, clock: LabClock): LabRecord {
  const handle = openSync(file, 'a', 0o600);
  const entries: RecordEntry[] = [];
  return {
    add(entry) {
      const full: RecordEntry = {
        ...entry,
        what: entry.what.slice(0, MAX_WHAT),
        atMs: Math.round(clock.nowMs()),
        realMs: Date.now(),
      };
      if (entries.length < MAX_ENTRIES) entries.push(full);
      writeSync(handle, `${JSON.stringify(full)}\n`);
    },
    read: (from) => entries.slice(from, from + MAX_READ),
    close: () => closeSync(handle),
  };
}
