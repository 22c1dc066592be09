//! How a value can stand in a file in another form, and where it is in the text that decoding gives.

use serde::{Deserialize, Serialize};

/// A way to write bytes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// RFC 4648 section 4, with or without padding.
    Base64,
    /// RFC 4648 section 5, with or without padding.
    Base64Url,
    /// Two hexadecimal digits for each byte.
    Hex,
    /// RFC 3986 section 2.1.
    Percent,
    /// The backslash escapes of JSON, and `\x41`.
    Escaped,
    /// Character references of HTML.
    Html,
    /// UTF-16, of either byte order.
    Utf16,
    /// RFC 1952.
    Gzip,
}

impl Encoding {
    /// Whether single characters are written otherwise, and the rest stands as it is.
    pub fn is_escape(self) -> bool {
        matches!(self, Self::Percent | Self::Escaped | Self::Html)
    }

    /// Its word, as reports write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Hex => "hex",
            Self::Percent => "percent",
            Self::Escaped => "escaped",
            Self::Html => "html",
            Self::Utf16 => "utf16",
            Self::Gzip => "gzip",
        }
    }
}

/// One step from encoded text to a value: decode, and take a stretch of what comes out.
///
/// The stretch has offsets in decoded text: they are no places of a file, and have a type of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecodeStep {
    /// How the text is encoded: that of the occurrence's span, or the stretch of the step before.
    pub by: Encoding,
    /// Where the stretch starts in the decoded text, in bytes.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}
