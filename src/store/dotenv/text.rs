//! The text of a dotenv file: which bytes stand for whose value, and the same text with one value changed.
//!
//! A line is `NAME=value`, with `export ` before it or not, or a comment, or blank. A value without quotes ends with the line, or before white space
//! that a `#` follows; blanks around it are not part of it. In single quotes everything is literal; in double quotes `\n`, `\r`, `\"`, `\\` and `\$` are
//! escapes and every other backslash is itself. Quoted values go over any number of lines, and so does a PEM block without quotes. Nothing is expanded.

use std::{collections::HashMap, ops::Range};

use zeroize::Zeroizing;

use crate::model::Secret;

/// What begins some files of some editors.
const MARK: &str = "\u{feff}";
/// White space within a line.
const BLANKS: [char; 2] = [' ', '\t'];

const NO_ASSIGNMENT: &str = "no `=`: a line is NAME=value, a comment, or blank";
const NO_NAME: &str = "a name before `=` has letters, digits and _ only, and no digit in front";
const OPEN_QUOTE: &str = "the quote that opens here is not closed";
const OPEN_PEM: &str = "the PEM block that begins here has no end";
const AFTER_QUOTE: &str = "only a comment, after white space, may follow the closing quote";
const RETURN: &str =
    "a carriage return within the line: lines end with a line feed, and a value that holds one is quoted";
const NUL: &str = "a NUL byte";
const NOT_TEXT: &str = "not UTF-8";

/// Why a text is no dotenv file. It shows nothing of the text but a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(super) struct Fault {
    /// Counted from 1.
    pub(super) line: usize,
    /// What is wrong with it.
    pub(super) what: String,
}

impl Fault {
    fn new(line: usize, what: &str) -> Self {
        Self { line, what: what.to_owned() }
    }
}

/// One assignment.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name.
    pub(super) name: String,
    /// Its value, without quotes and escapes.
    pub(super) value: Secret,
    /// Its lines, with the end of the last.
    lines: Range<usize>,
    /// What stands for the value, with quotes.
    written: Range<usize>,
}

/// A file's text, and the assignments in it.
pub(super) struct Text {
    text: Zeroizing<String>,
    /// In the order of the file.
    pub(super) entries: Vec<Entry>,
}

impl Text {
    /// Nothing yet.
    pub(super) fn empty() -> Self {
        Self { text: Zeroizing::default(), entries: Vec::new() }
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// The first line that is wrong: see [`Fault`].
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let line_of = |at: usize| 1 + memchr::memchr_iter(b'\n', &bytes[..at]).count();
        if let Some(at) = memchr::memchr(0, bytes) {
            return Err(Fault::new(line_of(at), NUL));
        }
        let text =
            str::from_utf8(bytes).map_err(|error| Fault::new(line_of(error.valid_up_to()), NOT_TEXT))?;
        let entries = entries(text)?;
        Ok(Self { text: Zeroizing::new(text.to_owned()), entries })
    }

    /// The assignment of a name.
    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The text in which a name has this value; every other line is as it was.
    pub(super) fn with(&self, name: &str, value: &str) -> Zeroizing<String> {
        let quoted = quote(value);
        if let Some(Entry { written, .. }) = self.find(name) {
            return self.splice(written.clone(), &quoted);
        }
        let ending = self.ending();
        let before = if self.text.is_empty() || self.text.ends_with('\n') { "" } else { ending };
        let line = Zeroizing::new(format!("{before}{name}={}{ending}", *quoted));
        self.splice(self.text.len()..self.text.len(), &line)
    }

    /// The text without a name's lines.
    pub(super) fn without(&self, entry: &Entry) -> Zeroizing<String> {
        self.splice(entry.lines.clone(), "")
    }

    fn splice(&self, range: Range<usize>, text: &str) -> Zeroizing<String> {
        // At once as long as it gets: a buffer that grows leaves copies of values behind.
        let mut spliced = Zeroizing::new(String::with_capacity(self.text.len() + text.len()));
        spliced.push_str(&self.text[..range.start]);
        spliced.push_str(text);
        spliced.push_str(&self.text[range.end..]);
        spliced
    }

    /// How its lines end, by the first.
    fn ending(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}

/// Whether it can be the name of a secret here.
pub(super) fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.chars().all(is_name_character)
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A value as it is written: bare where nobody could read it otherwise, in single quotes where that is literal, or else in double ones, in one line.
pub(super) fn quote(value: &str) -> Zeroizing<String> {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,=-".contains(c);
    if value.chars().all(is_bare) {
        return Zeroizing::new(value.to_owned());
    }
    if !value.contains(|c: char| c == '\'' || c.is_control()) {
        return Zeroizing::new(format!("'{value}'"));
    }
    let mut quoted = Zeroizing::new(String::with_capacity(2 * value.len() + 2));
    quoted.push('"');
    for c in value.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn entries(text: &str) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut lines: HashMap<String, usize> = HashMap::new();
    let mut at = if text.starts_with(MARK) { MARK.len() } else { 0 };
    let mut line = 1;
    while at < text.len() {
        let content = &text[at..content_end(text, at)];
        let end = if is_remark(content) {
            no_return(content, line)?;
            line_end(text, at)
        } else {
            let entry = assignment(text, at, line)?;
            if let Some(first) = lines.insert(entry.name.clone(), line) {
                let what = format!("{} is set a second time; line {first} has it too", entry.name);
                return Err(Fault { line, what });
            }
            let end = entry.lines.end;
            entries.push(entry);
            end
        };
        line += text[at..end].matches('\n').count();
        at = end;
    }
    Ok(entries)
}

/// Where the line ends that this place is in, with its line feed.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |length| at + length + 1)
}

/// The same without its line feed, and without a carriage return before that.
fn content_end(text: &str, at: usize) -> usize {
    let line = &text[at..line_end(text, at)];
    let content = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    at + content.len()
}

fn is_remark(content: &str) -> bool {
    let content = content.trim_start_matches(BLANKS);
    content.is_empty() || content.starts_with('#')
}

/// Some readers end a line there, and would see an assignment where we see none.
fn no_return(content: &str, line: usize) -> Result<(), Fault> {
    if content.contains('\r') { Err(Fault::new(line, RETURN)) } else { Ok(()) }
}

fn assignment(text: &str, start: usize, line: usize) -> Result<Entry, Fault> {
    let content = &text[start..content_end(text, start)];
    let Some((front, _)) = content.split_once('=') else { return Err(Fault::new(line, NO_ASSIGNMENT)) };
    let name = front.trim_matches(BLANKS);
    let name = match name.strip_prefix("export") {
        Some(rest) if rest.starts_with(BLANKS) => rest.trim_start_matches(BLANKS),
        _ => name,
    };
    if !is_name(name) {
        return Err(Fault::new(line, NO_NAME));
    }
    let value = value(text, start + front.len() + 1, line)?;
    Ok(Entry {
        name: name.to_owned(),
        value: value.value,
        lines: start..line_end(text, value.written.end),
        written: value.written,
    })
}

struct Value {
    value: Secret,
    written: Range<usize>,
}

/// The value that stands behind the `=`.
fn value(text: &str, at: usize, line: usize) -> Result<Value, Fault> {
    let rest = &text[at..content_end(text, at)];
    let start = at + rest.len() - rest.trim_start_matches(BLANKS).len();
    let body = &text[start..];
    if let Some(quoted) = body.strip_prefix('\'') {
        let length = quoted.find('\'').ok_or_else(|| Fault::new(line, OPEN_QUOTE))?;
        let value = Secret::new(&quoted.as_bytes()[..length]);
        return quoted_value(text, value, start..start + length + 2, line);
    }
    if let Some(quoted) = body.strip_prefix('"') {
        let (value, length) = unescape(quoted).ok_or_else(|| Fault::new(line, OPEN_QUOTE))?;
        return quoted_value(text, value, start..start + length + 2, line);
    }
    if let Some(label) = pem_label(rest.trim_matches(BLANKS)) {
        return pem(text, start, label).ok_or_else(|| Fault::new(line, OPEN_PEM));
    }
    no_return(rest, line)?;
    Ok(bare(rest, at))
}

/// A value in quotes, if nothing but a comment follows.
fn quoted_value(text: &str, value: Secret, written: Range<usize>, line: usize) -> Result<Value, Fault> {
    let last = line + text[written.clone()].matches('\n').count();
    let tail = &text[written.end..content_end(text, written.end)];
    no_return(tail, last)?;
    let is_comment =
        tail.trim_start_matches(BLANKS).is_empty() || (is_remark(tail) && tail.starts_with(BLANKS));
    if is_comment { Ok(Value { value, written }) } else { Err(Fault::new(last, AFTER_QUOTE)) }
}

/// What stands up to the closing double quote, and how long that is as it is written.
fn unescape(quoted: &str) -> Option<(Secret, usize)> {
    let mut value = Zeroizing::new(String::with_capacity(closing(quoted)?));
    let mut rest = quoted.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '"' => return Some((Secret::new(value.as_bytes()), at)),
            '\\' => match rest.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                c @ ('"' | '\\' | '$') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

/// Where the closing double quote stands.
fn closing(quoted: &str) -> Option<usize> {
    let mut is_escaped = false;
    quoted.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

/// The label of a line that begins a PEM block and does not end it.
fn pem_label(line: &str) -> Option<&str> {
    let label = line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
    (!label.contains('-')).then_some(label)
}

/// A PEM block without quotes, up to the line that ends it; its lines end with line feeds, whatever those of the file end with.
fn pem(text: &str, start: usize, label: &str) -> Option<Value> {
    let last = format!("-----END {label}-----");
    let mut value = Zeroizing::new(String::new());
    let mut at = start;
    while at < text.len() {
        let end = content_end(text, at);
        let line = text[at..end].trim_end_matches(BLANKS);
        value.push_str(line);
        if line == last {
            return Some(Value { value: Secret::new(value.as_bytes()), written: start..at + line.len() });
        }
        value.push('\n');
        at = line_end(text, at);
    }
    None
}

/// A value without quotes: `rest` is what follows the `=` in its line, from `at` on.
fn bare(rest: &str, at: usize) -> Value {
    let is_comment = |&(at, _): &(usize, &str)| rest[..at].ends_with(BLANKS);
    let end = rest.match_indices('#').find(is_comment).map_or(rest.len(), |(at, _)| at);
    let value = rest[..end].trim_matches(BLANKS);
    let start = if value.is_empty() { 0 } else { rest.len() - rest.trim_start_matches(BLANKS).len() };
    Value { value: Secret::new(value), written: at + start..at + start + value.len() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let text = Text::parse(text.as_bytes()).unwrap();
        let pair =
            |entry: &Entry| (entry.name.clone(), String::from_utf8(entry.value.expose().to_vec()).unwrap());
        text.entries.iter().map(pair).collect()
    }

    /// The one value of a text.
    fn value(text: &str) -> String {
        let mut pairs = read(text);
        assert_eq!(pairs.len(), 1, "{text:?}");
        pairs.remove(0).1
    }

    fn fault(text: &[u8]) -> String {
        Text::parse(text).err().expect("it is wrong").to_string()
    }

    #[test]
    fn values_without_quotes_end_before_blanks_and_comments() {
        for (text, expected) in [
            ("A=b", "b"),
            ("A=b\n", "b"),
            ("A=b\r\n", "b"),
            ("A = b \t\n", "b"),
            ("A=b # c", "b"),
            ("A=b#c", "b#c"),
            ("A=#c", "#c"),
            ("A= # c", ""),
            ("A=", ""),
            ("A=b=c==", "b=c=="),
            ("A=b\\nc", "b\\nc"),
            ("A=$B${C}", "$B${C}"),
            ("A=it's", "it's"),
            ("export A=b", "b"),
            ("\u{feff}A=b", "b"),
            ("  # c\n\n\tA=b\n", "b"),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn quoted_values_are_literal_or_escaped_and_go_over_lines() {
        for (text, expected) in [
            ("A='b c # d'", "b c # d"),
            ("A='b\\n$C' # c", "b\\n$C"),
            ("A='b\nc'\n", "b\nc"),
            ("A='b\r\nc'\r\n", "b\r\nc"),
            ("A=\" b \"", " b "),
            ("A=\"b\\nc\\\"\\\\\\$\\r\"", "b\nc\"\\$\r"),
            ("A=\"C:\\dir\\t\"", "C:\\dir\\t"),
            ("A=\"$B\"", "$B"),
            ("A=\"\"", ""),
            ("A=\"b\n# c\nd\"", "b\n# c\nd"),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_pem_block_needs_no_quotes() {
        let block = format!("-----BEGIN {0}-----\nMIIB\nAA==\n-----END {0}-----", "PUBLIC KEY");
        assert_eq!(value(&format!("A={block}\n")), block);
        assert_eq!(value(&format!("A={}\r\n", block.replace('\n', "\r\n"))), block);
        assert_eq!(read(&format!("A={block}\nB=c\n"))[1], ("B".to_owned(), "c".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_values() {
        for (text, expected) in [
            ("A=b\nhunter2\n", format!("line 2: {NO_ASSIGNMENT}")),
            ("1A=hunter2", format!("line 1: {NO_NAME}")),
            ("A-B=hunter2", format!("line 1: {NO_NAME}")),
            ("export =hunter2", format!("line 1: {NO_NAME}")),
            ("=hunter2", format!("line 1: {NO_NAME}")),
            ("\nA='hunter2\n\n", format!("line 2: {OPEN_QUOTE}")),
            ("A=\"hunter2\\\"", format!("line 1: {OPEN_QUOTE}")),
            ("A='hunter2'x", format!("line 1: {AFTER_QUOTE}")),
            ("A='b\nhunter2'#x", format!("line 2: {AFTER_QUOTE}")),
            ("A=b\rB=hunter2\n", format!("line 1: {RETURN}")),
            ("# c\rB=hunter2\n", format!("line 1: {RETURN}")),
            ("A=-----BEGIN KEY-----\nhunter2\n", format!("line 1: {OPEN_PEM}")),
            ("A=b\n\nA=hunter2\n", "line 3: A is set a second time; line 1 has it too".to_owned()),
            ("A='b\nc'\nB=hunter2\0", format!("line 3: {NUL}")),
        ] {
            assert_eq!(fault(text.as_bytes()), expected, "{text:?}");
        }
        assert_eq!(fault(b"A=b\nB=hunter2\xff"), format!("line 2: {NOT_TEXT}"));
    }

    #[test]
    fn a_written_value_leaves_every_other_byte() {
        let text =
            Text::parse(b"\xef\xbb\xbf# top\r\nexport A= old  # why\r\nB='x\r\ny'\r\n\r\nC=z").unwrap();
        let rest = "B='x\r\ny'\r\n\r\nC=z";
        assert_eq!(*text.with("A", "new"), format!("\u{feff}# top\r\nexport A= new  # why\r\n{rest}"));
        assert_eq!(*text.with("A", ""), format!("\u{feff}# top\r\nexport A=   # why\r\n{rest}"));
        assert_eq!(*text.with("D", "a b"), format!("{}\r\nD='a b'\r\n", *text.text));
        let entry = text.find("B").unwrap();
        assert_eq!(*text.without(entry), "\u{feff}# top\r\nexport A= old  # why\r\n\r\nC=z");
    }

    #[test]
    fn an_empty_value_can_be_filled() {
        let text = Text::parse(b"A=   # why\nB=\n").unwrap();
        assert_eq!(*text.with("A", "new"), "A=new   # why\nB=\n");
        assert_eq!(*text.with("B", "#"), "A=   # why\nB='#'\n");
    }

    fn any_value() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            "\n",
            "\r\n",
            "\r",
            "\t",
            "'",
            "\"",
            "\\",
            "\\n",
            "$",
            "${A}",
            "#",
            " #",
            " ",
            "=",
            "\u{1}",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "-----BEGIN X-----",
            "export ",
            "é",
        ]);
        let piece = prop_oneof![odd.prop_map(str::to_owned), "[^\\x00]{0,8}", "[a-z]{1,4}"];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_value_comes_back(first in any_value(), second in any_value(), ending in "\r?\n") {
            let text = format!("A={}{ending}B={} # c{ending}", *quote(&first), *quote(&second));
            prop_assert_eq!(read(&text), [("A".to_owned(), first.clone()), ("B".to_owned(), second.clone())]);
            let parsed = Text::parse(text.as_bytes()).unwrap();
            let swapped = parsed.with("A", &second);
            let swapped = Text::parse(swapped.as_bytes()).unwrap().with("B", &first);
            prop_assert_eq!(read(&swapped), [("A".to_owned(), second.clone()), ("B".to_owned(), first.clone())]);
            let swapped = Text::parse(swapped.as_bytes()).unwrap();
            prop_assert_eq!(read(&swapped.without(&swapped.entries[0])), [("B".to_owned(), first)]);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), lines in any_value()) {
            let _ = Text::parse(&bytes).is_ok();
            let _ = Text::parse(lines.as_bytes()).is_ok();
        }
    }
}
