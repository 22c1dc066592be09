#!/usr/bin/env bash
# Times whole commands of hekate, its peers and git on a history: runs that take turns, medians, ratios, memory.
#
#   [REPO=DIR] [RUNS=5] benches/history.sh [history|cache|range|staged]…       without a section: all of them
#   benches/history.sh generate DIR                                             only makes a repository, for other uses
#
#   history   all that refs reach, next to what git needs to unpack it. PLAIN=1 adds `--engine plain`, LOG=1 `git log -p --all`
#   cache     a second run, and a run after one new commit, on a clone in the temporary folder
#   range     the commits of RANGE=A..B (else the last 50 of HEAD), next to `git log -p` of the same
#   staged    one staged line in generated repositories: a small one, and one of FILES=100000 files
#
# REPO is a work tree or a bare repository, and is only read. Without it one is generated from SEED=1: COMMITS=4000 commits with
# merges, and edits that give deep delta chains. Binaries come from PATH or from HEKATE=, BETTERLEAKS=, KINGFISHER=, MATERIALISE=;
# what is missing is left out. Where neither names them, they are those of `cargo build --release --bin hekate --example materialise`:
# `materialise` unpacks every blob and looks at none. How to install the peers is said in peers.sh. Nothing here contacts a provider.
#
# `anon MiB` is of the process itself, not of the git processes that some start, and is sampled; RSS counts mapped packs, too.
# shellcheck source=benches/common.sh
. "$(dirname "$0")/common.sh"
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_OPTIONAL_LOCKS=0
export GIT_AUTHOR_NAME=Bench GIT_AUTHOR_EMAIL=bench@example.com GIT_COMMITTER_NAME=Bench GIT_COMMITTER_EMAIL=bench@example.com

# Writes a stream for `git fast-import`: source files that commits edit a few lines of, branches that are merged, and merges that
# bring content of their own. Now and then a line holds what looks like a secret, made up here. The same seed gives the same stream.
stream_of_commits() {
    awk -v state="$1" -v commits="$2" -v files=300 "$source_awk"'
        function random_text(length_of, text) {
            for (text = ""; length_of > 0; length_of--) text = text substr(letters, below(62) + 1, 1)
            return text
        }
        function set_line(file, at, text) {
            size[file] += length(text) - length(lines[file, at])
            lines[file, at] = text
        }
        # Lines are put in, taken out and changed.
        function edit(file, times, at, kind) {
            for (; times > 0; times--) {
                at = below(height[file])
                kind = below(10)
                if (below(200) == 0) set_line(file, at, sprintf("    db_password = \"%s\"\n", random_text(24)))
                else if (kind < 2) set_line(file, at, source_line() source_line())
                else if (kind < 3) set_line(file, at, "")
                else set_line(file, at, source_line())
            }
        }
        function write_blob(file, at) {
            printf "blob\nmark :%d\ndata %d\n", ++mark, size[file]
            for (at = 0; at < height[file]; at++) printf "%s", lines[file, at]
            printf "\n"
            blob[file] = mark
        }
        function begin_commit(branch, from, merged) {
            printf "commit refs/heads/%s\nmark :%d\ncommitter Bench <bench@example.com> %d +0000\n", branch, ++mark, 1500000000 + mark
            printf "data 20\nchange %012d\n\n", mark
            if (from) printf "from :%d\n", from
            if (merged) printf "merge :%d\n", merged
            return mark
        }
        function put(file) { printf "M 100644 :%d src/part_%02d/module_%03d.py\n", blob[file], file % 20, file }
        # One to three files of every second one: those of a side branch, or the others.
        function commit_edits(branch, from, merged, odd, file, number, edited) {
            for (number = 1 + below(3); number > 0; number--) {
                file = 2 * below(files / 2) + odd
                edit(file, 1 + below(6))
                write_blob(file)
                edited[file]
            }
            from = begin_commit(branch, from, merged)
            for (file in edited) { put(file); if (odd) touched[file] }
            return from
        }
        BEGIN {
            letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
            for (file = 0; file < files; file++) {
                height[file] = 50 + below(200)
                for (at = 0; at < height[file]; at++) set_line(file, at, source_line())
                write_blob(file)
            }
            head = begin_commit("main")
            for (file = 0; file < files; file++) put(file)
            while (made < commits) {
                side = head
                for (step = below(6); step > 0; step--) { head = commit_edits("main", head, 0, 0); made++ }
                for (step = 1 + below(6); step > 0; step--) { side = commit_edits("side", side, 0, 1); made++ }
                head = commit_edits("main", head, side, 0)
                for (file in touched) { put(file); delete touched[file] }
                made++
                if (below(50) == 0) printf "reset refs/tags/v%d\nfrom :%d\n\n", made, head
            }
        }'
}

# Writes a stream with one commit of so many files.
stream_of_files() {
    awk -v state="$1" -v files="$2" "$source_awk"'
        BEGIN {
            printf "commit refs/heads/main\ncommitter Bench <bench@example.com> 1500000000 +0000\ndata 6\nfiles\n\n"
            for (file = 0; file < files; file++) {
                text = source_line() source_line()
                printf "M 100644 inline src/part_%03d/module_%06d.py\ndata %d\n%s\n", file % 500, file, length(text), text
            }
        }'
}

generate() {
    git init -q --bare -b main "$1"
    stream_of_commits "${SEED:-1}" "${COMMITS:-4000}" | git -C "$1" fast-import --quiet
    git -C "$1" -c pack.threads=0 repack -adfq --depth=50 --window=10
    git -C "$1" pack-refs --all
}

command_of() {
    local tool=${1%%-*} out=$2 since
    local hekate=("${binaries[hekate]:-}" history --no-progress --format json)
    fine="0"
    case $1 in *-staged) place=$folder ;; esac
    case $tool in hekate) fine="0 1 3" ;; betterleaks) fine="0 1" ;; kingfisher) fine="0 200" ;; git | materialise) silent=yes sink=/dev/null ;; esac
    case $1 in
        hekate) command=("${hekate[@]}" "${no_cache[@]}" "$REPO") ;;
        hekate-plain) command=("${hekate[@]}" "${no_cache[@]}" --engine plain "$REPO") ;;
        hekate-first) rm -rf "$clone/hekate" && command=("${hekate[@]}" "$clone") ;;
        hekate-second) command=("${hekate[@]}" "$clone") ;;
        hekate-one-commit) add_commit "$clone" && command=("${hekate[@]}" "$clone") ;;
        hekate-range) command=("${hekate[@]}" "${no_cache[@]}" --range "$RANGE" "$REPO") ;;
        hekate-staged) command=("${binaries[hekate]}" staged --no-progress --format json) ;;
        materialise) command=("${binaries[materialise]}" "$REPO") ;;
        git-cat-file) command=(git -C "$REPO" cat-file --batch-all-objects --batch --unordered) ;;
        git-log) command=(git -C "$REPO" log -p --all) ;;
        git-range) command=(git -C "$REPO" log -p "$RANGE") ;;
        git-staged) command=(git diff --cached) ;;
        betterleaks) command=("${binaries[betterleaks]}" git --no-banner -s -o "$out.report.json" "$REPO") ;;
        betterleaks-range) command=("${binaries[betterleaks]}" git --no-banner -s -o "$out.report.json" --log-opts "$RANGE" "$REPO") ;;
        betterleaks-staged) command=("${binaries[betterleaks]}" git --staged --no-banner -s -o "$out.report.json") ;;
        kingfisher*)
            command=("${binaries[kingfisher]}" scan --no-validate --no-update-check -f json -o "$out.report.json")
            case $1 in
                *-range) since=${RANGE%%..*} && command+=(--since-commit "$since" --branch "${RANGE##*..}" "$REPO") ;;
                *-staged) command+=(--staged .) ;;
                *) command+=("$REPO") ;;
            esac
            ;;
    esac
}

count_of() { case $1 in hekate* | betterleaks* | kingfisher*) count_report "${1%%-*}" "$2" ;; *) printf -- - ;; esac; }

# A commit with one more file, on what HEAD names.
add_commit() {
    local git=(git -C "$1") blob tree commit
    export GIT_INDEX_FILE=$work/index
    blob=$(printf 'file %s\n' $((++added)) | "${git[@]}" hash-object -w --stdin)
    "${git[@]}" read-tree HEAD
    "${git[@]}" update-index --add --cacheinfo "100644,$blob,one-more-file"
    tree=$("${git[@]}" write-tree --missing-ok)
    commit=$("${git[@]}" commit-tree -p HEAD -m "One more file" "$tree")
    "${git[@]}" update-ref HEAD "$commit"
    unset GIT_INDEX_FILE
}

# Of the given rows, those whose tool is there.
rows_of() {
    rows=()
    local row
    for row in "$@"; do
        case $row in git-*) rows+=("$row") ;; *) [ -z "${binaries[${row%%-*}]:-}" ] || rows+=("$row") ;; esac
    done
}

history_section() {
    local git=(git -C "$REPO")
    printf '\n## History: %s commits of all refs, %s; %s runs each, in turns; %s\n\n' "$("${git[@]}" rev-list --all --count)" \
        "$("${git[@]}" count-objects -v | awk '/^in-pack/ { objects = $2 } /^size-pack/ { size = $2 } END { printf "%d objects in %.0f MB of packs", objects, size / 1000 }')" \
        "$RUNS" "$(machine)"
    rows_of hekate ${PLAIN:+hekate-plain} betterleaks kingfisher materialise git-cat-file ${LOG:+git-log}
    compare "${rows[@]}"
}

cache_section() {
    if [ ${#no_cache[@]} = 0 ]; then
        say "cache: this hekate has none"
        return
    fi
    clone=$work/clone.git
    # Objects are shared, so that the repository is neither copied nor written to.
    git clone -q --mirror --shared "$REPO" "$clone"
    printf '\n## Cache; %s runs each, in turns; %s\n\n' "$RUNS" "$(machine)"
    rows_of hekate-first hekate-second hekate-one-commit
    compare "${rows[@]}"
}

range_section() {
    local from
    if [ -z "${RANGE:-}" ]; then
        from=$(git -C "$REPO" rev-list --first-parent --skip=50 -n 1 HEAD)
        RANGE=${from:-$(git -C "$REPO" rev-list --max-parents=0 -n 1 HEAD)}..HEAD
    fi
    printf '\n## Range %s: %s commits; %s runs each, in turns; %s\n\n' "$RANGE" "$(git -C "$REPO" rev-list --count "$RANGE")" \
        "$RUNS" "$(machine)"
    rows_of hekate-range git-range betterleaks-range kingfisher-range
    compare "${rows[@]}"
}

staged_section() {
    local files gnu_time="" RUNS=$((RUNS * 3))
    for files in 20 "${FILES:-100000}"; do
        folder=$work/staged-$files
        git init -q -b main "$folder"
        stream_of_files "${SEED:-1}" "$files" | git -C "$folder" fast-import --quiet
        git -C "$folder" -c checkout.workers=0 reset -q --hard
        printf 'one_more = line\n' >>"$folder/src/part_000/module_000000.py"
        git -C "$folder" add -u
        printf '\n## Staged: one line in %s files; %s runs each, in turns; %s\n\n' "$files" "$RUNS" "$(machine)"
        rows_of hekate-staged git-staged betterleaks-staged kingfisher-staged
        compare "${rows[@]}"
        rm -rf "$folder"
    done
}

if [ "${1:-}" = generate ]; then
    [ $# = 2 ] || die "generate DIR"
    generate "$2"
    exit
fi
RUNS=${RUNS:-5}
added=0 no_cache=() rows=()
find_binary hekate || die "no hekate: cargo build --release"
! "${binaries[hekate]}" history --help | grep -q -- --no-cache || no_cache=(--no-cache)
for name in betterleaks kingfisher; do find_binary "$name" || true; done
find_binary materialise examples/ || true
sections=("$@")
for section in "$@"; do
    case $section in history | cache | range | staged) ;; *) die "$section is no section: history, cache, range, staged" ;; esac
done
[ $# -gt 0 ] || sections=(history cache range staged)
case " ${sections[*]} " in
    *" history "* | *" cache "* | *" range "*)
        if [ -z "${REPO:-}" ]; then
            say "no REPO=: generating a repository"
            REPO=$work/repository.git PLAIN=1
            generate "$REPO"
        fi
        git -C "$REPO" rev-parse --git-dir >/dev/null || die "REPO=$REPO is no repository"
        REPO=$(cd "$REPO" && pwd)
        use_gnu_time
        ;;
esac
for section in "${sections[@]}"; do "${section}_section"; done
