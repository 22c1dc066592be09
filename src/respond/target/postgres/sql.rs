//! Names and texts in a statement, whatever is in them. Sessions read by the standard and in UTF-8 (`login/session/postgres.rs` sees to it).

/// A name longer than this, in bytes, would be cut by the server, and mean another role.
const LONGEST_NAME: usize = 63;

/// A name as an identifier.
///
/// # Errors
/// A name that no role of PostgreSQL can have.
pub(super) fn identifier(name: &str) -> Result<String, String> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.contains('\0') {
        return Err(format!(
            "a role of PostgreSQL has a name of 1 to {LONGEST_NAME} bytes without NUL, and this one has not; correct `role` in the inventory"
        ));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A text as a literal, which means the same whatever `standard_conforming_strings` is.
///
/// # Errors
/// A text with a NUL.
pub(super) fn literal(text: &str) -> Result<String, String> {
    if text.contains('\0') {
        return Err("a text of PostgreSQL holds no NUL".into());
    }
    let escape = if text.contains('\\') { "E" } else { "" };
    Ok(format!("{escape}'{}'", text.replace('\\', "\\\\").replace('\'', "''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_a_name_stay_in_the_name() {
        assert_eq!(identifier(r#"a"; DROP ROLE b; --"#).unwrap(), r#""a""; DROP ROLE b; --""#);
        assert_eq!(literal(r"a'; DROP ROLE b; --").unwrap(), "'a''; DROP ROLE b; --'");
        assert_eq!(literal(r"a\'b").unwrap(), r"E'a\\''b'");
    }

    #[test]
    fn what_is_no_name_is_refused_and_not_cut() {
        assert!(identifier("").is_err());
        assert!(identifier("a\0b").is_err());
        assert!(identifier(&"a".repeat(64)).is_err());
        assert!(identifier(&"a".repeat(63)).is_ok());
        assert!(literal("a\0b").is_err());
    }
}
