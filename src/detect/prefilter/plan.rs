//! Where in each literal to look, and which literals share a bucket: the part of the prefilter that is worth doing ahead.
//!
//! A literal's *fingerprint* is its rarest stretch of four bytes. A *bucket* is a set of fingerprints which one bit of the SIMD
//! test stands for: it passes wherever, at each of the four positions, low and high nibble are those of some member. Each literal
//! goes to the bucket where it adds least to the expected number of false candidates.

use serde::{Deserialize, Serialize};

use crate::rule::{byte_rate, stretch_rate};

/// Eight per group of nibble tables.
pub(crate) const BUCKETS: usize = 48;
/// Bytes of a fingerprint.
pub(crate) const WINDOW: usize = 4;

/// A laid-out set of literals.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Sorted, distinct.
    pub(crate) literals: Vec<Placed>,
}

/// A literal and its place in the plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Placed {
    /// Lower-case.
    pub(crate) bytes: Vec<u8>,
    /// Where its fingerprint starts.
    pub(crate) offset: u8,
    /// Below [`BUCKETS`].
    pub(crate) bucket: u8,
}

impl Placed {
    /// The fingerprint folded by OR 0x20; `None` is any byte (the last of a literal of three).
    pub(crate) fn fingerprint(&self) -> [Option<u8>; WINDOW] {
        std::array::from_fn(|at| self.bytes.get(usize::from(self.offset) + at).map(|byte| byte | 0x20))
    }
}

impl Plan {
    /// Lays out literals of at least three bytes; the result depends on nothing but the set.
    pub(crate) fn lay_out(mut literals: Vec<Vec<u8>>) -> Self {
        literals.sort();
        literals.dedup();
        let mut placed: Vec<Placed> = literals
            .into_iter()
            .map(|bytes| Placed { offset: rarest_window(&bytes), bucket: 0, bytes })
            .collect();
        assign_buckets(&mut placed);
        Self { literals: placed }
    }
}

fn rarest_window(bytes: &[u8]) -> u8 {
    let windows = bytes.windows(WINDOW).enumerate();
    let rarest = windows.min_by(|(_, one), (_, two)| stretch_rate(one).total_cmp(&stretch_rate(two)));
    rarest.map_or(0, |(at, _)| u8::try_from(at).expect("literals are at most 48 bytes"))
}

/// The nibbles that a bucket lets pass, per position.
#[derive(Clone, Copy, Default)]
struct Bucket {
    low: [u16; WINDOW],
    high: [u16; WINDOW],
}

impl Bucket {
    fn with(mut self, placed: &Placed) -> Self {
        for (at, byte) in placed.fingerprint().into_iter().enumerate() {
            let (low, high) = byte.map_or((u16::MAX, u16::MAX), |byte| (1 << (byte & 15), 1 << (byte >> 4)));
            self.low[at] |= low;
            self.high[at] |= high;
        }
        self
    }

    /// Expected share of positions that pass, taking the four bytes as independent.
    fn rate(&self, rates: &[f32; 256]) -> f32 {
        (0..WINDOW)
            .map(|at| {
                let mut sum = 0.0;
                for high in (0..16).filter(|high| self.high[at] >> high & 1 == 1) {
                    for low in (0..16).filter(|low| self.low[at] >> low & 1 == 1) {
                        sum += rates[high << 4 | low];
                    }
                }
                sum.min(1.0)
            })
            .product()
    }
}

fn assign_buckets(placed: &mut [Placed]) {
    const ROUNDS: usize = 3;
    let rates: [f32; 256] = std::array::from_fn(|byte| byte_rate(u8::try_from(byte).expect("below 256")));
    let mut order: Vec<usize> = (0..placed.len()).collect();
    let hardness = |placed: &Placed| Bucket::default().with(placed).rate(&rates);
    order.sort_by(|one, two| hardness(&placed[*two]).total_cmp(&hardness(&placed[*one])).then(one.cmp(two)));
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); BUCKETS];
    for round in 0..ROUNDS {
        for &literal in &order {
            if round > 0 {
                members[usize::from(placed[literal].bucket)].retain(|member| *member != literal);
            }
            let bucket = cheapest_bucket(&members, placed, literal, &rates);
            placed[literal].bucket = u8::try_from(bucket).expect("below 48");
            members[bucket].push(literal);
        }
    }
}

fn cheapest_bucket(members: &[Vec<usize>], placed: &[Placed], literal: usize, rates: &[f32; 256]) -> usize {
    let added = |bucket: &Vec<usize>| {
        let now = bucket.iter().fold(Bucket::default(), |all, member| all.with(&placed[*member]));
        let then = now.with(&placed[literal]);
        let before = if bucket.is_empty() { 0.0 } else { now.rate(rates) };
        then.rate(rates) - before
    };
    let costs: Vec<f32> = members.iter().map(added).collect();
    (0..members.len()).min_by(|one, two| costs[*one].total_cmp(&costs[*two])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_depends_on_the_set_alone() {
        let words = |list: &[&str]| list.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
        let one = Plan::lay_out(words(&["ghp_", "xoxb-", "akia", "token", "eyj"]));
        let two = Plan::lay_out(words(&["eyj", "token", "token", "akia", "xoxb-", "ghp_"]));
        assert_eq!(format!("{one:?}"), format!("{two:?}"));
        assert_eq!(one.literals.len(), 5);
    }
}
