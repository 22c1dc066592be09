//! Hosts that the user trusts with a provider's secrets.

use std::collections::BTreeMap;

use crate::rule::origin;

/// Origins by provider, as trusted config names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedHosts(BTreeMap<String, Vec<String>>);

/// An entry that is no origin.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("trusted hosts of {provider}: {why}")]
pub struct HostError {
    /// Whose.
    pub provider: String,
    /// What is wrong.
    pub why: String,
}

impl TrustedHosts {
    /// Reads what config says: origins by provider.
    ///
    /// # Errors
    /// What is no origin, and a provider that no check knows.
    pub fn new(hosts: impl IntoIterator<Item = (String, Vec<String>)>) -> Result<Self, HostError> {
        let mut known = BTreeMap::new();
        for (provider, texts) in hosts {
            if !super::providers().contains(&provider.as_str()) {
                let why = match super::nearest(&provider) {
                    Some(near) => format!("there is no check of that name; did you mean `{near}`?"),
                    None => "there is no check of that name".to_owned(),
                };
                return Err(HostError { provider, why });
            }
            let origins: Result<Vec<String>, String> = texts.iter().map(|text| origin(text)).collect();
            match origins {
                Ok(origins) => known.insert(provider, origins),
                Err(why) => return Err(HostError { provider, why }),
            };
        }
        Ok(Self(known))
    }

    /// A provider's origins, in the order of the config.
    pub fn of(&self, provider: &str) -> &[String] {
        self.0.get(provider).map_or(&[], Vec::as_slice)
    }

    /// Every origin of every provider, so that the driver may connect to them.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.0.values().flatten().map(String::as_str)
    }
}

/// Whether a text beside a secret names the host of an origin: `https://git.example.com/x`, `git.example.com:443`.
pub(super) fn names_host(text: &str, origin: &str) -> bool {
    let authority = |text: &str| -> String {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
        rest.rsplit('@').next().unwrap_or_default().to_ascii_lowercase()
    };
    let name = |authority: &str| -> String {
        authority
            .rsplit_once(':')
            .filter(|(_, port)| !port.contains(']'))
            .map_or(authority, |(name, _)| name)
            .to_owned()
    };
    let (theirs, ours) = (authority(text), authority(origin));
    !theirs.is_empty() && (theirs == ours || name(&theirs) == name(&ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(provider: &str, origin: &str) -> Result<TrustedHosts, String> {
        TrustedHosts::new([(provider.to_owned(), vec![origin.to_owned()])]).map_err(|error| error.to_string())
    }

    #[test]
    fn origins_are_kept_by_provider() {
        let trusted = hosts("gitlab", "https://Git.example.com/").unwrap();
        assert_eq!(trusted.of("gitlab"), ["https://git.example.com"]);
        assert!(trusted.of("grafana").is_empty());
        assert_eq!(trusted.origins().collect::<Vec<_>>(), ["https://git.example.com"]);
    }

    #[test]
    fn what_is_no_origin_and_who_is_no_provider_is_refused() {
        let error = hosts("gitlab", "https://git.example.com/api").unwrap_err();
        assert!(
            error.starts_with("trusted hosts of gitlab: `https://git.example.com/api` is more"),
            "{error}"
        );
        let error = hosts("gitlap", "https://git.example.com").unwrap_err();
        assert!(error.contains("did you mean `gitlab`?"), "{error}");
    }

    #[test]
    fn a_host_beside_a_secret_is_compared_by_name() {
        for (text, expected) in [
            ("git.example.com", true),
            ("https://git.example.com/group/project", true),
            ("https://user@GIT.example.com:8443", true),
            ("https://git.example.com.evil.net", false),
            ("https://evil.net/?git.example.com", false),
            ("https://git.example.com@evil.net", false),
            ("", false),
        ] {
            assert_eq!(names_host(text, "https://git.example.com"), expected, "{text}");
        }
    }
}
