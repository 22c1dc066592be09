//! Texts of requests with fields in them.
//!
//! `{name}` stands for a field, `{name:percent}` and `{name:json}` for its encoded form, `{basic:…}` for the base64 form of what
//! is in it, `{{` and `}}` for braces. Fields are `value`, the secret itself, and what belongs to it: `user`, `key-id`, ….

use serde::{Deserialize, Deserializer, de};

/// A parsed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// In order.
    pub parts: Vec<Part>,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it stands.
    Literal(String),
    /// What a field holds.
    Field {
        /// Its name.
        name: String,
        /// In which form.
        encoding: Encoding,
    },
    /// Base64 of a text, as basic authentication has it.
    Basic(Template),
}

/// The form of a field in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// Everything but unreserved characters as `%XX`: for paths, queries and forms.
    Percent,
    /// Escaped to stand within the quotes of a JSON string.
    Json,
}

const ENCODINGS: &[(&str, Encoding)] = &[("percent", Encoding::Percent), ("json", Encoding::Json)];

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// Braces that don't fit together, or an unknown form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let template = parse_parts(&mut rest, false)?;
        Ok(template)
    }

    /// Names of the fields in it, in order, repeated as they stand.
    pub fn fields(&self) -> Vec<&str> {
        self.parts.iter().flat_map(Part::fields).collect()
    }

    pub(super) fn starts_with_slash(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Literal(text)) if text.starts_with('/'))
    }
}

impl Part {
    fn fields(&self) -> Vec<&str> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Field { name, .. } => vec![name.as_str()],
            Self::Basic(inner) => inner.fields(),
        }
    }
}

fn parse_parts(rest: &mut &str, is_inner: bool) -> Result<Template, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    while let Some(c) = rest.chars().next() {
        let doubled = !is_inner && rest[c.len_utf8()..].starts_with(c);
        *rest = &rest[c.len_utf8()..];
        match c {
            '{' | '}' if doubled => {
                literal.push(c);
                *rest = &rest[1..];
            }
            '{' => {
                push_literal(&mut parts, &mut literal);
                parts.push(parse_field(rest, is_inner)?);
            }
            '}' if is_inner => {
                push_literal(&mut parts, &mut literal);
                return Ok(Template { parts });
            }
            '}' => return Err("a `}` stands alone; a brace itself is written twice".into()),
            c if c.is_control() => return Err("a control character stands in it".into()),
            c => literal.push(c),
        }
    }
    push_literal(&mut parts, &mut literal);
    if is_inner { Err("`{basic:` is not closed".into()) } else { Ok(Template { parts }) }
}

fn push_literal(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal)));
    }
}

/// What is behind an opening brace, up to its closing one.
fn parse_field(rest: &mut &str, is_inner: bool) -> Result<Part, String> {
    if let Some(behind) = rest.strip_prefix("basic:") {
        if is_inner {
            return Err("`{basic:` stands in another one".into());
        }
        *rest = behind;
        return parse_parts(rest, true).map(Part::Basic);
    }
    let (inside, behind) =
        rest.split_once('}').ok_or("a `{` is not closed; a brace itself is written twice")?;
    *rest = behind;
    let (name, form) = inside.split_once(':').unwrap_or((inside, ""));
    let is_word = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if !is_word(name) {
        return Err(format!("`{{{}}}` names no field", inside.escape_default()));
    }
    let known = ENCODINGS.iter().find(|(word, _)| *word == form).map(|(_, encoding)| *encoding);
    let encoding = if form.is_empty() { Some(Encoding::Plain) } else { known };
    let encoding =
        encoding.ok_or_else(|| format!("`{}` is neither percent nor json", form.escape_default()))?;
    Ok(Part::Field { name: name.to_owned(), encoding })
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, encoding: Encoding) -> Part {
        Part::Field { name: name.to_owned(), encoding }
    }

    fn literal(text: &str) -> Part {
        Part::Literal(text.to_owned())
    }

    #[test]
    fn fields_and_literals_alternate() {
        let parsed = Template::parse("/v1/{account:percent}/me?key={value}").unwrap();
        let parts = [
            literal("/v1/"),
            field("account", Encoding::Percent),
            literal("/me?key="),
            field("value", Encoding::Plain),
        ];
        assert_eq!(parsed.parts, parts);
        assert_eq!(parsed.fields(), ["account", "value"]);
    }

    #[test]
    fn basic_holds_fields_and_ends_at_its_own_brace() {
        let parsed = Template::parse("Basic {basic:{user}:{value}}!").unwrap();
        let inner = vec![field("user", Encoding::Plain), literal(":"), field("value", Encoding::Plain)];
        assert_eq!(parsed.parts, [literal("Basic "), Part::Basic(Template { parts: inner }), literal("!")]);
        assert_eq!(parsed.fields(), ["user", "value"]);
    }

    #[test]
    fn doubled_braces_are_braces() {
        let parsed = Template::parse(r#"{{"a":"{value:json}"}}"#).unwrap();
        assert_eq!(parsed.parts, [literal(r#"{"a":""#), field("value", Encoding::Json), literal(r#""}"#)]);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for text in [
            "{value",
            "value}",
            "{}",
            "{Value}",
            "{value:hex}",
            "{basic:{value}",
            "{basic:{basic:x}}",
            "a\nb",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
