//! What lists of keys show of a key: its beginning and its end.

/// The fewest characters that have to be seen at the end of a key: they differ from key to key, where its beginning tells the kind.
const LEAST_END: usize = 3;

/// Whether a hint such as `sk-ant-api03-R2D...igAA` or `sk-pr****abcd` is one of this value.
pub(super) fn is_of(hint: &str, value: &str) -> bool {
    let Some((start, end)) = split(hint) else { return false };
    !start.is_empty()
        && end.len() >= LEAST_END
        && value.len() > start.len() + end.len()
        && value.starts_with(start)
        && value.ends_with(end)
}

/// What stands before and behind the dots or asterisks.
fn split(hint: &str) -> Option<(&str, &str)> {
    let is_mask = |c: char| matches!(c, '.' | '*' | '…' | '•');
    let from = ["...", "**", "…", "••"].iter().filter_map(|mask| hint.find(mask)).min()?;
    let (start, rest) = hint.split_at(from);
    let end = rest.trim_start_matches(is_mask);
    (!end.contains(['*', '…', '•']) && !end.contains("...")).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_of_a_value_that_starts_and_ends_so() {
        let value = format!("sk-ant-api03-R2D{}igAA", "x".repeat(40));
        for (hint, expected) in [
            ("sk-ant-api03-R2D...igAA", true),
            ("sk-ant************igAA", true),
            ("sk-ant-api03-R2D…igAA", true),
            ("sk-ant-api03-R2D...igAB", false),
            ("sk-ant-api03-R2E...igAA", false),
            ("sk-ant-api03-R2D...", false),
            ("sk-ant-api03-R2D...AA", false),
            ("...igAA", false),
            ("sk-ant-api03-R2D", false),
            ("sk...x...igAA", false),
            ("", false),
            ("...", false),
        ] {
            assert_eq!(is_of(hint, &value), expected, "{hint}");
        }
    }

    #[test]
    fn a_hint_that_shows_the_whole_value_twice_over_is_of_no_value() {
        assert!(!is_of("abcd...cdef", "abcdef"));
    }
}
