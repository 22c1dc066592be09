//! What the name says that a value is assigned to.

use super::{
    vocabulary::{ABOUT, ACTIONS, KEY_KINDS, OTHERS, SPEAKING, TURNED, is_among},
    weights::Clue,
};

/// Words of a name that are looked at.
const MOST_WORDS: usize = 12;
/// Joined words: what a last part may stand for without a joint before it (`dbpassword`, `authtoken`).
const SUFFIXES: &[(&str, Clue)] = &[
    ("password", Clue::PasswordName),
    ("passwd", Clue::PasswordName),
    ("passphrase", Clue::PasswordName),
    ("passcode", Clue::PasswordName),
    ("passwort", Clue::PasswordName),
    ("dbpass", Clue::PasswordName),
    ("userpass", Clue::PasswordName),
    ("pwd", Clue::PasswordName),
    ("pass", Clue::PasswordName),
    ("secret", Clue::SecretName),
    ("token", Clue::TokenName),
    ("apikey", Clue::ApiKeyName),
    ("secretkey", Clue::ApiKeyName),
    ("accesskey", Clue::ApiKeyName),
    ("authkey", Clue::ApiKeyName),
    ("privatekey", Clue::ApiKeyName),
    ("signingkey", Clue::ApiKeyName),
    ("encryptionkey", Clue::ApiKeyName),
    ("credentials", Clue::CredentialName),
    ("credential", Clue::CredentialName),
    ("salt", Clue::SaltName),
    ("nonce", Clue::SaltName),
    ("key", Clue::KeyName),
];
/// Beginnings that a word of a secret may have with more behind it.
const PREFIXES: &[(&str, Clue)] = &[
    ("password", Clue::PasswordName),
    ("passwd", Clue::PasswordName),
    ("secretkey", Clue::ApiKeyName),
    ("apikey", Clue::ApiKeyName),
    ("secret", Clue::SecretName),
];

/// The words of a name, lower case is up to who compares.
pub(super) fn split(name: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let mut words = [&name[..0]; MOST_WORDS];
    let (mut count, mut start) = (0, 0);
    let mut push = |word| {
        if count < MOST_WORDS {
            words[count] = word;
            count += 1;
        }
    };
    for at in 1..=name.len() {
        let (last, next) = (name[at - 1], name.get(at).copied().unwrap_or(b'_'));
        let is_hump = last.is_ascii_lowercase() && next.is_ascii_uppercase()
            || last.is_ascii_uppercase()
                && next.is_ascii_uppercase()
                && name.get(at + 1).is_some_and(u8::is_ascii_lowercase)
            || last.is_ascii_alphabetic() != next.is_ascii_alphabetic();
        if is_hump {
            if name[start].is_ascii_alphabetic() {
                push(&name[start..at]);
            }
            start = at;
        }
    }
    words.into_iter().take(count)
}

fn is(word: &[u8], other: &str) -> bool {
    word.eq_ignore_ascii_case(other.as_bytes())
}

fn ends_with(word: &[u8], end: &str) -> bool {
    word.len() > end.len() && is(&word[word.len() - end.len()..], end)
}

fn starts_with(word: &[u8], start: &str) -> bool {
    word.len() > start.len() && is(&word[..start.len()], start)
}

/// What a single word of a name says.
fn of_word(word: &[u8]) -> Option<Clue> {
    if let Some((_, clue)) = SPEAKING.iter().find(|(speaking, _)| is(word, speaking)) {
        return Some(*clue);
    }
    if is_among(word, &OTHERS) {
        return None;
    }
    let ending = SUFFIXES.iter().find(|(end, _)| ends_with(word, end));
    let starting = || PREFIXES.iter().find(|(start, _)| starts_with(word, start));
    ending.or_else(starting).map(|(_, clue)| *clue)
}

/// What a name says: of what kind its value is, and what turns that around.
pub(super) fn of_name(name: &[u8], mut say: impl FnMut(Clue)) {
    let mut words = [&name[..0]; MOST_WORDS];
    let mut count = 0;
    for word in split(name) {
        words[count] = word;
        count += 1;
    }
    let words = &words[..count];
    let Some((at, clue)) = words.iter().enumerate().rev().find_map(|(at, word)| Some((at, of_word(word)?)))
    else {
        return say(Clue::OtherName);
    };
    let before = at.checked_sub(1).map(|before| words[before]);
    let clue = match clue {
        Clue::KeyName if is_kind_of_key(words[at], before) => Clue::ApiKeyName,
        // `secretKey`, `password_token`: the stronger word counts.
        other => words[..at].iter().filter_map(|word| of_word(word)).fold(other, |one, two| {
            if two.weight() > one.weight() && one != Clue::SignatureName { two } else { one }
        }),
    };
    say(clue);
    if words[at + 1..].iter().any(|word| is_among(word, &ABOUT)) {
        say(Clue::AboutName);
    }
    if words[..at].iter().any(|word| is_among(word, &TURNED)) {
        say(Clue::TurnedName);
    }
    if words[..at].iter().any(|word| is_among(word, &ACTIONS)) {
        say(Clue::ActionName);
    }
}

fn is_kind_of_key(word: &[u8], before: Option<&[u8]>) -> bool {
    if word.len() > 3 && !is(word, "keys") {
        return is_among(&word[..word.len() - 3], &KEY_KINDS);
    }
    before.is_some_and(|before| is_among(before, &KEY_KINDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str) -> Vec<Clue> {
        let mut clues = Vec::new();
        of_name(name.as_bytes(), |clue| clues.push(clue));
        clues
    }

    #[test]
    fn names_say_what_they_are_of() {
        for (name, clues) in [
            ("DB_PASSWORD", &[Clue::PasswordName][..]),
            ("dbPassword", &[Clue::PasswordName]),
            ("mysqlpassword", &[Clue::PasswordName]),
            ("spring.datasource.password", &[Clue::PasswordName]),
            ("apiKey", &[Clue::ApiKeyName]),
            ("AWS_SECRET_ACCESS_KEY", &[Clue::ApiKeyName]),
            ("key", &[Clue::KeyName]),
            ("password_hash", &[Clue::PasswordName, Clue::AboutName]),
            ("tokenUrl", &[Clue::TokenName, Clue::AboutName]),
            ("csrf_token", &[Clue::TokenName, Clue::TurnedName]),
            ("bypass", &[Clue::OtherName]),
        ] {
            assert_eq!(said(name), clues, "{name}");
        }
    }
}
