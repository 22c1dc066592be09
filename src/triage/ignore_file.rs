//! `.gitleaksignore`: accepted findings by place, `path:rule:line` or `commit:path:rule:line`, one a line.

use std::collections::HashSet;

/// A parsed `.gitleaksignore`.
#[derive(Debug, Default, Clone)]
pub struct IgnoreFile {
    /// By commit, where the entry names one, then path, rule and line.
    entries: HashSet<(Option<String>, String, String, u64)>,
}

/// A line that is no fingerprint of gitleaks'.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: `{text}` is not path:rule:line")]
pub struct IgnoreFileError {
    line: usize,
    text: String,
}

impl IgnoreFile {
    /// Reads the file's text. Entries with a commit hold in the history of that commit only.
    ///
    /// # Errors
    /// The first line that is no fingerprint.
    pub fn parse(text: &str) -> Result<Self, IgnoreFileError> {
        let mut entries = HashSet::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fail = || IgnoreFileError { line: index + 1, text: line.to_owned() };
            let mut parts = line.rsplitn(3, ':');
            let (Some(number), Some(rule), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
                return Err(fail());
            };
            let number = number.parse().map_err(|_| fail())?;
            let (commit, path) = split_commit(path);
            entries.insert((commit, path.trim_start_matches("./").to_owned(), rule.to_owned(), number));
        }
        Ok(Self { entries })
    }

    /// Whether a finding of this rule on this line is accepted.
    pub fn accepts(&self, commit: Option<&str>, path: &str, rule: &str, line: u64) -> bool {
        let holds = |commit: Option<&str>| {
            let entry = (commit.map(ToOwned::to_owned), path.to_owned(), rule.to_owned(), line);
            self.entries.contains(&entry)
        };
        !self.entries.is_empty() && (holds(None) || commit.is_some_and(|commit| holds(Some(commit))))
    }
}

/// The commit that an entry starts with, if it does, and the path.
fn split_commit(path: &str) -> (Option<String>, &str) {
    let is_commit =
        |head: &str| matches!(head.len(), 40 | 64) && head.bytes().all(|byte| byte.is_ascii_hexdigit());
    match path.split_once(':').filter(|(head, _)| is_commit(head)) {
        Some((commit, path)) => (Some(commit.to_ascii_lowercase()), path),
        None => (None, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_accept_their_place_only() {
        let text = format!("# note\n\nsrc/a:b.py:jwt:7\n{}:src/a.py:jwt:9\n", "a".repeat(40));
        let file = IgnoreFile::parse(&text).unwrap();
        assert!(file.accepts(None, "src/a:b.py", "jwt", 7));
        assert!(file.accepts(Some("b"), "src/a:b.py", "jwt", 7));
        assert!(!file.accepts(None, "src/a:b.py", "jwt", 8));
        assert!(!file.accepts(None, "src/a.py", "jwt", 9));
        assert!(file.accepts(Some(&"a".repeat(40)), "src/a.py", "jwt", 9));
        assert!(!file.accepts(Some(&"b".repeat(40)), "src/a.py", "jwt", 9));
    }

    #[test]
    fn malformed_lines_are_named() {
        assert_eq!(
            IgnoreFile::parse("ok:rule:1\nnonsense").unwrap_err().to_string(),
            "line 2: `nonsense` is not path:rule:line"
        );
    }
}
