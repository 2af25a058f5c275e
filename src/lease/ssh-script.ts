/**
 * The claims on a host that all operators reach: one text in a file `claims.N`, whose N rises with every change. The
 * next one is put there by `ln`, which fails if it exists, so that of two changes to the same claims one is refused; no
 * lock is taken, and none can be left behind. That a holder lives is a file of its own, `beat.RUN.EPOCH`: a stale
 * engine renews what nobody reads. One fixed POSIX sh script, values as arguments, texts as standard input.
 */

/** Old claims are kept so far back: whoever is further behind finds out by reading again. */
const KEPT = 20;

/**
 * Arguments: directory (empty: the login's own), then
 * `read`: prints `now SECONDS`, `at N`, `beat RUN.EPOCH SECONDS` a line, `claims`, and the claims.
 * `swap N SHA256 RUN EPOCH`: puts standard input in place of claims N; RUN and EPOCH begin to beat (empty: nobody
 * does). Prints `done`, `moved` where somebody was quicker, `unsure` where somebody has followed already.
 * `beat RUN EPOCH`: prints `at N`. `rest RUN EPOCH`: it beats no more.
 */
export const CLAIMS_SCRIPT = `LC_ALL=C; export LC_ALL
umask 007
dir=$1 verb=$2
[ -n "$dir" ] || dir=$HOME/.local/state/neap-claims
newest() {
  n=0
  for f in "$dir"/claims.*; do
    i=\${f##*.}
    case $i in ""|*[!0-9]*) continue ;; esac
    if [ "$i" -gt "$n" ]; then n=$i; fi
  done
}
beat() {
  t=$(mktemp -- "$dir/.beat.XXXXXXXX") && date +%s > "$t" && mv -f -- "$t" "$dir/beat.$1.$2" || { rm -f -- "$t"; exit 1; }
}
case $verb in
  read)
    echo "now $(date +%s)"
    newest
    echo "at $n"
    for f in "$dir"/beat.*; do
      if [ -e "$f" ]; then echo "beat \${f##*/beat.} $(head -c 20 "$f")"; fi
    done
    echo claims
    if [ "$n" != 0 ]; then cat -- "$dir/claims.$n"; fi ;;
  swap)
    was=$3 sum=$4 run=$5 epoch=$6
    mkdir -p -- "$dir" || exit 1
    tmp=$(mktemp -- "$dir/.claims.XXXXXXXX") || exit 1
    trap 'rm -f -- "$tmp"' EXIT
    cat > "$tmp" || exit 1
    got=$(sha256sum < "$tmp")
    if [ "\${got%% *}" != "$sum" ]; then echo "the claims ended early" >&2; exit 1; fi
    chmod 660 "$tmp" && { sync "$tmp" 2>/dev/null || sync; }
    newest
    if [ "$n" != "$was" ]; then echo moved; exit 0; fi
    if [ -n "$run" ]; then beat "$run" "$epoch"; fi
    next=$((was+1))
    if ! ln -- "$tmp" "$dir/claims.$next" 2>/dev/null; then
      if [ -e "$dir/claims.$next" ]; then echo moved; exit 0; fi
      echo "no link can be made in $dir" >&2
      exit 1
    fi
    sync "$dir" 2>/dev/null
    newest
    if [ "$n" != "$next" ]; then echo unsure; exit 0; fi
    for f in "$dir/beat.$run".*; do
      if [ -n "$run" ] && [ "$f" != "$dir/beat.$run.$epoch" ]; then rm -f -- "$f"; fi
    done
    for f in "$dir"/claims.*; do
      i=\${f##*.}
      case $i in ""|*[!0-9]*) continue ;; esac
      if [ "$i" -le $((next-${KEPT})) ]; then rm -f -- "$f"; fi
    done
    echo done ;;
  beat)
    beat "$3" "$4"
    newest
    echo "at $n" ;;
  rest)
    rm -f -- "$dir/beat.$3.$4" ;;
esac`;
