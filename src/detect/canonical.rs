//! One identity for one secret, in whichever form it stands.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use memchr::memmem;

const BEGIN: &[u8] = b"-----BEGIN ";
/// Base64 of `-----BEGIN`, as far as the next character does not matter.
const BEGIN_BASE64: &[u8] = b"LS0tLS1CRUdJTi";

/// The form that fingerprints are made from: of a PEM key (raw, with `\n` escaped, or base64 in one line) its label and its
/// body without white space, of everything else the value itself.
pub fn canonical(secret: &[u8]) -> Cow<'_, [u8]> {
    if secret.starts_with(BEGIN_BASE64) {
        let compact: Vec<u8> =
            secret.iter().copied().filter(|byte| is_base64(*byte) && *byte != b'=').collect();
        let whole = compact.len() - usize::from(compact.len() % 4 == 1);
        let mut padded = compact[..whole].to_vec();
        padded.resize(whole.next_multiple_of(4), b'=');
        let decoded = STANDARD.decode(padded).ok();
        return decoded.and_then(|pem| canonical_pem(&pem)).map_or(Cow::Borrowed(secret), Cow::Owned);
    }
    canonical_pem(secret).map_or(Cow::Borrowed(secret), Cow::Owned)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn canonical_pem(text: &[u8]) -> Option<Vec<u8>> {
    let label_start = memmem::find(text, BEGIN)? + BEGIN.len();
    let label_length = memmem::find(&text[label_start..], b"-----")?;
    let label = &text[label_start..label_start + label_length];
    let body = &text[label_start + label_length + 5..];
    let body = &body[..memmem::find(body, b"-----END").unwrap_or(body.len())];
    let mut canonical = [b"pem:", label, b":"].concat();
    for line in body_lines(body) {
        // Headers such as `Proc-Type: 4,ENCRYPTED` stand before the body, one a line.
        if !line.contains(&b':') {
            canonical.extend(line.iter().copied().filter(|byte| is_base64(*byte)));
        }
    }
    Some(canonical)
}

/// The lines, whether their ends are real or escaped.
fn body_lines(body: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' | b'\r' => lines.push(Vec::new()),
            b'\\' => {
                while bytes.next_if_eq(&b'\\').is_some() {}
                if bytes.next_if(|next| matches!(next, b'n' | b'r' | b't')).is_some() {
                    lines.push(Vec::new());
                }
            }
            _ => lines.last_mut().expect("it starts with one line").push(byte),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_in_raw_escaped_indented_and_base64_form() {
        let raw = "-----BEGIN RSA PRIVATE KEY-----\nQUJDRA==\nRUZHSA==\n-----END RSA PRIVATE KEY-----";
        let expected = canonical(raw.as_bytes()).into_owned();
        assert_eq!(expected, b"pem:RSA PRIVATE KEY:QUJDRA==RUZHSA==");
        for form in [
            raw.replace('\n', "\\n"),
            raw.replace('\n', "\\\\n"),
            raw.replace('\n', "\r\n"),
            raw.replace('\n', "\n    "),
            STANDARD.encode(raw),
            STANDARD.encode(format!("{raw}\n")),
        ] {
            assert_eq!(canonical(form.as_bytes()).into_owned(), expected, "{form}");
        }
    }

    #[test]
    fn other_values_stay_as_they_are() {
        assert_eq!(canonical(b"ghp_x"), Cow::Borrowed(b"ghp_x"));
        assert_eq!(canonical(b"LS0tLS1CRUdJTi!!"), Cow::Borrowed(b"LS0tLS1CRUdJTi!!"));
    }
}
