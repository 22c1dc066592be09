//! Examples that hold no secret until they are rendered: values are generated from the rule's own pattern and a seed.

use fastrand::Rng;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::{Nearby, Rule, dialect, literal, made_of_words};

/// Text made from a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The whole text.
    pub text: Vec<u8>,
    /// The generated values of `{token}`, in order.
    pub tokens: Vec<Vec<u8>>,
}

/// Why a template could not be rendered.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// `{token…}` for a rule whose pattern gives none.
    #[error("`{{{0}}}`: the rule has no content pattern to make a token from")]
    NoPattern(String),
    /// An argument that is no number of at most 16,384.
    #[error("`{{{0}}}`: the length is a number from 1 to 16384")]
    BadLength(String),
    /// No token could be made that has the entropy the rule wants.
    #[error(
        "no value of the pattern has an entropy of {0} bits per character; lower it, or lengthen the pattern"
    )]
    NoEntropy(String),
}

/// Renders a rule's templates.
pub struct Templater {
    whole: Option<Hir>,
    secret: Option<Hir>,
    rule: Rule,
}

const ALPHABETS: &[(&str, &str)] = &[
    ("hex", "0123456789abcdef"),
    ("HEX", "0123456789ABCDEF"),
    ("alnum", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    ("alpha", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    ("lower", "abcdefghijklmnopqrstuvwxyz"),
    ("upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("digits", "0123456789"),
    ("lowernum", "0123456789abcdefghijklmnopqrstuvwxyz"),
    ("uppernum", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
];

impl Templater {
    /// For one rule.
    pub fn new(rule: &Rule) -> Self {
        let parse = |(regex, unicode): (&str, bool)| {
            dialect::parser(unicode).parse(regex).expect("a rule's regex parses")
        };
        let whole = rule.regex().map(parse);
        let group = rule.secret_group.unwrap_or(1);
        let secret = whole.as_ref().map(|hir| literal::capture(hir, group).unwrap_or(hir).clone());
        Self { whole, secret, rule: rule.clone() }
    }

    /// A text that the pattern matches as a whole, whatever its entropy and checksum; look-around is not looked at.
    pub fn any_match(&self, seed: u64) -> Option<Vec<u8>> {
        random(self.whole.as_ref()?, seed)
    }

    /// The same of the secret alone.
    pub fn any_secret(&self, seed: u64) -> Option<Vec<u8>> {
        random(self.secret.as_ref()?, seed)
    }

    /// The greatest length of a secret, in bytes, if there is one.
    pub fn longest_secret(&self) -> Option<usize> {
        self.secret.as_ref()?.properties().maximum_len()
    }

    pub(super) fn secret(&self) -> Option<&Hir> {
        self.secret.as_ref()
    }

    pub(super) fn rule(&self) -> &Rule {
        &self.rule
    }

    /// A path that the rule holds for.
    pub fn path(&self, seed: u64) -> String {
        let Some(path) = &self.rule.path else { return "example.txt".to_owned() };
        let hir = dialect::read(path).expect("a rule's path regex parses");
        let mut out = Vec::new();
        write_random(&hir, &mut Rng::with_seed(seed), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Renders a template; the same seed gives the same text.
    ///
    /// # Errors
    /// A placeholder that can't be filled.
    pub fn render(&self, template: &str, seed: u64) -> Result<Rendered, TemplateError> {
        self.render_with(template, seed, None)
    }

    /// The same with this value in place of every `{token}`.
    ///
    /// # Errors
    /// As [`Templater::render`].
    pub fn render_with(
        &self,
        template: &str,
        seed: u64,
        given: Option<&[u8]>,
    ) -> Result<Rendered, TemplateError> {
        let mut rng = Rng::with_seed(seed);
        let mut rendered = Rendered { text: Vec::new(), tokens: Vec::new() };
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            rendered.text.extend_from_slice(&rest.as_bytes()[..open]);
            let inside = rest[open + 1..].split_once('}').map(|(inside, _)| inside);
            let value = match (inside, given) {
                (Some("token"), Some(given)) => Some(given.to_vec()),
                (inside, _) => {
                    inside.map(|inside| self.fill(inside, &mut rng, &mut rendered)).transpose()?.flatten()
                }
            };
            match value {
                Some(value) => {
                    rendered.text.extend(value);
                    rest = &rest[open + 2 + inside.unwrap_or_default().len()..];
                }
                None => {
                    rendered.text.push(b'{');
                    rest = &rest[open + 1..];
                }
            }
        }
        rendered.text.extend_from_slice(rest.as_bytes());
        Ok(rendered)
    }

    /// The value of a placeholder, or `None` where the braces stand for themselves.
    fn fill(
        &self,
        inside: &str,
        rng: &mut Rng,
        rendered: &mut Rendered,
    ) -> Result<Option<Vec<u8>>, TemplateError> {
        let (name, argument) = inside.split_once(':').unwrap_or((inside, ""));
        if name == "token" {
            return self.token(inside, argument, rng, rendered).map(Some);
        }
        if inside == "uuid" {
            return Ok(Some(uuid(rng)));
        }
        let alphabet = ALPHABETS.iter().find(|(known, _)| *known == name).map(|(_, alphabet)| alphabet);
        let is_base64 = name == "base64" || name == "base64url";
        if alphabet.is_none() && !is_base64 {
            return Ok(None);
        }
        let length: usize = argument
            .parse()
            .ok()
            .filter(|length| (1..=16_384).contains(length))
            .ok_or_else(|| TemplateError::BadLength(inside.to_owned()))?;
        Ok(Some(match alphabet {
            Some(alphabet) => (0..length).map(|_| pick(rng, alphabet.as_bytes())).collect(),
            None => base64_of_random(rng, length, name == "base64url"),
        }))
    }

    fn token(
        &self,
        inside: &str,
        form: &str,
        rng: &mut Rng,
        out: &mut Rendered,
    ) -> Result<Vec<u8>, TemplateError> {
        let secret = self.secret.as_ref().ok_or_else(|| TemplateError::NoPattern(inside.to_owned()))?;
        let mut token = self.generate(secret, rng)?;
        match form {
            "short" => {
                token.pop();
            }
            "long" => token.push(token.last().copied().unwrap_or(b'0')),
            "checksum" => {
                let at = token.len().saturating_sub(10);
                let swap = |byte: u8| if byte == b'a' { b'b' } else { b'a' };
                if let Some(byte) = token.get_mut(at) {
                    *byte = swap(*byte);
                }
                // A change within the checksum itself, where it is not what the swap already spoilt.
                if self.rule.checksum.is_some_and(|checksum| checksum.verify(&token) == Some(true)) {
                    let last = token.len() - 1;
                    token[last] = swap(token[last]);
                }
            }
            _ => out.tokens.push(token.clone()),
        }
        Ok(token)
    }

    /// A random value of the pattern that has the rule's entropy and a right checksum.
    fn generate(&self, secret: &Hir, rng: &mut Rng) -> Result<Vec<u8>, TemplateError> {
        const TRIES: usize = 200;
        for _ in 0..TRIES {
            let mut token = Vec::new();
            write_random(secret, rng, &mut token);
            if let Some(checksum) = self.rule.checksum {
                checksum.seal(&mut token);
            }
            let has_entropy = entropy::shannon_entropy(&token) > self.rule.entropy.unwrap_or(0.0);
            let is_odd = self.rule.nearby().is_some_and(|nearby| !is_usual(nearby, &token));
            if has_entropy && !is_odd {
                return Ok(token);
            }
        }
        Err(TemplateError::NoEntropy(self.rule.entropy.unwrap_or(0.0).to_string()))
    }
}

fn random(hir: &Hir, seed: u64) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write_random(hir, &mut Rng::with_seed(seed), &mut out);
    (!out.is_empty()).then_some(out)
}

/// Whether a value that only a word nearby speaks for is one that is looked for: nearly all are. One in many thousand reads like words
/// by chance, and one in a hundred has no stretch of letters and digits.
fn is_usual(nearby: &Nearby, token: &[u8]) -> bool {
    let has = |wanted: fn(&u8) -> bool, part: &[u8]| part.iter().any(wanted);
    let has_digits = (b'0'..=b'9').any(|digit| nearby.alphabet[0] >> digit & 1 == 1);
    let is_run = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let mut runs = token.split(|byte| !is_run(byte)).filter(|run| run.len() >= Nearby::SHORTEST);
    runs.any(|run| {
        let is_told = !Nearby::has_joint(run) || Nearby::is_no_name(run);
        let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
        let is_mixed = is_told && (!has_digits || digits > 1);
        is_mixed && (!nearby.assumed || has(u8::is_ascii_alphabetic, run)) && !made_of_words(run)
    })
}

fn pick(rng: &mut Rng, from: &[u8]) -> u8 {
    from[rng.usize(..from.len())]
}

/// Appends a random string that the expression matches (look-around aside).
fn write_random(hir: &Hir, rng: &mut Rng, out: &mut Vec<u8>) {
    /// How much longer than it must be an open repetition gets.
    const SLACK: u32 = 24;
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => write_member(class, rng, out),
        HirKind::Capture(capture) => write_random(&capture.sub, rng, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write_random(part, rng, out)),
        HirKind::Alternation(branches) => write_random(&branches[rng.usize(..branches.len())], rng, out),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX).min(repetition.min.saturating_add(SLACK));
            for _ in 0..rng.u32(repetition.min..=most) {
                write_random(&repetition.sub, rng, out);
            }
        }
    }
}

/// A member as people's tokens have it: letters and digits mostly, else visible ASCII, else whatever there is.
fn write_member(class: &Class, rng: &mut Rng, out: &mut Vec<u8>) {
    let members: Vec<u8> = match class {
        Class::Bytes(class) => class.ranges().iter().flat_map(|range| range.start()..=range.end()).collect(),
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .flat_map(|range| range.start()..=range.end().min('\u{7f}'))
            .filter_map(|c| u8::try_from(c).ok())
            .collect(),
    };
    let keep = |wanted: fn(&u8) -> bool| members.iter().copied().filter(wanted).collect::<Vec<u8>>();
    let (plain, visible) = (keep(u8::is_ascii_alphanumeric), keep(u8::is_ascii_graphic));
    let is_open = visible.len() > 80;
    match (plain.is_empty(), visible.is_empty(), members.is_empty()) {
        (false, ..) if is_open && rng.u8(..10) > 0 => out.push(pick(rng, &plain)),
        (_, false, _) => out.push(pick(rng, &visible)),
        (_, _, false) => out.push(pick(rng, &members)),
        _ => write_beyond_ascii(class, rng, out),
    }
}

/// A member of a class that has none in ASCII.
fn write_beyond_ascii(class: &Class, rng: &mut Rng, out: &mut Vec<u8>) {
    let Class::Unicode(class) = class else { return };
    if let Some(range) = class.ranges().get(rng.usize(..class.ranges().len().max(1))) {
        out.extend_from_slice(range.start().encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn uuid(rng: &mut Rng) -> Vec<u8> {
    let (high, low) = (rng.u64(..), rng.u64(..));
    let variant = 0x8000 | (low >> 48 & 0x3FFF);
    format!(
        "{:08x}-{:04x}-4{:03x}-{variant:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xFFFF,
        high & 0xFFF,
        low & 0xFFFF_FFFF_FFFF
    )
    .into_bytes()
}

fn base64_of_random(rng: &mut Rng, length: usize, url_safe: bool) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose};

    let bytes: Vec<u8> = (0..length).map(|_| rng.u8(..)).collect();
    if url_safe {
        general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    } else {
        general_purpose::STANDARD.encode(bytes)
    }
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::rule::{Extends, RulePack};

    fn templater(rule: &str) -> Templater {
        let text = format!("[[rules]]\nid = 'acme'\n{rule}");
        Templater::new(&RulePack::parse(&text, Path::new("t.toml"), Extends::Allowed).unwrap().rules[0])
    }

    #[test]
    fn tokens_fit_their_pattern_and_a_seed_fixes_them() {
        let templater = templater("regex = 'acme_([0-9a-f]{12})'");
        let one = templater.render("k={token} {hex:3} {unknown} {\"a\": 1}", 7).unwrap();
        assert_eq!(one, templater.render("k={token} {hex:3} {unknown} {\"a\": 1}", 7).unwrap());
        let text = String::from_utf8(one.text).unwrap();
        assert!(text.ends_with(" {unknown} {\"a\": 1}"), "{text}");
        assert_eq!(one.tokens[0].len(), 12);
        assert_eq!(templater.render("{token:short}", 7).unwrap().text.len(), 11);
    }

    #[test]
    fn sealed_tokens_pass_and_spoilt_ones_fail() {
        let templater = templater("regex = '(ghp_[0-9A-Za-z]{36})'\nchecksum = 'github'");
        let checksum = crate::rule::Checksum::Github;
        assert_eq!(checksum.verify(&templater.render("{token}", 1).unwrap().text), Some(true));
        assert_eq!(checksum.verify(&templater.render("{token:checksum}", 1).unwrap().text), Some(false));
    }

    #[test]
    fn bad_placeholders_are_errors() {
        let templater = templater("path = 'x'");
        assert_eq!(templater.render("{hex:x}", 1), Err(TemplateError::BadLength("hex:x".into())));
        assert_eq!(templater.render("{token}", 1), Err(TemplateError::NoPattern("token".into())));
    }
}
