//! Content for versions of files: lines that hold nothing, lines that leak, and edits.

use fastrand::Rng;

use crate::secrets::{example, password, token};

/// Words of code, some of them keywords of rules.
const WORDS: &[&str] = &[
    "let", "value", "compute", "(x, 1)", "return", "token", "for", "é", "secret", "{ }", ";", "password",
    "=", "index", "api_key", "//", "\"a b\"", "if", "match", "key:", "ghp_", "sk_live", "end", "0x1f",
    "AKIA", "->", "\t",
];

/// A line of such words, without its end.
pub(crate) fn line(rng: &mut Rng) -> String {
    let words: Vec<&str> = (0..rng.usize(1..9)).map(|_| WORDS[rng.usize(..WORDS.len())]).collect();
    words.join(" ")
}

pub(crate) fn lines(rng: &mut Rng, count: usize) -> Vec<String> {
    (0..count).map(|_| line(rng)).collect()
}

/// With a line feed behind each.
pub(crate) fn text(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

/// Lines of code, as a file.
pub(crate) fn code(seed: u64, count: usize) -> Vec<u8> {
    text(&lines(&mut Rng::with_seed(seed), count))
}

/// A line that leaks the secret of this number.
pub(crate) fn leak(number: u64) -> String {
    format!("token = \"{}\"\n", token("github-pat", number))
}

/// A keyword's line and the value's line below it: one match over two lines.
pub(crate) fn two_lines(number: u64) -> [String; 2] {
    ["- name: POSTGRES_PASSWORD".to_owned(), format!("  value: \"{}\"", password(number, 20))]
}

/// Code with a leak in its middle.
pub(crate) fn leaky(seed: u64, number: u64) -> Vec<u8> {
    [code(seed, 40), leak(number).into_bytes(), code(seed + 1, 40)].concat()
}

/// A few lines that some built-in rule has as its example, or as what it must not find.
pub(crate) fn rule_text(rng: &mut Rng) -> Vec<u8> {
    example(rng.u64(..)).into_bytes()
}

/// Puts something in place of a stretch.
pub(crate) fn spliced(bytes: &[u8], at: usize, cut: usize, put: &[u8]) -> Vec<u8> {
    [&bytes[..at], put, &bytes[at + cut..]].concat()
}
