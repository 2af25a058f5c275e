/** Where a journal ended at some instant. Kept outside, it shows a tail that was cut off and a journal that was written anew. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** A head as somebody else kept it: the whole hash, or at least its first 12 digits. */
export interface Anchor extends Head {
  /** Where it was found, for people. */
  readonly from: string;
}

/** Pages carry so many digits of the hash: 64 bits, which nobody can hit by trying. */
const SHORT_DIGITS = 16;

const ONE = /^(?<seq>[1-9]\d{0,14}):(?<hash>[0-9a-f]{12,64})$/;

/** The line that is told outside, and by which an anchor is found again: `head RUN SEQ:HASH`. */
export function headText(run: string, { seq, hash }: Head): string {
  return `head ${run} ${seq}:${hash}`;
}

/** The same for the end of a page. */
export function shortHeadText(run: string, { seq, hash }: Head): string {
  return headText(run, { seq, hash: hash.slice(0, SHORT_DIGITS) });
}

/** `SEQ:HASH` as a person gives it; null when it is something else. */
export function parseAnchor(word: string, from: string): Anchor | null {
  const groups = ONE.exec(word.toLowerCase())?.groups;
  if (!groups) return null;
  return { seq: Number(groups['seq']), hash: groups['hash'] ?? '', from };
}

/** The run's anchors in one line of a log, whatever stands around them. */
export function anchorsIn(line: string, run: string, from: string): readonly Anchor[] {
  return [...line.matchAll(/\bhead (\S{1,200}) (\d+:[0-9a-fA-F]{12,64})/g)].flatMap(([, named, word]) =>
    named === run ? (parseAnchor(word ?? '', from) ?? []) : [],
  );
}
