use std::{fs, path::Path};

use tempfile::TempDir;

use super::*;

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

#[test]
fn entries_follow_each_other_in_segments_of_a_size() {
    let folder = log(9, 1_000);
    let log = open(folder.path(), 1_000).unwrap();
    assert_eq!(log.head().unwrap().count, 9);
    assert_eq!(log.append(event(10)).unwrap().count, 10);
    let names = log_files(folder.path());
    assert!(names.len() > 2, "{names:?}");
    assert_eq!(names[0], "audit.000001.jsonl");
    assert!(names.iter().all(|name| fs::metadata(folder.path().join(name)).unwrap().len() <= 1_000));
}

fn log_files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".jsonl")).collect();
    names.sort();
    names
}
