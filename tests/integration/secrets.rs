//! Fake secrets, made at run time: none stands in the repository.

use std::{collections::HashMap, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fastrand::Rng;
use hekate::rule::{Rule, Templater, builtin_with_templates};

static TEMPLATERS: LazyLock<HashMap<String, Templater>> = LazyLock::new(|| {
    builtin_with_templates().iter().map(|rule| (rule.id.clone(), Templater::new(rule))).collect()
});

/// A value that the built-in rule finds, with a right checksum where its kind has one.
pub(crate) fn token(rule: &str, seed: u64) -> String {
    let rendered = TEMPLATERS[rule].render("{token}", seed).expect("a built-in rule makes its own tokens");
    String::from_utf8(rendered.text).expect("tokens are ASCII")
}

/// A password of so many letters and digits, different ones as far as they go; up to 12 characters it is weak.
pub(crate) fn password(seed: u64, length: usize) -> String {
    let mut letters: Vec<char> =
        ('a'..='z').chain('A'..='Z').filter(|letter| !"aeiouAEIOU".contains(*letter)).collect();
    let mut rng = Rng::with_seed(seed);
    rng.shuffle(&mut letters);
    let digits = [rng.digit(10), rng.digit(10)];
    // A digit at either end of the front keeps it from reading like words.
    let front = letters[..length.saturating_sub(2)].iter();
    let mut value: String = front.collect();
    value.insert(1, digits[0]);
    value.push(digits[1]);
    value
}

/// A key in PEM's shape: real header, random body.
pub(crate) fn pem(seed: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let der: Vec<u8> = (0..800).map(|_| rng.u8(..)).collect();
    let body = STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("base64 is ASCII")).collect();
    let kind = "RSA PRIVATE KEY";
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

/// In one line of base64, as environment variables hold files.
pub(crate) fn in_base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// UTF-16, with low bytes first or not.
pub(crate) fn utf16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

/// What some built-in rule has as an example, or as something that it must not find, with a value of this seed.
pub(crate) fn example(seed: u64) -> String {
    static TEMPLATES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
        let rules = builtin_with_templates();
        let of = |rule: &Rule| {
            let texts = rule.templates.examples.iter().chain(&rule.templates.negatives);
            texts.map(|text| (rule.id.clone(), text.clone())).collect::<Vec<_>>()
        };
        rules.iter().flat_map(of).collect()
    });
    let (rule, template) = &TEMPLATES[Rng::with_seed(seed).usize(..TEMPLATES.len())];
    let rendered = TEMPLATERS[rule].render(template, seed).expect("built-in templates can be rendered");
    String::from_utf8_lossy(&rendered.text).into_owned()
}
