/** How many servers are named on one line. */
const NAMED_MAX = 8;

/** `1 h 02 min`, `3 min 20 s`, `45 s`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** The first few by name, the others by number. */
export function namesOf(servers: readonly string[]): string {
  const shown = servers.slice(0, NAMED_MAX).join(', ');
  return servers.length > NAMED_MAX ? `${shown} and ${servers.length - NAMED_MAX} more` : shown;
}

/** Breaks a line at words, further lines under the text of the first. Colour codes take no room. */
export function wrap(line: string, columns: number): string[] {
  const width = Math.max(40, columns);
  if (visible(line) <= width) return [line];
  const indent = ' '.repeat(Math.min((/^ */.exec(line)?.[0].length ?? 0) + 2, 12));
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/(?<=\S) /)) {
    if (current !== '' && visible(current) + 1 + visible(word) > width) {
      lines.push(current);
      current = indent + word.trimStart();
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}

function visible(text: string): number {
  return text.replaceAll(/\u001b\[[0-9;]*m/g, '').length;
}
