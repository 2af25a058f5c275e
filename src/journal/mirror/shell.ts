import type { Ran, Shell } from '../../ports/index.ts';
import { MirrorMoved, type MirrorStand, type MirrorStore } from './store.ts';

/** One command of a mirror, in real milliseconds, from sending it to its exit; a flush of a slow disk included. */
const COMMAND_MS = 20_000;

/** Reading a run back may take longer: nothing waits for it but a person. */
const READ_MS = 120_000;

/** Lines that one command prints at most; fewer where they are long. */
const READ_LINES = 20_000;

/** What the scripts below say besides failing. */
const MOVED = 9;
const MISSING = 8;

/**
 * A mirror on another machine, over a shell of its own. Over there a POSIX shell does all of it, and rows are taken
 * in whole before the first byte of them is appended: a connection that ends in the middle leaves nothing behind.
 */
export function shellMirror(name: string, root: string, shell: Pick<Shell, 'run' | 'close'>): MirrorStore {
  const sh = async (run: string, script: string, timeoutMs: number, stdin?: string): Promise<Ran> => {
    const ran = await shell.run(`${head(root, run)}\n${script}`, {
      timeoutMs,
      ...(stdin === undefined ? {} : { stdin }),
    });
    const [, bytes, atBytes] = /^moved (\d+) (\d+)$/m.exec(ran.stdout) ?? [];
    if (ran.code === MOVED) throw new MirrorMoved(Number(bytes), Number(atBytes));
    if (ran.code !== 0 && ran.code !== MISSING) throw new Error(words(ran));
    return ran;
  };
  return {
    name,
    stand: async (run) => standOf(await sh(run, STAND, COMMAND_MS)),
    put: async (run, file, text) => {
      await sh(run, `file=${file}\nbytes=${Buffer.byteLength(text)}\n${TAKE_IN}\n${PUT}`, COMMAND_MS, text);
    },
    append: async (run, atBytes, text) => {
      const bytes = Buffer.byteLength(text);
      await sh(run, `at=${atBytes}\nfile=rows.ndjson\nbytes=${bytes}\n${TAKE_IN}\n${APPEND}`, COMMAND_MS, text);
    },
    cut: async (run, atBytes) => {
      await sh(run, `dd if=/dev/null of=rows.ndjson bs=1 seek=${atBytes} 2>/dev/null\n${SYNC}`, COMMAND_MS);
    },
    read: async (run, file) => {
      let text = '';
      for (let from = 1, count = READ_LINES; ;) {
        const script = `[ -f ${file} ] || exit ${MISSING}\nsed -n '${from},${from + count - 1}p;${from + count - 1}q' ${file}`;
        const ran = await sh(run, script, READ_MS);
        if (ran.code === MISSING) return null;
        if (ran.truncated && count === 1) throw new Error(`line ${from} of ${file} is too long to be read`);
        if (ran.truncated) {
          count = Math.ceil(count / 10);
          continue;
        }
        text += ran.stdout;
        if (ran.stdout.split('\n').length - 1 < count) return text;
        from += count;
      }
    },
    runs: async () => {
      const ran = await shell.run(inSh(`cd ${quoted(root)} && ls -1`), { timeoutMs: COMMAND_MS });
      if (ran.code !== 0) throw new Error(words(ran));
      return ran.stdout.split('\n').filter((line) => line !== '');
    },
    close: () => shell.close(),
  };
}

/** The login's own shell may be any: what it is given is one word for sh. */
function inSh(script: string): string {
  return `exec sh -c ${quoted(script)}`;
}

/** The folder of mirrors has to be there; a run's own is made. */
function head(root: string, run: string): string {
  return `set -eu\numask 077\ncd ${quoted(root)}\nmkdir -p ${quoted(run)}\ncd ${quoted(run)}`;
}

/** Older systems' `sync` takes no file and flushes everything, which is as good. */
const SYNC = 'sync rows.ndjson 2>/dev/null || sync';

/** What an earlier connection had not sent whole goes first: it can append nothing any more. */
const STAND = `rm -f .in.*
: >> rows.ndjson
lines=$(($(wc -l < rows.ndjson)))
whole=0
[ "$lines" -eq 0 ] || whole=$(($(head -n "$lines" rows.ndjson | wc -c)))
echo "$lines $whole $(($(wc -c < rows.ndjson)))"
[ "$lines" -eq 0 ] || sed -n "\${lines}p" rows.ndjson
sync rows.ndjson . .. 2>/dev/null || sync`;

/** All of it, or nothing: \`$$\` keeps apart what two connections send. */
const TAKE_IN = `in=.in.$$
trap 'rm -f "$in"' EXIT
cat > "$in"
[ $(($(wc -c < "$in"))) -eq "$bytes" ] || { echo 'it did not come through whole' >&2; exit 1; }`;

const PUT = `sync "$in" 2>/dev/null || sync
mv -f "$in" "$file"
sync . 2>/dev/null || sync`;

const APPEND = `size=$(($(wc -c < "$file")))
[ "$size" -eq "$at" ] || { echo "moved $size $at"; exit ${MOVED}; }
cat "$in" >> "$file"
sync "$file" 2>/dev/null || sync
size=$(($(wc -c < "$file")))
[ "$size" -eq $((at + bytes)) ] || { echo "moved $size $((at + bytes))"; exit ${MOVED}; }`;

function standOf({ stdout }: Ran): MirrorStand {
  const [counts = '', last = ''] = stdout.split('\n');
  const [lines, wholeBytes, bytes] = counts.split(' ').map(Number);
  if (!Number.isInteger(lines) || !Number.isInteger(wholeBytes) || !Number.isInteger(bytes))
    throw new Error('it said what cannot be read');
  return { lines: Number(lines), wholeBytes: Number(wholeBytes), bytes: Number(bytes), last };
}

/** A remote machine's words are data: one line of them, without what a terminal would obey. */
function words({ code, signal, stderr }: Ran): string {
  const said = stderr
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 200);
  return `it ended with ${String(code ?? signal)}${said === '' ? '' : `: ${said}`}`;
}

function quoted(word: string): string {
  if (word.includes('\0')) throw new TypeError('a word for a shell cannot hold a NUL');
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
