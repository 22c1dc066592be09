//! The words of an expression.

/// A word with its place, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A name, or an operator that is a word.
    Name(String),
    Text(String),
    Number(f64),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", ",", ".", "!", "<", ">", "?", ":", ";", "=", "-",
];

/// Cuts an expression into words.
///
/// # Errors
/// What is no word, with its place.
pub(super) fn words(source: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = source;
    loop {
        rest = skip_blanks(rest);
        let at = source.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(words) };
        let (kind, len) = match first {
            '"' | '\'' => quoted(rest, first).ok_or_else(|| unclosed(at))?,
            '`' => {
                let end = rest[1..].find('`').ok_or_else(|| unclosed(at))?;
                (Kind::Text(rest[1..=end].to_owned()), end + 2)
            }
            '0'..='9' => number(rest).ok_or_else(|| format!("at {at}: a number that is none"))?,
            _ if first.is_alphabetic() || first == '_' => {
                let is_part = |c: char| c.is_alphanumeric() || c == '_';
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                (Kind::Name(rest[..end].to_owned()), end)
            }
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| format!("at {at}: `{first}` is not understood here"))?;
                (Kind::Sign(sign), sign.len())
            }
        };
        words.push(Word { kind, at });
        rest = &rest[len..];
    }
}

fn unclosed(at: usize) -> String {
    format!("at {at}: a text that does not end")
}

/// What stands behind white space and comments.
fn skip_blanks(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let behind = if let Some(comment) = rest.strip_prefix("//").or_else(|| rest.strip_prefix('#')) {
            comment.split_once('\n').map_or("", |(_, behind)| behind)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, behind)| behind)
        } else {
            return rest;
        };
        rest = behind.trim_start();
    }
}

/// A text in quotes, with its escapes resolved, and its length with the quotes.
fn quoted(rest: &str, quote: char) -> Option<(Kind, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((Kind::Text(text), at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                other @ ('\\' | '"' | '\'' | '`') => text.push(other),
                // As Expr does not know it, so it stands for itself: most often a regex was meant.
                other => text.extend(['\\', other]),
            },
            _ => text.push(c),
        }
    }
    None
}

fn number(rest: &str) -> Option<(Kind, usize)> {
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
    rest[..end].parse().ok().map(|number| (Kind::Number(number), end))
}
