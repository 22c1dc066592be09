//! What is sent, and what comes back.

use std::fmt;

use crate::model::Secret;

/// A text with secrets in it: it can be sent, and shown without them.
#[derive(Clone, Default)]
pub struct Text(Vec<Piece>);

#[derive(Clone)]
enum Piece {
    Plain(String),
    Secret(Secret),
}

impl Text {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what may be shown.
    #[must_use]
    pub fn plain(mut self, text: impl Into<String>) -> Self {
        self.0.push(Piece::Plain(text.into()));
        self
    }

    /// Adds what may not: a secret, or anything made from one.
    #[must_use]
    pub fn secret(mut self, secret: Secret) -> Self {
        self.0.push(Piece::Secret(secret));
        self
    }

    /// Adds another text, whose secrets stay secret.
    #[must_use]
    pub fn append(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// As it is sent. The whole may hold secrets, and is one.
    pub fn expose(&self) -> Secret {
        let parts = self.0.iter().flat_map(|piece| match piece {
            Piece::Plain(text) => text.as_bytes(),
            Piece::Secret(secret) => secret.expose(),
        });
        Secret::new(parts.copied().collect::<Vec<u8>>())
    }

    /// As it may be shown.
    pub fn redacted(&self) -> String {
        let part = |piece: &Piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Secret(secret) => secret.redacted(),
        };
        self.0.iter().map(part).collect()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new().plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new().plain(text)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Asks by a body, creates or acts.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// Its word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    /// How.
    pub method: Method,
    /// `https://host[:port]`, without a path: never a secret, and never from scanned content.
    pub origin: String,
    /// Path and query, with a `/` at the start.
    pub path: Text,
    /// Names and values.
    pub headers: Vec<(String, Text)>,
    /// What follows the headers.
    pub body: Option<Text>,
    /// It changes nothing, so that it may be sent a second time where the first answer got lost.
    pub is_safe: bool,
}

impl Request {
    /// A safe `GET`.
    pub fn get(origin: impl Into<String>, path: impl Into<Text>) -> Self {
        Self {
            method: Method::Get,
            origin: origin.into(),
            path: path.into(),
            headers: Vec::new(),
            body: None,
            is_safe: true,
        }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What came back: the answer's own bytes, cut at the driver's cap.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values; those that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body. It may hold secrets: it is never shown as it is.
    pub body: Secret,
}

impl Answer {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, if it is that.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(self.body.expose()).ok()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why there is no answer. No text in it holds anything of a secret or of a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Policy forbids the connection; nothing was sent.
    #[error("{host}: {why}")]
    Refused {
        /// Where to.
        host: String,
        /// Which rule says so, and what to do about it.
        why: String,
    },
    /// The host's name, its port, TLS, or the connection.
    #[error("connect to {host}: {why}")]
    Connect {
        /// Where to.
        host: String,
        /// What the system said.
        why: String,
    },
    /// It took too long. Whether the request was acted on is not known.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Where to.
        host: String,
    },
    /// The connection ended, or what came is no HTTP. Whether the request was acted on is not known.
    #[error("the answer of {host} can't be read: {why}")]
    Broken {
        /// Where to.
        host: String,
        /// What is wrong.
        why: String,
    },
    /// The body is longer than what is read of one.
    #[error("the answer of {host} is longer than {cap} bytes")]
    TooLong {
        /// Where to.
        host: String,
        /// The cap.
        cap: u64,
    },
}

/// Who sends: the driver, or a test's double.
pub trait Send: Sync {
    /// Sends a request and waits for the answer, whatever its status is.
    ///
    /// # Errors
    /// That there is no answer, and why.
    fn send(&self, request: &Request) -> Result<Answer, Failure>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_shows_no_secret_and_sends_it() {
        let text = Text::from("Bearer ").secret(Secret::new("hunter2hunter2"));
        assert_eq!(text.redacted(), "Bearer ********");
        assert_eq!(text.expose().expose(), b"Bearer hunter2hunter2");
        assert_eq!(format!("{text:?}"), "Bearer ********");
    }
}
