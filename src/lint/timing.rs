//! How long each rule takes alone.

use std::time::{Duration, Instant};

use super::pattern::ORDINARY;
use crate::{
    detect::{DetectError, Detector},
    rule::{Detection, Rule, Templater},
};

/// What is searched, in bytes.
const PAGE: usize = 1 << 20;
/// The best of so many runs counts: what else the machine does only makes them longer.
const RUNS: usize = 3;

/// A rule's time for a megabyte of ordinary source in which its own examples stand once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// Its id.
    pub rule: String,
    /// The time on one thread.
    pub per_megabyte: Duration,
}

/// Measures each rule alone; the slowest first.
///
/// # Errors
/// A rule that can't be run.
pub fn timings(rules: &[Rule]) -> Result<Vec<Timing>, DetectError> {
    let ordinary: Vec<u8> = ORDINARY.bytes().cycle().take(PAGE).collect();
    let mut timings = Vec::new();
    for rule in rules.iter().filter(|rule| matches!(rule.detection, Detection::Content(_))) {
        let templater = Templater::new(rule);
        let mut page = ordinary.clone();
        for example in &rule.templates.examples {
            // One that can't be rendered is told of by the test itself.
            page.extend(templater.render(example, 0).map(|rendered| rendered.text).unwrap_or_default());
            page.push(b'\n');
        }
        let detector = Detector::new(vec![rule.clone()])?;
        let run = |_| {
            let start = Instant::now();
            let found = detector.scan(&page.as_slice());
            found.map(|_| start.elapsed()).unwrap_or_default()
        };
        let per_megabyte = (0..RUNS).map(run).min().unwrap_or_default();
        timings.push(Timing { rule: rule.id.clone(), per_megabyte });
    }
    timings.sort_by(|one, two| two.per_megabyte.cmp(&one.per_megabyte).then_with(|| one.rule.cmp(&two.rule)));
    Ok(timings)
}
