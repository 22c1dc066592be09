//! The forms in which a value usually stands in a file, made from it and led back to it.

use base64::{Engine as _, engine::general_purpose};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde::{Deserialize, Serialize};

use crate::{
    detect::{
        canonical,
        decode::{STANDARD, URL_SAFE, escape},
    },
    model::Secret,
};

/// How a value stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Form {
    /// As it is.
    Raw = 0,
    /// In base64, without padding.
    Base64 = 1,
    /// In base64 with the URL alphabet, without padding.
    Base64Url = 2,
    /// In hexadecimal digits, lower case.
    Hex = 3,
    /// In hexadecimal digits, upper case.
    HexUpper = 4,
    /// Percent-encoded.
    Percent = 5,
    /// With backslash escapes, as in JSON.
    Escaped = 6,
    /// With HTML entities.
    Html = 7,
    /// The body of a PEM block, without white space.
    Pem = 8,
    /// In base64, with a newline behind it, as `echo` leaves it.
    Base64Line = 9,
}

impl Form {
    /// Every form, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Raw,
        Self::Base64,
        Self::Base64Url,
        Self::Hex,
        Self::HexUpper,
        Self::Percent,
        Self::Escaped,
        Self::Html,
        Self::Pem,
        Self::Base64Line,
    ];

    /// Its word, as reports write it; `None` of the value itself.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Raw | Self::Pem => None,
            Self::Base64 | Self::Base64Line => Some("base64"),
            Self::Base64Url => Some("base64url"),
            Self::Hex | Self::HexUpper => Some("hex"),
            Self::Percent => Some("percent"),
            Self::Escaped => Some("escaped"),
            Self::Html => Some("html"),
        }
    }

    /// All forms of a value, each with its bytes and once; the value itself first.
    pub fn of_value(value: &[u8]) -> Vec<(Self, Secret)> {
        /// What URLs leave as it is, RFC 3986 section 2.3.
        const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
        let mut forms: Vec<(Self, Secret)> = vec![(Self::Raw, Secret::new(value))];
        let mut add = |form: Self, bytes: Vec<u8>| {
            let bytes = Secret::new(bytes);
            if forms.iter().all(|(_, known)| *known != bytes) {
                forms.push((form, bytes));
            }
        };
        add(Self::Base64, general_purpose::STANDARD_NO_PAD.encode(value).into_bytes());
        add(Self::Base64Url, general_purpose::URL_SAFE_NO_PAD.encode(value).into_bytes());
        let line = [value, b"\n"].concat();
        add(Self::Base64Line, general_purpose::STANDARD_NO_PAD.encode(line).into_bytes());
        add(Self::Hex, value.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
        add(Self::HexUpper, value.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect());
        let percent: String = percent_encode(value, UNRESERVED).collect();
        add(Self::Percent, percent.into_bytes());
        if let Ok(text) = std::str::from_utf8(value) {
            let quoted = serde_json::to_string(text).expect("text is JSON");
            let escaped = &quoted[1..quoted.len() - 1];
            add(Self::Escaped, escaped.as_bytes().to_vec());
            // As PHP writes JSON.
            add(Self::Escaped, escaped.replace('/', "\\/").into_bytes());
            add(Self::Html, html(text).into_bytes());
        }
        if let std::borrow::Cow::Owned(body) = canonical(value) {
            add(Self::Pem, body);
        }
        forms
    }

    /// The value that a form stands for; `None` where it is none.
    pub(super) fn value_of(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Raw | Self::Pem => None,
            Self::Base64 => STANDARD.decode(bytes).ok(),
            Self::Base64Line => {
                let mut line = STANDARD.decode(bytes).ok()?;
                line.pop_if(|last| *last == b'\n').map(|_| line)
            }
            Self::Base64Url => URL_SAFE.decode(bytes).ok(),
            Self::Hex | Self::HexUpper => escape::hex(bytes),
            Self::Percent => Some(escape::percent(bytes).bytes),
            Self::Escaped => Some(escape::backslash(bytes).bytes),
            Self::Html => Some(escape::entities(bytes).bytes),
        }
    }
}

fn html(text: &str) -> String {
    let replace = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
    let entities = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")];
    entities.iter().fold(text.to_owned(), replace)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_form_leads_back_to_its_value(value in "\\PC{8,60}|[ -~\n\t]{8,60}") {
            for (form, bytes) in Form::of_value(value.as_bytes()) {
                if let Some(back) = form.value_of(bytes.expose()) {
                    prop_assert_eq!(&back, value.as_bytes(), "{:?}", form);
                }
            }
        }
    }

    #[test]
    fn equal_forms_stand_once() {
        let forms: Vec<Form> = Form::of_value(b"abcdefghijkl").into_iter().map(|(form, _)| form).collect();
        assert_eq!(forms, [Form::Raw, Form::Base64, Form::Base64Line, Form::Hex, Form::HexUpper]);
    }

    #[test]
    fn numbers_are_those_of_the_list() {
        assert!(Form::ALL.iter().enumerate().all(|(number, form)| *form as usize == number));
    }
}
