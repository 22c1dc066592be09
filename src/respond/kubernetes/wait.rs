//! How long is waited for others, and how.

use std::{
    fmt, thread,
    time::{Duration, Instant, SystemTime},
};

/// No sleep is longer without a look at whether to stop.
const NAP: Duration = Duration::from_millis(100);

/// How long is waited for a sync or a rollout.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    /// For the whole of it.
    pub within: Duration,
    /// From one look to the next.
    pub pace: Duration,
    /// Whether to wait no longer. It is asked several times a second.
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
    /// What time it is, for what is written into objects.
    pub now: &'a (dyn Fn() -> SystemTime + Sync),
}

impl Default for Wait<'_> {
    /// Five minutes, with a look every two seconds.
    fn default() -> Self {
        Self {
            within: Duration::from_secs(300),
            pace: Duration::from_secs(2),
            is_stopped: &|| false,
            now: &SystemTime::now,
        }
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wait({:?}, every {:?})", self.within, self.pace)
    }
}

/// Why it is not waited any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Over {
    /// The time is over.
    #[error("within {:.1} s", .0.as_secs_f64())]
    Late(Duration),
    /// Somebody said so.
    #[error("before it was stopped")]
    Stopped,
}

/// A wait that has begun.
pub(super) struct Watch<'a> {
    wait: &'a Wait<'a>,
    within: Duration,
    until: Instant,
}

impl<'a> Wait<'a> {
    pub(super) fn start(&'a self) -> Watch<'a> {
        self.start_for(self.within)
    }

    /// As `start`, but for another time.
    pub(super) fn start_for(&'a self, within: Duration) -> Watch<'a> {
        Watch { wait: self, within, until: Instant::now() + within }
    }

    /// The time, to the second, as RFC 3339 has it.
    pub(super) fn timestamp(&self) -> String {
        let now = jiff::Timestamp::try_from((self.now)()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        jiff::Timestamp::from_second(now.as_second()).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
    }
}

impl Watch<'_> {
    /// Sleeps until the next look; at least as long as asked, if somebody did. What would end after the time is not begun.
    pub(super) fn pause(&self, asked: Option<Duration>) -> Result<(), Over> {
        let wake = Instant::now() + asked.map_or(self.wait.pace, |asked| asked.max(self.wait.pace));
        loop {
            if (self.wait.is_stopped)() {
                return Err(Over::Stopped);
            }
            if wake > self.until {
                return Err(Over::Late(self.within));
            }
            let left = wake.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(NAP));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_after_the_time_is_not_begun() {
        let wait = Wait { within: Duration::from_millis(5), pace: Duration::ZERO, ..Wait::default() };
        let watch = wait.start();
        assert_eq!(watch.pause(Some(Duration::from_secs(3600))), Err(Over::Late(wait.within)));
        assert_eq!(watch.pause(None), Ok(()));
    }

    #[test]
    fn a_wait_can_be_stopped() {
        let wait = Wait { is_stopped: &|| true, ..Wait::default() };
        assert_eq!(wait.start().pause(None), Err(Over::Stopped));
    }

    #[test]
    fn timestamps_are_those_of_kubectl() {
        let now = || SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_987);
        let wait = Wait { now: &now, ..Wait::default() };
        assert_eq!(wait.timestamp(), "2023-11-14T22:13:20Z");
    }
}
