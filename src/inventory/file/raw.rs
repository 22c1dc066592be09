//! The file's shapes, each value with its place, not yet checked against each other.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_saphyr::Spanned;

use super::{Algorithm, Kind, Permission, Role, Trigger, error::Fault, target};

/// A map in the file's order, each key with its place.
#[derive(Debug)]
pub(super) struct Entries<T>(pub(super) Vec<(Spanned<String>, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Reader(PhantomData))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInventory {
    pub(super) project: Spanned<String>,
    pub(super) environments: Spanned<Vec<Spanned<String>>>,
    pub(super) folders: Entries<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) secrets: Entries<RawEntry>,
    #[serde(default)]
    pub(super) tokens: Vec<RawToken>,
    #[serde(default)]
    pub(super) health: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) policies: Entries<RawPolicy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEntry {
    pub(super) kind: Option<Kind>,
    #[serde(default)]
    pub(super) rotate: RawRotate,
    pub(super) environments: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) target: Option<Spanned<RawTarget>>,
    #[serde(default)]
    pub(super) consumers: Vec<Spanned<Entries<Spanned<String>>>>,
    pub(super) signing: Option<Spanned<RawSigning>>,
    pub(super) playbook: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRotate {
    pub(super) every: Option<Spanned<String>>,
    pub(super) notice: Option<Spanned<String>>,
    pub(super) trigger: Option<Trigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSigning {
    pub(super) algorithm: Algorithm,
    pub(super) bits: Option<Spanned<u32>>,
    pub(super) next_name: Spanned<String>,
    pub(super) next_public_name: Spanned<String>,
    pub(super) grace: Spanned<String>,
    pub(super) jwks_url: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawToken {
    pub(super) name: Spanned<String>,
    pub(super) scopes: Spanned<Vec<Spanned<String>>>,
    pub(super) expires: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) needs: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    pub(super) description: Spanned<String>,
    pub(super) role: Option<Role>,
    pub(super) environments: Spanned<Vec<Spanned<String>>>,
    pub(super) paths: Spanned<Vec<Spanned<String>>>,
    pub(super) permissions: Spanned<Vec<Spanned<Permission>>>,
}

/// A target for all environments, or one for each.
#[derive(Debug)]
pub(super) enum RawTarget {
    One(Entries<Spanned<String>>),
    ByEnvironment(Entries<Node>),
}

/// What stands behind an environment's name; or behind what only looks like one.
#[derive(Debug)]
pub(super) enum Node {
    Map(Entries<Spanned<String>>),
    Other,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeReader)
    }
}

struct NodeReader;

impl<'de> Visitor<'de> for NodeReader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Node, A::Error> {
        Entries::deserialize(MapAccessDeserializer::new(map)).map(Node::Map)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }
}

impl<'de> Deserialize<'de> for RawTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TargetReader)
    }
}

struct TargetReader;

impl<'de> Visitor<'de> for TargetReader {
    type Value = RawTarget;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map: a target with its `type`, or environments with a target each")
    }

    /// The first key tells which of the two it is.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawTarget, A::Error> {
        let Some(first) = map.next_key::<Spanned<String>>()? else {
            return Ok(RawTarget::One(Entries::default()));
        };
        if target::is_field(&first.value) {
            let mut entries = vec![(first, map.next_value()?)];
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            return Ok(RawTarget::One(Entries(entries)));
        }
        let mut entries = vec![(first, map.next_value()?)];
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(RawTarget::ByEnvironment(Entries(entries)))
    }
}

/// The text, once one of the checks of `name` takes it.
pub(super) fn checked(
    value: Spanned<String>,
    check: impl Fn(&str) -> Result<(), &'static str>,
) -> Result<String, Fault> {
    match check(&value.value) {
        Ok(()) => Ok(value.value),
        Err(why) => Err(Fault::at(&value, why)),
    }
}

/// What the text says.
pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(value: &Spanned<String>) -> Result<T, Fault> {
    value.value.parse().map_err(|error: T::Err| Fault::at(value, error.to_string()))
}
