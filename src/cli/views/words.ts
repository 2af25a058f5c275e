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
