//! Names of entries, as paths in a report: they may say anything, and lead nowhere.

use super::SEPARATOR;

/// The path of an entry: bytes that are no UTF-8, and control characters, stand as `\xNN`; what leads up or to a root is left out.
pub(super) fn join(archive: &str, name: &[u8], number: usize) -> String {
    let mut shown = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => shown.push('/'),
                control if control.is_control() => shown.push_str(&format!("\\x{:02x}", u32::from(control))),
                other => shown.push(other),
            }
        }
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
    }
    let parts: Vec<&str> = shown.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    if parts.is_empty() {
        return format!("{archive}{SEPARATOR}entry {number}");
    }
    format!("{archive}{SEPARATOR}{}", parts.join("/"))
}

/// What a packed file is called where its head says so (RFC 1952 section 2.3), else `content`: what an entry is called follows from bytes
/// alone, so that it is the same in a tree and in all of its history.
pub(super) fn of_gzip(head: &[u8]) -> Vec<u8> {
    stated(head).filter(|name| !name.is_empty()).unwrap_or(b"content").to_vec()
}

fn stated(head: &[u8]) -> Option<&[u8]> {
    const HAS_EXTRA: u8 = 4;
    const HAS_NAME: u8 = 8;
    let flags = *head.strip_prefix(&[0x1F, 0x8B, 8])?.first()?;
    let mut rest = head.get(10..)?;
    if flags & HAS_EXTRA != 0 {
        let len = usize::from(u16::from_le_bytes(*rest.first_chunk()?));
        rest = rest.get(2 + len..)?;
    }
    let end = memchr::memchr(0, rest).filter(|_| flags & HAS_NAME != 0)?;
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_and_write_nothing_to_a_terminal() {
        for (name, shown) in [
            (&b"conf/db.ini"[..], "a.zip!conf/db.ini"),
            (b"../../etc/passwd", "a.zip!etc/passwd"),
            (b"/etc/passwd", "a.zip!etc/passwd"),
            (b"C:\\temp\\..\\x", "a.zip!C:/temp/x"),
            (b"\x1b[31mred\xff", "a.zip!\\x1b[31mred\\xff"),
            (b"../..", "a.zip!entry 7"),
        ] {
            assert_eq!(join("a.zip", name, 7), shown);
        }
    }

    #[test]
    fn what_is_packed_alone_is_called_as_its_head_says() {
        let head = |flags: u8, rest: &[u8]| [&[0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 3], rest].concat();
        assert_eq!(of_gzip(&head(8, b"app.log\0...")), b"app.log");
        assert_eq!(of_gzip(&head(12, b"\x02\0ABapp.log\0...")), b"app.log");
        for head in [head(0, b"app.log\0"), head(8, b"\0"), head(8, b"no end"), b"BZh9".to_vec()] {
            assert_eq!(of_gzip(&head), b"content");
        }
    }
}
