#!/usr/bin/env bash
# The hook ids of .pre-commit-hooks.yaml, tried with the real pre-commit program.
#
#   tests/pre-commit.sh              hekate-system, with target/debug/hekate (or HEKATE=/path/to/hekate)
#   tests/pre-commit.sh --rust       also hekate, which pre-commit builds: it takes minutes
#
# It needs git, and pre-commit in PATH (or PRE_COMMIT_PROGRAM=/path/to/it).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
hekate=${HEKATE:-${CARGO_TARGET_DIR:-$root/target}/debug/hekate}
pre_commit=${PRE_COMMIT_PROGRAM:-pre-commit}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The Rust toolchain stays where it is, whatever HOME says.
CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export CARGO_HOME RUSTUP_HOME HOME=$work/home PRE_COMMIT_HOME=$work/cache GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.invalid GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.invalid
mkdir -p "$HOME" "$work/bin"
ln -s "$hekate" "$work/bin/hekate"
export PATH=$work/bin:$PATH

# Made when it runs: none stands in this file.
secret() { printf 'DATABASE_PASSWORD="%s"\n' "$(printf '%s' "$1" | git hash-object --stdin | cut -c 1-30)"; }

passed=0
expect() { # expect CODE "what is tried" COMMAND…
    local code=$1 what=$2 got=0
    shift 2
    "$@" >"$work/out" 2>&1 || got=$?
    if [ "$got" != "$code" ]; then
        echo "FAILED: $what: exit $got, not $code" >&2
        cat "$work/out" >&2
        exit 1
    fi
    passed=$((passed + 1))
    echo "ok: $what"
}
says() { grep -qF -- "$1" "$work/out" || { echo "FAILED: it does not say: $1" >&2; cat "$work/out" >&2; exit 1; }; }

try() { # try ID
    local id=$1
    rm -rf "$work/repository" && git init --quiet -b main "$work/repository" && cd "$work/repository"
    cat >.pre-commit-config.yaml <<YAML
default_install_hook_types: [pre-commit, pre-push]
repos:
  - repo: $root
    rev: $(git -C "$root" rev-parse HEAD)
    hooks: [{ id: $id }]
  - repo: local
    hooks:
      - { id: no-tabs, name: no tabs, language: pygrep, entry: "\\t", types: [text] }
      - { id: touches, name: touches nothing, language: system, entry: "true", pass_filenames: true }
YAML
    git add . && git commit --quiet -m config
    expect 0 "$id: pre-commit installs its hooks" "$pre_commit" install --install-hooks

    echo 'A=1' >app.env && git add app.env
    expect 0 "$id: a clean commit passes" git commit -m clean
    secret "$id one" >>app.env && git add app.env
    expect 1 "$id: a staged secret is refused" git commit -m leak
    says 'app.env:2'
    echo 'A=1' >app.env
    expect 1 "$id: gone from the file and still staged, it is refused" git commit -m leak
    says 'app.env:2'
    echo 'A=2' >app.env && git add app.env
    expect 0 "$id: fixed, it passes" git commit -m fixed
    echo 'B=1' >other.env && git add other.env && secret "$id two" >>app.env
    expect 0 "$id: a secret that is not staged is not looked at" git commit -m other
    git checkout --quiet app.env

    expect 0 "$id: all files, clean" "$pre_commit" run --all-files
    secret "$id three" >old.env && git add old.env && git commit --quiet --no-verify -m old
    expect 1 "$id: all files, with a secret that was committed" "$pre_commit" run --all-files
    says 'old.env:1'
    echo 'C=1' >third.env && git add third.env
    expect 0 "$id: what was committed before is not blamed on the next commit" git commit -m third

    git init --quiet --bare "$work/remote.git" 2>/dev/null; git remote add origin "$work/remote.git"
    expect 1 "$id: a push of that commit is refused" git push origin main
    says 'old.env:1'
    rm -rf "$work/remote.git"
}

"$pre_commit" --version
try hekate-system
[ "${1:-}" != --rust ] || try hekate
echo "$passed checks passed"
