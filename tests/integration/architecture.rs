//! Holds the house: which room may use which, and which words belong to which room.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// Rooms by layer, as in DESIGN.md, section 10. A room uses rooms of a lower number only.
const LAYERS: &[(&str, u8)] = &[
    ("model", 0),
    ("git", 1),
    ("rule", 1),
    ("detect", 2),
    ("net", 2),
    ("source", 3),
    ("history", 3),
    ("store", 3),
    ("provider", 3),
    ("triage", 4),
    ("inventory", 4),
    ("output", 4),
    ("scan", 5),
    ("prove", 5),
    ("lint", 5),
    ("respond", 6),
    ("verify", 6),
    ("sweep", 6),
    ("config", 7),
    ("hook", 7),
    ("cli", 8),
];

fn layer(room: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == room).map(|(_, layer)| *layer)
}

/// A source file: its path under `src`, and its code without comments and text.
struct Source {
    path: String,
    code: String,
}

impl Source {
    /// The room it belongs to; the crate's own two files belong to none.
    fn room(&self) -> Option<&str> {
        let first = self.path.split('/').next().unwrap_or_default();
        let room = first.strip_suffix(".rs").unwrap_or(first);
        (!matches!(room, "main" | "lib")).then_some(room)
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("list a folder of src") {
            let path = entry.expect("list a folder of src").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    let source = |file: &PathBuf| Source {
        path: file.strip_prefix(&root).expect("it lies in src").to_string_lossy().replace('\\', "/"),
        code: without_comments_and_text(&fs::read_to_string(file).expect("read a source file")),
    };
    files.iter().map(source).collect()
}

/// Code with comments, strings and character literals blanked. Raw strings have to be balanced, as rustfmt leaves them.
fn without_comments_and_text(code: &str) -> String {
    let blank = concat!(
        r#"(?s)//[^\n]*"#,
        r#"|/\*.*?\*/"#,
        r##"|\bb?r#".*?"#"##,
        r###"|\bb?r##".*?"##"###,
        r#"|\bb?r"[^"]*""#,
        r#"|"(?:[^"\\]|\\.)*""#,
        r"|'(?:[^'\\\n]|\\(?:[^u]|u\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}))'",
    );
    Regex::new(blank).expect("a valid regex").replace_all(code, " ").into_owned()
}

/// The rooms that code names as `crate::room…` or in `crate::{room, …}`.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let path = Regex::new(r"\bcrate::\s*(\{|\w+)").expect("a valid regex");
    let mut rooms = BTreeSet::new();
    for found in path.captures_iter(code) {
        let target = found.get(1).expect("the group takes part");
        if target.as_str() == "{" {
            rooms.extend(heads_of_group(&code[target.end()..]));
        } else {
            rooms.insert(target.as_str().to_owned());
        }
    }
    rooms
}

/// The first word of each path in a `use` group, up to the brace that closes it.
fn heads_of_group(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut items = vec![String::new()];
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            _ if depth == 0 => items.last_mut().expect("it starts with one").push(c),
            _ => {}
        }
    }
    let head = |item: &String| item.trim().split([':', ' ']).next().unwrap_or_default().to_owned();
    items.iter().map(head).filter(|head| !head.is_empty()).collect()
}

/// Every file outside of the allowed places that holds the pattern.
fn intruders(pattern: &str, is_allowed: impl Fn(&str) -> bool) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("a valid regex");
    let holds = |source: &Source| pattern.is_match(&source.code) && !is_allowed(&source.path);
    sources().into_iter().filter(holds).map(|source| source.path).collect()
}

#[test]
fn rooms_use_lower_rooms_only() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(room) = source.room() else { continue };
        let Some(own) = layer(room) else {
            wrong.push(format!("{}: room `{room}` is not in the table of layers", source.path));
            continue;
        };
        for other in rooms_named(&source.code).iter().filter(|other| *other != room) {
            match layer(other) {
                None => wrong.push(format!("{}: crate::{other} is no room", source.path)),
                Some(theirs) if theirs >= own => {
                    wrong.push(format!("{}: {room} ({own}) uses {other} ({theirs})", source.path));
                }
                Some(_) => {}
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// How many `super` in a row lead from a file's own module to the crate.
fn depth(path: &str) -> usize {
    path.matches('/').count() + usize::from(!path.ends_with("/mod.rs"))
}

/// The longest row of `super` in code.
fn longest_climb(code: &str) -> usize {
    let row = Regex::new(r"\bsuper(?:\s*::\s*super\b)*").expect("a valid regex");
    row.find_iter(code).map(|found| found.as_str().matches("super").count()).max().unwrap_or(0)
}

#[test]
fn nobody_climbs_out_of_a_room_by_super() {
    let climbs = |source: &Source| {
        let (code, tests) = source.code.split_once("#[cfg(test)]").unwrap_or((&source.code, ""));
        let depth = depth(&source.path);
        // The test module lies one deeper.
        source.room().is_some() && (longest_climb(code) >= depth || longest_climb(tests) > depth)
    };
    let wrong: Vec<String> = sources().into_iter().filter(climbs).map(|source| source.path).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn clap_is_known_to_the_command_line_only() {
    assert_eq!(intruders(r"\bclap\b", |path| path.starts_with("cli/")), Vec::<String>::new());
}

#[test]
fn sarif_types_stay_in_their_file() {
    assert_eq!(intruders(r"\bserde_sarif\b", |path| path == "output/sarif.rs"), Vec::<String>::new());
}

#[test]
fn libgit2_is_known_to_git_and_config_only() {
    assert_eq!(
        intruders(r"\bgit2\b", |path| { path.starts_with("config/") || path.starts_with("git/") }),
        Vec::<String>::new()
    );
}

#[test]
fn nothing_is_async() {
    assert_eq!(intruders(r"\btokio\b|\basync\b", |_| false), Vec::<String>::new());
}

#[test]
fn only_the_command_line_prints() {
    let pattern = r"\b(?:e?print(?:ln)?|dbg)!|\bio::std(?:out|err)\b|\bstd(?:out|err)\(\)";
    assert_eq!(intruders(pattern, |path| path.starts_with("cli/")), Vec::<String>::new());
}

#[test]
fn unsafe_code_stays_in_the_audited_files() {
    let pattern = r"\bunsafe\b";
    assert_eq!(
        intruders(pattern, |path| { path == "detect/prefilter/avx2.rs" || path == "git/map.rs" }),
        Vec::<String>::new()
    );
}

#[test]
fn the_reader_of_code_sees_paths_and_no_text() {
    let code = r##"
        // crate::cli is not used
        use crate::{
            detect::{Content, Detector}, model::Span,
            rule,
        };
        let text = "crate::config \" crate::scan"; let quote = '"'; crate::triage::run("println!");
        let raw = r#"crate::output"#;
    "##;
    let code = without_comments_and_text(code);
    let rooms: Vec<String> = rooms_named(&code).into_iter().collect();
    assert_eq!(rooms, ["detect", "model", "rule", "triage"]);
    assert!(!code.contains("println"));
}
