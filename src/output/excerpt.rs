//! A line of a file cut to a width, with its secret in sight.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::terminal::sanitise_line;

const CUT: char = '…';

/// A line in three parts, safe to print and no wider than asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// What stands before the secret; the whole line where the secret is not in it.
    pub(super) before: String,
    /// The redacted secret.
    pub(super) secret: String,
    /// What stands behind it.
    pub(super) after: String,
}

impl Excerpt {
    /// Cuts `line` to `width` columns around `redacted`. Where it is in the line more than once, the one nearest to
    /// `column` (from 1, in the line before it was masked) is meant.
    pub(super) fn fit(line: &str, redacted: &str, column: u64, width: usize) -> Self {
        let (before, secret, after) = split(line, redacted, column).unwrap_or((line, "", ""));
        let (before, after) = (sanitise_line(before), sanitise_line(after.trim_end()));
        let secret = keep_start(&sanitise_line(secret), width);
        let room = width - secret.width().min(width);
        if before.width() + after.width() <= room {
            return Self { before, secret, after };
        }
        let room_after = after.width().min((room / 2).max(room.saturating_sub(before.width())));
        let before =
            if secret.is_empty() { keep_start(&before, width) } else { keep_end(&before, room - room_after) };
        Self { before, secret, after: keep_start(&after, room_after) }
    }

    /// Blanks and carets that stand under the secret, on a line below; `None` where there is no secret.
    pub(super) fn carets(&self) -> Option<(usize, String)> {
        let width = self.secret.width();
        (width > 0).then(|| (self.before.width(), "^".repeat(width)))
    }
}

fn split<'a>(line: &'a str, redacted: &str, column: u64) -> Option<(&'a str, &'a str, &'a str)> {
    if redacted.is_empty() {
        return None;
    }
    let distance = |at: &usize| (line[..*at].chars().count() as u64 + 1).abs_diff(column);
    let at = line.match_indices(redacted).map(|(at, _)| at).min_by_key(distance)?;
    let end = at + redacted.len();
    Some((&line[..at], &line[at..end], &line[end..]))
}

/// The start of a safe text, in so many columns.
pub(super) fn keep_start(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    fill(text.chars(), width).into_iter().collect()
}

fn keep_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    fill(text.chars().rev(), width).into_iter().rev().collect()
}

/// The first characters that fit in `width` columns, and the mark of the cut; nothing where not even that fits.
fn fill(characters: impl Iterator<Item = char>, width: usize) -> Vec<char> {
    let Some(mut room) = width.checked_sub(1) else {
        return Vec::new();
    };
    let fits = |c: &char| {
        let needed = c.width().unwrap_or(0);
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    };
    characters.take_while(fits).chain([CUT]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str, column: u64, width: usize) -> String {
        let excerpt = Excerpt::fit(line, "********", column, width);
        let text = format!("{}{}{}", excerpt.before, excerpt.secret, excerpt.after);
        assert!(text.width() <= width, "{text}");
        match excerpt.carets() {
            Some((blanks, carets)) => format!("|{text}\n|{}{carets}", " ".repeat(blanks)),
            None => format!("|{text}"),
        }
    }

    #[test]
    fn carets_stand_under_the_secret_whatever_stands_before_it() {
        insta::assert_snapshot!(shown("\tpasswort_für_日本語\u{1b}[2J = ********;\u{7}", 1, 60), @r"
        |    passwort_für_日本語\x1b[2J = ********;\x07
        |                                 ^^^^^^^^
        ");
    }

    #[test]
    fn long_lines_are_cut_around_the_secret() {
        let line = format!("{}password=********&{}", "x".repeat(200), "y".repeat(200));
        insta::assert_snapshot!(shown(&line, 210, 40), @"
        |…xxxxxxpassword=********&yyyyyyyyyyyyyy…
        |                ^^^^^^^^
        ");
    }

    #[test]
    fn of_two_secrets_the_one_at_the_column_is_meant() {
        insta::assert_snapshot!(shown("user ******** password ********", 30, 40), @"
        |user ******** password ********
        |                       ^^^^^^^^
        ");
    }

    #[test]
    fn line_without_the_secret_has_no_carets() {
        insta::assert_snapshot!(shown(&"日本".repeat(20), 1, 12), @"|日本日本日…");
    }

    #[test]
    fn every_width_is_kept() {
        let line = format!("{}********{}", "日".repeat(30), "本".repeat(30));
        for width in 0..100 {
            shown(&line, 31, width);
        }
    }
}
