//! Points in time as people write them for `--since`.

use anyhow::{Result, anyhow};

const DAY: i64 = 86_400;

/// The forms, for errors.
const FORMS: &str = "2026-11-24, 2026-11-24T01:02:03Z, yesterday, and 2.weeks or \"2 weeks ago\" (seconds, minutes, hours, days, weeks, months, years)";

/// A moment, in seconds since 1970: `2026-11-24T01:02:03Z`, `2026-11-24` (its first second, UTC), `yesterday`, or so much time before
/// `now`, as git writes it: `2.weeks`, `2 weeks ago`. For what may be a ref as well.
///
/// # Errors
/// Text of any other form; it names the forms.
pub(super) fn parse(text: &str, now: i64) -> Result<i64> {
    moment(text, now)
        .ok_or_else(|| anyhow!("`{text}` is neither a ref or commit here nor a date; dates are {FORMS}"))
}

/// The same for what is a time and nothing else.
///
/// # Errors
/// As [`parse`].
#[cfg(feature = "network")]
pub(super) fn time(text: &str, now: i64) -> Result<i64> {
    moment(text, now).ok_or_else(|| anyhow!("`{text}` is no time; times are {FORMS}"))
}

fn moment(text: &str, now: i64) -> Option<i64> {
    date_time(text).or_else(|| date(text).map(|days| days * DAY)).or_else(|| relative(text, now))
}

/// Days since 1970 of `YYYY-MM-DD`.
fn date(text: &str) -> Option<i64> {
    let [year, month, day] = numbers(text, '-', [4, 2, 2])?;
    ((1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day)).then(|| days(year, month, day))
}

/// RFC 3339.
fn date_time(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, zone) = rest.split_at_checked(8)?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    // A leap second is 60.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone = match zone.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => zone,
    };
    let offset = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), ..] => {
            let [hours, minutes] = numbers(&zone[1..], ':', [2, 2])?;
            let offset = (hours * 60 + minutes) * 60;
            if hours > 23 || minutes > 59 {
                return None;
            }
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    Some(date(day)? * DAY + hour * 3600 + minute * 60 + second - offset)
}

/// Numbers of so many digits each.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let parts: Vec<&str> = text.split(between).collect();
    let parts: [&str; N] = parts.try_into().ok()?;
    let mut numbers = [0; N];
    for (at, (part, digits)) in parts.into_iter().zip(digits).enumerate() {
        let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        numbers[at] = part.parse().ok().filter(|_| is_number)?;
    }
    Some(numbers)
}

/// `yesterday`, `3.days`, `3 days ago`.
fn relative(text: &str, now: i64) -> Option<i64> {
    if text == "yesterday" {
        return Some(now - DAY);
    }
    let words: Vec<&str> = text.split([' ', '.']).collect();
    let [count, unit, rest @ ..] = words.as_slice() else { return None };
    if !matches!(rest, [] | ["ago"]) || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = count.parse().ok().filter(|count| *count <= 1_000_000)?;
    let seconds = match unit.strip_suffix('s').unwrap_or(unit) {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => DAY,
        "week" => 7 * DAY,
        "month" => return Some(months_before(now, count)),
        "year" => return Some(months_before(now, count * 12)),
        _ => return None,
    };
    Some(now - count * seconds)
}

/// The same time of the same day of an earlier month; of its last day where it has no such day.
fn months_before(now: i64, count: i64) -> i64 {
    let (year, month, day) = civil(now.div_euclid(DAY));
    let month = year * 12 + month - 1 - count;
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    days(year, month, day.min(days_in(year, month))) * DAY + now.rem_euclid(DAY)
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Howard Hinnant's days_from_civil.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Its civil_from_days.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-03-31T12:00:00Z.
    const NOW: i64 = 1_711_886_400;

    #[test]
    fn dates_are_read_to_the_second() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2024-03-31T12:00:00Z", NOW),
            ("2024-03-31t13:30:00.25+01:30", NOW),
            ("2024-03-31 04:00:00-08:00", NOW),
        ] {
            assert_eq!(parse(text, NOW).unwrap(), seconds, "{text}");
        }
    }

    #[test]
    fn spans_go_back_from_now() {
        for (text, seconds) in [
            ("yesterday", NOW - DAY),
            ("1.day", NOW - DAY),
            ("2 weeks ago", NOW - 14 * DAY),
            ("2.weeks.ago", NOW - 14 * DAY),
            ("90 minutes", NOW - 5400),
            // February has no 31st.
            ("1 month ago", NOW - 31 * DAY),
            ("4.years", NOW - 1461 * DAY),
        ] {
            assert_eq!(parse(text, NOW).unwrap(), seconds, "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused_with_those_that_are_known() {
        for text in [
            "",
            "now",
            "2023-02-29",
            "2023-13-01",
            "23-1-1",
            "2024-03-31T12:00:00",
            "2024-03-31T25:00:00Z",
            "weeks",
            "2.fortnights",
            "-1.days",
            "1.5.days",
            "2 weeks  ago",
            "1.day.hence",
            "é2024-03-31",
            "99999999999.days",
        ] {
            let error = parse(text, NOW).unwrap_err().to_string();
            assert!(error.contains("2.weeks"), "{text}: {error}");
        }
    }
}
