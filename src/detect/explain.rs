//! What a scan leaves out, and why: the same scan, with a memory of what was refused.

use std::{io, ops::Range};

use super::{Content, RawMatch, Refusal, matcher::Detector};
use crate::model::{Secret, Span};

/// What a rule's regex found and was no match, in the content's offsets.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Index of the rule in its detector.
    pub rule: usize,
    /// All that the regex matched.
    pub span: Span,
    /// What would be the secret in it.
    pub secret_span: Span,
    /// That, as it stands there.
    pub secret: Secret,
    /// Why it is none.
    pub why: Refusal,
}

impl Refused {
    /// `base` is where `bytes` start in the content.
    pub(super) fn new(
        (rule, why): (usize, Refusal),
        (bytes, base): (&[u8], u64),
        span: Range<usize>,
        secret: Range<usize>,
    ) -> Self {
        let at = |range: &Range<usize>| Span::new(base + range.start as u64, base + range.end as u64);
        Self { rule, why, span: at(&span), secret_span: at(&secret), secret: Secret::new(&bytes[secret]) }
    }
}

impl Detector {
    /// What [`Detector::scan`] finds, and what it refuses on the way, by place.
    ///
    /// # Errors
    /// What reading says.
    pub fn explain(&self, content: &dyn Content) -> io::Result<(Vec<RawMatch>, Vec<Refused>)> {
        let mut scratch = self.take_scratch();
        scratch.refused = Some(Vec::new());
        let matches = self.scan_with(content, &mut scratch);
        let mut refused = scratch.refused.take().unwrap_or_default();
        refused.retain(|one| self.is_open(one.rule, &scratch));
        self.give_back(scratch);
        refused.sort_by_key(|one| (one.secret_span.start, one.secret_span.end, one.rule));
        // A cluster cut at a block's end may be seen from both sides.
        refused.dedup_by_key(|one| (one.span, one.secret_span, one.rule));
        Ok((matches?, refused))
    }
}
