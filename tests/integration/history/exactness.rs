//! In every repository every engine reports, byte for byte, what the oracle knows to be there.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::{
    contents, exposure,
    git::Repo,
    graphs, is_long, library,
    oracle::{Introduction, Kind, Oracle, Reach, Seen},
    random,
    report::Reported,
    storage,
};
use crate::harness::{Outcome, text};

macro_rules! exact {
    ($($module:ident: $($name:ident),+;)+) => {
        $($(#[test] fn $name() { check(&$module::$name(&mut Rng::with_seed(1))); })+)+
    };
}

exact! {
    graphs: octopus_merge, criss_cross_merges, content_only_in_a_merge, renames_edits_and_returns, unrelated_roots,
        one_blob_at_many_paths, names_of_any_bytes, links_and_submodules, texts_that_leak, tags_of_anything,
        stash_worktrees_and_reflogs, bare, detached_head, nothing_committed, unborn_head_beside_branches,
        replaced_and_grafted, hundreds_of_refs, accepted_and_not;
    storage: loose_only, no_deltas, chains_one_deep, chains_fifty_deep, chains_hundreds_deep, ref_deltas_only,
        packs_with_the_same_objects, packed_and_loose, alternates_two_deep, cruft_and_leftovers, index_of_version_1,
        multi_pack_index, bitmaps_and_reverse_indexes, sha256, sha256_with_ref_deltas, shallow, without_blobs,
        without_big_blobs, without_trees, blobs_of_several_blocks;
    contents: odd_line_ends_and_empty_files, lines_of_a_megabyte, binary_files, utf16_files,
        a_key_whose_lines_change, keyword_and_value_part_and_meet, half_copied_half_inserted, blocks_that_move,
        rows_of_keywords, glued_at_every_byte, deltas_of_any_shape,
        clusters_that_shift_over_a_border;
}

macro_rules! exact_in_long {
    ($($module:ident: $($name:ident),+;)+) => {
        $($(#[test] fn $name() {
            if is_long() { check(&$module::$name(&mut Rng::with_seed(1))); }
        })+)+
    };
}

exact_in_long! {
    graphs: hundred_thousand_refs;
    storage: chains_4095_deep, chains_4095_deep_repacked;
}

#[test]
fn random_histories() {
    (0..if is_long() { 300 } else { 4 }).for_each(|seed| {
        println!("random history of seed {seed}");
        check(&random::random(&mut Rng::with_seed(seed)));
    });
}

#[test]
fn random_deltas() {
    (2..if is_long() { 200 } else { 4 }).for_each(|seed| {
        println!("random deltas of seed {seed}");
        check(&contents::deltas_of_any_shape(&mut Rng::with_seed(seed)));
    });
}

/// What is asked for: engine and threads.
type Runs = &'static [&'static [&'static str]];

pub(crate) const FEW: Runs = &[&["--engine", "plain", "-j", "1"], &["--no-cache", "-j", "2"]];

/// Of the runs with a cache, the first writes it and the others use it.
const ALL: Runs = &[
    &["--engine", "plain", "-j", "1"],
    &["--no-cache", "-j", "1"],
    &["--engine", "delta", "-j", "2"],
    &["--engine", "delta", "-j", "8"],
    &["--engine", "delta", "-j", "1"],
    &["--no-cache", "-j", "2"],
    &["--no-cache", "-j", "8"],
    &["--engine", "plain", "-j", "2"],
    &["--engine", "plain", "-j", "8"],
];

/// The report that all engines and numbers of threads agree on.
#[track_caller]
pub(crate) fn agreed(repo: &Repo, args: &[&str]) -> Outcome {
    agreed_by(if is_long() { ALL } else { &ALL[..4] }, repo, args)
}

/// The report that these runs agree on.
#[track_caller]
pub(crate) fn agreed_by(runs: Runs, repo: &Repo, args: &[&str]) -> Outcome {
    let mut outcomes = runs.iter().map(|run| (run, repo.history(&[*run, args].concat())));
    let (_, first) = outcomes.next().expect("there are several");
    for (run, other) in outcomes {
        assert_eq!(other.code, first.code, "{run:?} {args:?}: {}", other.stderr);
        if let Some(difference) = difference(&first.stdout, &other.stdout) {
            panic!("plain and {run:?} {args:?} differ: {difference}");
        }
    }
    first
}

/// The first line that differs, with some lines before it.
pub(crate) fn difference(one: &str, two: &str) -> Option<String> {
    let (one, two): (Vec<&str>, Vec<&str>) = (one.lines().collect(), two.lines().collect());
    let at = (0..one.len().max(two.len())).find(|at| one.get(*at) != two.get(*at))?;
    let from = at.saturating_sub(12);
    let shown =
        |lines: &[&str]| lines.iter().skip(from).take(at - from + 6).copied().collect::<Vec<_>>().join("\n");
    Some(format!("line {}\n--- one\n{}\n--- two\n{}", at + 1, shown(&one), shown(&two)))
}

/// All checks of a repository in which nothing is damaged.
#[track_caller]
fn check(repo: &Repo) {
    let oracle = Oracle::of(repo);
    let reach = oracle.reach();
    agrees_with_git(repo, &oracle, &reach);
    if is_long() {
        library::reads_as_git_does(repo, &oracle);
    }
    let outcome = agreed(repo, &[]);
    let view = View { oracle: &oracle, ids: &reach.there, missing: &reach.missing };
    let reached = view.check(&outcome);
    let all = oracle.all();
    let everything = agreed(repo, &["--unreachable"]);
    let more = View { oracle: &oracle, ids: &all, missing: &reach.missing }.check(&everything);
    assert!(
        reached.introductions.is_subset(&more.introductions),
        "--unreachable adds, and takes nothing away"
    );
}

/// The oracle itself is held against `git rev-list`.
fn agrees_with_git(repo: &Repo, oracle: &Oracle, reach: &Reach) {
    let tips: String = oracle.refs.values().map(|id| format!("{id}\n")).collect();
    let args = ["rev-list", "--objects", "--no-object-names", "--stdin", "--missing=print"];
    let listed = String::from_utf8(repo.git_fed(tips.as_bytes(), &args)).expect("ids are text");
    let (missing, there): (Vec<&str>, Vec<&str>) = listed.lines().partition(|line| line.starts_with('?'));
    let of = |ids: &BTreeSet<String>| ids.iter().map(String::clone).collect::<BTreeSet<String>>();
    assert_eq!(there.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), of(&reach.there));
    let missing: BTreeSet<String> = missing.into_iter().map(|id| id[1..].to_owned()).collect();
    assert_eq!(missing, of(&reach.missing));
}

/// The objects that a run has to look at.
struct View<'a> {
    oracle: &'a Oracle,
    ids: &'a BTreeSet<String>,
    missing: &'a BTreeSet<String>,
}

impl View<'_> {
    #[track_caller]
    fn check(&self, outcome: &Outcome) -> Reported {
        let reported = Reported::of(outcome);
        let commits = self.oracle.of_kind(self.ids, Kind::Commit);
        let expected = self.oracle.introductions(commits.iter().copied());
        let reachable = self.oracle.reach().there;
        let is_reached = |one: &&Introduction| reachable.contains(&one.commit);
        let of_reached = |all: &BTreeSet<Introduction>| all.iter().filter(is_reached).cloned().collect();
        same("introductions", &of_reached(&reported.introductions), &of_reached(&expected));
        // Of what no ref reaches, only what is nowhere else is reported.
        let unknown: Vec<_> = reported.introductions.difference(&expected).take(5).collect();
        assert!(unknown.is_empty(), "unreachable introductions that are none: {unknown:#?}");
        same("secrets", &reported.seen, &self.seen(&expected));
        self.check_coverage(outcome);
        exposure::check(self.oracle, self.ids, &reported);
        let counts = reported.seen.iter().any(|seen| seen.suppression.is_none());
        let code = if counts {
            1
        } else if self.missing.is_empty() {
            0
        } else {
            3
        };
        assert_eq!(outcome.code, code, "{}", outcome.stderr);
        reported
    }

    /// Every secret, also where no commit has it at a path.
    fn seen(&self, introductions: &BTreeSet<Introduction>) -> BTreeSet<Seen> {
        let mut seen: BTreeSet<Seen> = introductions.iter().map(|one| one.seen.clone()).collect();
        for kind in [Kind::Commit, Kind::Tag] {
            let texts = self.oracle.of_texts(self.oracle.of_kind(self.ids, kind));
            seen.extend(texts.into_values().flatten());
        }
        let placed = self.placed();
        for blob in self.oracle.of_kind(self.ids, Kind::Blob).difference(&placed) {
            seen.extend(self.oracle.of_blob(blob, "").iter().cloned());
        }
        seen
    }

    /// Blobs that lie in a commit's tree.
    fn placed(&self) -> BTreeSet<&str> {
        let commits = self.oracle.of_kind(self.ids, Kind::Commit);
        self.oracle
            .blobs_of(commits)
            .into_iter()
            .filter_map(|id| self.ids.get(&id).map(String::as_str))
            .collect()
    }

    /// Every object is counted, and nothing else; what is missing is named.
    fn check_coverage(&self, outcome: &Outcome) {
        let json = outcome.json();
        let history = &json["coverage"]["history"];
        let kinds =
            [("commits", Kind::Commit), ("trees", Kind::Tree), ("blobs", Kind::Blob), ("tags", Kind::Tag)];
        // All that is stored is scanned, whatever is reported.
        let all = self.oracle.all();
        let (mut scanned, mut expected) = (0, 0);
        for (name, kind) in kinds {
            let count = self.oracle.of_kind(&all, kind).len();
            assert_eq!(history["scanned"][name], count, "{name} scanned: {history}");
            scanned += count;
            expected += history["expected"][name].as_u64().expect("a number");
        }
        assert_eq!(expected, (scanned + self.missing.len()) as u64, "expected: {history}");
        let gaps = json["coverage"]["gaps"].as_array().expect("gaps are a list");
        let missing = gaps.iter().filter(|gap| gap["reason"] == "missing").map(|gap| text(&gap["path"]));
        let missing: BTreeSet<String> =
            missing.filter_map(|path| Some(path.split_once(' ')?.1.to_owned())).collect();
        same("missing objects", &missing, self.missing);
        let blobs = self.oracle.of_kind(&all, Kind::Blob);
        let bytes: usize = blobs.iter().filter_map(|id| self.oracle.bytes(id)).map(<[u8]>::len).sum();
        assert_eq!(history["blob_bytes"], bytes, "{history}");
    }
}

#[track_caller]
fn same<T: Ord + std::fmt::Debug>(what: &str, reported: &BTreeSet<T>, expected: &BTreeSet<T>) {
    let unknown: Vec<&T> = reported.difference(expected).take(5).collect();
    let lost: Vec<&T> = expected.difference(reported).take(5).collect();
    let counts = (reported.len(), expected.len());
    assert!(unknown.is_empty() && lost.is_empty(), "{what} {counts:?}: lost {lost:#?}\nunknown {unknown:#?}");
}
