//! A repository's own config file, as far as hekate asks it.
//!
//! Syntax: git-config(1). Includes are not followed: git itself reads what a repository's format is from this file alone, and a
//! repository under scan must not choose which other files are read.

use std::{io, path::Path};

use super::file;

/// A config file beyond this is none, in bytes.
const MOST: u64 = 16 << 20;

/// One `key = value`, in the order of the file.
#[derive(Debug, PartialEq, Eq)]
struct Setting {
    /// Lower case.
    section: String,
    /// As written, lower case where it stands behind a dot.
    subsection: Option<Vec<u8>>,
    /// Lower case.
    key: String,
    /// `None` for a key alone, which means true.
    value: Option<Vec<u8>>,
}

/// What a config file says.
#[derive(Debug, Default)]
pub(super) struct Config {
    settings: Vec<Setting>,
}

/// A line that is no config.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line} is no git config")]
pub(super) struct ConfigSyntaxError {
    line: usize,
}

impl Config {
    /// Reads a file; one that is not there says nothing.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let bytes = match file::read(path, MOST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            result => result?,
        };
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
        Self::parse(&bytes).map_err(|error| invalid(error.to_string()))
    }

    fn parse(bytes: &[u8]) -> Result<Self, ConfigSyntaxError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut parser = Parser { bytes, at: 0, line: 1 };
        let mut settings = Vec::new();
        let mut section: Option<(String, Option<Vec<u8>>)> = None;
        while let Some(byte) = parser.peek() {
            match byte {
                b'#' | b';' => parser.skip_line(),
                byte if byte.is_ascii_whitespace() => {
                    parser.next();
                }
                b'[' => section = Some(parser.section()?),
                byte if byte.is_ascii_alphabetic() => {
                    let Some((section, subsection)) = section.clone() else { return Err(parser.error()) };
                    let (key, value) = parser.setting()?;
                    settings.push(Setting { section, subsection, key, value });
                }
                _ => return Err(parser.error()),
            }
        }
        Ok(Self { settings })
    }

    /// The last value of `section.key`; section and key in lower case. Empty for a key alone.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&[u8]> {
        self.last(section, None, key).map(|setting| setting.value.as_deref().unwrap_or_default())
    }

    /// The last value of `section.subsection.key`.
    pub(super) fn get_in(&self, section: &str, subsection: &str, key: &str) -> Option<&[u8]> {
        let found = self.last(section, Some(subsection.as_bytes()), key);
        found.map(|setting| setting.value.as_deref().unwrap_or_default())
    }

    /// The last value of `section.key` as git reads booleans; `None` where there is none, or one that says neither.
    pub(super) fn flag(&self, section: &str, key: &str) -> Option<bool> {
        as_flag(self.last(section, None, key)?)
    }

    /// Whether any `section.*.key` is true.
    pub(super) fn any_flag(&self, section: &str, key: &str) -> bool {
        let named = |setting: &&Setting| setting.section == section && setting.key == key;
        self.settings.iter().filter(named).any(|setting| as_flag(setting) == Some(true))
    }

    /// Every key of a section without subsection, with its value.
    pub(super) fn section(&self, section: &str) -> impl Iterator<Item = (&str, &[u8])> {
        self.settings
            .iter()
            .filter(move |setting| setting.section == section && setting.subsection.is_none())
            .map(|setting| (setting.key.as_str(), setting.value.as_deref().unwrap_or(b"true")))
    }

    fn last(&self, section: &str, subsection: Option<&[u8]>, key: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|setting| {
            setting.section == section && setting.subsection.as_deref() == subsection && setting.key == key
        })
    }
}

fn as_flag(setting: &Setting) -> Option<bool> {
    let Some(value) = &setting.value else { return Some(true) };
    match value.to_ascii_lowercase().as_slice() {
        b"true" | b"yes" | b"on" => Some(true),
        b"" | b"false" | b"no" | b"off" => Some(false),
        number => std::str::from_utf8(number).ok()?.parse::<i64>().ok().map(|number| number != 0),
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Parser<'_> {
    /// The next byte; a `\r` before a `\n` is not seen.
    fn peek(&self) -> Option<u8> {
        match self.bytes.get(self.at..)? {
            [b'\r', b'\n', ..] => Some(b'\n'),
            rest => rest.first().copied(),
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += if self.bytes[self.at..].starts_with(b"\r\n") { 2 } else { 1 };
        self.line += usize::from(byte == b'\n');
        Some(byte)
    }

    fn error(&self) -> ConfigSyntaxError {
        ConfigSyntaxError { line: self.line }
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|byte| byte != b'\n') {}
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.next();
        }
    }

    fn word(&mut self, is_part: impl Fn(u8) -> bool) -> String {
        let mut word = String::new();
        while let Some(byte) = self.peek().filter(|byte| is_part(*byte)) {
            word.push(char::from(byte.to_ascii_lowercase()));
            self.next();
        }
        word
    }

    /// `[section]`, `[section "Sub"]` or `[section.sub]`.
    fn section(&mut self) -> Result<(String, Option<Vec<u8>>), ConfigSyntaxError> {
        self.next();
        let name = self.word(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        self.skip_blanks();
        match self.next() {
            Some(b']') => Ok(match name.split_once('.') {
                Some((section, sub)) => (section.to_owned(), Some(sub.as_bytes().to_vec())),
                None => (name, None),
            }),
            Some(b'"') => {
                let mut sub = Vec::new();
                loop {
                    match self.next() {
                        Some(b'"') => break,
                        Some(b'\\') => sub.push(self.next().ok_or_else(|| self.error())?),
                        Some(b'\n') | None => return Err(self.error()),
                        Some(byte) => sub.push(byte),
                    }
                }
                if self.next() == Some(b']') { Ok((name, Some(sub))) } else { Err(self.error()) }
            }
            _ => Err(self.error()),
        }
    }

    /// `key`, or `key = value`, to the end of its line.
    fn setting(&mut self) -> Result<(String, Option<Vec<u8>>), ConfigSyntaxError> {
        let key = self.word(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        self.skip_blanks();
        match self.peek() {
            None | Some(b'\n') => Ok((key, None)),
            Some(b'#' | b';') => {
                self.skip_line();
                Ok((key, None))
            }
            Some(b'=') => {
                self.next();
                self.skip_blanks();
                Ok((key, Some(self.value()?)))
            }
            Some(_) => Err(self.error()),
        }
    }

    fn value(&mut self) -> Result<Vec<u8>, ConfigSyntaxError> {
        let (mut value, mut is_quoted) = (Vec::new(), false);
        // White space at the end does not count, unless it is quoted.
        let mut kept = 0;
        loop {
            match self.next() {
                None | Some(b'\n') if is_quoted => return Err(self.error()),
                None | Some(b'\n') => break,
                Some(b'#' | b';') if !is_quoted => {
                    self.skip_line();
                    break;
                }
                Some(b'"') => {
                    is_quoted = !is_quoted;
                    kept = value.len();
                }
                Some(b'\\') => {
                    match self.next() {
                        Some(b'\n') => continue,
                        Some(b'n') => value.push(b'\n'),
                        Some(b't') => value.push(b'\t'),
                        Some(b'b') => value.push(8),
                        Some(byte @ (b'"' | b'\\')) => value.push(byte),
                        _ => return Err(self.error()),
                    }
                    kept = value.len();
                }
                Some(byte) => {
                    value.push(byte);
                    if is_quoted || !byte.is_ascii_whitespace() {
                        kept = value.len();
                    }
                }
            }
        }
        value.truncate(kept);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_git_reads_them() {
        let text = b"\xef\xbb\xbf# a comment\r\n[Core]\r\n\tBare = yes ; no\n\tworktree = \"a b \" c\\\\d  \n[remote \"Origin\"]\n\
            url = https://x \\\n y\n\tpromisor\n[Extensions]objectFormat=sha256 [a.B] c=1";
        let config = Config::parse(text).unwrap();
        assert_eq!(config.flag("core", "bare"), Some(true));
        assert_eq!(config.get("core", "worktree"), Some(b"a b  c\\d".as_slice()));
        assert_eq!(config.get_in("remote", "Origin", "url"), Some(b"https://x  y".as_slice()));
        assert_eq!(config.get_in("remote", "origin", "url"), None);
        assert!(config.any_flag("remote", "promisor"));
        assert_eq!(config.get("extensions", "objectformat"), Some(b"sha256 [a.B] c=1".as_slice()));
    }

    #[test]
    fn the_last_value_counts() {
        let config = Config::parse(b"[core]\nbare=1\n[x]\n[core]\nbare=off").unwrap();
        assert_eq!(config.flag("core", "bare"), Some(false));
    }

    #[test]
    fn what_is_no_config_is_an_error_with_its_line() {
        for text in
            ["[core]\n= 1", "bare = 1", "[core", "[core \"a]\n", "[a]\nb = \"c\n", "[a]\nb = \\x", "[a]\nb c"]
        {
            assert!(Config::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(Config::parse(b"[core]\n\n!").unwrap_err(), ConfigSyntaxError { line: 3 });
    }
}
