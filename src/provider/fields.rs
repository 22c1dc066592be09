//! Fields of templates, filled: what is sent, in a form that can't break out of its place.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use super::{Credential, Role};
use crate::{
    model::Secret,
    net::Text,
    rule::{Encoding, HttpCheck, Part, Template},
};

/// Everything but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest field that is sent, in bytes: more is no credential.
const MAX_FIELD: usize = 16 * 1024;

/// Where a text stands, and so what may be in it as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In path or query.
    Path,
    /// In a header's value.
    Header,
    /// In the body.
    Body,
}

/// A credential as a check or a revocation sees it.
pub(super) struct Fields<'a> {
    credential: &'a Credential<'a>,
    defaults: &'a BTreeMap<String, String>,
    /// What was learned besides: the id of a key, an administrator's key.
    more: &'a [(&'static str, Secret)],
    is_captured: bool,
    value: Secret,
}

static NO_DEFAULTS: BTreeMap<String, String> = BTreeMap::new();

impl<'a> Fields<'a> {
    /// # Errors
    /// The value has not the form of which a part is sent.
    pub(super) fn new(check: &'a HttpCheck, credential: &'a Credential<'a>) -> Result<Self, String> {
        let fields = Self::with(check.capture.as_deref(), credential, &[])?;
        Ok(Self { defaults: &check.defaults, ..fields })
    }

    /// With fields besides those of the credential.
    ///
    /// # Errors
    /// The value has not the form of which a part is sent.
    pub(super) fn with(
        capture: Option<&str>,
        credential: &'a Credential<'a>,
        more: &'a [(&'static str, Secret)],
    ) -> Result<Self, String> {
        let value = match capture {
            Some(regex) => captured(regex, credential.value)?,
            None => credential.value.clone(),
        };
        Ok(Self { credential, defaults: &NO_DEFAULTS, more, is_captured: capture.is_some(), value })
    }

    /// Fills a template.
    ///
    /// # Errors
    /// A field that isn't at hand, or that can't be sent in its place.
    pub(super) fn fill(&self, template: &Template, place: Place) -> Result<Text, String> {
        template.parts.iter().try_fold(Text::new(), |text, part| {
            Ok(match part {
                Part::Literal(literal) => text.plain(literal.clone()),
                Part::Field { name, encoding } => text.secret(self.encoded(name, *encoding, place)?),
                Part::Basic(inner) => {
                    let inner = self.fill(inner, Place::Body)?.expose();
                    text.secret(Secret::new(STANDARD.encode(inner.expose())))
                }
            })
        })
    }

    fn encoded(&self, name: &str, encoding: Encoding, place: Place) -> Result<Secret, String> {
        let secret = self.get(name)?;
        match encoding {
            // A regex of the check's own said what may be in it, slashes too.
            Encoding::Plain if place == Place::Path && name == "value" && self.is_captured => {
                let is_path = secret.expose().split(|byte| *byte == b'/').all(|part| is_plain(part, place));
                is_path.then_some(secret).ok_or_else(|| "the value can't be sent in a path".to_owned())
            }
            Encoding::Plain if is_plain(secret.expose(), place) => Ok(secret),
            Encoding::Plain => Err(format!("the {name} holds what can't be sent as it is")),
            Encoding::Percent if !is_dots(secret.expose()) => {
                let parts = percent_encode(secret.expose(), RESERVED);
                Ok(Secret::new(parts.collect::<String>()))
            }
            Encoding::Percent => Err(format!("the {name} is made of dots")),
            Encoding::Json => json(&secret).ok_or_else(|| format!("the {name} is no text")),
        }
    }

    fn get(&self, name: &str) -> Result<Secret, String> {
        let companion = || Role::parse(name).and_then(|role| self.credential.companion(role)).cloned();
        let found = match name {
            "value" => Some(self.value.clone()),
            // Of a key's id and secret, either can be what was found.
            "pair-id" => Some(self.credential.pair()?.0.clone()),
            "pair-secret" => Some(self.credential.pair()?.1.clone()),
            _ => self
                .more
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, secret)| secret.clone())
                .or_else(companion)
                .or_else(|| self.defaults.get(name).map(|text| Secret::new(text.as_str()))),
        };
        let secret = found.ok_or_else(|| format!("the {name} that belongs to it is not at hand"))?;
        match secret.len() {
            0 => Err(format!("the {name} is empty")),
            1..=MAX_FIELD => Ok(secret),
            _ => Err(format!("the {name} is longer than {MAX_FIELD} bytes")),
        }
    }
}

pub(super) fn captured(regex: &str, value: &Secret) -> Result<Secret, String> {
    let regex = regex::bytes::Regex::new(regex).map_err(|_| "its check's regex is too big".to_owned())?;
    let groups = regex.captures(value.expose()).ok_or("the value has not the form that its check knows")?;
    let part = groups.get(1).or_else(|| groups.get(0)).map(|part| part.as_bytes().to_vec());
    part.map(Secret::new).ok_or_else(|| "the value has not the form that its check knows".to_owned())
}

/// Whether bytes mean themselves at a place: no header ends early, no path gets another segment or query.
fn is_plain(bytes: &[u8], place: Place) -> bool {
    match place {
        Place::Path => {
            !is_dots(bytes)
                && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@".contains(byte))
        }
        Place::Header => bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' '),
        Place::Body => bytes.iter().all(|byte| !byte.is_ascii_control()),
    }
}

/// `.` and `..` are other folders.
fn is_dots(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == b'.')
}

/// A text as it stands between the quotes of a JSON string.
fn json(secret: &Secret) -> Option<Secret> {
    let text = std::str::from_utf8(secret.expose()).ok()?;
    let quoted = Zeroizing::new(serde_json::to_string(text).ok()?);
    quoted.strip_prefix('"')?.strip_suffix('"').map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, value: &[u8], place: Place) -> Result<Vec<u8>, String> {
        let check: HttpCheck = toml::from_str(
            "path = '/'\nanswers = [{ status = 200, when = [{ json = '/id' }], verdict = 'active' }]\ndefaults = { user = 'admin' }",
        )
        .unwrap();
        let value = Secret::new(value);
        let credential =
            Credential { rule: "x", value: &value, companions: vec![(Role::Host, Secret::new("h"))] };
        let fields = Fields::new(&check, &credential)?;
        fields.fill(&Template::parse(template).unwrap(), place).map(|text| text.expose().expose().to_vec())
    }

    #[test]
    fn a_value_cannot_break_out_of_its_place() {
        for (template, value, place, expected) in [
            ("Bearer {value}", "abc", Place::Header, Some("Bearer abc")),
            ("Bearer {value}", "a\r\nHost: x", Place::Header, None),
            ("Bearer {value}", "ä", Place::Header, None),
            ("/{value}/x", "a:b", Place::Path, Some("/a:b/x")),
            ("/{value}/x", "a/b", Place::Path, None),
            ("/{value}/x", "a?b", Place::Path, None),
            ("/{value}/x", "..", Place::Path, None),
            ("/{value:percent}/x", "..", Place::Path, None),
            ("/{value:percent}/x", "a/b?ä", Place::Path, Some("/a%2Fb%3F%C3%A4/x")),
            ("{{\"k\":\"{value:json}\"}}", "a\"\n", Place::Body, Some("{\"k\":\"a\\\"\\n\"}")),
            ("{value}", "a\nb", Place::Body, None),
            ("{basic:{user}:{value}}", "pw", Place::Header, Some("YWRtaW46cHc=")),
            ("{basic:{value}:}", "key", Place::Header, Some("a2V5Og==")),
            ("{value}", "", Place::Header, None),
        ] {
            let filled = filled(template, value.as_bytes(), place).ok();
            assert_eq!(filled.as_deref(), expected.map(str::as_bytes), "{template} of {value:?}");
        }
    }

    #[test]
    fn what_is_not_at_hand_is_named() {
        let error = filled("{account}", b"x", Place::Header).unwrap_err();
        assert_eq!(error, "the account that belongs to it is not at hand");
    }

    #[test]
    fn a_field_has_a_longest_length() {
        let long = vec![b'a'; MAX_FIELD + 1];
        assert!(filled("{value}", &long, Place::Body).unwrap_err().contains("longer than"));
    }
}
