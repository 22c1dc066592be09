//! The proxy through which hosts are reached, and those that are reached without.

use std::net::IpAddr;

use super::{Origin, address::normal};
use crate::model::Secret;

/// A proxy, as flags, trusted config or the environment name it.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// `http://[user:password@]host[:port]`, or the same with https.
    pub(super) url: Secret,
    spared: Vec<String>,
}

impl Proxy {
    /// `except` is a list as `NO_PROXY` has it: names with all names below them, addresses, or `*`.
    pub fn new(url: Secret, except: &str) -> Self {
        let entry = |text: &str| normal(text.trim().trim_start_matches("*.").trim_start_matches('.'));
        let spared = except.split([',', ' ']).map(entry).filter(|text| !text.is_empty()).collect();
        Self { url, spared }
    }

    /// What `HTTPS_PROXY` or `ALL_PROXY`, and `NO_PROXY`, say; `read` reads a variable.
    pub fn from_env(read: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let first = |names: &[&str]| names.iter().filter_map(|name| read(name)).find(|text| !text.is_empty());
        let url = first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])?;
        Some(Self::new(Secret::new(url), &first(&["NO_PROXY", "no_proxy"]).unwrap_or_default()))
    }

    /// Whether an origin is reached without it: what is listed, this machine, and what is spoken to in clear.
    pub(super) fn spares(&self, origin: &Origin) -> bool {
        let host = origin.host();
        let is_here =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let is_listed = |entry: &String| {
            entry == "*"
                || host == entry
                || host.strip_suffix(entry.as_str()).is_some_and(|rest| rest.ends_with('.'))
        };
        !origin.is_tls() || is_here || self.spared.iter().any(is_listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_proxy_and_its_exceptions() {
        let read = |name: &str| match name {
            "https_proxy" => Some("http://proxy.example:3128".to_owned()),
            "NO_PROXY" => Some("inner.example, .corp.example,*.lab.example 10.0.0.1".to_owned()),
            _ => None,
        };
        let proxy = Proxy::from_env(read).unwrap();
        for (origin, is_spared) in [
            ("https://api.github.com", false),
            ("https://inner.example", true),
            ("https://a.inner.example", true),
            ("https://notinner.example", false),
            ("https://corp.example", true),
            ("https://git.corp.example", true),
            ("https://x.lab.example", true),
            ("https://10.0.0.1:8443", true),
            ("https://10.0.0.2", false),
            ("https://127.0.0.1:9000", true),
            ("https://localhost", true),
            ("http://api.github.com", true),
        ] {
            assert_eq!(proxy.spares(&origin.parse().unwrap()), is_spared, "{origin}");
        }
        assert!(Proxy::from_env(|_| None).is_none());
        assert!(Proxy::new(Secret::new("http://p"), "*").spares(&"https://x.example".parse().unwrap()));
    }
}
