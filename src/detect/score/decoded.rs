//! Values in base64 that say nothing more than a stand-in does: `cGFzc3dvcmQ=`, `dXNlcjpwYXNz`.

use super::{filler, letters, shape, value, vocabulary::holds_stand_in};

/// Bytes of decoded text that are looked at.
const LONGEST: usize = 64;

/// Whether the value is base64 of text that stands in for a secret; of `user:password`, whether the password does.
pub(super) fn is_stand_in(encoded: &[u8]) -> bool {
    let mut buffer = [0; LONGEST];
    let Some(length) = decode(encoded, &mut buffer) else { return false };
    let text = buffer[..length].trim_ascii();
    if text.len() < 3 || !text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return false;
    }
    let text = memchr::memchr(b':', text).map_or(text, |colon| &text[colon + 1..]);
    let is_made = value::is_stand_in(text, &value::Classes::of(text), letters::words(text));
    is_made || holds_stand_in(text) || filler::is_filler(text) || shape::is_bracketed(text)
}

/// Decodes standard base64, with or without its padding. `None` of other text, and of what is too long.
fn decode(encoded: &[u8], buffer: &mut [u8; LONGEST]) -> Option<usize> {
    let padding = encoded.iter().rev().take_while(|byte| **byte == b'=').count();
    let encoded = &encoded[..encoded.len() - padding];
    if padding > 2 || encoded.len() < 4 || encoded.len() % 4 == 1 || encoded.len() * 3 / 4 > LONGEST {
        return None;
    }
    let (mut bits, mut count, mut length) = (0_u32, 0, 0);
    for byte in encoded {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            buffer[length] = (bits >> count) as u8;
            length += 1;
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_in_base64_are_seen() {
        for encoded in ["cGFzc3dvcmQ=", "dXNlcjpwYXNz", "YWRtaW4="] {
            assert!(is_stand_in(encoded.as_bytes()), "{encoded}");
        }
        let compass = "bm9ydGg3d2VzdA==";
        for other in ["xkqvzjwpqnrt", "password", compass] {
            assert!(!is_stand_in(other.as_bytes()), "{other}");
        }
    }
}
