//! Bracketed classes: in RE2 a list of characters, ranges and named classes; in the regex crate they have operators besides.

use super::Writer;

const NAMES: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

impl Writer<'_> {
    /// A class, from its `[` to its `]`. One without an end is left as it is, to be refused with its place.
    pub(super) fn class(&mut self) -> Result<(), String> {
        self.copy(1);
        if self.rest.starts_with('^') {
            self.copy(1);
        }
        let mut is_first = true;
        while !self.rest.is_empty() {
            if self.rest.starts_with(']') && !is_first {
                self.copy(1);
                return Ok(());
            }
            is_first = false;
            if !(self.named_class()? || self.perl_class() || self.unicode_class()) {
                self.range();
            }
        }
        Ok(())
    }

    /// `[:alpha:]`, `[:^alpha:]`.
    fn named_class(&mut self) -> Result<bool, String> {
        let Some(end) = self.rest.strip_prefix("[:").and_then(|inside| inside.find(":]")) else {
            return Ok(false);
        };
        let name = &self.rest[2..2 + end];
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("there is no class [:{name}:]; known are {}", NAMES.join(", ")));
        }
        self.copy(end + 4);
        Ok(true)
    }

    /// One character, or two with a `-` between.
    fn range(&mut self) {
        let low = self.member();
        self.out.push_str(&low);
        if self.rest.starts_with('-') && self.rest.len() > 1 && !self.rest[1..].starts_with(']') {
            self.copy(1);
            let high = self.member();
            self.out.push_str(&high);
        }
    }

    /// A character in a form that is no operator.
    fn member(&mut self) -> String {
        let text = self.character();
        let is_operator = matches!(text.as_str(), "[" | "]" | "^" | "-" | "&" | "~");
        if is_operator { format!("\\{text}") } else { text }
    }
}
