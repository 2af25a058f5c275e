/**
 * Splits a command line into words as a POSIX shell would, and runs nothing. Null where it holds what only a shell
 * could do: pipes, redirections, expansions, several commands, an open quote.
 */
export function splitWords(line: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let at = 0;
  while (at < line.length) {
    const char = line.charAt(at);
    if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
      at += 1;
      continue;
    }
    const part = quoted(line, at);
    if (part === null) return null;
    word = (word ?? '') + part.text;
    at = part.end;
  }
  if (word !== null) words.push(word);
  return words;
}

/** One quoted or bare piece that starts at `at`. */
function quoted(line: string, at: number): { readonly text: string; readonly end: number } | null {
  const char = line.charAt(at);
  if (char === "'") {
    const end = line.indexOf("'", at + 1);
    return end < 0 ? null : { text: line.slice(at + 1, end), end: end + 1 };
  }
  if (char === '"') return doubleQuoted(line, at + 1);
  if (char === '\\') return at + 1 < line.length ? { text: line.charAt(at + 1), end: at + 2 } : null;
  if (/[|&;<>()$`*?[\]#~!{}]/.test(char)) return null;
  return { text: char, end: at + 1 };
}

function doubleQuoted(line: string, from: number): { readonly text: string; readonly end: number } | null {
  let text = '';
  for (let at = from; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === '"') return { text, end: at + 1 };
    if (char === '$' || char === '`') return null;
    const next = line.charAt(at + 1);
    if (char === '\\' && '"\\$`'.includes(next) && next !== '') {
      text += next;
      at += 1;
    } else text += char;
  }
  return null;
}
