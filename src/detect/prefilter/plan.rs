//! Where in each literal to look, and which literals share a bucket: the part of the prefilter that is worth doing ahead.
//!
//! A literal's *fingerprint* is a rare stretch of four bytes in it. A *bucket* is a set of fingerprints which one bit of the SIMD
//! test stands for: it passes wherever, at each of the four positions, low and high nibble are those of some member. Each literal
//! goes, by one of its rarest windows, to the bucket where it adds least to the expected number of candidates.

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
        self.fingerprint_at(self.offset)
    }

    fn fingerprint_at(&self, offset: u8) -> [Option<u8>; WINDOW] {
        std::array::from_fn(|at| self.bytes.get(usize::from(offset) + at).map(|byte| byte | 0x20))
    }
}

impl Plan {
    /// Lays out literals of at least three bytes; the result depends on nothing but the set.
    pub(crate) fn lay_out(mut literals: Vec<Vec<u8>>) -> Self {
        literals.sort();
        literals.dedup();
        let mut placed: Vec<Placed> = literals
            .into_iter()
            .map(|bytes| Placed { offset: rarest_windows(&bytes)[0].0, bucket: 0, bytes })
            .collect();
        assign_buckets(&mut placed);
        Self { literals: placed }
    }
}

/// The offsets of a literal's rarest windows, rarest first, with their rates. A literal of three bytes has the one.
fn rarest_windows(bytes: &[u8]) -> Vec<(u8, f32)> {
    /// More make the plan no better.
    const MOST: usize = 8;
    let at = |at: usize| u8::try_from(at).expect("literals are at most 48 bytes");
    let rated = bytes.windows(WINDOW).enumerate().map(|(offset, window)| (at(offset), stretch_rate(window)));
    let mut windows: Vec<(u8, f32)> = rated.collect();
    windows.sort_by(|(_, one), (_, two)| one.total_cmp(two));
    windows.truncate(MOST);
    if windows.is_empty() { vec![(0, stretch_rate(bytes))] } else { windows }
}

/// What a bucket lets pass: per position the low and the high nibbles of its members' bytes, in any combination.
#[derive(Clone, Copy, Default)]
struct Bucket {
    low: [u16; WINDOW],
    high: [u16; WINDOW],
    /// Share of bytes that pass, and how much that grows by one more low or high nibble.
    rate: [f32; WINDOW],
    by_low: [[f32; 16]; WINDOW],
    by_high: [[f32; 16]; WINDOW],
}

impl Bucket {
    fn of<'p>(members: impl Iterator<Item = &'p Placed>, rates: &[f32; 256]) -> Self {
        let mut bucket = Self::default();
        for placed in members {
            for (at, byte) in placed.fingerprint().into_iter().enumerate() {
                let (low, high) =
                    byte.map_or((u16::MAX, u16::MAX), |byte| (1 << (byte & 15), 1 << (byte >> 4)));
                bucket.low[at] |= low;
                bucket.high[at] |= high;
            }
        }
        for at in 0..WINDOW {
            for (byte, rate) in rates.iter().enumerate() {
                let (low, high) = (byte & 15, byte >> 4);
                let (has_low, has_high) = (bucket.low[at] >> low & 1 == 1, bucket.high[at] >> high & 1 == 1);
                match (has_low, has_high) {
                    (true, true) => bucket.rate[at] += rate,
                    (false, true) => bucket.by_low[at][low] += rate,
                    (true, false) => bucket.by_high[at][high] += rate,
                    (false, false) => {}
                }
            }
        }
        bucket
    }

    /// How much the expected share of positions that pass grows by a fingerprint, taking its bytes as independent.
    fn growth(&self, fingerprint: [Option<u8>; WINDOW], rates: &[f32; 256]) -> f32 {
        let mut grown = 1.0;
        for (at, byte) in fingerprint.into_iter().enumerate() {
            grown *= byte.map_or(1.0, |byte| {
                let (low, high) = (usize::from(byte & 15), usize::from(byte >> 4));
                let both = self.low[at] >> low & 1 == 0 && self.high[at] >> high & 1 == 0;
                let corner = if both { rates[usize::from(byte)] } else { 0.0 };
                self.rate[at] + self.by_low[at][low] + self.by_high[at][high] + corner
            });
        }
        grown - self.rate.iter().product::<f32>()
    }
}

fn assign_buckets(placed: &mut [Placed]) {
    const ROUNDS: usize = 3;
    let rates: [f32; 256] = std::array::from_fn(|byte| byte_rate(u8::try_from(byte).expect("below 256")));
    let windows: Vec<Vec<(u8, f32)>> = placed.iter().map(|literal| rarest_windows(&literal.bytes)).collect();
    let mut order: Vec<usize> = (0..placed.len()).collect();
    let hardness = |placed: &Placed| Bucket::default().growth(placed.fingerprint(), &rates);
    order.sort_by(|one, two| hardness(&placed[*two]).total_cmp(&hardness(&placed[*one])).then(one.cmp(two)));
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); BUCKETS];
    let mut buckets = vec![Bucket::default(); BUCKETS];
    for round in 0..ROUNDS {
        for &literal in &order {
            let old = usize::from(placed[literal].bucket);
            if round > 0 {
                members[old].retain(|member| *member != literal);
                buckets[old] = Bucket::of(members[old].iter().map(|member| &placed[*member]), &rates);
            }
            let (new, offset) = cheapest_place(&buckets, &placed[literal], &windows[literal], &rates);
            placed[literal].bucket = u8::try_from(new).expect("below 48");
            placed[literal].offset = offset;
            members[new].push(literal);
            buckets[new] = Bucket::of(members[new].iter().map(|member| &placed[*member]), &rates);
        }
    }
}

/// The bucket, and the offset of the window, with which a literal adds fewest candidates to the others'.
fn cheapest_place(
    buckets: &[Bucket],
    literal: &Placed,
    windows: &[(u8, f32)],
    rates: &[f32; 256],
) -> (usize, u8) {
    /// What passes the bitmap too costs so many times a candidate that does not.
    const KNOWN: f32 = 4.0;
    let mut best = (f32::MAX, 0, literal.offset);
    for &(offset, known) in windows {
        let fingerprint = literal.fingerprint_at(offset);
        for (index, bucket) in buckets.iter().enumerate() {
            let cost = bucket.growth(fingerprint, rates) + KNOWN * known;
            if cost < best.0 {
                best = (cost, index, offset);
            }
        }
    }
    (best.1, best.2)
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
