/** More lines than these are not compared, and more are not shown: a preview is read by people. */
const COMPARED_MAX = 500;
const SHOWN_MAX = 20;
const LINE_MAX = 160;

/** Control characters and marks that turn text round: a file's content must not act on a terminal (promise 11). */
const UNSHOWABLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * What differs between two texts, line by line: `- before`, `+ after`, in order. By the longest common subsequence
 * (Wagner and Fischer, 1974), so that a line put in shows as one line and not as all that follow.
 */
export function lineDiff(before: string, after: string): string[] {
  const [old, wanted] = [before.split('\n'), after.split('\n')];
  if (old.length > COMPARED_MAX || wanted.length > COMPARED_MAX) return ['  (too long to be shown line by line)'];
  const common = commonLengths(old, wanted);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < wanted.length) {
    if (i < old.length && j < wanted.length && old[i] === wanted[j]) {
      i += 1;
      j += 1;
    } else if (j >= wanted.length || (i < old.length && (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0))) {
      lines.push(`  - ${showable(old[i] ?? '')}`);
      i += 1;
    } else {
      lines.push(`  + ${showable(wanted[j] ?? '')}`);
      j += 1;
    }
  }
  return lines.length > SHOWN_MAX
    ? [...lines.slice(0, SHOWN_MAX), `  (and ${lines.length - SHOWN_MAX} lines more)`]
    : lines;
}

/** `common[i][j]`: how many lines the rests from i and from j have in common, in order. */
function commonLengths(old: readonly string[], wanted: readonly string[]): number[][] {
  const common = Array.from({ length: old.length + 1 }, () => Array.from({ length: wanted.length + 1 }, () => 0));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = wanted.length - 1; j >= 0; j -= 1) {
      const row = common[i];
      if (!row) continue;
      const below = common[i + 1];
      row[j] = old[i] === wanted[j] ? (below?.[j + 1] ?? 0) + 1 : Math.max(below?.[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return common;
}

function showable(line: string): string {
  return line.slice(0, LINE_MAX).replaceAll(UNSHOWABLE, '?');
}
