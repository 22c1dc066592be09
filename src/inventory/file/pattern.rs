//! Which secrets a policy or a token speaks of.

use std::{fmt, str::FromStr};

/// A pattern of folder and name. `*` stands for any characters of one part; as the last part, `*` (or `**`) stands for
/// everything below, at any depth: `/infrastructure/*`, `/infrastructure/POSTGRES_*`, `/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    parts: Vec<String>,
    is_deep: bool,
}

/// Text that is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a path starts with `/`, has no empty parts and no `..`, and `**` only as its last part: `/infrastructure/*`"
)]
pub struct PatternError;

impl FromStr for PathPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        const LONGEST: usize = 1_000;
        let inner = text.strip_prefix('/').filter(|_| text.len() <= LONGEST).ok_or(PatternError)?;
        let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
        let is_deep = parts.pop_if(|last| matches!(last.as_str(), "*" | "**")).is_some();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '*');
        let is_part = |part: &String| {
            !part.is_empty() && part.chars().all(is_plain) && part != ".." && !part.contains("**")
        };
        let is_pattern = parts.iter().all(is_part);
        is_pattern.then(|| Self { text: text.to_owned(), parts, is_deep }).ok_or(PatternError)
    }
}

impl PathPattern {
    /// Whether it speaks of this secret, given as folder and name: `/infrastructure/POSTGRES_PASSWORD`.
    pub fn matches(&self, path: &str) -> bool {
        let mut rest = path.strip_prefix('/').unwrap_or(path).split('/');
        for pattern in &self.parts {
            if !rest.next().is_some_and(|part| part_matches(pattern.as_bytes(), part.as_bytes())) {
                return false;
            }
        }
        rest.next().is_some() == self.is_deep
    }

    /// Whether it speaks of every secret there can be.
    pub fn is_everything(&self) -> bool {
        self.is_deep && self.parts.iter().all(|part| part == "*")
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a text is what a pattern says in which `*` stands for any characters.
#[cfg(feature = "network")]
pub(crate) fn matches_part(pattern: &str, text: &str) -> bool {
    part_matches(pattern.as_bytes(), text.as_bytes())
}

/// Going back to the last `*` only is enough, so the time is bounded by the product of both lengths.
fn part_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        text.parse().unwrap_or_else(|_| panic!("{text} is a pattern"))
    }

    #[test]
    fn a_last_star_is_everything_below_and_another_one_stays_in_its_part() {
        for (text, path, is_match) in [
            ("/infrastructure/*", "/infrastructure/A", true),
            ("/infrastructure/*", "/infrastructure/a/B", true),
            ("/infrastructure/**", "/infrastructure/a/B", true),
            ("/infrastructure/*", "/infrastructure", false),
            ("/infrastructure/*", "/infrastructure2/A", false),
            ("/infrastructure/POSTGRES_*", "/infrastructure/POSTGRES_PASSWORD", true),
            ("/infrastructure/POSTGRES_*", "/infrastructure/POSTGRES_/X", false),
            ("/*/KEY", "/a/KEY", true),
            ("/*/KEY", "/a/b/KEY", false),
            ("/*", "/A", true),
            ("/*", "/a/b/C", true),
            ("/A", "/A", true),
            ("/a*b*c/*", "/aXbYc/Z", true),
            ("/a*b*c/*", "/aXbY/Z", false),
            ("/infrastructure/*_KEY", "/infrastructure/MINIO_SECRET_KEY", true),
        ] {
            assert_eq!(pattern(text).matches(path), is_match, "{text} {path}");
        }
    }

    #[test]
    fn everything_is_told_from_much() {
        for (text, is_everything) in
            [("/*", true), ("/**", true), ("/*/*", true), ("/a/*", false), ("/A", false)]
        {
            assert_eq!(pattern(text).is_everything(), is_everything, "{text}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "*", "a/*", "/", "//*", "/a//b", "/../a", "/a/**/b", "/a b", "/a:b", "/a/"] {
            assert_eq!(text.parse::<PathPattern>(), Err(PatternError), "{text}");
        }
    }

    #[test]
    fn many_stars_cost_little() {
        let text = format!("/{}b", "a*".repeat(300));
        assert!(!pattern(&text).matches(&format!("/{}", "a".repeat(900))));
    }
}
