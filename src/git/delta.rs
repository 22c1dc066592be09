//! Git's delta format: copies from a base and inserted bytes.

use crate::model::Segment;

/// A delta that can't be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// It ends in the middle of an instruction, or holds the reserved one.
    #[error("the delta is malformed")]
    Malformed,
    /// It copies from outside of its base.
    #[error("the delta copies from outside of its base")]
    OutOfBase,
    /// Its base has another length than it says.
    #[error("the delta is for a base of another length")]
    WrongBase,
    /// It makes another length than it says.
    #[error("the delta does not make the length that it says")]
    WrongResult,
}

/// The lengths that a delta's head names: of its base, and of its result.
///
/// # Errors
/// A head that is cut.
pub fn lengths(delta: &[u8]) -> Result<(u64, u64), DeltaError> {
    let mut at = 0;
    Ok((varint(delta, &mut at)?, varint(delta, &mut at)?))
}

/// Applies a delta: the result is appended to `out`, its make-up to `segments`, in which neighbours that are one stretch of the base are one.
///
/// # Errors
/// A delta that does not fit its base; then `out` may hold a part of the result.
pub fn apply(
    base: &[u8],
    delta: &[u8],
    out: &mut Vec<u8>,
    segments: &mut Vec<Segment>,
) -> Result<(), DeltaError> {
    let mut at = 0;
    if varint(delta, &mut at)? != base.len() as u64 {
        return Err(DeltaError::WrongBase);
    }
    let size = usize::try_from(varint(delta, &mut at)?).map_err(|_| DeltaError::WrongResult)?;
    let begin = out.len();
    while let Some(&op) = delta.get(at) {
        at += 1;
        let start = out.len() - begin;
        if op & 0x80 != 0 {
            let (source, len) = copy_operands(op, delta, &mut at)?;
            let bytes = base.get(source..source + len).ok_or(DeltaError::OutOfBase)?;
            if len > size - start {
                return Err(DeltaError::WrongResult);
            }
            out.extend_from_slice(bytes);
            push(segments, Segment { start, len, source: Some(source) });
        } else if op != 0 {
            let len = usize::from(op);
            let bytes = delta.get(at..at + len).ok_or(DeltaError::Malformed)?;
            if len > size - start {
                return Err(DeltaError::WrongResult);
            }
            at += len;
            out.extend_from_slice(bytes);
            push(segments, Segment { start, len, source: None });
        } else {
            return Err(DeltaError::Malformed);
        }
    }
    if out.len() - begin == size { Ok(()) } else { Err(DeltaError::WrongResult) }
}

/// Offset and length of a copy.
fn copy_operands(op: u8, delta: &[u8], at: &mut usize) -> Result<(usize, usize), DeltaError> {
    let mut operand = |bits: std::ops::Range<u32>| -> Result<usize, DeltaError> {
        let mut value = 0;
        for (place, bit) in bits.enumerate() {
            if op >> bit & 1 == 1 {
                value |= usize::from(*delta.get(*at).ok_or(DeltaError::Malformed)?) << (8 * place);
                *at += 1;
            }
        }
        Ok(value)
    };
    let source = operand(0..4)?;
    let len = operand(4..7)?;
    Ok((source, if len == 0 { 0x10000 } else { len }))
}

fn push(segments: &mut Vec<Segment>, next: Segment) {
    if let Some(last) = segments.last_mut().filter(|last| last.end() == next.start) {
        let is_one = match (last.source, next.source) {
            (Some(last_source), Some(source)) => last_source + last.len == source,
            (None, None) => true,
            _ => false,
        };
        if is_one {
            last.len += next.len;
            return;
        }
    }
    segments.push(next);
}

fn varint(bytes: &[u8], at: &mut usize) -> Result<u64, DeltaError> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.get(*at).ok_or(DeltaError::Malformed)?;
        *at += 1;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(DeltaError::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(base: &[u8], delta: &[u8]) -> Result<(Vec<u8>, Vec<Segment>), DeltaError> {
        let (mut out, mut segments) = (Vec::new(), Vec::new());
        apply(base, delta, &mut out, &mut segments).map(|()| (out, segments))
    }

    #[test]
    fn copies_and_inserts_make_the_result() {
        // Copy 3 from 2, copy 2 from 5 (one stretch with it), insert "xy", copy 1 from 0.
        let delta = [8, 8, 0x91, 2, 3, 0x91, 5, 2, 2, b'x', b'y', 0x90, 1];
        let (out, segments) = run(b"abcdefgh", &delta).unwrap();
        assert_eq!(out, b"cdefgxya");
        let segment = |start, len, source| Segment { start, len, source };
        assert_eq!(segments, [segment(0, 5, Some(2)), segment(5, 2, None), segment(7, 1, Some(0))]);
    }

    #[test]
    fn deltas_that_do_not_fit_are_refused() {
        assert_eq!(run(b"abc", &[4, 1, 0x90, 1]), Err(DeltaError::WrongBase));
        assert_eq!(run(b"abc", &[3, 9, 0x91, 1, 9]), Err(DeltaError::OutOfBase));
        assert_eq!(run(b"abc", &[3, 2, 0x90, 3]), Err(DeltaError::WrongResult));
        assert_eq!(run(b"abc", &[3, 2, 0x90, 1]), Err(DeltaError::WrongResult));
        assert_eq!(run(b"abc", &[3, 2, 0]), Err(DeltaError::Malformed));
        assert_eq!(run(b"abc", &[3, 2, 2, b'x']), Err(DeltaError::Malformed));
        assert_eq!(run(b"abc", &[0x83]), Err(DeltaError::Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_result_or_an_error(base in prop::collection::vec(any::<u8>(), 0..40), ops in prop::collection::vec(any::<u8>(), 0..40)) {
            let delta = [&[base.len() as u8, 30][..], &ops].concat();
            if let Ok((out, segments)) = run(&base, &delta) {
                prop_assert_eq!(out.len(), segments.iter().map(|segment| segment.len).sum::<usize>());
                for segment in segments {
                    if let Some(source) = segment.source {
                        prop_assert_eq!(&out[segment.start..segment.end()], &base[source..source + segment.len]);
                    }
                }
            }
        }
    }
}
