#!/bin/sh
# Scans in CI what an event brings, with the policy of the branch that it is for. action.yml calls it; docs/ci.md says more.
#
# Everything comes by environment, nothing is put into the text of a script:
#   HEKATE                 the program (default: hekate)
#   HEKATE_EVENT           pull_request, pull_request_target, merge_group, push; any other scans the whole history
#   HEKATE_BASE, _HEAD     ids of the commits that a pull request or merge group starts and ends with
#   HEKATE_BEFORE, _AFTER  ids of the commits that a pushed ref had and has; zeros for none
#   HEKATE_REF             the pushed ref, as refs/heads/main
#   HEKATE_DEFAULT_BRANCH  name of the default branch
#   HEKATE_SARIF           write SARIF to this file as well
#   HEKATE_CATEGORY        first word of the category under which code scanning files the report (default: hekate)
#   HEKATE_ARGS            more arguments for `hekate history`, separated by blanks
#   HEKATE_DEFER           1: write the exit code to $GITHUB_OUTPUT and end with 0, so that a later step can fail
#
# It ends as hekate does: 0 clean, 1 findings, 2 wrong use, 3 incomplete, 4 confirmed findings.
set -euf

say() { printf 'hekate: %s\n' "$*" >&2; }

# Code scanning takes what a report lacks for mended, if the one before of the same ref and category had it. So a report of the commits
# that one push brought has a category of its own, and is worth an upload if there is something in it. A pull request's replaces the one
# before of the same pull request, and a whole history's the one of the whole history.
kind=history
is_to_be_uploaded() {
    case $kind in push-*) grep -q '"ruleId"' "$HEKATE_SARIF" ;; esac
}

finish() {
    if [ -n "${GITHUB_OUTPUT:-}" ]; then
        echo "exit-code=$1" >>"$GITHUB_OUTPUT"
        if [ -n "${HEKATE_SARIF:-}" ] && [ -s "$HEKATE_SARIF" ]; then
            echo "sarif-file=$HEKATE_SARIF" >>"$GITHUB_OUTPUT"
            if is_to_be_uploaded; then echo "category=${HEKATE_CATEGORY:-hekate}-$kind" >>"$GITHUB_OUTPUT"; fi
        fi
        if [ "${HEKATE_DEFER:-}" = 1 ]; then exit 0; fi
    fi
    exit "$1"
}

fail() {
    say "$@"
    finish 2
}

# Ids only: a name could be an option, or mean another commit tomorrow.
is_id() {
    case $1 in '' | *[!0-9a-f]*) return 1 ;; esac
    [ ${#1} -eq 40 ] || [ ${#1} -eq 64 ]
}

is_none() {
    case $1 in *[!0]*) return 1 ;; esac
}

is_here() { git cat-file -e "$1^{commit}" 2>/dev/null; }

is_shallow() { [ "$(git rev-parse --is-shallow-repository)" = true ]; }

need() { # need ID WHAT
    is_id "$1" || fail "$2 is no commit id: '$1'"
    is_here "$1" || fail "$2 ($1) is not in this checkout; check out the whole history (actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0)"
}

git rev-parse --git-dir >/dev/null || fail "this is no repository that git will open"

range=
policy=

between() { # between BASE HEAD
    need "$1" "the base commit"
    need "$2" "the head commit"
    range=$1..$2
    policy=$1
    kind=pull-request
}

pushed() {
    before=${HEKATE_BEFORE:-} after=${HEKATE_AFTER:-} branch=${HEKATE_DEFAULT_BRANCH:-}
    if is_none "$after"; then
        say "a ref was deleted; there is nothing to scan"
        finish 0
    fi
    need "$after" "the pushed commit"
    default=
    if [ -n "$branch" ]; then
        default=$(git rev-parse --verify --quiet --end-of-options "refs/remotes/origin/$branch^{commit}") || default=
    fi
    # Whoever may push to the default branch decides what it accepts; any other branch is judged by it.
    if [ "${HEKATE_REF:-}" = "refs/heads/$branch" ]; then policy=$after; else policy=$default; fi
    if ! is_none "$before" && is_id "$before" && is_here "$before"; then
        range=$before..$after
    elif ! is_none "$before" && is_shallow; then
        need "$before" "the commit before the push"
    elif [ "${HEKATE_REF:-}" != "refs/heads/$branch" ] && [ -n "$default" ]; then
        # A new branch, or one whose old commits are gone after a forced push.
        range=$default..$after
    else
        say "nothing to compare the push with; the whole history is scanned"
    fi
    if [ -n "$range" ]; then kind=push-$(printf %.12s "$after"); fi
    [ -n "$policy" ] || fail "the default branch '$branch' is not in this checkout; check out the whole history (fetch-depth: 0)"
}

case ${HEKATE_EVENT:-} in
    pull_request | pull_request_target | merge_group) between "${HEKATE_BASE:-}" "${HEKATE_HEAD:-}" ;;
    push) pushed ;;
    *) if is_shallow; then fail "this checkout is shallow; check out the whole history (fetch-depth: 0)"; fi ;;
esac

# shellcheck disable=SC2086 # it is a list of words, and `set -f` keeps `*` what it is
set -- history ${HEKATE_ARGS:-}
if [ -n "$range" ]; then set -- "$@" --range "$range"; fi
if [ -n "$policy" ]; then set -- "$@" --policy-from "$policy"; fi
if [ -n "${HEKATE_SARIF:-}" ]; then set -- "$@" --output "sarif:$HEKATE_SARIF"; fi

code=0
"${HEKATE:-hekate}" "$@" || code=$?
finish "$code"
