import { FailureError } from '../model/index.ts';
import type { Fence, FenceRecord, Ran } from '../ports/index.ts';
import { sanitise } from './sanitise.ts';
import { shellWords } from './words.ts';

/**
 * The fence: a record on the server itself of which run acts on it, under which epoch. Every command that writes goes
 * through one fixed POSIX sh script, which reads the record under a lock, refuses where the record says so, writes
 * its own where it is not there yet, and then runs the command. So a stale engine that woke up again is refused by the
 * server, whatever it believes, and two machines that know nothing of each other keep each other out.
 *
 * The record is one line: `open|released RUN EPOCH TOKEN SINCE BY HOST gone RUN...`, at the end the runs that were
 * ended there and may never write again. Like the file scripts these take all values as arguments and hold no
 * backslash. Where the server has no flock, the check and the command are not one: a gap of milliseconds.
 */

/** How the script says that the command was not run; the first line of standard error begins with `neap-fence: `. */
export const FENCE_EXIT = {
  /** Another run, or another engine of this one, has the server. */
  held: 85,
  /** A command of an earlier engine is still under way there. */
  busy: 86,
  /** The record cannot be read or written. */
  broken: 87,
} as const;

/** So many ended runs are remembered; a stale engine that slept through more than these is no engine any more. */
export const GONE_MAX = 50;

/** Of a record: what is longer was not written by neap. */
export const RECORD_BYTES = 8_192;

/** Where the record lies; `$1` is the directory, empty for the login's own. The host's name keeps servers apart whose homes are one. */
const PLACE = `LC_ALL=C; export LC_ALL
dir=$1
[ -n "$dir" ] || dir=$HOME/.local/state/neap
file=$dir/fence.$(uname -n)`;

/** Arguments: directory. Prints the record as it is, at most `RECORD_BYTES` of it, or `absent`. Writes nothing. */
export const READ_FENCE_SCRIPT = `${PLACE}
if [ -e "$file" ]; then head -c ${RECORD_BYTES} < "$file"; else echo absent; fi`;

/** Arguments: file, record. Puts the record in place whole or not at all, also over a power loss; with no record only its directory and lock. */
const PUT = `umask 022
dir=\${1%/*}
mkdir -p -- "$dir" && : >> "$1.lock" || exit 1
[ -n "$2" ] || exit 0
tmp=$(mktemp -- "$dir/.fence.XXXXXXXX") || exit 1
echo "$2" > "$tmp" && chmod 644 "$tmp" && { sync "$tmp" 2>/dev/null || sync; } && mv -f -- "$tmp" "$1" || { rm -f -- "$tmp"; exit 1; }
sync "$dir" 2>/dev/null || :`;

/**
 * Arguments: directory, `root` to keep the record by sudo, seconds to wait for the lock, run, epoch, token, since, by,
 * host, the putting script, then `run` with a shell (empty: the login's own) and a command, or `release`, or `force`
 * which releases whatever engine of the run is named. A command runs under the shared lock, so that whoever takes the
 * server over waits for its end. `release` says `released`, or `not-held` where the record is not this engine's.
 */
export const FENCE_SCRIPT = `${PLACE}
lock=$file.lock
root=$2 wait=$3 run=$4 epoch=$5 token=$6 since=$7 by=$8 host=$9
shift 9
put_script=$1 verb=$2 shell=\${3:-\${SHELL:-/bin/sh}} command=\${4:-}
put() {
  if [ "$root" = root ]; then said=$(sudo -n -- sh -c "$put_script" neap "$file" "$1" 2>&1 </dev/null 9<&-)
  else said=$(sh -c "$put_script" neap "$file" "$1" 2>&1 </dev/null 9<&-); fi || { echo "neap-fence: broken $said" >&2; exit ${FENCE_EXIT.broken}; }
}
hold() {
  [ -n "$locks" ] || return 0
  flock "-$1" -w "$wait" 9 2>/dev/null || flock "-$1" -n 9 || { echo "neap-fence: busy" >&2; exit ${FENCE_EXIT.busy}; }
}
judge() {
  standing=free state= its= at=0 whose= gone=
  [ -e "$file" ] || return 0
  text=$(head -c ${RECORD_BYTES} < "$file") || text=
  set -f
  set -- $text
  set +f
  state=\${1:-} its=\${2:-} at=\${3:-} whose="\${4:-} \${5:-} \${6:-} \${7:-}"
  case "$state \${8:-}" in "open gone"|"released gone") ;; *) at= ;; esac
  case $at in
    ""|*[!0-9]*|????????????????*)
      # What cannot be read lets nobody through; only a person's force replaces it.
      [ "$verb" = force ] || { echo "neap-fence: broken the record $file cannot be read" >&2; exit ${FENCE_EXIT.broken}; }
      its=$run at=0 whose="$token $since $by $host"
      return 0 ;;
  esac
  theirs=$4
  shift 8
  while [ $# -gt ${GONE_MAX} ]; do shift; done
  gone=$*
  case " $gone " in *" $run "*) standing=gone; return 0 ;; esac
  if [ "$its" = "$run" ]; then
    if [ "$at" -gt "$epoch" ]; then standing=stale
    elif [ "$at" -eq "$epoch" ] && [ "$theirs" != "$token" ]; then standing=stale
    elif [ "$at" -eq "$epoch" ] && [ "$state" = open ]; then standing=mine
    fi
  elif [ "$state" = open ]; then standing=other
  fi
}
refuse() {
  echo "neap-fence: $1 $state $its $at $whose" >&2
  exit ${FENCE_EXIT.held}
}
locks=$(command -v flock)
[ -e "$lock" ] || put ""
exec 9<"$lock" || { echo "neap-fence: broken $lock cannot be opened" >&2; exit ${FENCE_EXIT.broken}; }
if [ "$verb" = run ]; then
  for kind in s x s; do
    hold $kind
    judge
    case $standing in
      mine) break ;;
      free) [ $kind = s ] || put "open $run $epoch $token $since $by $host gone $gone" ;;
      *) refuse $standing ;;
    esac
  done
  [ "$standing" = mine ] || { echo "neap-fence: busy" >&2; exit ${FENCE_EXIT.busy}; }
  "$shell" -c "$command" 9<&-
  exit $?
fi
hold x
judge
if [ "$its" = "$run" ] && { [ "$verb" = force ] || [ "$standing" = mine ]; }; then
  put "released $its $at $whose gone $gone $run"
  echo released
else echo not-held; fi`;

/** The command that runs another one behind the fence. */
export function fencedCommand(fence: Fence, command: string, become: boolean): string {
  return fenceCommand(fence, ['run', become ? 'sh' : '', command]);
}

/** The command that lets go of a server: `release` what this engine holds, `force` what any engine of the run does. */
export function unfenceCommand(fence: Fence, verb: 'release' | 'force'): string {
  return fenceCommand(fence, [verb]);
}

/** The command that reads the record. */
export function readFenceCommand(directory: string): string {
  return `sh -c ${shellWords([READ_FENCE_SCRIPT, 'neap', directory])}`;
}

function fenceCommand(fence: Fence, rest: readonly string[]): string {
  const { directory, become, waitMs, run, epoch, token, sinceMs, by, host } = fence;
  const args = [directory, become ? 'root' : 'login', Math.ceil(waitMs / 1000), run, epoch, token, Math.round(sinceMs)];
  return `sh -c ${shellWords([FENCE_SCRIPT, 'neap', ...args.map(String), plainWord(by), plainWord(host), PUT, ...rest])}`;
}

/** One word that a record can hold, whatever a person or a host is called. */
export function plainWord(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._@:-]/g, '_').slice(0, 80) || 'unknown';
}

const RECORD =
  /^(?<state>open|released) (?<run>\S{1,100}) (?<epoch>\d{1,15}) (?<token>\S{1,40}) (?<since>\d{1,15}) (?<by>\S{1,80}) (?<host>\S{1,80})(?: |$)/;

/** What a server's record says; `absent` where there is none, null where it cannot be read. What a server prints is data. */
export function parseFence(text: string): FenceRecord | 'absent' | null {
  const line = sanitise(text.trim(), RECORD_BYTES);
  if (line === 'absent') return 'absent';
  const { state, run, epoch, token, since, by, host } = RECORD.exec(line)?.groups ?? {};
  if (run === undefined || by === undefined || host === undefined || token === undefined) return null;
  return { open: state === 'open', run, epoch: Number(epoch), token, sinceMs: Number(since), by, host };
}

/** Why the fence did not let a command through. */
export class FenceRefused extends FailureError {
  /** `stale`: this engine is not the run's any more; `gone`: the run was ended there; `other`: another run has it. */
  readonly standing: 'stale' | 'gone' | 'other' | 'busy' | 'broken';
  readonly record: FenceRecord | null;

  constructor(where: string, standing: FenceRefused['standing'], record: FenceRecord | null, said: string) {
    super({ where, state: 'Nothing was done to it', ...wordsFor(standing, record, said) });
    this.standing = standing;
    this.record = record;
  }
}

/** Throws what the fence said of a command that it did not run; a command's own exit is left alone. */
export function throwIfFenced(where: string, { code, stderr }: Ran): void {
  if (code !== FENCE_EXIT.held && code !== FENCE_EXIT.busy && code !== FENCE_EXIT.broken) return;
  const [, standing, said = ''] = /^neap-fence: (stale|gone|other|busy|broken)\b ?(.*)$/m.exec(stderr) ?? [];
  if (standing === undefined) return;
  const record = parseFence(said);
  throw new FenceRefused(
    where,
    standing as FenceRefused['standing'],
    record === 'absent' ? null : record,
    sanitise(said, 200),
  );
}

function wordsFor(
  standing: FenceRefused['standing'],
  record: FenceRecord | null,
  said: string,
): Pick<FailureError['failure'], 'kind' | 'what' | 'remedy'> {
  const whom = record === null ? 'another run' : holderText(record);
  switch (standing) {
    case 'other':
      return {
        kind: 'denied',
        what: `it belongs to ${whom}, as its own record says`,
        remedy: record === null ? 'See neap fleet check' : remedyOf(record.run),
      };
    case 'stale':
      return {
        kind: 'denied',
        what: `another engine has taken this run over: ${whom}, as the server's own record says`,
        remedy: 'Watch the run from where it goes on now',
      };
    case 'gone':
      return {
        kind: 'denied',
        what: 'this run was ended there, as its own record says',
        remedy: 'Make a new plan for what is left to do',
      };
    case 'busy':
      // As if it had not been reached: it is tried again.
      return {
        kind: 'unreachable',
        what: 'a command of an earlier engine is still under way there',
        remedy: 'It is tried again; look there for what hangs (ps -ef)',
      };
    case 'broken':
      return {
        kind: /no space left|quota exceeded/i.test(said) ? 'full' : 'denied',
        what: `its fence cannot be kept: ${said === '' ? 'no reason given' : said}`,
        remedy:
          'Let the login write there, or name a directory in `fence` of the fleet; a damaged record goes by: neap fleet unfence',
      };
  }
}

/** Who has a server, by its own record. */
export function holderText({ run, by, host, sinceMs }: FenceRecord): string {
  return `run ${run}, by ${by} on ${host} since ${new Date(sinceMs).toISOString()}`;
}

function remedyOf(run: string): string {
  return `See it where it was started: neap status ${run}. If nobody has it any more: neap fleet unfence ${run} --reason "..."`;
}
