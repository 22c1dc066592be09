//! Text in other forms, decoded and searched: base64, hexadecimal digits, escapes, and what these hold in turn.
//!
//! What is decoded:
//!
//! - **Runs** of at least [`SHORTEST`] letters of base64, or hexadecimal digits, whose first bytes are text, UTF-16 or gzip. Nearly all
//!   runs are something else, and are passed over after a look at these.
//! - **Lines** with an escape in them: `%41`, `\u0041`, `\x41`, `&#65;`, `&quot;`; of long lines the stretch around it without white space
//!   and quotes. What is found there counts where an escape touches it: the rest stands in the bytes as it is.
//!
//! What comes out is searched with the same rules, and decoded again, [`DEPTH`] times at most. Runs and lines of no more than [`LONGEST`]
//! bytes depend on no bytes farther away than [`REACH`], so that content can be searched in blocks, and of a version of a file only what
//! changed. Longer ones are searched once all of the content is there (`long`).
//!
//! A match in decoded text has the place of the encoded one. Offsets in decoded text are `DecodeStep`s, not places.

pub(super) mod escape;
mod find;
mod long;
mod run;
mod search;
mod touched;

use base64::{
    alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

pub(super) use run::text_of;
pub use run::{Cap, Capped, Decoded, capped_gap, decode_steps};
pub(super) use touched::{Touched, touched};

use super::context;

/// The fewest letters that are decoded.
const SHORTEST: usize = 24;
/// The longest run or stretch that is decoded where it is met, in bytes.
const LONGEST: usize = 64 << 10;
/// Lines up to here are decoded whole, in bytes.
const LINE: usize = 4 << 10;
/// So many times is decoded, one in another.
const DEPTH: usize = 4;
/// How much decoding one run or line may give in all, for each of its bytes.
const EXPANSION: usize = 16;
/// How far from a run or line bytes may lie that its matches depend on.
pub(super) const REACH: usize = LONGEST + context::LOOK_BACK + 64;

/// Base64 is taken with padding or without, and whatever its last bits are.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
/// Decodes base64.
pub(super) static STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
/// Decodes base64 with the URL alphabet.
pub(super) static URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

#[cfg(test)]
pub(super) use tests::encode;

#[cfg(test)]
mod tests;
