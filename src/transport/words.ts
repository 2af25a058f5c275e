/**
 * Words for a POSIX shell. Everything that comes from outside reaches a server's shell as one quoted word, never by
 * interpolation into a script.
 */

/** One word, in single quotes: sh, bash, dash, ksh, zsh and fish all read it as exactly this text. Throws on NUL. */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new TypeError('a word for a shell cannot hold a NUL');
  // A quote in double quotes and not behind a backslash, which fish reads otherwise in words quoted twice.
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** Several words, quoted and joined by one space. */
export function shellWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}
