//! What stands around a value: the name it is assigned to.

/// How far back a name is looked for, in bytes. Part of what a match may depend on.
pub(super) const LOOK_BACK: usize = 160;

/// The name that the value at `start` is assigned to: `NAME=`, `name: "`, `"name": "`, `<name>`, `name => '`, `--name `.
pub(super) fn assigned_name(bytes: &[u8], start: usize) -> Option<String> {
    let from = start.saturating_sub(LOOK_BACK);
    let line_start =
        memchr::memrchr2(b'\n', b'\r', &bytes[from..start]).map_or(from, |newline| from + newline + 1);
    let before = bytes[line_start..start].trim_ascii_end();
    let before = trim_end(before, b"\"'`\\([{@rbuf");
    let before = strip_operator(before.trim_ascii_end())?;
    let before = trim_end(before.trim_ascii_end(), b"\"'`)]\\ \t");
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = before.iter().rev().take_while(|byte| is_name(byte)).count();
    let (rest, name) = before.split_at(before.len() - length);
    // The user of a URL is no name for its password.
    if rest.ends_with(b"://") {
        return None;
    }
    let name = String::from_utf8_lossy(name);
    let name = name.trim_matches(['-', '.']);
    let has_letter = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    (has_letter && name.len() <= 80).then(|| name.to_owned())
}

/// Without trailing bytes of the set; letters in it (string prefixes as in `r"…"`) only directly before a quote.
fn trim_end<'a>(mut bytes: &'a [u8], set: &[u8]) -> &'a [u8] {
    let mut after_quote = false;
    while let Some((&last, rest)) = bytes.split_last() {
        if !set.contains(&last) || (last.is_ascii_alphabetic() && !after_quote) {
            break;
        }
        after_quote = matches!(last, b'"' | b'\'');
        bytes = rest;
    }
    bytes
}

fn strip_operator(before: &[u8]) -> Option<&[u8]> {
    const OPERATORS: &[&[u8]] = &[b"=>", b":=", b"->", b"==", b"?=", b"=", b":", b">", b","];
    OPERATORS.iter().find_map(|operator| before.strip_suffix(*operator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_across_syntaxes() {
        for (line, name) in [
            ("DB_PASSWORD=@", Some("DB_PASSWORD")),
            ("  password: \"@", Some("password")),
            ("{\"api_key\": \"@", Some("api_key")),
            ("<token>@", Some("token")),
            ("'secret' => '@", Some("secret")),
            ("key := `@", Some("key")),
            ("auth = b\"@", Some("auth")),
            ("no operator @", None),
            ("url: https://user:@", None),
            ("@", None),
        ] {
            let start = line.find('@').unwrap();
            assert_eq!(assigned_name(line.as_bytes(), start).as_deref(), name, "{line}");
        }
    }
}
