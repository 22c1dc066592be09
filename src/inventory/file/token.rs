//! Tokens of the secret manager itself.

use std::{fmt, str::FromStr};

use super::{PathPattern, Period, Permission};

/// A token of the manager: who has it can read (or more) what its scopes name.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Its name in the manager.
    pub name: String,
    /// What it is for.
    pub scopes: Vec<Scope>,
    /// How long it lives; `None` is for ever.
    pub expires: Option<Period>,
    /// What is read with it, as far as the file says.
    pub needs: Vec<PathPattern>,
}

/// `project:environment:/path/NAME*:permission`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The project.
    pub project: String,
    /// One environment; `None` is all of them, written `*`.
    pub environment: Option<String>,
    /// Which secrets of it.
    pub path: PathPattern,
    /// What may be done with them.
    pub permission: Permission,
}

impl Scope {
    /// Whether it speaks of this secret, by environment, folder and name.
    pub fn covers(&self, environment: &str, path: &str) -> bool {
        self.environment.as_deref().is_none_or(|own| own == environment) && self.path.matches(path)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment = self.environment.as_deref().unwrap_or("*");
        write!(f, "{}:{environment}:{}:{}", self.project, self.path, self.permission)
    }
}

/// Text that is no scope, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a scope is `project:environment:/path/NAME*:permission`{0}")]
pub struct ScopeError(String);

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let parts: Vec<&str> = text.split(':').collect();
        let [project, environment, path, permission] = parts[..] else {
            return Err(ScopeError(format!(", four parts and not {}", parts.len())));
        };
        let found = Permission::ALL.iter().copied().find(|known| known.as_str() == permission);
        let known: Vec<&str> = Permission::ALL.iter().map(|known| known.as_str()).collect();
        let permission =
            found.ok_or_else(|| ScopeError(format!("; the permission is one of {}", known.join(", "))))?;
        let path = path.parse().map_err(|error| ScopeError(format!("; {error}")))?;
        if project.is_empty() || environment.is_empty() {
            return Err(ScopeError("; neither project nor environment is empty".to_owned()));
        }
        let environment = (environment != "*").then(|| environment.to_owned());
        Ok(Self { project: project.to_owned(), environment, path, permission })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back() {
        for text in ["kosmos:production:/infrastructure/POSTGRES_*:read", "kosmos:*:/*:write"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        let scope: Scope = "kosmos:production:/infrastructure/*:read".parse().unwrap();
        assert!(
            scope.covers("production", "/infrastructure/A") && !scope.covers("staging", "/infrastructure/A")
        );
    }

    #[test]
    fn what_is_no_scope_says_why() {
        for (text, why) in [
            ("kosmos:production", "four parts and not 2"),
            ("kosmos:production:/a:own", "one of read, write"),
            ("kosmos:production:a:read", "starts with `/`"),
            (":production:/a:read", "neither"),
        ] {
            let error = text.parse::<Scope>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
