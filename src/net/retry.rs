//! Whether, and when, a request is sent a second time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::fmt::rfc2822::DateTimeParser;

use super::Answer;

/// Statuses that say "not now".
const PASSING: &[u16] = &[429, 502, 503, 504];
/// How long to wait where the host does not say.
const PAUSE: Duration = Duration::from_millis(500);

/// How long to wait before asking again, where an answer says that this may help, and not in longer than `most`.
pub(super) fn pause_after(answer: &Answer, now: SystemTime, most: Duration) -> Option<Duration> {
    if !PASSING.contains(&answer.status) {
        return None;
    }
    let asked = answer.header("retry-after").and_then(|text| parse(text, now));
    Some(asked.unwrap_or(PAUSE)).filter(|pause| *pause <= most)
}

/// How long to wait after a connection that failed.
pub(super) fn pause_after_failure() -> Duration {
    PAUSE
}

/// `retry-after`, RFC 9110 section 10.2.3: seconds, or a date.
fn parse(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = DateTimeParser::new().parse_timestamp(text).ok()?.as_second();
    let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Duration::from_secs(u64::try_from(then).ok()?.saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;

    fn pause(status: u16, retry_after: Option<&str>) -> Option<u64> {
        let headers =
            retry_after.map(|text| ("retry-after".to_owned(), text.to_owned())).into_iter().collect();
        let answer = Answer { status, headers, body: Secret::new("") };
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        pause_after(&answer, now, Duration::from_secs(10)).map(|pause| pause.as_millis().try_into().unwrap())
    }

    #[test]
    fn the_host_says_when() {
        for (text, milliseconds) in [
            ("0", Some(0)),
            ("3", Some(3_000)),
            (" 10 ", Some(10_000)),
            ("11", None),
            ("99999999999999999999", Some(500)),
            ("-1", Some(500)),
            ("soon", Some(500)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3_000)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 09:49:37 GMT", None),
        ] {
            assert_eq!(pause(429, Some(text)), milliseconds, "{text}");
        }
    }

    #[test]
    fn only_passing_trouble_is_worth_a_second_try() {
        for status in [429, 502, 503, 504] {
            assert_eq!(pause(status, None), Some(500), "{status}");
        }
        for status in [200, 302, 401, 403, 404, 500, 501] {
            assert_eq!(pause(status, Some("1")), None, "{status}");
        }
    }
}
