//! What else a value may be: filler, a path, a URL, a version, a date, a hash, a pattern, prose.

use super::{
    value::Classes,
    vocabulary::{FILE_ENDS, is_among},
    weights::Clue,
};
use crate::detect::context;

/// Whether a value has a shape.
type Test = fn(&[u8], &Classes) -> bool;

/// Says what the value is shaped like.
pub(super) fn of_shape(value: &[u8], classes: &Classes, say: &mut impl FnMut(Clue)) {
    const SHAPES: &[(Clue, Test)] = &[
        (Clue::Bracketed, |value, _| is_bracketed(value)),
        (Clue::Ellipsis, |value, _| is_cut(value)),
        (Clue::StoredHash, |value, _| is_stored_hash(value)),
        (Clue::Encrypted, |value, _| is_encrypted(value)),
        (Clue::PublicKey, |value, _| is_public_key(value)),
        (Clue::Directive, |value, _| is_directive(value)),
        (Clue::Url, |value, _| is_url(value)),
        (Clue::Markup, |value, _| is_markup(value)),
        (Clue::Uuid, |value, _| is_uuid(value)),
        (Clue::Mail, |value, _| is_mail(value)),
        (Clue::Version, is_version),
        (Clue::Date, |value, _| is_date(value)),
        (Clue::Host, is_host),
        (Clue::Path, is_path),
        (Clue::Pattern, is_pattern),
        (Clue::Prose, is_prose),
        (Clue::Fields, |value, _| has_fields(value)),
        (Clue::Fragment, |value, _| {
            value.ends_with(b"(") || value.starts_with(b")") || value.ends_with(b"=") && value.contains(&b'&')
        }),
        (Clue::SecretsName, |value, _| is_secrets_name(value)),
        (Clue::ConstantName, is_constant_name),
        (Clue::Escapes, |value, _| has_line_ends(value)),
        (Clue::Constant, |value, _| is_constant(value)),
        (Clue::Decoded, |value, _| super::decoded::is_stand_in(value)),
    ];
    SHAPES.iter().filter(|(_, test)| test(value, classes)).for_each(|(clue, _)| say(*clue));
}

/// `<…>`, `[…]`, `{…}`, `%NAME%`, `@NAME@`, `__NAME__`: what people and build tools replace.
pub(super) fn is_bracketed(value: &[u8]) -> bool {
    match value {
        [b'`', .., b'`'] | [b'<', .., b'>'] | [b'[', .., b']'] | [b'{', .., b'}'] | [b'(', .., b')'] => true,
        [first @ (b'%' | b'@' | b'#' | b'_'), name @ .., last] => {
            let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
            first == last && name.iter().all(is_name)
        }
        _ => false,
    }
}

fn is_cut(value: &[u8]) -> bool {
    let holds = |part: &[u8]| memchr::memmem::find(value, part).is_some();
    holds(b"...")
        || holds("…".as_bytes())
        || holds(b"***")
        || holds(b"XXXX")
        || holds(b"xxxx")
        || holds(b"####")
}

fn starts_with(value: &[u8], starts: &[&str]) -> bool {
    starts.iter().any(|start| context::starts_with(value, start.as_bytes()))
}

/// bcrypt, crypt(3), argon2, Django, LDAP, PostgreSQL: what is compared with a password and can't be used as one.
fn is_stored_hash(value: &[u8]) -> bool {
    const STARTS: &[&str] = &[
        "$2a$",
        "$2b$",
        "$2y$",
        "$2x$",
        "$argon2",
        "$pbkdf2",
        "$scrypt",
        "$apr1$",
        "$1$",
        "$5$",
        "$6$",
        "$7$",
        "$y$",
        "$gy$",
        "$p$",
        "$h$",
        "hmac-sha",
        "sha256:",
        "sha512:",
        "{sha",
        "{ssha",
        "{md5",
        "{smd5",
        "{crypt",
        "{bcrypt",
        "{pbkdf2",
        "{noop}",
        "{argon2",
        "pbkdf2_",
        "pbkdf2:",
        "pbkdf2-",
        "bcrypt_",
        "bcrypt$",
        "argon2$",
        "scrypt:",
        "sha1$",
        "sha256$",
        "sha256:",
        "sha1:",
        "sha512:",
        "sha384-",
        "sha512-",
        "sha256-",
        "sha1-",
        "md5$",
        "scram-sha-256$",
        "scram-sha",
        "$shiro1$",
        "$shiro2$",
    ];
    const WITHIN: &[&[u8]] =
        &[b":$2a$", b":$2y$", b":$2b$", b":$apr1$", b":{SHA}", b":$6$", b":$5$", b":$1$"];
    starts_with(value, STARTS) || WITHIN.iter().any(|part| memchr::memmem::find(value, part).is_some())
}

/// `name=value&other=…`, `some.property=value`.
fn has_fields(value: &[u8]) -> bool {
    let Some(sign) = memchr::memchr(b'=', value) else { return false };
    let (name, rest) = (&value[..sign], &value[sign + 1..]);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let has_next =
        memchr::memchr2(b'&', b';', rest).is_some_and(|next| memchr::memchr(b'=', &rest[next..]).is_some());
    name.len() > 1
        && name.iter().all(is_name)
        && !rest.is_empty()
        && (has_next || name.contains(&b'.') && super::letters::randomness(name) < 0.0)
}

/// `orders-db-password`, `app.auth_token`: words, and at their end what they are the name of.
fn is_secrets_name(value: &[u8]) -> bool {
    const ENDS: &[&str] = &[
        "password",
        "passwd",
        "pass",
        "pwd",
        "secret",
        "secrets",
        "token",
        "key",
        "credentials",
        "credential",
        "apikey",
        "passphrase",
        "psw",
        "salt",
        "keys",
        "tokens",
    ];
    let Some(joint) = value.iter().rposition(|byte| matches!(byte, b'-' | b'_' | b'.' | b'/' | b' ' | b':'))
    else {
        return false;
    };
    let (words, last) = (&value[..joint], &value[joint + 1..]);
    let is_end = |end: &&str| last.eq_ignore_ascii_case(end.as_bytes());
    ENDS.iter().any(is_end) && super::letters::randomness(words) < 12.0
}

/// `0x7e646e2c`, `100u64`.
fn is_constant(value: &[u8]) -> bool {
    let hex = value.strip_prefix(b"0x").or_else(|| value.strip_prefix(b"0X"));
    hex.is_some_and(|digits| {
        digits.len() <= 16 && digits.iter().all(|byte| byte.is_ascii_hexdigit() || b"_uUlLn".contains(byte))
    })
}

/// `abcd efgh ijkl mnop`: a password for a single application, as Google shows it.
fn is_in_fours(value: &[u8]) -> bool {
    let is_right =
        |(at, byte): (usize, &u8)| if at % 5 == 4 { *byte == b' ' } else { byte.is_ascii_lowercase() };
    value.len() == 19 && value.iter().enumerate().all(is_right) && !crate::rule::made_of_words(value)
}

/// `DB_PASSWORD_V2`.
fn is_constant_name(value: &[u8], classes: &Classes) -> bool {
    classes.lower == 0
        && value[0].is_ascii_uppercase()
        && value.contains(&b'_')
        && classes.upper + classes.joints + classes.digits == value.len()
        && classes.digits <= 2
        && !value.contains(&b'=')
}

/// `a\r\n*1\r\n`.
fn has_line_ends(value: &[u8]) -> bool {
    value.windows(2).filter(|pair| pair[0] == b'\\' && matches!(pair[1], b'r' | b'n' | b't' | b'0')).count()
        > 1
}

/// `\u00f1`: letters of other languages, written out.
pub(super) fn has_escaped_letters(value: &[u8]) -> bool {
    value.windows(6).any(|window| window.starts_with(b"\\u") && window[2..].iter().all(u8::is_ascii_hexdigit))
}

fn is_encrypted(value: &[u8]) -> bool {
    starts_with(
        value,
        &["ENC(", "ENC[", "{cipher}", "{aes}", "$ANSIBLE_VAULT", "!vault", "AQICAH", "secure:", "pkcs7,"],
    )
}

fn is_public_key(value: &[u8]) -> bool {
    const STARTS: &[&str] = &[
        "ssh-rsa ",
        "ssh-ed25519",
        "ecdsa-sha2",
        "AAAAB3NzaC1",
        "AAAAC3NzaC1",
        "MIIB",
        "MIIC",
        "MIID",
        "MIIE",
        "MIGf",
        "MFkw",
        "LS0tLS1CRUdJTiBD",
        "LS0tLS1CRUdJTiBQVU",
    ];
    // A certificate or public key in DER is no secret; private keys have formats of their own.
    value.len() >= 100 && starts_with(value, STARTS)
        || starts_with(value, &["-----BEGIN", "ssh-rsa ", "LS0tLS1CRUdJTi", "pk_live_", "pk_test_"])
}

/// `%s`, `{0}`, `{name}`, `%(name)s`, `{{ name }}`.
fn is_directive(value: &[u8]) -> bool {
    let percent = value
        .windows(2)
        .any(|pair| pair[0] == b'%' && matches!(pair[1], b's' | b'd' | b'v' | b'q' | b'@' | b'('));
    let is_only = value.len() <= 12;
    let braces = memchr::memchr(b'{', value)
        .and_then(|open| memchr::memchr(b'}', &value[open..]).map(|close| &value[open + 1..open + close]))
        .is_some_and(|inner| {
            inner.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-:, ".contains(byte))
        });
    braces || percent && is_only || starts_with(value, &["%s", "%d", "%v", "%("])
}

fn is_url(value: &[u8]) -> bool {
    let scheme = value
        .iter()
        .take(24)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte))
        .count();
    scheme > 1 && value[scheme..].starts_with(b"://")
        || starts_with(value, &["www.", "//", "mailto:", "urn:", "data:", "arn:", "jdbc:", "classpath:"])
}

fn is_markup(value: &[u8]) -> bool {
    let holds = |part: &[u8]| memchr::memmem::find(value, part).is_some();
    let is_color =
        value.len() <= 9 && value.first() == Some(&b'#') && value[1..].iter().all(u8::is_ascii_hexdigit);
    is_color
        || holds(b"</")
        || holds(b"/>")
        || holds(b"<br")
        || holds(b"&nbsp;")
        || starts_with(value, &["rgb(", "rgba(", "var(", "calc("])
        || (value.first() == Some(&b'<') && value.get(1).is_some_and(u8::is_ascii_alphabetic))
        || is_selector(value)
}

/// `#password-field`, `.token-input`, `input[name=password]`.
fn is_selector(value: &[u8]) -> bool {
    let [b'#' | b'.', rest @ ..] = value else {
        return memchr::memmem::find(value, b"[name=").is_some()
            || memchr::memmem::find(value, b"[type=").is_some();
    };
    rest.len() > 2
        && rest.iter().all(|byte| byte.is_ascii_alphabetic() || b"-_".contains(byte))
        && super::letters::randomness(rest) < 0.0
}

pub(super) fn is_uuid(value: &[u8]) -> bool {
    let is_place = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let value = value.strip_prefix(b"{").and_then(|value| value.strip_suffix(b"}")).unwrap_or(value);
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(at, byte)| if is_place(at) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
}

fn is_mail(value: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b'@', value) else { return false };
    let host = &value[at + 1..];
    let top = host.iter().rev().take_while(|byte| byte.is_ascii_lowercase()).count();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+-".contains(byte);
    at > 0
        && value[..at].iter().all(is_name)
        && (2..=6).contains(&top)
        && host.len() > top + 1
        && host[host.len() - top - 1] == b'.'
        && host.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte))
}

/// `1.2.3`, `v1.4.0-beta2`, `^3.1`, `>=2`, `10.0.0.1:5432`, `tlsv1.2`.
fn is_version(value: &[u8], classes: &Classes) -> bool {
    let signs = value.iter().take_while(|byte| b"^~<>= ".contains(byte)).count();
    let name = value[signs..].iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'-').count();
    let start = signs + if name <= 8 { name } else { 0 };
    let rest = &value[start..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_dotted = (1..=4).contains(&digits)
        && rest.get(digits) == Some(&b'.')
        && rest.get(digits + 1).is_some_and(u8::is_ascii_digit);
    is_dotted && classes.letters() <= 12 && classes.upper <= 8 && value.len() <= 32
        || (signs > 0 || value[0] == b'v') && digits > 0 && digits == rest.len() && value.len() <= 5
}

/// `2024-01-31`, `31.01.2024`, `2024-01-31T10:00:00Z`, `12:30:00`.
fn is_date(value: &[u8]) -> bool {
    if !(5..=35).contains(&value.len()) {
        return false;
    }
    let mut shape = [b' '; 10];
    for (place, byte) in shape.iter_mut().zip(value) {
        *place = if byte.is_ascii_digit() { b'0' } else { *byte };
    }
    const DAYS: &[&[u8]] = &[b"0000-00-00", b"0000/00/00", b"00.00.0000", b"00/00/0000", b"00-00-0000"];
    let is_day = value.len() == 8
        && shape.starts_with(b"00000000")
        && (value.starts_with(b"19") || value.starts_with(b"20"))
        && matches!(&value[4..6], [b'0', b'1'..=b'9'] | [b'1', b'0'..=b'2'])
        && matches!(&value[6..8], [b'0', b'1'..=b'9'] | [b'1' | b'2', _] | [b'3', b'0' | b'1']);
    is_day
        || DAYS.contains(&&shape[..])
        || (shape.starts_with(b"00:00")
            && value.iter().all(|byte| byte.is_ascii_digit() || b":.".contains(byte)))
}

/// `db.internal.example`, `host:5432`.
fn is_host(value: &[u8], classes: &Classes) -> bool {
    const TOPS: &[&str] = &[
        "com",
        "org",
        "net",
        "io",
        "dev",
        "app",
        "local",
        "internal",
        "localhost",
        "svc",
        "cloud",
        "edu",
        "gov",
        "co",
        "de",
        "uk",
        "eu",
        "example",
        "test",
        "lan",
        "ai",
    ];
    if classes.symbols + classes.blanks + classes.foreign > 0 || classes.letters() < 3 {
        return false;
    }
    let port = value.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let host = match value.split_at(value.len() - port) {
        (host, port) if !port.is_empty() => host.strip_suffix(b":").unwrap_or(value),
        _ => value,
    };
    let top = host.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    top.len() < host.len() && TOPS.iter().any(|other| top.eq_ignore_ascii_case(other.as_bytes()))
}

const PATH_STARTS: &str =
    "./ ../ ~/ /etc/ /var/ /usr/ /home/ /opt/ /run/ /tmp/ /root/ /dev/ c:\\ %appdata% /app/ /api/ /secrets/";

/// Parts between slashes, dots or colons, most of them words; or what starts like a path, or ends like a file.
fn is_path(value: &[u8], classes: &Classes) -> bool {
    if classes.blanks > 0 && classes.blanks * 6 > value.len() {
        return false;
    }
    // `src/a.rs:12`
    let line = value.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let file = value[..value.len() - line].strip_suffix(b":").unwrap_or(value);
    let extension = file.iter().rposition(|byte| *byte == b'.').map_or(&file[..0], |dot| &file[dot + 1..]);
    let is_file = extension.len() + 1 < file.len() && is_among(extension, &FILE_ENDS);
    if is_file || PATH_STARTS.split_ascii_whitespace().any(|start| starts_with(value, &[start])) {
        return true;
    }
    let slashes = value.iter().filter(|byte| matches!(byte, b'/' | b'\\')).count();
    if slashes == 0 {
        return false;
    }
    // Base64 has slashes too: a path's parts read like words.
    let is_base64 = value.len() >= 16
        && classes.digits > 0
        && classes.upper > 1
        && classes.lower > 1
        && slashes * 8 <= value.len();
    !is_base64 && super::letters::randomness(value) < 4.0
}

/// A regular expression, or rules of validation.
fn is_pattern(value: &[u8], classes: &Classes) -> bool {
    let holds = |part: &[u8]| memchr::memmem::find(value, part).is_some();
    let is_expression = holds(b"[a-z")
        || holds(b"[a-f")
        || holds(b"]+")
        || holds(b"]{")
        || holds(b")+")
        || holds(b"]*")
        || holds(b"[A-Z")
        || holds(b"[0-9")
        || holds(b"(?")
        || holds(b"\\d")
        || holds(b"\\w")
        || holds(b"\\s")
        || holds(b".*")
        || holds(b".+")
        || holds(b"[^");
    let is_rules =
        value.contains(&b'|') && classes.digits * 4 < value.len() && super::letters::randomness(value) < 0.0;
    is_expression || is_rules
}

/// Several words with blanks between them.
fn is_prose(value: &[u8], classes: &Classes) -> bool {
    if classes.blanks == 0 || is_in_fours(value) {
        return false;
    }
    let words = super::letters::words(value);
    classes.letters() * 3 >= value.len() * 2 && (words.covered * 2 >= words.letters || classes.blanks > 2)
}
