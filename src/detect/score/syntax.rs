//! What the place says: a literal, or code that gets the value from somewhere.

use std::ops::Range;

use super::{
    letters::randomness,
    value::Classes,
    vocabulary::{LOOKUPS, is_among},
    weights::Clue,
};
use crate::detect::context;

/// Beginnings of values that are looked up elsewhere.
const REFERENCES: &[&str] = &[
    "{{",
    "<%",
    "%(",
    "%{",
    "#{",
    "@{",
    "${",
    "$(",
    "$[",
    "((",
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
    "lookup(",
    "resolve:",
    "bao:",
    "awssm://",
    "gcpsm://",
    "azurekeyvault",
    "akv:",
    "keychain:",
    "credstash",
    "passwordstore",
    "conjur",
];

/// Whether the value points to one that stands elsewhere.
pub(in crate::detect) fn is_reference(bytes: &[u8], secret: &Range<usize>) -> bool {
    let value = &bytes[secret.clone()];
    if REFERENCES.iter().any(|word| context::starts_with(value, word.as_bytes())) || is_variable(value) {
        return true;
    }
    let before = &bytes[secret.start.saturating_sub(2)..secret.start];
    let after = bytes.get(secret.end).copied();
    const OPENED: &[&[u8]] = &[b"${", b"$(", b"{{", b"%(", b"$"];
    let is_opened = OPENED.iter().any(|opening| before.ends_with(opening));
    let is_template = value
        .windows(2)
        .any(|pair| matches!(pair, b"${" | b"$(" | b"{{" | b"}}" | b"<%" | b"%>" | b"#{" | b"%{" | b"\\("));
    is_opened || is_template || after == Some(b'(') || (before.ends_with(b"<") && after == Some(b'>'))
}

/// `$NAME`, `$name:x`, `@name`, `:name`, `%NAME%`.
fn is_variable(value: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match value {
        [b'$', b'0'..=b'9' | b'@' | b'*' | b'#'] => true,
        [b'$', name @ ..] => {
            let length = name.iter().take_while(|byte| is_word(byte)).count();
            let is_name = length > 0 && !name[0].is_ascii_digit();
            let rest = &name[length..];
            let goes_on = rest.is_empty()
                || rest.starts_with(b"->")
                || rest.starts_with(b"::")
                || rest.starts_with(b".")
                || rest.starts_with(b":")
                || rest.starts_with(b"/")
                || rest.starts_with(b"-")
                || rest.starts_with(b"[");
            is_name && goes_on && (name[0].is_ascii_alphabetic() || name[0] == b'_')
        }
        [b'@' | b':', name @ ..] => {
            !name.is_empty()
                && name.iter().all(|byte| is_word(byte) || *byte == b'.')
                && randomness(name) < 0.0
        }
        _ => false,
    }
}

/// Says how the value stands there.
pub(super) fn of_place(bytes: &[u8], secret: &Range<usize>, operator: &[u8], mut say: impl FnMut(Clue)) {
    if is_reference(bytes, secret) {
        say(Clue::Reference);
    }
    let before = secret.start.checked_sub(1).map(|at| bytes[at]);
    let after = bytes.get(secret.end).copied();
    let is_quote = |byte: Option<u8>| matches!(byte, Some(b'"' | b'\'' | b'`'));
    let is_quoted = is_quote(before) && (is_quote(after) || after == Some(b'\\'));
    if is_quoted {
        say(Clue::Quoted);
        of_quoted(bytes, secret, &mut say);
    } else if before == Some(b'>') && after == Some(b'<') {
        say(Clue::Element);
    } else {
        say(Clue::Bare);
        of_bare(&bytes[secret.clone()], operator, after, &mut say);
        if is_first_of_text(&bytes[secret.clone()], &bytes[secret.end..bytes.len().min(secret.end + 24)]) {
            say(Clue::Running);
        }
    }
    if operator.trim_ascii().is_empty() && !operator.is_empty() {
        say(Clue::Apart);
    }
    if [&b"=="[..], b"!=", b"||", b"??", b"or "]
        .iter()
        .any(|sign| memchr::memmem::find(operator, sign).is_some())
    {
        say(Clue::Compared);
    }
}

/// Says what is between a name and its value: `password) "…"` is in a list of arguments, `key = get("…")` looks something up.
pub(super) fn of_join(between: &[u8], operator: &[u8], mut say: impl FnMut(Clue)) {
    let closes_first = between.iter().find(|byte| matches!(byte, b')' | b'(' | b'=' | b':')) == Some(&b')');
    let signs = operator.trim_ascii();
    if closes_first && (signs.is_empty() || signs == b",") {
        say(Clue::Call);
    }
    let Some(open) = signs.iter().rposition(|byte| matches!(byte, b'(' | b'[' | b'{')) else { return };
    let name = &signs[..open];
    let name = name.rsplit(|byte| b"=:> \t".contains(byte)).next().unwrap_or_default();
    let name = name.rsplit(|byte| matches!(byte, b'.' | b'>')).next().unwrap_or_default();
    // `setPassword("…")` has nothing before its bracket.
    if name.is_empty() {
        if signs.len() > 1 {
            say(Clue::Wrapped);
        }
        return;
    }
    let is_short =
        name.len() <= 2 && name.iter().all(|byte| byte.is_ascii_alphabetic() || b"_$".contains(byte));
    let looks_up = is_short || super::name::split(name).any(|word| is_among(word, &LOOKUPS));
    say(if looks_up { Clue::Fetched } else { Clue::Wrapped });
}

/// `f"…{name}"`, and literals that go on: `"…" + name`.
fn of_quoted(bytes: &[u8], secret: &Range<usize>, say: &mut impl FnMut(Clue)) {
    let value = &bytes[secret.clone()];
    let prefix = &bytes[secret.start.saturating_sub(3)..secret.start - 1];
    let has_prefix = |letters: &[u8]| {
        prefix.last().is_some_and(|byte| letters.contains(byte))
            && !prefix.first().is_some_and(u8::is_ascii_alphanumeric)
    };
    if has_prefix(b"fF$") && value.contains(&b'{') {
        say(Clue::Interpolated);
    }
    let rest = &bytes[(secret.end + 1).min(bytes.len())..bytes.len().min(secret.end + 8)];
    let rest = rest.trim_ascii_start();
    let is_joined = rest.starts_with(b"+ ")
        || rest.starts_with(b"%")
        || rest.starts_with(b".format")
        || rest.starts_with(b".f");
    if is_joined && rest.get(1) != Some(&b'"') {
        say(Clue::Interpolated);
    }
    if rest.starts_with(b"]")
        && bytes.get(secret.start.wrapping_sub(2)) == Some(&b'[')
        && memchr::memchr(b'=', rest).is_some()
    {
        say(Clue::Call);
    }
}

/// Whether a value without quotes is code: a name, an attribute, something with an end of a statement behind it.
fn of_bare(value: &[u8], operator: &[u8], after: Option<u8>, say: &mut impl FnMut(Clue)) {
    let is_blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    let is_spaced = operator.contains(&b'=')
        && is_blank(operator.first())
        && is_blank(operator.last())
        && !operator.contains(&b'\n');
    // `${NAME:-value}`
    let is_default = operator.starts_with(b":-");
    let is_name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let starts_as_name = value.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let is_name = starts_as_name && value.iter().all(is_name_byte);
    if is_spaced && is_name {
        say(Clue::Spaced);
    }
    let has_joint = value.iter().any(|byte| b".:-!?>".contains(byte));
    let is_chain = starts_as_name
        && value.iter().all(|byte| is_name_byte(byte) || b".:->?!".contains(byte))
        && has_joint;
    let classes = Classes::of(value);
    let is_wordy = randomness(value) < 6.0;
    if is_chain && is_attribute(value) {
        say(Clue::Attribute);
    }
    let ends_statement = matches!(after, Some(b';' | b',' | b')' | b']' | b'}'));
    let is_assigned = operator == b"=" || classes.digits > 0;
    let is_literal = is_default || !ends_statement && !is_spaced && is_assigned;
    if is_name && is_wordy && classes.digits <= 2 && !is_literal {
        say(Clue::Identifier);
    }
    // `Password=…;` is a connection string's.
    let is_field = after == Some(b';') && operator == b"=";
    if ends_statement && (is_spaced || is_name || is_chain) && !is_default && !is_field {
        say(Clue::Code);
    }
    if memchr::memmem::find(operator, b":=").is_some() || memchr::memmem::find(operator, b"->").is_some() {
        say(Clue::Code);
    }
}

/// Whether a word without quotes is followed by more of them.
fn is_first_of_text(value: &[u8], after: &[u8]) -> bool {
    let Some(rest) = after.strip_prefix(b" ") else { return false };
    let word = rest.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let is_title = value[0].is_ascii_uppercase() && value[1..].iter().all(u8::is_ascii_lowercase);
    let goes_on = match rest.get(word) {
        Some(b' ') => true,
        // A command takes no password with a capital and nothing else.
        None | Some(b'\n' | b'\r' | b'.' | b',' | b'?' | b'!' | b':') => is_title,
        _ => false,
    };
    value.iter().all(u8::is_ascii_alphabetic) && word > 0 && goes_on
}

/// Parts that are names, joined by `.`, `->`, `::` or `?.`.
fn is_attribute(value: &[u8]) -> bool {
    let holds = |part: &[u8]| memchr::memmem::find(value, part).is_some();
    let parts = || value.split(|byte| b".:->?!".contains(byte)).filter(|part| !part.is_empty());
    let is_name = |part: &[u8]| part[0].is_ascii_alphabetic() || part[0] == b'_';
    let is_joined = holds(b".") || holds(b"->") || holds(b"::");
    is_joined && parts().count() > 1 && parts().all(is_name) && randomness(value) < 12.0
}
