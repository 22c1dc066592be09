//! Values that only stand in for a secret: placeholders, references, plain words.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::AhoCorasick;

use crate::rule::{Specificity, surprise};

/// Long enough not to turn up in random values by chance.
const STAND_IN_WORDS: &[&str] = &[
    "example",
    "sample",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "changethis",
    "change_this",
    "change-this",
    "replaceme",
    "replace_me",
    "replace-me",
    "replace_with",
    "replace-with",
    "redacted",
    "insert_",
    "insert-",
    "insertyour",
    "dummy",
    "foobar",
    "your_",
    "your-",
    "yourtoken",
    "yourkey",
    "yourapi",
    "yoursecret",
    "yourpass",
    "not_a_secret",
    "not-a-secret",
    "notasecret",
    "notreal",
    "not-real",
    "not_real",
    "_here",
    "-here>",
    "goeshere",
    "todo_",
    "fixme",
    "xxxxx",
    "*****",
    ".....",
    "deadbeef",
    "0123456789",
    "1234567890",
    "abcdefghij",
    "qwertyuiop",
    "fake_",
    "fake-",
    "fakekey",
    "faketoken",
    "fakesecret",
];

/// Words that mark a whole generic value as a stand-in.
const STAND_IN_VALUES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "string",
    "empty",
    "default",
    "changeit",
    "required",
    "optional",
    "unknown",
    "username",
    "user",
    "admin",
    "root",
    "test",
    "testing",
    "tests",
    "guest",
    "value",
    "secretkey",
    "apikey",
    "accesstoken",
    "mypassword",
    "mysecret",
    "mytoken",
    "password1",
    "password123",
    "passw0rd",
    "testpassword",
    "testsecret",
    "testtoken",
    "testkey",
    "hunter2",
    "letmein",
    "foo",
    "bar",
    "baz",
    "abc",
    "abc123",
    "asdf",
    "asdfasdf",
    "supersecret",
    "topsecret",
    "secretvalue",
    "secretpassword",
    "verysecret",
    "postgres",
    "mysql",
    "redis",
    "mongo",
    "rabbitmq",
    "1234",
    "12345678",
];

/// Beginnings of values that are looked up elsewhere.
const REFERENCES: &[&str] = &[
    "$",
    "{{",
    "<%",
    "%(",
    "%{",
    "#{",
    "@{",
    "${",
    "process.env",
    "os.environ",
    "os.getenv",
    "getenv",
    "env(",
    "env.",
    "env[",
    "env:",
    "system.getenv",
    "environment.",
    "var.",
    "vars.",
    "local.",
    "data.",
    "secrets.",
    "secret.",
    "vault:",
    "vault.",
    "op://",
    "ref+",
    "infisical",
    "!vault",
    "!ref",
    "!sub",
    "fn::",
    "arn:aws",
    "file:",
    "file(",
    "config.",
    "settings.",
    "self.",
    "this.",
    "args.",
    "options.",
    "opts.",
    "params.",
    "request.",
    "req.",
    "props.",
    "state.",
    "ctx.",
    "context.",
    "console.",
    "module.",
    "input.",
    "http://",
    "https://",
    "keyvault:",
    "ssm:",
    "secretref:",
    "secretkeyref",
    "valuefrom",
    "projects/",
    "aws-sm:",
    "sops",
];

/// Longer values hold such words by chance.
const LONGEST: usize = 400;

static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(STAND_IN_WORDS)
        .expect("a short list of plain words")
});

/// Whether the value at `secret` only stands in for a secret.
pub(super) fn is_ruled_out(bytes: &[u8], secret: &Range<usize>, specificity: Specificity) -> bool {
    let value = &bytes[secret.clone()];
    if value.len() > LONGEST {
        return false;
    }
    if is_filler(value) || WORDS.is_match(value) {
        return true;
    }
    match specificity {
        Specificity::Generic => is_reference(bytes, secret) || is_stand_in(value) || reads_like_words(value),
        Specificity::Provider => is_reference(bytes, secret) || is_stand_in(value),
        Specificity::Format | Specificity::Checksum => false,
    }
}

/// Whether a value, whatever it is for, only stands in for a secret: filler, words such as `changeme`, `password123`, `<token>`.
pub fn is_placeholder(value: &[u8]) -> bool {
    value.len() <= LONGEST && (is_filler(value) || WORDS.is_match(value) || is_stand_in(value))
}

/// One character over and over, or characters in their order.
fn is_filler(value: &[u8]) -> bool {
    if value.len() < 4 {
        return true;
    }
    let mut counts = [0_usize; 256];
    value.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let most = counts.iter().max().copied().unwrap_or(0);
    if most * 10 >= value.len() * 6 {
        return true;
    }
    in_order(value) * 10 >= value.len() * 7
}

/// How many bytes stand in runs of at least four that count up or down (`1234`, `dcba`).
fn in_order(value: &[u8]) -> usize {
    const LEAST: usize = 4;
    let mut total = 0;
    let mut run = 1;
    let mut step = 0;
    for pair in value.windows(2) {
        let this = i16::from(pair[1]) - i16::from(pair[0]);
        if this.abs() == 1 && (run == 1 || this == step) {
            run += 1;
        } else {
            total += if run >= LEAST { run } else { 0 };
            run = if this.abs() == 1 { 2 } else { 1 };
        }
        step = this;
    }
    total + if run >= LEAST { run } else { 0 }
}

fn is_stand_in(value: &[u8]) -> bool {
    let trimmed: Vec<u8> =
        value.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let is_bracketed = match value {
        [b'<', .., b'>'] | [b'[', .., b']'] | [b'{', .., b'}'] => true,
        // `%NAME%`, `@NAME@`, `__NAME__`: what build tools and shells replace.
        [first @ (b'%' | b'@' | b'#' | b'_'), name @ .., last] => {
            first == last
                && name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
        }
        _ => false,
    };
    is_bracketed || STAND_IN_VALUES.iter().any(|word| word.as_bytes() == trimmed)
}

fn is_reference(bytes: &[u8], secret: &Range<usize>) -> bool {
    let value = &bytes[secret.clone()];
    let starts =
        |word: &&str| value.len() >= word.len() && value[..word.len()].eq_ignore_ascii_case(word.as_bytes());
    if REFERENCES.iter().any(starts) {
        return true;
    }
    let before = &bytes[secret.start.saturating_sub(2)..secret.start];
    let after = bytes.get(secret.end).copied();
    let is_opened = before.ends_with(b"${")
        || before.ends_with(b"$(")
        || before.ends_with(b"{{")
        || before.ends_with(b"%(")
        || before.ends_with(b"$");
    let is_template =
        value.windows(2).any(|pair| matches!(pair, b"${" | b"{{" | b"}}" | b"<%" | b"#{" | b"%{"));
    is_opened || is_template || after == Some(b'(') || (before.ends_with(b"<") && after == Some(b'>'))
}

/// Whether it is made of letters and joints only, and its letters follow each other as in ordinary text and identifiers.
pub fn reads_like_words(value: &[u8]) -> bool {
    /// Bits per window of four: random letters have 17 to 19, words and identifiers 12 to 16.
    const RANDOM: f32 = 16.5;
    let is_joint =
        |byte: u8| matches!(byte, b'_' | b'-' | b'.' | b' ' | b'/' | b':' | b',' | b'\'' | b'!' | b'?');
    if !value.iter().all(|byte| byte.is_ascii_alphabetic() || is_joint(*byte)) {
        return false;
    }
    surprise(value).is_none_or(|bits| bits < RANDOM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ruled_out(value: &str, specificity: Specificity) -> bool {
        is_ruled_out(value.as_bytes(), &(0..value.len()), specificity)
    }

    #[test]
    fn stand_ins_are_ruled_out_whatever_the_rule() {
        for value in [
            "xxxxxxxxxxxxxxxx",
            "AKIAIOSFODNN7EXAMPLE",
            "your_api_key_goes",
            "1234567812345678",
            "abcdefghijklmnop",
            "00000000000000000000",
        ] {
            assert!(ruled_out(value, Specificity::Format), "{value}");
        }
    }

    #[test]
    fn references_and_words_are_ruled_out_for_generic_values() {
        for value in [
            "${DB_PASSWORD}",
            "%NUGET_PASSWORD%",
            "__DB_PASSWORD__",
            "{{ .Values.password }}",
            "os.environ['X']",
            "application/json",
            "getAccessTokenSilently",
            "Enter your password",
            "op://vault/item/field",
            "secrets.GITHUB_TOKEN",
            "hunter2",
        ] {
            assert!(ruled_out(value, Specificity::Generic), "{value}");
        }
    }

    #[test]
    fn random_values_stay() {
        for value in ["kJ8#mQ2$vL9pXz", "xkqvzjwpqnrt", "9f86d081884c7d65", "Tr0ub4dor&3xyz"] {
            assert!(!ruled_out(value, Specificity::Generic), "{value}");
        }
    }
}
