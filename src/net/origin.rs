//! Where requests go, in one spelling.

use std::{fmt, str::FromStr};

use url::Url;

/// `https://host[:port]`, or `http://…` where trusted config says so: lower case, no port that is the scheme's own, nothing behind it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    text: String,
    host: String,
    port: u16,
    is_tls: bool,
}

/// A text that is no origin. It does not hold the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no origin: write https://HOST or https://HOST:PORT, with nothing behind it")]
pub struct OriginError;

impl Origin {
    /// Its host: a name, or an address (IPv6 without brackets).
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is spoken to in TLS.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// As it stands before a path.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        // The parser of URLs forgives what must not be forgiven here.
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err(OriginError);
        }
        let url = Url::parse(text).map_err(|_| OriginError)?;
        let is_tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(OriginError),
        };
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && !text.contains('@');
        let (Some(host), Some(port), true) = (url.host_str(), url.port_or_known_default(), is_bare) else {
            return Err(OriginError);
        };
        Ok(Self {
            text: url.origin().ascii_serialization(),
            host: super::address::normal(host),
            port,
            is_tls,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        for (text, spelling, host, port) in [
            ("https://Example.com", "https://example.com", "example.com", 443),
            ("https://example.com:443/", "https://example.com", "example.com", 443),
            ("https://example.com:8443", "https://example.com:8443", "example.com", 8443),
            ("http://127.0.0.1:80", "http://127.0.0.1", "127.0.0.1", 80),
            ("https://[::1]:9000", "https://[::1]:9000", "::1", 9000),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!((origin.as_str(), origin.host(), origin.port()), (spelling, host, port), "{text}");
        }
    }

    #[test]
    fn what_says_more_than_where_is_no_origin() {
        for text in [
            "",
            "example.com",
            "https://",
            "ftp://example.com",
            "https://example.com/path",
            "https://example.com?query",
            "https://example.com#fragment",
            "https://user@example.com",
            "https://user:word@example.com",
            "https://@example.com",
            "https:\\\\example.com",
            "https://exam\nple.com",
            "https://example.com:99999",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text:?}");
        }
    }
}
