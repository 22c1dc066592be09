//! Who may do what.

use super::{PathPattern, words};

words! {
    /// What may be done with a secret.
    Permission {
        /// See its value.
        Read = "read",
        /// Give it another value.
        Write = "write",
        /// Remove it.
        Delete = "delete",
        /// All of that, and say who may.
        Admin = "admin",
    }
}

impl Permission {
    /// Whether it changes anything.
    pub fn is_change(self) -> bool {
        self != Self::Read
    }
}

words! {
    /// What sort of people or programs a policy is for; it decides what is too much for them.
    Role {
        /// Who answers for all secrets.
        Security = "security",
        /// Who runs a part of the platform.
        Operator = "operator",
        /// Programs that build and deploy.
        Pipeline = "pipeline",
        /// Who looks and changes nothing.
        Auditor = "auditor",
        /// Who writes programs, and has no business in production.
        Developer = "developer",
    }
}

/// Words in the name of a policy that tell its role, unless the file says it.
const NAMED: &[(&str, Role)] = &[
    ("security", Role::Security),
    ("ci", Role::Pipeline),
    ("cd", Role::Pipeline),
    ("cicd", Role::Pipeline),
    ("pipeline", Role::Pipeline),
    ("pipelines", Role::Pipeline),
    ("deploy", Role::Pipeline),
    ("actions", Role::Pipeline),
    ("bot", Role::Pipeline),
    ("audit", Role::Auditor),
    ("auditor", Role::Auditor),
    ("auditors", Role::Auditor),
    ("developer", Role::Developer),
    ("developers", Role::Developer),
    ("dev", Role::Developer),
    ("devs", Role::Developer),
    ("intern", Role::Developer),
    ("interns", Role::Developer),
    ("contractor", Role::Developer),
    ("contractors", Role::Developer),
];

impl Role {
    /// The role that a policy's name tells; an operator's, where it tells none.
    pub(super) fn of_name(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let words: Vec<&str> = name.split(['-', '_', '.']).collect();
        let named = NAMED.iter().find(|(word, _)| words.contains(word));
        named.map_or(Self::Operator, |(_, role)| *role)
    }

    /// Whether it may change every secret there is.
    pub fn may_change_everything(self) -> bool {
        self == Self::Security
    }

    /// Whether it may change secrets at all.
    pub fn may_change(self) -> bool {
        !matches!(self, Self::Pipeline | Self::Auditor)
    }

    /// Whether it may touch production.
    pub fn may_enter_production(self) -> bool {
        self != Self::Developer
    }
}

/// What a role may do.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The role's name, as `--role` takes it.
    pub name: String,
    /// What it is for, in words.
    pub description: String,
    /// What sort of role it is.
    pub role: Role,
    /// In which environments.
    pub environments: Vec<String>,
    /// With which secrets.
    pub paths: Vec<PathPattern>,
    /// What.
    pub permissions: Vec<Permission>,
}

impl Policy {
    /// Whether it allows this with a secret, given by environment and by folder and name. Who may administer may do everything.
    pub fn allows(&self, environment: &str, path: &str, permission: Permission) -> bool {
        let is_granted = |own: &Permission| *own == permission || *own == Permission::Admin;
        self.environments.iter().any(|own| own == environment)
            && self.paths.iter().any(|pattern| pattern.matches(path))
            && self.permissions.iter().any(is_granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_roles_by_whole_words() {
        for (name, role) in [
            ("security-team", Role::Security),
            ("ci-cd", Role::Pipeline),
            ("github_actions", Role::Pipeline),
            ("auditors", Role::Auditor),
            ("developers", Role::Developer),
            ("platform-engineers", Role::Operator),
            ("devops", Role::Operator),
            ("social", Role::Operator),
        ] {
            assert_eq!(Role::of_name(name), role, "{name}");
        }
    }

    #[test]
    fn a_policy_allows_what_it_grants_where_it_grants_it() {
        let policy = Policy {
            name: "p".into(),
            description: "d".into(),
            role: Role::Operator,
            environments: vec!["production".into()],
            paths: vec!["/a/*".parse().unwrap()],
            permissions: vec![Permission::Read, Permission::Write],
        };
        assert!(policy.allows("production", "/a/X", Permission::Write));
        assert!(!policy.allows("production", "/a/X", Permission::Delete));
        assert!(!policy.allows("staging", "/a/X", Permission::Read));
        assert!(!policy.allows("production", "/b/X", Permission::Read));
        let admin = Policy { permissions: vec![Permission::Admin], ..policy };
        assert!(admin.allows("production", "/a/X", Permission::Delete));
    }
}
