//! Spans of time, as `90d`.

use std::{fmt, str::FromStr};

/// A span of time: a number and a unit, `90d`. It shows itself as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    number: u32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unit {
    letter: char,
    seconds: u64,
}

/// A year has 365 days here: what is due yearly is due on the day, give or take one.
const UNITS: &[Unit] = &[
    Unit { letter: 's', seconds: 1 },
    Unit { letter: 'm', seconds: 60 },
    Unit { letter: 'h', seconds: 3_600 },
    Unit { letter: 'd', seconds: DAY },
    Unit { letter: 'w', seconds: 7 * DAY },
    Unit { letter: 'y', seconds: 365 * DAY },
];
const DAY: u64 = 86_400;
/// A hundred years: longer is a slip.
const LONGEST: u64 = 100 * 365 * DAY;

impl Period {
    /// So many days.
    pub const fn days(number: u32) -> Self {
        Self { number, unit: UNITS[3] }
    }

    /// Its length.
    pub fn seconds(self) -> u64 {
        u64::from(self.number) * self.unit.seconds
    }

    /// Whole days in it.
    pub fn whole_days(self) -> u32 {
        u32::try_from(self.seconds() / DAY).expect("a hundred years at most")
    }
}

/// Text that is no span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a period is a whole number and a unit, s, m, h, d, w or y: `90d`; at most 100 years")]
pub struct PeriodError;

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let unit = UNITS.iter().find(|unit| text.ends_with(unit.letter)).ok_or(PeriodError)?;
        let digits = &text[..text.len() - 1];
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u32 = digits.parse().ok().filter(|number| is_number && *number > 0).ok_or(PeriodError)?;
        let period = Self { number, unit: *unit };
        if period.seconds() > LONGEST { Err(PeriodError) } else { Ok(period) }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, self.unit.letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_read_back_and_have_a_length() {
        for (text, seconds) in [
            ("15m", 900),
            ("90d", 7_776_000),
            ("1y", 31_536_000),
            ("2w", 1_209_600),
            ("1s", 1),
            ("3h", 10_800),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!((period.seconds(), period.to_string().as_str()), (seconds, text));
        }
        assert_eq!(
            ("36h".parse::<Period>().unwrap().whole_days(), Period::days(7).to_string()),
            (1, "7d".into())
        );
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in
            ["", "d", "90", "0d", "-1d", "+1d", "1.5d", "90 d", "90D", "99999999999d", "101y", "1dd", "µ"]
        {
            assert_eq!(text.parse::<Period>(), Err(PeriodError), "{text}");
        }
    }
}
