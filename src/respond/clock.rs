//! The clocks of a leak: how soon its value has to be out of service, and replaced.

use super::{Incident, Progress};

/// A leaked value is out of service within so many seconds of its detection.
pub const CONTAIN_WITHIN: i64 = 15 * 60;
/// It is replaced within so many.
pub const ROTATE_WITHIN: i64 = 60 * 60;

/// How an incident stands against a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Reached in time, so many seconds after the detection.
    Met(i64),
    /// So many seconds are left.
    Left(i64),
    /// Missed, by so many seconds so far.
    Missed(i64),
}

/// Both clocks of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// Until the old value is out of service.
    pub contained: Clock,
    /// Until a new one is in force and proved.
    pub rotated: Clock,
}

impl Clocks {
    /// Of an incident; `None` where none runs, since nothing leaked.
    pub fn of(incident: &Incident, progress: &Progress, now: i64) -> Option<Self> {
        if !incident.reason.is_leak() {
            return None;
        }
        let closed = progress.closed.map(|(_, at)| at);
        let clock = |reached: Option<i64>, within: i64| {
            let taken = reached.or(closed).unwrap_or(now) - incident.detected;
            match reached.or(closed) {
                Some(_) if taken <= within => Clock::Met(taken),
                None if taken <= within => Clock::Left(within - taken),
                _ => Clock::Missed(taken - within),
            }
        };
        Some(Self {
            contained: clock(progress.contained, CONTAIN_WITHIN),
            rotated: clock(progress.rotated, ROTATE_WITHIN),
        })
    }

    /// Whether one of them was missed.
    pub fn is_missed(self) -> bool {
        [self.contained, self.rotated].iter().any(|clock| matches!(clock, Clock::Missed(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        respond::{Outcome, Reason, Subject},
        store::SecretPath,
    };

    fn leak(reason: Reason) -> Incident {
        let path = SecretPath { environment: "e".into(), folder: "/f".into(), name: "N".into() };
        Incident::new(Subject::stored(&path, 1), reason, "dir:x", 1_000)
    }

    #[test]
    fn clocks_run_from_the_detection_until_they_are_met() {
        let incident = leak(Reason::Leak);
        let mut progress = Progress::default();
        let clocks = Clocks::of(&incident, &progress, 1_000 + 60).unwrap();
        assert_eq!(clocks, Clocks { contained: Clock::Left(840), rotated: Clock::Left(3_540) });
        progress.contained = Some(1_100);
        let clocks = Clocks::of(&incident, &progress, 1_000 + 3_700).unwrap();
        assert_eq!(clocks, Clocks { contained: Clock::Met(100), rotated: Clock::Missed(100) });
        assert!(clocks.is_missed());
    }

    #[test]
    fn what_came_too_late_stays_missed_and_what_is_closed_stands_still() {
        let incident = leak(Reason::Leak);
        let closed = Some((Outcome::Rotated, 2_000));
        let progress = Progress { contained: Some(1_901), closed, ..Progress::default() };
        let clocks = Clocks::of(&incident, &progress, 99_999).unwrap();
        assert_eq!(clocks, Clocks { contained: Clock::Missed(1), rotated: Clock::Met(1_000) });
    }

    #[test]
    fn nothing_runs_where_nothing_leaked() {
        assert_eq!(Clocks::of(&leak(Reason::Due), &Progress::default(), 99_999), None);
    }
}
