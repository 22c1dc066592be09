//! Paths as reports write them.

use std::path::{Component, Path};

/// A path with `/` between its parts; bytes that are no UTF-8 stand as `\xNN`.
pub fn display(path: &Path) -> String {
    let mut out = String::new();
    for component in path.components() {
        if component == Component::CurDir {
            continue;
        }
        if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        out.push_str(&display_bytes(component.as_os_str().as_encoded_bytes()));
    }
    out
}

/// The same of a path as git has it: `/`-separated, relative.
pub fn display_bytes(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_by_slashes() {
        assert_eq!(display(Path::new("./a/./b.txt")), "a/b.txt");
        assert_eq!(display(Path::new("/etc/passwd")), "/etc/passwd");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_utf8_are_escaped() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
        assert_eq!(display(Path::new(OsStr::from_bytes(b"a\xff\xfe.txt"))), "a\\xff\\xfe.txt");
    }
}
