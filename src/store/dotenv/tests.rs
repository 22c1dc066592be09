use std::{fs, path::Path};

use tempfile::TempDir;

use super::*;

/// A store whose only environment is `production`.
struct Fixture {
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        fixture.make("production");
        fixture
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn make(&self, path: &str) {
        fs::create_dir_all(self.path(path)).unwrap();
        self.rights(path, 0o755);
    }

    fn file(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
        self.rights(path, 0o644);
    }

    #[cfg(unix)]
    fn rights(&self, path: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    #[cfg(not(unix))]
    fn rights(&self, _: &str, _: u32) {}

    fn store(&self) -> DotenvStore {
        DotenvStore::open(self.folder.path()).unwrap()
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn write(&self, at: &str, value: &str) -> u64 {
        match self.store().write(&secret(at), &Secret::new(value), "why").unwrap() {
            Written::Stored(version) => version,
            Written::Pending { .. } => panic!("nothing is held here"),
        }
    }

    /// The current version of a secret, as number and value.
    fn current(&self, at: &str) -> (u64, String) {
        shown(&self.store().read(&secret(at), None).unwrap().unwrap())
    }
}

/// `/folder/NAME` in production.
fn secret(at: &str) -> SecretPath {
    let (folder, name) = at.rsplit_once('/').unwrap();
    let folder = if folder.is_empty() { "/" } else { folder };
    SecretPath { environment: "production".into(), folder: folder.into(), name: name.into() }
}

fn shown(stored: &Stored) -> (u64, String) {
    (stored.version, String::from_utf8(stored.value.expose().to_vec()).unwrap())
}

fn pair(number: u64, value: &str) -> (u64, String) {
    (number, value.to_owned())
}

#[test]
fn a_listing_has_the_secrets_of_all_folders_in_order() {
    let store = Fixture::new();
    store.make("production/a");
    store.file("production/_root.env", "TOP=1\n");
    store.file("production/a.env", "Z=2\nB=3\n");
    store.file("production/a/b.env", "C=4\n");
    store.file("production/README.md", "no secrets here: A=b\n");
    let listing = store.store().list("production").unwrap();
    let shown: Vec<String> = listing.secrets.iter().map(|stored| stored.path.to_string()).collect();
    let expected = ["production:/TOP", "production:/a/B", "production:/a/Z", "production:/a/b/C"];
    assert_eq!(shown, expected);
    assert_eq!(listing.denied, []);
    assert!(listing.secrets.iter().all(|stored| stored.version == 1 && stored.written.is_none()));
}

#[test]
fn environments_are_folders() {
    let store = Fixture::new();
    store.make("development");
    store.make(".git");
    store.file("README.md", "");
    assert_eq!(store.store().environments().unwrap(), ["development", "production"]);
    let error = store.store().list("staging").unwrap_err().to_string();
    assert!(error.ends_with("no environment `staging`; there are development, production"), "{error}");
    store.file("production.env", "A=b");
    let error = store.store().environments().unwrap_err().to_string();
    assert!(error.contains("production.env lies in no environment's folder"), "{error}");
}

#[test]
fn a_store_that_is_not_there_says_what_to_make() {
    let store = Fixture::new();
    let error = DotenvStore::open(store.path("none")).unwrap_err().to_string();
    assert!(error.contains("there is no such folder; make it"), "{error}");
}

#[test]
fn writes_count_versions_and_keep_the_older_ones() {
    let store = Fixture::new();
    assert_eq!(store.write("/a/b/NAME", "one"), 1);
    assert_eq!(store.write("/a/b/NAME", "two"), 2);
    // As in other managers, an equal value is a version too.
    assert_eq!(store.write("/a/b/NAME", "two"), 3);
    assert_eq!(store.current("/a/b/NAME"), pair(3, "two"));
    let current = store.store().read(&secret("/a/b/NAME"), None).unwrap().unwrap();
    assert!(current.written.is_some_and(|written| written > 1_700_000_000));
    let older = store.store().older(&current, 9).unwrap();
    assert_eq!(older.iter().map(shown).collect::<Vec<_>>(), [pair(2, "two"), pair(1, "one")]);
    assert!(older.iter().all(|stored| stored.written.is_some()));
    assert_eq!(store.store().older(&current, 1).unwrap().len(), 1);
    let first = store.store().read(&secret("/a/b/NAME"), Some(1)).unwrap().unwrap();
    assert_eq!(shown(&first), pair(1, "one"));
    assert!(store.store().read(&secret("/a/b/NAME"), Some(4)).unwrap().is_none());
    assert_eq!(store.store().list("production").unwrap().secrets.len(), 1);
}

#[test]
fn an_edit_by_hand_is_one_version_more_and_is_kept_by_the_next_write() {
    let store = Fixture::new();
    store.file("production/a.env", "NAME=first # by hand\n");
    assert_eq!(store.current("/a/NAME"), pair(1, "first"));
    assert_eq!(store.write("/a/NAME", "second"), 2);
    assert_eq!(store.text("production/a.env"), "NAME=second # by hand\n");
    store.file("production/a.env", "NAME=third\n");
    for _ in 0..2 {
        assert_eq!(store.current("/a/NAME"), pair(3, "third"));
    }
    assert_eq!(store.write("/a/NAME", "fourth"), 4);
    let current = store.store().read(&secret("/a/NAME"), None).unwrap().unwrap();
    let older: Vec<_> = store.store().older(&current, 9).unwrap().iter().map(shown).collect();
    assert_eq!(older, [pair(3, "third"), pair(2, "second"), pair(1, "first")]);
}

#[test]
fn an_edit_that_is_taken_back_is_no_version() {
    let store = Fixture::new();
    store.write("/a/NAME", "one");
    store.file("production/a.env", "NAME=two\n");
    assert_eq!(store.current("/a/NAME"), pair(2, "two"));
    store.file("production/a.env", "NAME=one\n");
    assert_eq!(store.current("/a/NAME"), pair(1, "one"));
}

#[test]
fn a_write_that_was_stopped_halfway_left_the_new_value() {
    let store = Fixture::new();
    store.write("/a/NAME", "one");
    store.write("/a/NAME", "two");
    fs::remove_file(store.path("production/.versions/a/NAME/000002.env")).unwrap();
    assert_eq!(store.current("/a/NAME"), pair(2, "two"));
    assert_eq!(store.write("/a/NAME", "three"), 3);
}

#[test]
fn removal_takes_the_line_and_all_versions() {
    let store = Fixture::new();
    store.write("/a/NAME", "one");
    store.write("/a/OTHER", "two");
    store.write("/a/NAME/DEEP", "three");
    assert!(store.store().remove(&secret("/a/NAME")).unwrap());
    assert!(!store.store().remove(&secret("/a/NAME")).unwrap());
    assert_eq!(store.text("production/a.env"), "OTHER=two\n");
    assert!(store.store().read(&secret("/a/NAME"), None).unwrap().is_none());
    assert_eq!(store.current("/a/NAME/DEEP"), pair(1, "three"));
    assert!(!store.path("production/.versions/a/NAME/000001.env").exists());
    assert_eq!(store.write("/a/NAME", "new"), 1);
}

#[test]
fn values_come_back_as_they_were_given() {
    let store = Fixture::new();
    let pem = format!("-----BEGIN {0}-----\nMIIB\n-----END {0}-----\n", "PUBLIC KEY");
    for value in ["", " padded ", "it's", "a\"b\\n$c#d", "\r\n\t\u{1}\u{7f}", pem.as_str(), "${A}"] {
        store.write("/a/NAME", value);
        assert_eq!(store.current("/a/NAME").1, value);
    }
}

#[test]
fn what_no_dotenv_file_can_hold_is_refused() {
    let store = Fixture::new();
    for value in [b"hunter2\0".as_slice(), b"hunter2\xff"] {
        let error = store.store().write(&secret("/a/NAME"), &Secret::new(value), "").unwrap_err().to_string();
        assert!(error.contains("is not UTF-8 or has a NUL byte"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    for path in ["/a/not-a-name", "/../a/NAME", "/_root/NAME", "a/NAME"] {
        assert!(store.store().write(&secret(path), &Secret::new("x"), "").is_err(), "{path}");
    }
    assert!(store.store().list("..").is_err());
}

#[test]
fn a_file_that_is_wrong_is_told_with_its_line() {
    let store = Fixture::new();
    store.file("production/a.env", "A=b\nA=hunter2\n");
    for error in [
        store.store().list("production").unwrap_err(),
        store.store().read(&secret("/a/A"), None).unwrap_err(),
        store.store().write(&secret("/a/A"), &Secret::new("x"), "").unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.ends_with("a.env: line 2: A is set a second time; line 1 has it too"), "{error}");
    }
    assert_eq!(store.text("production/a.env"), "A=b\nA=hunter2\n");
}

#[test]
fn notes_can_not_write_lines_of_their_own() {
    let store = Fixture::new();
    let note = "INC-1\nNAME=forged";
    store.store().write(&secret("/a/NAME"), &Secret::new("one"), note).unwrap();
    let kept = store.text("production/.versions/a/NAME/000001.env");
    assert!(kept.ends_with("# note: INC-1 NAME=forged\nNAME=one\n"), "{kept}");
    assert!(kept.starts_with("# written: 2"), "{kept}");
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let store = Fixture::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for turn in 0..5 {
                    store.write(&format!("/a/NAME_{thread}"), &format!("value {turn}"));
                }
            });
        }
    });
    let listing = store.store().list("production").unwrap();
    let shown: Vec<_> = listing.secrets.iter().map(shown).collect();
    assert_eq!(shown, vec![pair(5, "value 4"); 4]);
}

#[test]
fn what_a_killed_writer_left_is_removed_by_the_next() {
    let store = Fixture::new();
    store.file("production/.hekate-x1y2", "NAME=half");
    store.write("/a/NAME", "one");
    assert!(!store.path("production/.hekate-x1y2").exists());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_can_read_what_is_written() {
        let store = Fixture::new();
        store.file("production/a.env", "A=b\n");
        store.write("/a/NAME", "one");
        assert_eq!(mode(&store.path("production/a.env")), 0o600);
        assert_eq!(mode(&store.path("production/.versions/a/NAME/000001.env")), 0o600);
        assert_eq!(mode(&store.path("production/.versions")), 0o700);
    }

    #[test]
    fn links_are_not_followed() {
        let store = Fixture::new();
        store.file("elsewhere", "NAME=hunter2\n");
        store.make("folder");
        store.file("folder/b.env", "NAME=hunter2\n");
        symlink(store.path("elsewhere"), store.path("production/a.env")).unwrap();
        symlink(store.path("folder"), store.path("production/c")).unwrap();
        let listing = store.store().list("production").unwrap();
        assert!(listing.secrets.is_empty());
        let denied: Vec<_> = listing.denied.iter().map(|denied| denied.why.as_str()).collect();
        assert!(denied.len() == 2 && denied.iter().all(|why| why.contains("symbolic link")), "{denied:?}");
        for path in ["/a/NAME", "/c/b/NAME"] {
            assert!(store.store().read(&secret(path), None).is_err(), "{path}");
            assert!(store.store().write(&secret(path), &Secret::new("x"), "").is_err(), "{path}");
        }
        assert_eq!(store.text("elsewhere"), "NAME=hunter2\n");
        symlink(store.path("folder"), store.path("linked")).unwrap();
        assert!(store.store().environments().unwrap_err().to_string().contains("symbolic link"));
    }

    #[test]
    fn what_others_can_write_to_is_refused() {
        let store = Fixture::new();
        store.file("production/a.env", "NAME=one\n");
        store.file("production/b.env", "NAME=two\n");
        store.rights("production/a.env", 0o646);
        let listing = store.store().list("production").unwrap();
        assert_eq!(listing.secrets.len(), 1);
        assert!(listing.denied[0].why.contains("chmod go-w"), "{:?}", listing.denied);
        store.rights("production", 0o757);
        assert!(store.store().list("production").unwrap_err().to_string().contains("chmod go-w"));
        store.rights("", 0o757);
        assert!(DotenvStore::open(store.path("")).is_err());
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_blocks_nobody() {
        let store = Fixture::new();
        let path = store.path("production/a.env");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        store.rights("production/a.env", 0o600);
        let listing = store.store().list("production").unwrap();
        assert_eq!(listing.denied[0].why, "it is no file");
    }
}
