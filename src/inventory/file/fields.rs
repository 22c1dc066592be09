//! Maps whose keys depend on one of them: targets and consumers, by their `type`.

use serde_saphyr::{Location, Spanned};

use super::{
    error::{Fault, hint},
    name,
    raw::Entries,
};

/// The keys of one map, taken out one by one. Whatever was not asked for in the end is unknown.
pub(super) struct Fields {
    what: String,
    location: Location,
    entries: Vec<(Spanned<String>, Spanned<String>)>,
    asked: Vec<&'static str>,
}

type Value<T> = Result<T, Fault>;

impl Fields {
    /// Of a map; its `type` is taken out. `what` is "target" or "consumer", `types` are those there are.
    pub(super) fn open<T: Copy>(
        what: &str,
        location: Location,
        entries: Entries<Spanned<String>>,
        types: &[(&'static str, T)],
    ) -> Value<(Self, T)> {
        let mut fields = Self { what: what.to_owned(), location, entries: entries.0, asked: Vec::new() };
        let known = || types.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let Some(word) = fields.take("type") else {
            let message = format!("a {what} needs a `type`: {}", known());
            return Err(Fault::new(location, message));
        };
        let found = types.iter().find(|(known, _)| *known == word.value).ok_or_else(|| {
            let hint = hint(&word.value, types.iter().map(|(known, _)| *known));
            Fault::at(&word, format!("no such type of {what}; known are {}{hint}", known()))
        })?;
        fields.what = format!("{what} of type {}", found.0);
        Ok((fields, found.1))
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<String>> {
        self.asked.push(key);
        let index = self.entries.iter().position(|(known, _)| known.value == key)?;
        Some(self.entries.remove(index).1)
    }

    /// A key that may be missing, read by one of [`name`]'s functions.
    fn read<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Value<Option<T>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        read(&value.value).map(Some).map_err(|why| Fault::at(&value, format!("`{key}`: {why}")))
    }

    fn needed<T>(&self, key: &'static str, value: Option<T>) -> Value<T> {
        value.ok_or_else(|| Fault::new(self.location, format!("a {} needs `{key}`", self.what)))
    }

    pub(super) fn optional_text(&mut self, key: &'static str) -> Value<Option<String>> {
        self.read(key, text)
    }

    pub(super) fn text(&mut self, key: &'static str) -> Value<String> {
        let value = self.optional_text(key)?;
        self.needed(key, value)
    }

    pub(super) fn text_or(&mut self, key: &'static str, default: &str) -> Value<String> {
        Ok(self.optional_text(key)?.unwrap_or_else(|| default.to_owned()))
    }

    pub(super) fn host(&mut self) -> Value<String> {
        let value = self.read("host", |text| name::host(text).map(|()| text.to_owned()))?;
        self.needed("host", value)
    }

    pub(super) fn port_or(&mut self, default: u16) -> Value<u16> {
        Ok(self.read("port", name::port)?.unwrap_or(default))
    }

    pub(super) fn optional_address(&mut self, key: &'static str) -> Value<Option<String>> {
        self.read(key, |text| name::address(text).map(|()| text.to_owned()))
    }

    pub(super) fn address(&mut self, key: &'static str) -> Value<String> {
        let value = self.optional_address(key)?;
        self.needed(key, value)
    }

    /// The name of an environment variable of ours.
    pub(super) fn variable(&mut self, key: &'static str) -> Value<Option<String>> {
        self.read(key, |text| name::own_variable(text).map(|()| text.to_owned()))
    }

    /// `true` or `false`; `false` where it is missing.
    pub(super) fn flag(&mut self, key: &'static str) -> Value<bool> {
        let read = |text: &str| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("it is true or false"),
        };
        Ok(self.read(key, read)?.unwrap_or(false))
    }

    /// Ends the map: what nobody asked for is unknown.
    pub(super) fn close(self) -> Value<()> {
        let Some((key, _)) = self.entries.first() else { return Ok(()) };
        let known = self.asked.join(", ");
        let hint = hint(&key.value, self.asked.iter().copied());
        let message = format!("unknown key `{}` of a {}; known are {known}{hint}", key.value, self.what);
        Err(Fault::at(key, message))
    }
}

#[cfg(test)]
impl Fields {
    /// A map that holds whatever is asked for.
    pub(super) fn of_test(value: fn(&str) -> Option<&'static str>) -> Self {
        let spanned = |text: &str| Spanned {
            value: text.to_owned(),
            referenced: Location::UNKNOWN,
            defined: Location::UNKNOWN,
        };
        let keys = ["url", "host", "role", "user", "namespace", "name", "provider", "identity_id"];
        let entries = keys.iter().filter_map(|key| Some((spanned(key), spanned(value(key)?)))).collect();
        Self { what: "target".to_owned(), location: Location::UNKNOWN, entries, asked: Vec::new() }
    }

    pub(super) fn into_asked(self) -> Vec<&'static str> {
        self.asked
    }
}

fn text(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() || text.len() > 1_000 || text.contains(char::is_control) {
        Err("it is a line of text")
    } else {
        Ok(text.to_owned())
    }
}
