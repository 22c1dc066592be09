use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    thread,
};

use proptest::{collection::vec, prelude::*, sample::Index};
use tempfile::TempDir;

use super::*;

/// So small that a handful of entries fills several segments.
const SMALL: u64 = 1_200;

fn key() -> AuditKey {
    AuditKey::new([7; 32])
}

fn event(number: u64) -> Event {
    Event::new(EventType::Rotation, Action::step("introduce")).with("step", number)
}

fn open(folder: &Path, segment_bytes: u64) -> Result<AuditLog, AuditError> {
    AuditLog::open(folder, key(), AuditOptions { segment_bytes, ..AuditOptions::default() })
}

/// A log of so many entries.
fn log(entries: u64, segment_bytes: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), segment_bytes).unwrap();
    (1..=entries).for_each(|number| assert_eq!(log.append(event(number)).unwrap().count, number));
    folder
}

fn check(folder: &Path) -> Verification {
    verify(folder, &key(), None).unwrap()
}

fn kinds(found: &Verification) -> Vec<(FaultKind, Option<u64>)> {
    found.faults.iter().map(|fault| (fault.kind, fault.seq)).collect()
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    paths.sort();
    paths
}

/// Changes the lines of the only segment.
fn with_lines(folder: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let path = folder.join("audit.000001.jsonl");
    let mut lines: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

#[test]
fn entries_follow_each_other_in_segments_of_a_size() {
    let folder = log(9, SMALL);
    let log = open(folder.path(), SMALL).unwrap();
    assert_eq!(log.head().unwrap().count, 9);
    let receipt = log.append(event(10)).unwrap();
    let paths = segments(folder.path());
    assert!(paths.len() > 2, "{paths:?}");
    assert!(paths.iter().all(|path| fs::metadata(path).unwrap().len() <= SMALL));
    let found = verify(folder.path(), &key(), Some(&receipt)).unwrap();
    assert!(found.is_intact(), "{:?}", found.faults);
    assert_eq!((found.entries, found.head, found.segments), (10, Some(receipt.to_string()), paths.len()));
    let listed = list(folder.path(), &Filter::default()).unwrap();
    assert_eq!(listed.entries.len(), 10);
    assert_eq!(listed.entries[9].event.metadata["step"], "10");
}

#[test]
fn an_edit_a_removal_a_swap_and_an_insertion_are_told_apart() {
    let changed = |change: fn(&mut Vec<String>)| {
        let folder = log(6, 1 << 20);
        with_lines(folder.path(), change);
        let found = check(folder.path());
        assert_eq!(found.faults[0].file, "audit.000001.jsonl");
        (found.faults[0].line, kinds(&found))
    };
    let (line, found) = changed(|lines| lines[2] = lines[2].replace("\"success\"", "\"failure\""));
    assert_eq!((line, found), (Some(3), vec![(FaultKind::Edit, Some(3))]));
    let (line, found) = changed(|lines| drop(lines.remove(2)));
    assert_eq!((line, found), (Some(3), vec![(FaultKind::Cut, Some(4))]));
    let (line, found) = changed(|lines| lines.swap(2, 3));
    assert_eq!((line, found), (Some(3), vec![(FaultKind::Order, Some(4)), (FaultKind::Order, Some(3))]));
    let (line, found) = changed(|lines| lines.insert(2, lines[2].replace("\"success\"", "\"failure\"")));
    assert_eq!((line, found), (Some(3), vec![(FaultKind::Insertion, None)]));
    let (line, found) = changed(|lines| lines.insert(2, "{}".into()));
    assert_eq!((line, found), (Some(3), vec![(FaultKind::Insertion, None)]));
    let (line, found) = changed(|lines| lines.insert(4, lines[1].clone()));
    assert_eq!((line, found), (Some(5), vec![(FaultKind::Insertion, Some(2))]));
    let (line, found) = changed(|lines| lines.push("{}".into()));
    assert_eq!((line, found), (Some(7), vec![(FaultKind::Insertion, None)]));
    let (line, found) = changed(|lines| lines.truncate(4));
    assert_eq!((line, found), (None, vec![(FaultKind::Cut, None)]));
}

#[test]
fn a_segment_that_is_gone_is_missed() {
    for gone in [0, 1, 2] {
        let folder = log(9, SMALL);
        let paths = segments(folder.path());
        fs::remove_file(&paths[gone]).unwrap();
        let found = check(folder.path());
        let name = paths[gone].file_name().unwrap().to_str().unwrap();
        assert!(found.faults.iter().any(|fault| fault.kind == FaultKind::Cut), "{:?}", found.faults);
        let is_last = gone + 1 == paths.len();
        assert!(is_last || found.faults[0].file == name, "{:?}", found.faults);
        let error = open(folder.path(), SMALL).unwrap_err().to_string();
        assert!(error.contains("is broken") && error.contains("hekate audit verify"), "{error}");
    }
}

#[test]
fn another_key_is_told_from_an_edit_and_writes_nothing() {
    let folder = log(3, 1 << 20);
    let other = || AuditKey::new([8; 32]);
    let found = verify(folder.path(), &other(), None).unwrap();
    assert_eq!(kinds(&found), [(FaultKind::ForeignKey, None)]);
    let error = AuditLog::open(folder.path(), other(), AuditOptions::default()).unwrap_err();
    assert!(matches!(error, AuditError::ForeignKey { .. }), "{error}");
    assert!(check(folder.path()).is_intact());
    assert_eq!(format!("{:?}", key()), "AuditKey");
}

#[test]
fn a_log_that_was_cut_with_its_head_is_seen_by_a_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), 1 << 20).unwrap();
    let early = log.append(event(1)).unwrap();
    let files = ["head.json", "audit.000001.jsonl"];
    let kept = files.map(|name| fs::read(folder.path().join(name)).unwrap());
    let late = (2..=4).map(|number| log.append(event(number)).unwrap()).last().unwrap();
    for receipt in [early, late] {
        assert!(verify(folder.path(), &key(), Some(&receipt)).unwrap().is_intact());
    }
    for (name, bytes) in files.iter().zip(&kept) {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    assert!(check(folder.path()).is_intact(), "nobody can see it from the log alone");
    let found = verify(folder.path(), &key(), Some(&late)).unwrap();
    assert_eq!(kinds(&found), [(FaultKind::Expectation, None)]);
    // Written anew up to the same count, it is another log.
    (2..=4).for_each(|number| assert!(log.append(event(number + 10)).unwrap().count > 0));
    let found = verify(folder.path(), &key(), Some(&late)).unwrap();
    assert_eq!(kinds(&found), [(FaultKind::Expectation, Some(4))]);
    fs::remove_dir_all(folder.path()).unwrap();
    assert_eq!(kinds(&verify(folder.path(), &key(), Some(&late)).unwrap()), [(FaultKind::Cut, None)]);
    assert!(verify(folder.path(), &key(), None).unwrap_err().to_string().contains("there is no audit log"));
}

#[test]
fn two_copies_that_went_on_separately_do_not_make_one_log() {
    let folder = log(2, 1 << 20);
    let copy = tempfile::tempdir().unwrap();
    for name in ["head.json", "audit.000001.jsonl"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    for (place, numbers) in [(folder.path(), 3..=4), (copy.path(), 13..=14)] {
        let log = open(place, 1 << 20).unwrap();
        numbers.for_each(|number| assert!(log.append(event(number)).unwrap().count > 0));
    }
    let theirs = fs::read_to_string(copy.path().join("audit.000001.jsonl")).unwrap();
    with_lines(folder.path(), |lines| lines[2] = theirs.lines().nth(2).unwrap().to_owned());
    let found = check(folder.path());
    assert_eq!(kinds(&found), [(FaultKind::Order, Some(4))]);
}

#[test]
fn head_json_is_guarded_as_the_entries_are() {
    let folder = log(3, 1 << 20);
    let path = folder.path().join("head.json");
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        let found = check(folder.path());
        assert_eq!(kinds(&found), [(FaultKind::Head, None)], "byte {at}");
    }
    assert!(open(folder.path(), 1 << 20).unwrap_err().to_string().contains("broken"));
    fs::remove_file(&path).unwrap();
    assert_eq!(kinds(&check(folder.path())), [(FaultKind::Head, None)]);
    assert!(open(folder.path(), 1 << 20).unwrap_err().to_string().contains("head.json is missing"));
}

/// What `kill -9` leaves: the last entry written up to some byte, and `head.json` as it was before.
#[test]
fn a_log_that_was_stopped_at_any_byte_of_an_entry_goes_on() {
    for segment_bytes in [1 << 20, SMALL] {
        let folder = log(4, segment_bytes);
        let head = fs::read(folder.path().join("head.json")).unwrap();
        let before: Vec<(PathBuf, u64)> = segments(folder.path())
            .into_iter()
            .map(|path| (path.clone(), fs::metadata(&path).unwrap().len()))
            .collect();
        open(folder.path(), segment_bytes).unwrap().append(event(5)).unwrap();
        let path = segments(folder.path()).pop().unwrap();
        let from = before.iter().find(|(known, _)| *known == path).map_or(0, |(_, length)| *length) as usize;
        let whole = fs::read(&path).unwrap();
        for end in from..=whole.len() {
            // As it was before, and the entry up to here.
            segments(folder.path()).iter().for_each(|path| {
                let length = before.iter().find(|(known, _)| known == path).map_or(0, |(_, length)| *length);
                fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
            });
            fs::write(&path, &whole[..end]).unwrap();
            fs::write(folder.path().join("head.json"), &head).unwrap();
            let found = check(folder.path());
            assert!(found.is_intact(), "{end}: {:?}", found.faults);
            assert_eq!(found.notes.is_empty(), end == from, "{end}");
            let log = open(folder.path(), segment_bytes).unwrap();
            let is_torn = end > from && end < whole.len();
            let is_whole = end == whole.len();
            assert_eq!(log.head().unwrap().count, 4 + u64::from(is_torn || is_whole), "{end}");
            log.append(event(6)).unwrap();
            let found = check(folder.path());
            assert!(found.is_intact() && found.notes.is_empty(), "{end}: {found:?}");
            let repairs =
                list(folder.path(), &Filter { actions: vec![Action::AUDIT_REPAIRED], ..Filter::default() });
            assert_eq!(repairs.unwrap().entries.len(), usize::from(is_torn), "{end}");
        }
    }
}

#[test]
fn threads_write_one_chain_through_one_log_and_through_many() {
    let folder = tempfile::tempdir().unwrap();
    let shared = open(folder.path(), SMALL).unwrap();
    thread::scope(|scope| {
        for worker in 0..4 {
            let (shared, folder) = (&shared, folder.path());
            scope.spawn(move || {
                let own = open(folder, SMALL).unwrap();
                let log = if worker % 2 == 0 { shared } else { &own };
                (0..10).for_each(|number| assert!(log.append(event(number)).unwrap().count > 0));
            });
        }
    });
    let found = check(folder.path());
    assert!(found.is_intact(), "{:?}", found.faults);
    assert_eq!(found.entries, 40);
    let seqs: BTreeSet<u64> =
        list(folder.path(), &Filter::default()).unwrap().entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=40).collect());
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_what_is_made_is_for_the_owner_only() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    open(&path, 1 << 20).unwrap().append(event(1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for name in ["audit.000001.jsonl", "head.json", "lock"] {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(path.join("audit.000001.jsonl"), &elsewhere).unwrap();
    symlink(&elsewhere, path.join("audit.000001.jsonl")).unwrap();
    assert!(open(&path, 1 << 20).is_err());
    assert!(verify(&path, &key(), None).is_err());
    symlink(&path, folder.path().join("link")).unwrap();
    assert!(open(&folder.path().join("link"), 1 << 20).unwrap_err().to_string().contains("symbolic link"));
}

#[test]
fn a_filter_takes_what_it_says_and_nothing_else() {
    let path = |environment: &str, name: &str| crate::store::SecretPath {
        environment: environment.into(),
        folder: "/infrastructure".into(),
        name: name.into(),
    };
    let at = |day: u32| format!("2026-11-{day:02}T12:00:00Z").parse().unwrap();
    let one = Event::new(EventType::SecretAccess, Action::SECRET_READ)
        .on(&path("production", "POSTGRES_PASSWORD"))
        .with("incident", "INC-1")
        .at(at(2));
    let whole =
        Event::new(EventType::Emergency, Action::EMERGENCY_STARTED).with("environment", "staging").at(at(4));
    let takes = |filter: Filter| (filter.takes(&one), filter.takes(&whole));
    let none = Filter::default;
    assert_eq!(takes(none()), (true, true));
    let actions = vec![Action::SECRET_READ, Action::SECRET_WRITE];
    assert_eq!(takes(Filter { actions, ..none() }), (true, false));
    assert_eq!(takes(Filter { event_types: vec![EventType::Emergency], ..none() }), (false, true));
    assert_eq!(takes(Filter { environment: Some("staging".into()), ..none() }), (false, true));
    assert_eq!(takes(Filter { since: Some(at(2)), until: Some(at(4)), ..none() }), (true, false));
    assert_eq!(takes(Filter { since: Some(at(3)), ..none() }), (false, true));
    assert_eq!(
        takes(Filter { path: Some("/infrastructure/POST*".parse().unwrap()), ..none() }),
        (true, false)
    );
    assert_eq!(takes(Filter { incident: Some("INC-1".into()), ..none() }), (true, false));
    assert_eq!(takes(Filter { incident: Some("INC-2".into()), ..none() }), (false, false));
}

#[test]
fn exports_hold_every_entry_and_no_formula() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), 1 << 20).unwrap();
    log.append(event(1).by(User::new("=HYPERLINK(\"x\")")).with("reason", "a, \"b\"\u{1b}")).unwrap();
    log.append(event(2)).unwrap();
    let entries = list(folder.path(), &Filter::default()).unwrap().entries;
    let json: Vec<Entry> = serde_json::from_slice(&export(&entries, ExportFormat::Json).unwrap()).unwrap();
    assert_eq!(json, entries);
    let csv = export(&entries, ExportFormat::Csv).unwrap();
    let mut reader = ::csv::Reader::from_reader(csv.as_slice());
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(&rows[0][5], "'=HYPERLINK(\"x\")");
    let metadata: serde_json::Value = serde_json::from_str(&rows[0][11]).unwrap();
    assert_eq!(metadata["reason"], "a, \"b\"\\x1b");
    assert_eq!(rows[1][13], entries[1].mac);
}

/// The bytes of a log of several segments, made once for all cases.
fn sample() -> Vec<(String, Vec<u8>)> {
    let folder = log(9, SMALL);
    let mut paths = segments(folder.path());
    paths.push(folder.path().join("head.json"));
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

fn restore(files: &[(String, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).unwrap());
    folder
}

thread_local! {
    static SAMPLE: Vec<(String, Vec<u8>)> = sample();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_changed_byte_is_found(file in any::<Index>(), at in any::<Index>(), to in any::<u8>()) {
        let mut files = SAMPLE.with(Clone::clone);
        let file = file.index(files.len());
        let at = at.index(files[file].1.len());
        prop_assume!(files[file].1[at] != to);
        files[file].1[at] = to;
        prop_assert!(!check(restore(&files).path()).is_intact());
    }

    #[test]
    fn any_truncation_is_found(file in any::<Index>(), at in any::<Index>(), is_short in any::<bool>()) {
        let mut files = SAMPLE.with(Clone::clone);
        let file = file.index(files.len());
        let length = files[file].1.len();
        // As often a few bytes only as any number.
        files[file].1.truncate(if is_short { length - 1 - at.index(4) } else { at.index(length) });
        prop_assert!(!check(restore(&files).path()).is_intact());
    }

    #[test]
    fn any_other_choice_or_order_of_lines_is_found(picks in vec(any::<Index>(), 0..12)) {
        let files = SAMPLE.with(Clone::clone);
        let (head, segments) = files.split_last().unwrap();
        let lines: Vec<&[u8]> = segments.iter().flat_map(|(_, bytes)| bytes.split_inclusive(|byte| *byte == b'\n')).collect();
        let picked: Vec<usize> = picks.iter().map(|pick| pick.index(lines.len())).collect();
        prop_assume!(!picked.iter().copied().eq(0..lines.len()));
        let bytes = picked.iter().flat_map(|at| lines[*at].iter().copied()).collect();
        let folder = restore(&[(segments[0].0.clone(), bytes), head.clone()]);
        prop_assert!(!check(folder.path()).is_intact());
    }

    #[test]
    fn no_bytes_whatever_make_it_panic(bytes in vec(any::<u8>(), 0..400), head in vec(any::<u8>(), 0..200)) {
        let folder = restore(&[("audit.000001.jsonl".into(), bytes.clone()), ("head.json".into(), head)]);
        prop_assert!(!check(folder.path()).is_intact());
        prop_assert!(open(folder.path(), SMALL).is_err());
        prop_assert_eq!(&fs::read(folder.path().join("audit.000001.jsonl")).unwrap(), &bytes);
        list(folder.path(), &Filter::default()).unwrap();
    }
}
