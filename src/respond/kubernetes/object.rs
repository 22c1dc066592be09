//! Which objects are spoken of, and where they are.

use std::fmt;

use crate::{
    inventory::{Consumer, ConsumerType},
    respond::target::Trouble,
};

/// The longest name, by RFC 1123.
const LONGEST_NAME: usize = 253;

/// A kind of object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
    /// Empty for the core group.
    pub(super) group: &'static str,
    version: &'static str,
}

pub(super) const SECRET: Resource = Resource { kind: "Secret", plural: "secrets", group: "", version: "v1" };

const INFISICAL_SECRET: Resource = Resource {
    kind: "InfisicalSecret",
    plural: "infisicalsecrets",
    group: "secrets.infisical.com",
    version: "v1alpha1",
};
const INFISICAL_STATIC_SECRET: Resource = Resource {
    kind: "InfisicalStaticSecret",
    plural: "infisicalstaticsecrets",
    group: "secrets.infisical.com",
    version: "v1beta1",
};
const DEPLOYMENT: Resource =
    Resource { kind: "Deployment", plural: "deployments", group: "apps", version: "v1" };
const STATEFUL_SET: Resource =
    Resource { kind: "StatefulSet", plural: "statefulsets", group: "apps", version: "v1" };
const DAEMON_SET: Resource =
    Resource { kind: "DaemonSet", plural: "daemonsets", group: "apps", version: "v1" };

impl Resource {
    /// Of a consumer; `None` of one that is no object of Kubernetes.
    pub(super) fn of(kind: ConsumerType) -> Option<&'static Self> {
        Some(match kind {
            ConsumerType::InfisicalSecret => &INFISICAL_SECRET,
            ConsumerType::InfisicalStaticSecret => &INFISICAL_STATIC_SECRET,
            ConsumerType::Deployment => &DEPLOYMENT,
            ConsumerType::StatefulSet => &STATEFUL_SET,
            ConsumerType::DaemonSet => &DAEMON_SET,
            ConsumerType::Command => return None,
        })
    }

    /// `deployments.apps`, as RBAC and kubectl call it.
    pub(super) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) resource: &'static Resource,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Object {
    /// An object by its names, which may come from anywhere.
    ///
    /// # Errors
    /// Names that no object has: they would lead to another path.
    pub(super) fn new(resource: &'static Resource, namespace: &str, name: &str) -> Result<Self, Trouble> {
        for text in [namespace, name] {
            if !is_name(text) {
                let shown: String = text.chars().take(60).flat_map(char::escape_default).collect();
                return Err(Trouble::Refused(format!("`{shown}` is no name of an object of Kubernetes")));
            }
        }
        Ok(Self { resource, namespace: namespace.to_owned(), name: name.to_owned() })
    }

    pub(super) fn of(consumer: &Consumer) -> Result<Self, Trouble> {
        let none = || Trouble::Refused(format!("`{}` is no object of Kubernetes", consumer.name));
        Self::new(Resource::of(consumer.kind).ok_or_else(none)?, &consumer.namespace, &consumer.name)
    }

    pub(super) fn secret(namespace: &str, name: &str) -> Result<Self, Trouble> {
        Self::new(&SECRET, namespace, name)
    }

    /// Its path on the server.
    pub(super) fn path(&self) -> String {
        let Self { resource, namespace, name } = self;
        let root = match resource.group {
            "" => format!("/api/{}", resource.version),
            group => format!("/apis/{group}/{}", resource.version),
        };
        format!("{root}/namespaces/{namespace}/{}/{name}", resource.plural)
    }

    /// As people ask for it.
    pub(super) fn can_i(&self, verb: &str) -> String {
        format!("kubectl auth can-i {verb} {}/{} -n {}", self.resource.qualified(), self.name, self.namespace)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.resource.kind, self.namespace, self.name)
    }
}

/// A DNS subdomain, as Kubernetes demands of all names used here: lower case, digits, `-` and `.`, a letter or digit at both ends.
fn is_name(text: &str) -> bool {
    let is_end = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    text.len() <= LONGEST_NAME
        && bytes.first().is_some_and(is_end)
        && bytes.last().is_some_and(is_end)
        && bytes.iter().all(|byte| is_end(byte) || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_a_path() {
        let secret = Object::secret("kosmos-db", "postgres-credentials").unwrap();
        assert_eq!(secret.path(), "/api/v1/namespaces/kosmos-db/secrets/postgres-credentials");
        let object = Object::new(&INFISICAL_SECRET, "a", "b.c").unwrap();
        assert_eq!(object.path(), "/apis/secrets.infisical.com/v1alpha1/namespaces/a/infisicalsecrets/b.c");
        assert_eq!(
            object.can_i("get"),
            "kubectl auth can-i get infisicalsecrets.secrets.infisical.com/b.c -n a"
        );
    }

    #[test]
    fn names_do_not_lead_elsewhere() {
        for name in ["", ".", "..", "a/b", "A", "a?b", "-a", "a.", "a%2f", "\u{e4}", "a\n", &"a".repeat(254)]
        {
            assert!(Object::secret("kosmos", name).is_err(), "{name:?}");
            assert!(Object::secret(name, "kosmos").is_err(), "{name:?}");
        }
    }
}
