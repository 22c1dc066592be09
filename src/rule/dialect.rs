//! From the regexes that rule files hold (Go's RE2) to the ones that the regex crate reads.
//!
//! Both are read alike but for: what stands in a class (operators there, plain characters here), `\<`, octal and `\xFF` escapes,
//! `\C`, `\Q…\E`, `\p{^…}`, braces that start no repetition, names of groups, and `\w`, `\d`, `\s`, `\b`, which are ASCII in RE2
//! whatever else a pattern has.

mod class;

use regex_syntax::{Parser, ParserBuilder, hir::Hir};

use super::Origin;

/// The parser that every rule's regex goes through: bytes, ASCII classes unless the pattern needs Unicode ones.
pub fn parser(unicode: bool) -> Parser {
    ParserBuilder::new().unicode(unicode).utf8(false).build()
}

/// Whether a regex in our dialect, that parses, does so only with Unicode on.
pub fn needs_unicode(regex: &str) -> bool {
    parser(false).parse(regex).is_err()
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
/// The regex crate's message, with the place marked, and what to do about it where that is known.
pub(super) fn translate(source: &str, origin: Origin) -> Result<Translated, String> {
    let write = |unicode| Writer { rest: source, out: String::new(), unicode, origin }.write();
    let regex = write(false)?;
    // Letters beyond ASCII have a case with Unicode on only.
    let is_plain = source.is_ascii() || origin == Origin::BuiltIn;
    match parser(false).parse(&regex) {
        Ok(hir) if is_plain => Ok(Translated { regex, unicode: false, hir }),
        // `\p{…}` and letters beyond ASCII in a class exist only with Unicode on.
        plain => {
            let regex = write(true)?;
            match (parser(true).parse(&regex), plain) {
                (Ok(hir), _) => Ok(Translated { regex, unicode: true, hir }),
                (Err(error), plain) => Err(explained(&plain.err().unwrap_or(error).to_string())),
            }
        }
    }
}

/// The syntax tree of a regex that is translated already, with Unicode on only where it needs that.
pub(super) fn read(translated: &str) -> Option<Hir> {
    [false, true].into_iter().find_map(|unicode| parser(unicode).parse(translated).ok())
}

/// What the regex crate says, and what to do about it.
fn explained(message: &str) -> String {
    const ADVICE: &[(&str, &str)] = &[
        (
            "look-around",
            "RE2 has none either: match without it, and put what must not be into [[rules.allowlists]], what must be nearby into \
             [[rules.required]]",
        ),
        ("backreferences", "RE2 has none either: write out what is repeated, or match the first part only"),
    ];
    let advice = ADVICE.iter().find(|(mark, _)| message.contains(mark));
    advice.map_or_else(|| message.to_owned(), |(_, advice)| format!("{message}\n{advice}"))
}

/// Writes a pattern anew, from left to right.
struct Writer<'a> {
    rest: &'a str,
    out: String,
    /// Perl's classes have to be spelt out then, to stay ASCII.
    unicode: bool,
    /// Built-in patterns mean bytes by `\xFF`, users' the character, as RE2 does.
    origin: Origin,
}

impl<'a> Writer<'a> {
    fn write(mut self) -> Result<String, String> {
        while let Some(c) = self.rest.chars().next() {
            match c {
                '\\' => self.escape(),
                '[' => self.class()?,
                '(' => self.group(),
                '{' if !starts_repetition(&self.rest[1..]) => {
                    self.skip(1);
                    self.out.push_str("\\{");
                }
                _ => self.copy(c.len_utf8()),
            }
        }
        Ok(self.out)
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn copy(&mut self, bytes: usize) {
        self.out.push_str(&self.rest[..bytes]);
        self.skip(bytes);
    }

    /// Names of groups mean nothing in a rule, and may be what the regex crate refuses.
    fn group(&mut self) {
        let name = ["(?P<", "(?<"].iter().find_map(|open| self.rest.strip_prefix(open));
        let end = name.filter(|name| !name.starts_with(['=', '!'])).and_then(|name| {
            let end = name.find('>')?;
            name[..end]
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                .then_some(&name[end + 1..])
        });
        match end {
            Some(behind) => {
                self.out.push('(');
                self.rest = behind;
            }
            None => self.copy(1),
        }
    }

    /// An escape outside of a class.
    fn escape(&mut self) {
        let after = &self.rest[1..];
        match after.chars().next() {
            Some('Q') => {
                let quoted = &after[1..];
                let (text, behind) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                self.out.push_str(&regex_syntax::escape(text));
                self.rest = behind;
            }
            Some('C') => self.replace(2, "(?s-u:.)"),
            Some(c @ ('b' | 'B')) if self.unicode => {
                self.skip(2);
                self.out.push_str(&format!("(?-u:\\{c})"));
            }
            _ if self.perl_class() || self.unicode_class() => {}
            _ => {
                let character = self.character();
                self.out.push_str(&character);
            }
        }
    }

    fn replace(&mut self, bytes: usize, text: &str) {
        self.skip(bytes);
        self.out.push_str(text);
    }

    /// `\d` and its like, in or out of a class.
    fn perl_class(&mut self) -> bool {
        const CLASSES: &[(&str, &str)] = &[
            ("\\d", "[0-9]"),
            ("\\D", "[^0-9]"),
            ("\\s", "[\\t\\n\\x0C\\r ]"),
            ("\\S", "[^\\t\\n\\x0C\\r ]"),
            ("\\w", "[0-9A-Za-z_]"),
            ("\\W", "[^0-9A-Za-z_]"),
        ];
        let Some((perl, ascii)) = CLASSES.iter().find(|(perl, _)| self.rest.starts_with(perl)) else {
            return false;
        };
        if self.unicode {
            self.replace(2, ascii)
        } else {
            self.replace(2, perl)
        }
        true
    }

    /// `\pN`, `\p{Greek}`, `\P{^Greek}`, in or out of a class.
    fn unicode_class(&mut self) -> bool {
        let Some(after) = self.rest.strip_prefix(['\\']).and_then(|after| after.strip_prefix(['p', 'P']))
        else {
            return false;
        };
        let (name, behind) = match after.strip_prefix('{') {
            Some(inside) => inside.split_once('}').unwrap_or((inside, "")),
            None => after.split_at(after.chars().next().map_or(0, char::len_utf8)),
        };
        let is_negated = self.rest[1..].starts_with('P') != name.starts_with('^');
        let name = name.strip_prefix('^').unwrap_or(name);
        self.out.push_str(&format!("\\{}{{{name}}}", if is_negated { 'P' } else { 'p' }));
        self.rest = behind;
        true
    }

    /// One character, escaped or not, as the regex crate takes it in or out of a class. What RE2 refuses is left as it is, to be
    /// refused with its place.
    fn character(&mut self) -> String {
        let take = |writer: &mut Self, bytes: usize| {
            let text = writer.rest[..bytes].to_owned();
            writer.skip(bytes);
            text
        };
        let Some(after) = self.rest.strip_prefix('\\') else {
            let first = self.rest.chars().next().map_or(0, char::len_utf8);
            return take(self, first);
        };
        let Some(c) = after.chars().next() else { return take(self, 1) };
        if let Some((value, len)) = octal(after) {
            self.skip(1 + len);
            return format!("\\x{{{value:X}}}");
        }
        if let Some((value, len)) = hexadecimal(after) {
            let is_byte = value < 0x80 || self.origin == Origin::BuiltIn;
            if is_byte || after.starts_with("x{") {
                return take(self, 1 + len);
            }
            self.skip(1 + len);
            return format!("\\x{{{value:X}}}");
        }
        // These two are word boundaries in the regex crate.
        if matches!(c, '<' | '>') || (c.is_ascii_control()) {
            self.skip(2);
            return c.to_string();
        }
        take(self, 1 + c.len_utf8())
    }
}

/// `\012`, `\101`: what they stand for, and how long they are behind the backslash. `\1` alone is none.
fn octal(after: &str) -> Option<(u32, usize)> {
    let digits = after.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    (digits >= 2 || after.starts_with('0'))
        .then(|| u32::from_str_radix(&after[..digits], 8).ok().map(|value| (value, digits)))?
}

/// `\xFF`, `\x{10FFFF}`.
fn hexadecimal(after: &str) -> Option<(u32, usize)> {
    let digits = after.strip_prefix('x')?;
    let (digits, len) = match digits.strip_prefix('{') {
        Some(inside) => inside.split_once('}').map(|(digits, _)| (digits, digits.len() + 3))?,
        None => (digits.get(..2)?, 3),
    };
    u32::from_str_radix(digits, 16).ok().map(|value| (value, len))
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
    use regex::bytes::RegexBuilder;

    use super::*;

    fn written(re2: &str) -> String {
        translate(re2, Origin::User).unwrap_or_else(|error| panic!("{re2}: {error}")).regex
    }

    #[test]
    fn what_re2_reads_otherwise_is_written_otherwise() {
        for (re2, ours) in [
            (r"[[a]", r"[\[a]"),
            (r"[]a]", r"[\]a]"),
            (r"[^]a[]", r"[^\]a\[]"),
            (r"[[:alpha:]_]", r"[[:alpha:]_]"),
            (r"[a&&b]", r"[a\&\&b]"),
            (r"[\w--]", r"[\w\-\-]"),
            (r"[a-]b", r"[a\-]b"),
            (r"[[=a=]]", r"[\[=a=]]"),
            (r"a{2,3}{", r"a{2,3}\{"),
            (r"a{,5}b}", r"a\{,5}b}"),
            (r#"{"key":"#, r#"\{"key":"#),
            (r"\Qa.b\Ec", r"a\.bc"),
            (r"\Qa]", r"a\]"),
            (r"[\]x]", r"[\]x]"),
            (r"\<a\>", r"<a>"),
            (r"\101\07", r"\x{41}\x{7}"),
            (r"(?P<1>a)(?<b>c)", r"(a)(c)"),
            (r"\Cbc", r"(?s-u:.)bc"),
            (r"\b{start}", r"\b\{start}"),
            (r"\w\pN\b", r"[0-9A-Za-z_]\p{N}(?-u:\b)"),
            (r"\P{^Greek}", r"\p{Greek}"),
        ] {
            assert_eq!(written(re2), ours, "{re2}");
        }
    }

    /// What Go's RE2 finds first in the text, as it was seen there.
    const FOUND: &[(&str, &str)] = &[
        (r"a\Q]\Eb", "a]b"),
        (r"a\Q{,5}", "a{,5}"),
        (r"[\pN]", "5"),
        (r"\PL{3}", "{,5"),
        (r"\p{^L}x", "[x"),
        (r"[[:^word:]]{3,}", r" \ "),
        (r"\x{41}", "A"),
        (r"\x{10FFFF}?abc", "abc"),
        (r"\141bc", "abc"),
        (r"(?U)a.*b", "ab"),
        (r"a{,5}b", "a{,5}b"),
        (r"[]a]+b", "ab"),
        (r"[^]a]b", "{b"),
        (r"[-a]b", "ab"),
        (r"[&&]+", "&&"),
        (r"o[--b]", "o-"),
        (r"[+--]", ","),
        (r"[\--z]", "a"),
        (r"[!--]{2}", "--"),
        (r"\<", "<"),
        (r"[[]x", "[x"),
        (r"[[.a.]]", "a]"),
        (r"[é]", "é"),
        (r"(?i)É", "é"),
        (r"\xe9", "é"),
        (r"[\x{e0}-\x{ff}]+", "éé"),
        (r"[^\x00-\x7F]+", "éé"),
        (r"(?sU)foo.*?top", "foo--bar ~~ && [x] < > 1.2 _ éé\nZZtop"),
        (r"\p{Lu}{2}top", "ZZtop"),
        (r"[a-c-e]-", "--"),
        (r"(?P<a>a)(?P<a>b)", "ab"),
        (r"x\{3\}", "x{3}"),
    ];

    #[test]
    fn matches_are_those_that_re2_gives() {
        const TEXT: &str = "abc\x01 a]b a{b a{,5}b a}b \\ A\nfoo--bar ~~ && [x] < > 1.2 _ éé\nZZtop a\tb\n5 \u{664} x{3} c-- ab\n";
        for (re2, found) in FOUND {
            let ours = translate(re2, Origin::User).unwrap_or_else(|error| panic!("{re2}: {error}"));
            let regex = RegexBuilder::new(&ours.regex).unicode(ours.unicode).build().unwrap();
            let first = regex
                .find(TEXT.as_bytes())
                .map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned());
            assert_eq!(first.as_deref(), Some(*found), "{re2}, as {}", ours.regex);
        }
    }

    #[test]
    fn what_re2_refuses_is_refused() {
        for re2 in [
            r"\y",
            r"\Z",
            r"\1",
            r"[[:foo:]]",
            r"[a-\d]",
            r"[o--b]",
            r"(?<=a)b",
            r"\p{Nope}",
            r"[\Qa\E]",
            "a{2",
            "(",
            "[a",
        ] {
            let is_refused = translate(re2, Origin::User).is_err();
            // A brace that starts no repetition stands for itself.
            assert_eq!(is_refused, re2 != "a{2", "{re2}");
        }
        let error = translate("(?!a)b", Origin::User).err().unwrap();
        assert!(error.contains("look-around") && error.contains("[[rules.allowlists]]"), "{error}");
    }

    #[test]
    fn classes_are_ascii_unless_the_pattern_needs_more() {
        assert!(!translate(r"\w+x", Origin::User).unwrap().unicode);
        assert!(translate(r"\p{Greek}+x", Origin::User).unwrap().unicode);
    }

    #[test]
    fn built_in_patterns_may_mean_bytes() {
        assert_eq!(translate(r"\xFE\xED", Origin::BuiltIn).unwrap().regex, r"\xFE\xED");
        assert_eq!(written(r"\xFE"), r"\x{FE}");
    }
}
