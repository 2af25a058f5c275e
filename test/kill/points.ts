/** Where and how an engine is struck. */
export interface Point {
  readonly title: string;
  /** A system call, and what strace does instead of it or to its caller. */
  readonly call: string;
  readonly what: string;
  /** At that call alone, or at it and all that follow. */
  readonly lasting: boolean;
  /** Whose files. */
  readonly files: 'journal' | 'claims';
  /** Only every so-many-th call: for faults of which a sample will do. */
  readonly stride: number;
}

export type Sort = 'kill' | 'random' | 'once' | 'lasting';

/** Not at a call but at a time, which the number of the point chooses. */
export const AT_A_TIME: Point = {
  title: 'SIGKILL at a random time',
  call: 'none',
  what: 'signal=KILL',
  lasting: false,
  files: 'journal',
  stride: 1,
};

const CALLS = ['pwrite64', 'fsync', 'ftruncate', 'unlink'] as const;

/** Errors of a disk: that it cannot, that it is full, that it took nothing of what it was given. */
const ERRORS = [
  { call: 'fsync', what: 'error=EIO' },
  { call: 'pwrite64', what: 'error=EIO' },
  { call: 'pwrite64', what: 'error=ENOSPC' },
  { call: 'pwrite64', what: 'retval=0' },
] as const;

const kills = CALLS.flatMap((call) =>
  (['journal', 'claims'] as const).map((files): Point => ({
    title: `SIGKILL at ${call} (${files})`,
    call,
    what: 'signal=KILL',
    lasting: false,
    files,
    stride: 1,
  })),
);

const errors = (lasting: boolean, stride: number): Point[] =>
  ERRORS.map(({ call, what }) => ({
    title: `${what} at ${call}${lasting ? ' and from there on' : ''}`,
    call,
    what,
    lasting,
    files: 'journal',
    stride,
  }));

/** All of them, by what is shown. */
export const POINTS: Readonly<Record<Sort, readonly Point[]>> = {
  kill: kills,
  random: [AT_A_TIME],
  once: errors(false, 5),
  lasting: errors(true, 20),
};
