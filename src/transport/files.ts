import { shellWords } from './words.ts';

/**
 * Files on a server, through three fixed POSIX sh scripts over GNU coreutils. Paths and owners are arguments and
 * content is standard input: nothing is ever interpolated into a script, and none holds a backslash, so that a login
 * shell other than sh reads them alike.
 */

/** Larger files are known by their digest only. */
export const MAX_TEXT_BYTES = 64 * 1024;

/** So many files of the largest size, in base64, stay below 1 MiB of output: one command reads no more than these. */
export const MAX_FILES_A_COMMAND = 11;

/** How the scripts tell one refusal from another; any other code but 0 is a failed command. Each leaves the path as it was. */
export const FILE_EXIT = {
  /** No space or no quota. */
  full: 91,
  /** The account may not. */
  denied: 92,
  /** The path holds a directory or a device. */
  notAFile: 93,
  /** Standard input ended early: to the server a lost connection looks like that. */
  cutShort: 94,
} as const;

/**
 * Arguments: paths. Prints one line a path, in their order, fields apart by one space:
 * `INDEX MODE USER:GROUP SIZE SHA256 BASE64` (`-` in place of BASE64 above 64 KiB), or `INDEX absent`,
 * `INDEX denied`, `INDEX not-a-file`. Links are followed.
 */
export const READ_FILES_SCRIPT = `LC_ALL=C; export LC_ALL
i=0
for p in "$@"; do
  if [ -f "$p" ]; then
    if [ -r "$p" ] && meta=$(stat -L -c "%a %U:%G %s" -- "$p") && sum=$(sha256sum < "$p"); then
      rest=\${meta#* }
      if [ "\${rest#* }" -le ${MAX_TEXT_BYTES} ]; then text=$(base64 -w 0 < "$p"); else text=-; fi
      echo "$i $(printf %04d "\${meta%% *}") $rest \${sum%% *} $text"
    else echo "$i denied"; fi
  elif [ -e "$p" ]; then echo "$i not-a-file"
  else
    # What lies below a directory that may not be searched looks absent; the nearest ancestor in sight tells.
    d=\${p%/*}
    while [ -n "$d" ] && ! [ -e "$d" ]; do d=\${d%/*}; done
    if [ -d "\${d:-/}" ] && ! [ -x "\${d:-/}" ]; then echo "$i denied"; else echo "$i absent"; fi
  fi
  i=$((i+1))
done`;

/** Sorts an error by the C library's own words, which LC_ALL=C fixes; removes what lies beside the path. */
const REFUSE = `LC_ALL=C; export LC_ALL
umask 077
tmp=; part=
trap 'rm -f -- "$tmp" "$part"' EXIT
trap 'exit 99' HUP INT TERM
refuse() {
  echo "$1" >&2
  case "$1" in
    *"No space left"*|*"quota exceeded"*) exit ${FILE_EXIT.full} ;;
    *"Permission denied"*|*"not permitted"*|*"Read-only file system"*) exit ${FILE_EXIT.denied} ;;
  esac
  exit 90
}
path=$(readlink -m -- "$1")
if [ -e "$path" ] && ! [ -f "$path" ]; then echo "not a file: $path" >&2; exit ${FILE_EXIT.notAFile}; fi
beside="\${path%/*}/.neap.XXXXXXXX"`;

/**
 * Arguments: path, mode, `user:group`, backup, SHA-256 of the content on standard input. The path holds the former
 * content or the whole new one at every moment, also over a power loss. The first former content is kept at backup
 * (`backup.absent` where there was none) and never overwritten, so that writing twice keeps what was there at first.
 */
export const WRITE_FILE_SCRIPT = `${REFUSE}
out=$(mktemp -- "$beside" 2>&1) || refuse "$out"
tmp=$out
out=$({ cat > "$tmp"; } 2>&1) || refuse "$out"
sum=$(sha256sum < "$tmp")
if [ "\${sum%% *}" != "$5" ]; then echo "the content ended early" >&2; exit ${FILE_EXIT.cutShort}; fi
case " $(stat -c "%U:%G %u:%g" -- "$tmp") " in
  *" $3 "*) ;;
  *) out=$(chown -- "$3" "$tmp" 2>&1) || refuse "$out" ;;
esac
out=$(chmod -- "$2" "$tmp" 2>&1) || refuse "$out"
out=$(sync "$tmp" 2>&1) || refuse "$out"
if ! [ -e "$4" ] && ! [ -e "$4.absent" ]; then
  out=$(mkdir -p -- "\${4%/*}/" 2>&1) || refuse "$out"
  if [ -e "$path" ]; then
    part=$4.part
    out=$(cp -p -- "$path" "$part" 2>&1) || refuse "$out"
    out=$(sync "$part" 2>&1) || refuse "$out"
    out=$(mv -fT -- "$part" "$4" 2>&1) || refuse "$out"
  else
    out=$({ : > "$4.absent"; } 2>&1) || refuse "$out"
  fi
  sync "\${4%/*}/" 2>/dev/null
fi
out=$(mv -fT -- "$tmp" "$path" 2>&1) || refuse "$out"
sync "\${path%/*}/" 2>/dev/null || :`;

/**
 * Arguments: path, backup. Puts the backup back with its mode, owner and times, or removes the file where there was
 * none; prints `restored`, `removed`, or `untouched` where nothing was ever kept. Doing it twice is the same as once.
 */
export const RESTORE_FILE_SCRIPT = `${REFUSE}
if [ -e "$2" ]; then
  out=$(mktemp -- "$beside" 2>&1) || refuse "$out"
  tmp=$out
  out=$(cp -p -- "$2" "$tmp" 2>&1) || refuse "$out"
  out=$(sync "$tmp" 2>&1) || refuse "$out"
  out=$(mv -fT -- "$tmp" "$path" 2>&1) || refuse "$out"
  said=restored
elif [ -e "$2.absent" ]; then
  out=$(rm -f -- "$path" 2>&1) || refuse "$out"
  said=removed
else said=untouched
fi
sync "\${path%/*}/" 2>/dev/null
echo "$said"`;

/** What one line of the reading script says of one path. */
export type FileRecord =
  | {
      readonly kind: 'file';
      readonly mode: string;
      readonly owner: string;
      readonly sizeBytes: number;
      readonly sha256: string;
      readonly content: Buffer | null;
    }
  | { readonly kind: 'absent' | 'denied' | 'not-a-file' };

/** The command that reads these files; at most `MAX_FILES_A_COMMAND` of them. */
export function readFilesCommand(paths: readonly string[]): string {
  return script(READ_FILES_SCRIPT, paths);
}

/** The command that writes one file from its standard input. */
export function writeFileCommand(file: {
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
  readonly backup: string;
  readonly sha256: string;
}): string {
  return script(WRITE_FILE_SCRIPT, [file.path, file.mode, file.owner, file.backup, file.sha256]);
}

/** The command that takes one write back. */
export function restoreFileCommand(file: { readonly path: string; readonly backup: string }): string {
  return script(RESTORE_FILE_SCRIPT, [file.path, file.backup]);
}

function script(text: string, args: readonly string[]): string {
  return `sh -c ${shellWords([text, 'neap', ...args])}`;
}

/** Reads the lines of the reading script: one record a path, in the order of the paths; null where they do not fit. */
export function parseFileRecords(stdout: string, count: number): readonly FileRecord[] | null {
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (lines.length !== count) return null;
  const records: FileRecord[] = [];
  for (const [index, line] of lines.entries()) {
    const record = line.startsWith(`${index} `) ? parseRecord(line.slice(String(index).length + 1)) : null;
    if (record === null) return null;
    records.push(record);
  }
  return records;
}

const FILE_LINE =
  /^(?<mode>[0-7]{4}) (?<owner>[^ :]+:[^ :]+) (?<size>\d{1,15}) (?<sha256>[0-9a-f]{64}) (?<text>-|[A-Za-z0-9+/]*={0,2})$/;

function parseRecord(rest: string): FileRecord | null {
  if (rest === 'absent' || rest === 'denied' || rest === 'not-a-file') return { kind: rest };
  const { mode, owner, size, sha256, text } = FILE_LINE.exec(rest)?.groups ?? {};
  if (mode === undefined || owner === undefined || sha256 === undefined || text === undefined) return null;
  return {
    kind: 'file',
    mode,
    owner,
    sizeBytes: Number(size),
    sha256,
    content: text === '-' ? null : Buffer.from(text, 'base64'),
  };
}

/** What the restoring script says it did. Null where it says something else. */
export function parseRestored(stdout: string): 'restored' | 'removed' | 'untouched' | null {
  const said = stdout.trim();
  return said === 'restored' || said === 'removed' || said === 'untouched' ? said : null;
}
