# What the scripts of this folder share: programs, runs that take turns, and a table of medians. It is sourced, by bash.
#
# A script says in `command_of ROW OUT` what a row runs: it sets `command`, `fine` (the exit codes that are no failure), and where it
# differs from the usual `place` (the folder to run in), `sink` (where standard output goes) and `silent=yes` (printing nothing is no
# failure). In `count_of ROW OUT` it prints what the row reported.
set -euo pipefail
export LC_ALL=C
TIMEFORMAT='%3R %3U %3S'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
declare -A binaries
gnu_time=""

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 2; }

# Functions of awk that make up source code; `state` is the seed.
source_awk='
    function below(most) { state = (state * 69069 + 12345) % 4294967296; return int(state / 4294967296 * most) }
    # In the source of real projects about one word in a hundred is one that rules look for.
    function word() {
        if (!plain) {
            plain = split("config value request handler index buffer response client server user parse render return import " \
                "from class self error result path length query table context options message payload header stream", words, " ")
            telling = split("key token password secret session auth api_key credential", telling_words, " ")
        }
        return below(100) ? words[below(plain) + 1] : telling_words[below(telling) + 1]
    }
    function source_line() {
        return sprintf("%" (4 * below(4)) "s%s_%s = %s.%s(%s, \"%s %s\", %d)\n", "", word(), word(), word(), word(), word(), word(),
            word(), below(100000))
    }'

# Keeps where a program is in `binaries`: from PATH, or from a variable of its name. What is missing is left out.
find_binary() {
    local name=$1 variable found=""
    variable=$(printf %s "$name" | tr 'a-z-' 'A-Z_')
    if [ -n "${!variable:-}" ]; then
        found=$(command -v -- "${!variable}") || die "$variable=${!variable} is no program"
    elif ! found=$(command -v -- "$name"); then
        found=$(dirname "${BASH_SOURCE[0]}")/../target/release/${2:-}$name
    fi
    if [ ! -x "$found" ]; then
        say "$name: not found, left out"
        return 1
    fi
    # Rows may be run in other folders.
    binaries[$name]=$(cd "$(dirname "$found")" && pwd)/$(basename "$found")
}

# GNU time says how much memory a run took. It costs a millisecond, so that it is not used on runs of a few.
use_gnu_time() {
    if /usr/bin/time -f %M true >/dev/null 2>&1; then gnu_time=/usr/bin/time; else say "no GNU time: memory is not measured"; fi
}

# The most anonymous memory of a process, in kilobytes, read every few milliseconds until it ends. A shorter peak is missed.
sample_anonymous() {
    local most=0 key value rest there
    while there="" && while read -r key value rest; do
        case $key in RssAnon:) there=yes && [ "$value" -le "$most" ] || most=$value ;; esac
    done 2>/dev/null <"/proc/$1/status" && [ -n "$there" ]; do sleep 0.005; done
    printf '%s\n' "$most"
}

# Runs a row once. What it took is kept in ROW.seconds, ROW.cpu and ROW.memory; where it is only to warm caches, in ROW.anonymous.
run_once() {
    local row=$1 is_warming=${2:-} out=$work/$1 status=0 back=$PWD
    local command fine silent="" place=$PWD sink=$out
    rm -f "$out.report.json"
    command_of "$row" "$out"
    cd "$place"
    if [ -n "$is_warming" ]; then
        "${command[@]}" >"$sink" 2>"$out.errors" &
        sample_anonymous $! >"$out.anonymous" || true
        wait $! || status=$?
    else
        [ -z "$gnu_time" ] || command=("$gnu_time" -o "$out.kilobytes" -f %M "${command[@]}")
        { time "${command[@]}" >"$sink" 2>"$out.errors" || status=$?; } 2>"$out.elapsed"
    fi
    cd "$back"
    case " $fine " in
        *" $status "*) ;;
        *) say "$row: exit $status: $(tail -n 3 "$out.errors")"; return 1 ;;
    esac
    [ -n "$silent" ] || [ -s "$out" ] || [ -s "$out.report.json" ] || { say "$row: printed nothing"; return 1; }
    if [ -n "$is_warming" ]; then
        # A run of a few milliseconds is over before much of it is seen.
        [ -n "$gnu_time" ] || rm "$out.anonymous"
        return 0
    fi
cut -d' ' -f1 "$out.elapsed" >>"$out.seconds"
    awk '{ print $2 + $3 }' "$out.elapsed" >>"$out.cpu"
    [ -z "$gnu_time" ] || tail -n 1 "$out.kilobytes" >>"$out.memory"
}

# Runs rows RUNS times, in turns, each once unmeasured before; then prints a table. What fails at once is left out.
compare() {
    local row rows=() round
    for row in "$@"; do
        rm -f "$work/$row".*
        if run_once "$row" warming; then rows+=("$row"); fi
    done
    [ ${#rows[@]} -gt 0 ] || die "nothing to run"
    for ((round = 1; round <= RUNS; round++)); do
        for row in "${rows[@]}"; do run_once "$row" || die "$row failed in round $round"; done
    done
    print_table "${rows[@]}"
}

middle() { sort -n "$1" | awk '{ all[NR] = $1 } END { print NR % 2 ? all[(NR + 1) / 2] : (all[NR / 2] + all[NR / 2 + 1]) / 2 }'; }
greatest() { sort -n "$1" | tail -n 1; }
mebibytes() { if [ -s "$1" ]; then greatest "$1" | awk '{ printf "%.0f", $1 / 1024 }'; else printf -; fi; }

print_table() {
    local row first=$1 base median
    base=$(middle "$work/$first.seconds")
    printf '%-18s %9s %9s %9s %9s %9s %8s %8s %9s\n' command median min max 'user+sys' "/ first" 'RSS MiB' 'anon MiB' reported
    for row in "$@"; do
        median=$(middle "$work/$row.seconds")
        printf '%-18s %7.3f s %7.3f s %7.3f s %7.3f s %9s %8s %8s %9s\n' "$row" "$median" \
            "$(sort -n "$work/$row.seconds" | head -n 1)" "$(greatest "$work/$row.seconds")" "$(middle "$work/$row.cpu")" \
            "$(awk -v a="$median" -v b="$base" 'BEGIN { printf "%.2fx", a / (b ? b : 0.001) }')" "$(mebibytes "$work/$row.memory")" \
            "$(mebibytes "$work/$row.anonymous")" "$(count_of "$row" "$work/$row")"
    done
}

# What the reports of hekate, betterleaks and kingfisher hold, counted in the way of each.
count_report() {
    local file=$2
    [ ! -s "$file.report.json" ] || file=$file.report.json
    case $1 in
        hekate) grep -c '^      "rule": ' "$file" || true ;;
        betterleaks) grep -c '^  "rule_id": ' "$file" || true ;;
        kingfisher) grep -o '"rule":{' "$file" | wc -l ;;
    esac
}

# Cores and load, for the head of a table.
machine() { printf '%s cores; load %s' "$(getconf _NPROCESSORS_ONLN)" "$(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo '?')"; }
