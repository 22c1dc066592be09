//! Escapes and hexadecimal digits, decoded with the place that each byte comes from.

use crate::detect::prefilter::class::is_white;

/// Decoded bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::detect) struct Decoded {
    pub(in crate::detect) bytes: Vec<u8>,
    /// Of each decoded byte the offset at which it begins in the encoded ones; and behind these, the encoded ones' length.
    pub(in crate::detect) from: Vec<usize>,
}

impl Decoded {
    fn push(&mut self, byte: u8, from: usize) {
        self.bytes.push(byte);
        self.from.push(from);
    }

    fn push_all(&mut self, bytes: &[u8], from: usize) {
        bytes.iter().for_each(|byte| self.push(*byte, from));
    }

    fn end(mut self, len: usize) -> Self {
        self.from.push(len);
        self
    }
}

/// Decodes where `escape` says how many bytes an escape takes and what it stands for; leaves everything else as it is.
fn decode(text: &[u8], first: u8, escape: impl Fn(&[u8]) -> Option<(usize, Escape)>) -> Decoded {
    let mut decoded = Decoded::default();
    let mut at = 0;
    while at < text.len() {
        let found = if text[at] == first { escape(&text[at..]) } else { None };
        match found {
            Some((len, Escape::Byte(byte))) => {
                decoded.push(byte, at);
                at += len;
            }
            Some((len, Escape::Char(character))) => {
                decoded.push_all(character.encode_utf8(&mut [0; 4]).as_bytes(), at);
                at += len;
            }
            None => {
                decoded.push(text[at], at);
                at += 1;
            }
        }
    }
    decoded.end(text.len())
}

/// What an escape stands for.
enum Escape {
    Byte(u8),
    Char(char),
}

fn digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn pair(bytes: &[u8]) -> Option<u8> {
    Some(digit(*bytes.first()?)? << 4 | digit(*bytes.get(1)?)?)
}

fn quad(bytes: &[u8]) -> Option<u16> {
    Some(u16::from(pair(bytes)?) << 8 | u16::from(pair(bytes.get(2..)?)?))
}

/// Percent-encoding.
pub(in crate::detect) fn percent(text: &[u8]) -> Decoded {
    decode(text, b'%', |rest| Some((3, Escape::Byte(pair(rest.get(1..)?)?))))
}

/// The backslash escapes of JSON, and `\x41`.
pub(in crate::detect) fn backslash(text: &[u8]) -> Decoded {
    decode(text, b'\\', |rest| {
        let byte = match *rest.get(1)? {
            byte @ (b'"' | b'\'' | b'\\' | b'/') => byte,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => return Some((4, Escape::Byte(pair(rest.get(2..)?)?))),
            b'u' => return unicode(rest),
            _ => return None,
        };
        Some((2, Escape::Byte(byte)))
    })
}

/// `\u0041`, or a pair of surrogates.
fn unicode(rest: &[u8]) -> Option<(usize, Escape)> {
    let high = quad(rest.get(2..)?)?;
    if let Some(character) = char::from_u32(u32::from(high)) {
        return Some((6, Escape::Char(character)));
    }
    let low = quad(rest.get(6..)?.strip_prefix(b"\\u")?)?;
    let character = char::decode_utf16([high, low]).next()?.ok()?;
    Some((12, Escape::Char(character)))
}

/// HTML entities: those of markup, and numbers.
pub(in crate::detect) fn entities(text: &[u8]) -> Decoded {
    const NAMED: [(&[u8], u8); 5] =
        [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\'')];
    decode(text, b'&', |rest| {
        if let Some((name, byte)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
            return Some((name.len(), Escape::Byte(*byte)));
        }
        let number = rest.strip_prefix(b"&#")?;
        let len = number.iter().take(9).position(|byte| *byte == b';')?;
        let digits = std::str::from_utf8(&number[..len]).ok()?;
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => digits.parse().ok()?,
        };
        Some((len + 3, Escape::Char(char::from_u32(code)?)))
    })
}

/// Hexadecimal digits, two for each byte; `None` where there are others.
pub(in crate::detect) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|digits| pair(digits)).collect()).flatten()
}

/// Whether an escape begins here that makes a value look unlike all of its forms. Escaped quotes, backslashes and white space don't: they stand in
/// every string of every program.
pub(in crate::detect) fn is_escape(rest: &[u8]) -> bool {
    match *rest {
        [b'%', high, low, ..] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        [b'\\', b'u', high, low, ..] | [b'\\', b'x', high, low, ..] => {
            high.is_ascii_hexdigit() && low.is_ascii_hexdigit()
        }
        [b'\\', b'\'', ..] | [b'&', b'#', ..] => true,
        [b'&', b'a' | b'l' | b'g' | b'q', ..] => rest.iter().take(6).any(|byte| *byte == b';'),
        _ => false,
    }
}

/// Whether the byte is one that printed text holds, of ASCII.
pub(in crate::detect) fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || (is_white(byte) && matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_broken_ones_left() {
        let text = |decoded: Decoded| String::from_utf8(decoded.bytes).unwrap();
        assert_eq!(text(percent(b"a%2Fb%3d%zz%4")), "a/b=%zz%4");
        assert_eq!(text(backslash(br#"\/\"\\\x41\u0042\ud83d\ude00\u12\q\"#)), "/\"\\AB😀\\u12\\q\\");
        assert_eq!(text(entities(b"a&amp;&lt;&#65;&#x42;&#xfffffff;&none;&")), "a&<AB&#xfffffff;&none;&");
        assert_eq!(hex(b"4142"), Some(b"AB".to_vec()));
        assert_eq!((hex(b"414"), hex(b"4g")), (None, None));
    }

    #[test]
    fn each_byte_knows_where_it_comes_from() {
        assert_eq!(percent(b"a%2Fb").from, [0, 1, 4, 5]);
        assert_eq!(backslash(b"\\u00e9x").from, [0, 0, 6, 7]);
    }
}
