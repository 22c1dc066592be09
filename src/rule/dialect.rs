//! From the regexes that rule files hold (Go's RE2) to the ones that the regex crate reads.

use regex_syntax::{Parser, ParserBuilder, hir::Hir};

/// The parser that every rule's regex goes through: bytes, ASCII classes unless the pattern needs Unicode ones.
pub fn parser(unicode: bool) -> Parser {
    ParserBuilder::new().unicode(unicode).utf8(false).build()
}

/// A regex in our dialect, and its syntax tree.
pub(super) struct Translated {
    pub(super) regex: String,
    pub(super) unicode: bool,
    pub(super) hir: Hir,
}

/// Reads a regex as RE2 would, and writes it as the regex crate takes it.
///
/// # Errors
/// The regex crate's message, with the place marked.
pub(super) fn translate(source: &str) -> Result<Translated, String> {
    let regex = escape_class_operators(source);
    let unicode = false;
    match parser(unicode).parse(&regex) {
        Ok(hir) => Ok(Translated { regex, unicode, hir }),
        // `\p{…}` and letters beyond ASCII in a class exist only with Unicode on.
        Err(plain) => match parser(true).parse(&regex) {
            Ok(hir) => Ok(Translated { regex, unicode: true, hir }),
            Err(_) => Err(plain.to_string()),
        },
    }
}

/// In RE2 `[`, `&&`, `--` and `~~` inside a class are plain characters; in the regex crate they are operators.
/// Outside a class, RE2 takes a `{` that starts no repetition as itself.
fn escape_class_operators(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 8);
    let mut rest = source;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let taken = match c {
            '\\' if !in_class && after.starts_with('Q') => {
                let quoted = &after[1..];
                let end = quoted.find("\\E").unwrap_or(quoted.len());
                out.push_str(&regex_syntax::escape(&quoted[..end]));
                (2 + end + 2).min(rest.len())
            }
            '\\' => 1 + escape_len(after),
            '[' if !in_class => {
                in_class = true;
                let negated = usize::from(after.starts_with('^'));
                // A `]` that comes first is a member.
                1 + negated + usize::from(after[negated..].starts_with(']'))
            }
            '[' if after.starts_with(':') && after.contains(":]") => {
                after.find(":]").map_or(1, |end| end + 3)
            }
            '[' => {
                out.push('\\');
                1
            }
            ']' if in_class => {
                in_class = false;
                1
            }
            '&' | '-' | '~' if in_class && after.starts_with(c) => {
                out.push('\\');
                1
            }
            '{' if !in_class && !starts_repetition(after) => {
                out.push('\\');
                1
            }
            _ => c.len_utf8(),
        };
        if !(c == '\\' && !in_class && after.starts_with('Q')) {
            out.push_str(&rest[..taken]);
        }
        rest = &rest[taken..];
    }
    out
}

/// Length of what follows a backslash: one character, or `p{…}`, `P{…}`, `x{…}` whole.
fn escape_len(after: &str) -> usize {
    let braced = after.starts_with("p{") || after.starts_with("P{") || after.starts_with("x{");
    match after.find('}') {
        Some(end) if braced => end + 1,
        _ => after.chars().next().map_or(0, char::len_utf8),
    }
}

/// Whether text behind `{` reads as `n}`, `n,}` or `n,m}`.
fn starts_repetition(after: &str) -> bool {
    let Some((inside, _)) = after.split_once('}') else { return false };
    let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !low.is_empty() && is_number(low) && is_number(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn re2_classes_and_braces_keep_their_meaning() {
        for (re2, ours) in [
            (r"[[a]", r"[\[a]"),
            (r"[]a]", r"[]a]"),
            (r"[^]a[]", r"[^]a\[]"),
            (r"[[:alpha:]_]", r"[[:alpha:]_]"),
            (r"[a&&b]", r"[a\&&b]"),
            (r"[\w--]", r"[\w\--]"),
            (r"a{2,3}{", r"a{2,3}\{"),
            (r#"{"key":"#, r#"\{"key":"#),
            (r"\Qa.b\Ec", r"a\.bc"),
            (r"[\]x]", r"[\]x]"),
        ] {
            assert_eq!(escape_class_operators(re2), ours, "{re2}");
            assert!(translate(re2).is_ok(), "{re2}");
        }
    }

    #[test]
    fn classes_are_ascii_unless_the_pattern_needs_more() {
        assert!(!translate(r"\w+x").unwrap().unicode);
        assert!(translate(r"\p{Greek}+x").unwrap().unicode);
        assert!(translate("(").is_err());
    }
}
