//! Input that nobody wished for.

use std::{
    ffi::OsStr,
    fs,
    io::Read,
    os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
    process::{Command, Stdio},
};

use crate::{
    harness::{HEKATE, Project, is_root, run},
    secrets::{pem, token, utf16},
};

fn line(seed: u64) -> String {
    format!("token = \"{}\"\n", token("github-pat", seed))
}

/// What the only occurrence of the only finding says: line, column, span.
fn only_place(project: &Project, path: &str) -> (u64, u64, usize, usize) {
    let occurrences = project.scan(&[path]).ends(1).occurrences();
    assert_eq!(occurrences.len(), 1, "{path}: {occurrences:?}");
    let number = |at: &str| occurrences[0].pointer(at).and_then(serde_json::Value::as_u64).expect("a number");
    (
        number("/start/line"),
        number("/start/column"),
        usize::try_from(number("/span/start")).expect("small"),
        usize::try_from(number("/span/end")).expect("small"),
    )
}

#[test]
fn zero_bytes_and_bad_utf8_hide_nothing() {
    let project = Project::new();
    let secret = token("github-pat", 1);
    for (index, junk) in
        [b"\0\0\0".as_slice(), b"\xff\xfe\xfd", b"\xc3", b"\xf0\x9f", b"\x80"].iter().enumerate()
    {
        let name = format!("{index}.bin");
        project.file(&name, [b"ab", *junk, b"\n\"", secret.as_bytes(), b"\"", *junk].concat());
        let (line, column, start, end) = only_place(&project, &name);
        assert_eq!((line, column), (2, 2), "{junk:?}");
        assert_eq!(&fs::read(project.path(&name)).unwrap()[start..end], secret.as_bytes());
    }
}

#[test]
fn every_kind_of_line_end_counts() {
    let project = Project::new();
    for (name, end) in [("unix", "\n"), ("dos", "\r\n"), ("mac", "\r")] {
        project.file(name, format!("one{end}two{end}{}{end}", line(1).trim()));
        let (line, column, ..) = only_place(&project, name);
        assert_eq!((line, column), (3, 10), "{name}");
    }
    let excerpt = project.scan(&["dos"]).occurrences()[0]["excerpt"].clone();
    assert_eq!(excerpt, "token = \"ghp_********\"");
}

#[test]
fn keys_with_any_line_end_are_one_secret() {
    let project = Project::new();
    project
        .file("unix", pem(1))
        .file("dos", pem(1).replace('\n', "\r\n"))
        .file("mac", pem(1).replace('\n', "\r"));
    let outcome = project.scan(&[]).ends(1);
    assert_eq!((outcome.rules().len(), outcome.occurrences().len()), (1, 3));
}

#[test]
fn a_byte_order_mark_is_no_column_but_counts_in_the_span() {
    let project = Project::new();
    project.file("a.py", format!("\u{feff}{}", line(1)));
    assert_eq!(only_place(&project, "a.py"), (1, 10, 12, 52));
    project.file("b.py", format!("\u{feff}x\n{}", line(1)));
    assert_eq!(only_place(&project, "b.py"), (2, 10, 14, 54));
}

#[test]
fn utf16_is_decoded_and_spans_are_those_of_the_file() {
    let project = Project::new();
    let secret = token("github-pat", 1);
    let text = format!("# größe\n# second\nkey = \"{secret}\"  # end\n");
    for (big, mark) in [(false, true), (true, true), (false, false), (true, false)] {
        let name = format!("{big}-{mark}.txt");
        let bytes = utf16(&if mark { format!("\u{feff}{text}") } else { text.clone() }, big);
        project.file(&name, &bytes);
        let (line, column, start, end) = only_place(&project, &name);
        assert_eq!((line, column), (3, 8), "{name}");
        assert_eq!(bytes[start..end], utf16(&secret, big), "{name}");
        project.scan(&[&name, "--skip-binary"]).ends(1);
    }
    // A character of two units, before and within the line.
    let text = format!("\u{feff}😀\n😀 = '{secret}'\n");
    project.file("pairs.txt", utf16(&text, true));
    assert_eq!(only_place(&project, "pairs.txt"), (2, 6, 20, 100));
    let bytes = utf16(&format!("\u{feff}{}", line(2)), false);
    let piped = project.hekate_with(&bytes, &[], &["scan", "-", "--format", "json"]).ends(1);
    assert_eq!(piped.places(), ["stdin:1:10"]);
}

#[test]
fn what_looks_like_utf16_hides_no_plain_bytes() {
    let project = Project::new();
    let mark = [utf16("\u{feff}", false), line(1).into_bytes()].concat();
    let guess = [utf16(&"plain words in here\n".repeat(60), false), line(2).into_bytes()].concat();
    project.file("mark.txt", mark).file("guess.txt", guess);
    assert_eq!(project.scan(&[]).ends(1).paths(), ["guess.txt", "mark.txt"]);
}

#[test]
fn a_big_utf16_file_is_decoded_too() {
    let project = Project::new();
    let secret = token("github-pat", 1);
    let text = format!("{}key = \"{secret}\"\n", "größe = 1\n".repeat(120_000));
    let bytes = utf16(&format!("\u{feff}{text}"), false);
    project.file("big.txt", &bytes);
    let (line, column, start, end) = only_place(&project, "big.txt");
    assert_eq!((line, column), (120_001, 8));
    assert_eq!(bytes[start..end], utf16(&secret, false));
}

#[test]
fn fifos_sockets_and_devices_are_never_opened() {
    let project = Project::new();
    project.file("a.py", line(1));
    project.run("mkfifo", &["pipe"]);
    let socket = UnixListener::bind(project.path("socket")).unwrap();
    let outcome = project.scan(&[]).ends(1);
    assert_eq!(outcome.gaps(), ["pipe: special", "socket: special"]);
    assert_eq!(outcome.paths(), ["a.py"]);
    drop(socket);
    fs::remove_file(project.path("a.py")).unwrap();
    project.scan(&[]).ends(0);
}

#[test]
fn a_fifo_or_device_that_is_named_is_refused_and_not_called_clean() {
    let project = Project::new();
    project.run("mkfifo", &["pipe"]);
    project.scan(&["pipe"]).refuses(&["pipe", "FIFO", "`-`"]);
    project.scan(&["/dev/zero"]).refuses(&["/dev/zero"]);
}

/// Runs hekate as a user who can't read everything, where that can be done.
fn unprivileged(project: &Project, args: &[&str]) -> Option<Command> {
    use std::os::unix::fs::PermissionsExt;
    if !is_root() {
        let mut command = project.command();
        command.args(args);
        return Some(command);
    }
    fs::set_permissions(project.root(), fs::Permissions::from_mode(0o755)).expect("make it readable");
    let as_nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", HEKATE];
    let works = Command::new("setpriv").args(as_nobody).arg("--version").stdout(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args(as_nobody).args(args).env_clear().current_dir(project.root());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", "/nonexistent");
    Some(command)
}

#[test]
fn what_can_not_be_read_is_listed_and_makes_the_scan_incomplete() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new();
    project.file("closed.py", line(1)).file("closed/a.py", line(2)).file("open.py", "x = 1\n");
    let close =
        |path: &str| fs::set_permissions(project.path(path), fs::Permissions::from_mode(0o000)).unwrap();
    close("closed.py");
    close("closed");
    // As root where there is no setpriv nothing is unreadable; the next test still holds.
    let Some(command) = unprivileged(&project, &["scan", "--format", "json"]) else { return };
    let outcome = run(command, b"").ends(3);
    assert_eq!(outcome.gaps(), ["closed: unreadable", "closed.py: unreadable"]);
    let zero = unprivileged(&project, &["scan", "--exit-zero"]).expect("as above");
    run(zero, b"").ends(3);
    project.file("dirty.py", line(3));
    run(unprivileged(&project, &["scan", "--exit-zero"]).expect("as above"), b"").ends(3);
    run(unprivileged(&project, &["scan"]).expect("as above"), b"").ends(1);
    fs::set_permissions(project.path("closed"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_fails_while_it_is_read_makes_the_scan_incomplete() {
    let project = Project::new();
    project.file("clean.py", "x = 1\n");
    // The first page of a process is never mapped: reading it fails, for root too.
    let outcome = project.scan(&["/proc/self/mem", "clean.py"]).ends(3);
    assert_eq!(outcome.json()["coverage"]["gaps"][0]["reason"], "unreadable");
    let pruned = project.hekate(&["baseline", "prune", "/proc/self/mem"]).ends(2);
    assert!(pruned.stderr.contains("unchanged"), "{}", pruned.stderr);
}

#[test]
fn a_named_link_to_nothing_is_refused() {
    let project = Project::new();
    symlink("nowhere", project.path("dangling")).unwrap();
    project.scan(&["dangling"]).refuses(&["dangling"]);
    project.scan(&["."]).ends(0);
}

#[test]
fn a_loop_of_links_ends() {
    let project = Project::new();
    project.file("a/b/x.py", line(1));
    symlink("../..", project.path("a/b/up")).unwrap();
    symlink("self", project.path("self")).unwrap();
    let outcome = project.scan(&[]).ends(1);
    assert_eq!(outcome.paths(), ["a/b/x.py"]);
}

#[test]
fn file_names_with_control_and_foreign_bytes_are_reported_safely() {
    let project = Project::new();
    let names: [&[u8]; 4] = [b"new\nline.py", b"esc\x1b[31mred.py", b"bad\xff.py", b"quote\"\\.py"];
    for (index, name) in names.iter().enumerate() {
        fs::write(project.root().join(OsStr::from_bytes(name)), line(index as u64 + 1)).unwrap();
    }
    let outcome = project.scan(&[]).ends(1);
    let expected = ["bad\\xff.py", "esc\u{1b}[31mred.py", "new\nline.py", "quote\"\\.py"];
    assert_eq!(outcome.paths(), expected);
    assert!(!outcome.stdout.contains('\u{1b}'));
    project.hekate(&["baseline", "write"]).ends(0);
    project.scan(&[]).ends(0);
}

#[test]
fn weak_secrets_in_files_with_blanks_in_their_names_are_accepted() {
    let project = Project::new();
    let weak = crate::secrets::password(1, 10);
    project.file("with blank\nand more.py", format!("smtp_password = \"{weak}\"\n"));
    project.scan(&[]).ends(1);
    project.hekate(&["baseline", "write"]).ends(0);
    project.scan(&[]).ends(0);
}

#[test]
fn a_line_of_64_mib_is_scanned_to_its_end() {
    let project = Project::new();
    let mut bytes = b"var a=b(1);".repeat((64 << 20) / 11);
    let mut places = Vec::new();
    for (seed, at) in [(1, 100), (2, 32 << 20), (3, bytes.len() - 60)] {
        let held = format!("\"{}\"", token("github-pat", seed));
        bytes[at..at + held.len()].copy_from_slice(held.as_bytes());
        places.push(format!("line.js:1:{}", at + 2));
    }
    project.file("line.js", &bytes);
    places.sort();
    assert_eq!(project.scan(&[]).ends(1).places(), places);
}

#[test]
fn a_keyword_repeated_a_million_times_takes_its_time_but_ends() {
    let project = Project::new();
    for (index, keyword) in ["ghp_", "password=", "token\n", "-----BEGIN "].iter().enumerate() {
        project.file(&format!("{index}.txt"), keyword.repeat(1_000_000));
    }
    project.scan(&[]).ends(0);
}

#[test]
fn a_line_full_of_secrets_is_judged_in_bounded_memory() {
    let project = Project::new();
    // Beyond what is held in memory at once, so that each match's surroundings are read.
    let entry = |seed: u64| format!("\"{}\",{}", token("aws-access-token", seed), " ".repeat(150));
    project.file("line.json", format!("[{}]", (0..10_000).map(entry).collect::<String>()));
    let outcome = run(limited(&project), b"").ends(1);
    assert!(outcome.findings().len() > 9_900, "{}", outcome.findings().len());
}

#[test]
fn a_file_of_a_hundred_thousand_secrets_takes_linear_time() {
    let project = Project::new();
    let lines: String =
        (0..100_000).map(|seed| format!("\"{}\"\n", token("aws-access-token", seed))).collect();
    project.file("lines.txt", lines);
    let outcome = project.scan(&[]).ends(1);
    assert!(outcome.findings().len() > 99_000, "{}", outcome.findings().len());
}

/// A scan that may use one GiB of address space.
fn limited(project: &Project) -> Command {
    let scan = project.command();
    let mut command = Command::new("sh");
    let script = "ulimit -v 1048576; exec \"$0\" scan --format json -j 2";
    command.args(["-c", script, HEKATE]).current_dir(project.root()).env_clear();
    command.envs(scan.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[test]
fn empty_files_and_folders_are_clean() {
    let project = Project::new();
    project.scan(&[]).ends(0);
    project.file("empty", "").file("mark", "\u{feff}").file("half", b"\xff\xfe").file("cr", "\r");
    let outcome = project.scan(&[]).ends(0);
    assert_eq!(outcome.json()["coverage"]["files"], 4);
    project.hekate_with(b"", &[], &["scan", "-"]).ends(0);
}

#[test]
fn deep_folders_are_walked_to_their_bottom() {
    let project = Project::new();
    let path = format!("{}x.py", "d/".repeat(800));
    project.file(&path, line(1));
    assert_eq!(project.scan(&[]).ends(1).paths(), [path]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let project = Project::new();
    let lines: String = (0..3000).map(line).collect();
    project.file("a.py", lines);
    for args in
        [&["scan", "--format", "json"][..], &["scan"], &["rules", "list", "--format", "json"], &["--help"]]
    {
        let mut command = project.command();
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let code = child.wait().unwrap().code();
        assert_eq!(said, "", "{args:?}");
        assert_eq!(code, Some(i32::from(args[0] == "scan")), "{args:?}");
    }
}
