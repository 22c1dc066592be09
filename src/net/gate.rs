//! How often, and how much at once, a host is asked.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// So many requests may follow each other without a pause.
const BURST: u32 = 5;

/// Lets requests to a host through, each when its time has come.
#[derive(Debug)]
pub(super) struct Gate {
    lanes: Mutex<BTreeMap<String, Lane>>,
    freed: Condvar,
    interval: Duration,
    at_once: usize,
}

/// The way to one host.
#[derive(Debug, Default)]
struct Lane {
    running: usize,
    /// When the next request would come if all came at the pace; ahead of now by what was taken in advance.
    due: Option<Instant>,
    /// The host asked to be left alone until then.
    closed_until: Option<Instant>,
}

impl Lane {
    /// When the next request may start.
    fn reserve(&mut self, now: Instant, interval: Duration) -> Instant {
        let due = self.due.map_or(now, |due| due.max(now));
        let in_pace = due.checked_sub(interval * (BURST - 1)).map_or(now, |start| start.max(now));
        self.due = Some(due + interval);
        self.closed_until.map_or(in_pace, |until| until.max(in_pace))
    }
}

impl Gate {
    /// `interval` from one request to the next, once [`BURST`] of them have gone; `at_once` at a time.
    pub(super) fn new(interval: Duration, at_once: usize) -> Self {
        Self { lanes: Mutex::default(), freed: Condvar::new(), interval, at_once: at_once.max(1) }
    }

    /// Waits until a request may go to a host. It counts as running until the pass is dropped.
    pub(super) fn enter<'a>(&'a self, host: &'a str) -> Pass<'a> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let lane = lanes.entry(host.to_owned()).or_default();
            if lane.running < self.at_once {
                lane.running += 1;
                let now = Instant::now();
                let start = lane.reserve(now, self.interval);
                drop(lanes);
                thread::sleep(start.saturating_duration_since(now));
                return Pass { gate: self, host };
            }
            lanes = self.freed.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets nothing more through to a host for a while.
    pub(super) fn close(&self, host: &str, time: Duration) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(host.to_owned()).or_default();
        let until = Instant::now() + time;
        lane.closed_until = Some(lane.closed_until.map_or(until, |before| before.max(until)));
    }
}

/// Leave to send one request.
pub(super) struct Pass<'a> {
    gate: &'a Gate,
    host: &'a str,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut lanes = self.gate.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get_mut(self.host) {
            lane.running -= 1;
        }
        drop(lanes);
        self.gate.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn after_a_burst_requests_come_at_the_pace() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut lane = Lane::default();
        let starts: Vec<u64> =
            (0..8).map(|_| lane.reserve(now, second).duration_since(now).as_secs()).collect();
        assert_eq!(starts, [0, 0, 0, 0, 0, 1, 2, 3]);
        let later = now + 20 * second;
        assert_eq!(lane.reserve(later, second), later, "what was not used is forgotten");
    }

    #[test]
    fn a_closed_lane_lets_nothing_through_until_it_opens() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut lane = Lane { closed_until: Some(now + 7 * second), ..Lane::default() };
        assert_eq!(lane.reserve(now, second), now + 7 * second);
        assert_eq!(lane.reserve(now + 8 * second, second), now + 8 * second);
    }

    #[test]
    fn no_more_than_so_many_are_in_at_once() {
        let gate = Gate::new(Duration::ZERO, 2);
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _pass = gate.enter("host");
                    let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 2);
        assert_eq!(gate.lanes.lock().unwrap()["host"].running, 0);
    }
}
