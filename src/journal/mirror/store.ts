/** What a mirror holds of one run, a file each: `rows.ndjson` is only ever appended to. */
export type MirrorFile = 'plan.json' | 'order.json' | 'rows.ndjson';

/** How far a run's rows have come there. */
export interface MirrorStand {
  /** Rows that have their end of line, and how many bytes they are. */
  readonly lines: number;
  readonly wholeBytes: number;
  /** More than `wholeBytes`: the last line was torn, by a connection or a machine that ended in the middle of it. */
  readonly bytes: number;
  /** The last whole row, without its end of line; empty where there is none. */
  readonly last: string;
}

/**
 * A folder elsewhere that holds copies of runs, each in a folder of its name. What resolves is on its disk. Rejects
 * with `MirrorMoved` where somebody else wrote there, and with whatever failed otherwise.
 */
export interface MirrorStore {
  /** As a configuration names it: `dir:/path`, `ssh:HOST:/path`. */
  readonly name: string;
  stand(run: string): Promise<MirrorStand>;
  /** Writes a file whole: whoever reads it sees the old one or the new one. */
  put(run: string, file: Exclude<MirrorFile, 'rows.ndjson'>, text: string): Promise<void>;
  /** Appends rows behind exactly `atBytes` bytes. */
  append(run: string, atBytes: number, text: string): Promise<void>;
  /** Takes a torn last line off. */
  cut(run: string, atBytes: number): Promise<void>;
  /** A whole file; null where it is missing. */
  read(run: string, file: MirrorFile): Promise<string | null>;
  /** Names of the runs that lie there. */
  runs(): Promise<readonly string[]>;
  close(): void;
}

/** The file is not as long as it was left: another engine writes there, or somebody changed it. */
export class MirrorMoved extends Error {
  constructor(bytes: number, atBytes: number) {
    super(`its file is ${bytes} bytes long and not ${atBytes}: somebody else wrote to it`);
    this.name = 'MirrorMoved';
  }
}
