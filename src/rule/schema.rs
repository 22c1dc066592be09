//! The TOML that rule files hold: gitleaks' schema and our fields, not yet judged.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{AllowlistCondition, Checksum, HttpCheck, RegexTarget, nearby::RawProvider};
use crate::model::{Category, Confidence, Severity};

/// A whole rule file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct RawPack {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) min_version: Option<String>,
    pub(super) betterleaks_min_version: Option<String>,
    pub(super) extend: Option<RawExtend>,
    /// betterleaks' expressions that leave out whole files, and matches.
    pub(super) prefilter: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) rules: Vec<RawRule>,
    pub(super) providers: Vec<RawProvider>,
    pub(super) allowlist: Option<RawAllowlist>,
    pub(super) allowlists: Vec<RawAllowlist>,
    /// Sections of a `hekate.toml`: not ours to read, and no part of a rule file.
    pub(super) scan: Option<IgnoredAny>,
    pub(super) store: Option<IgnoredAny>,
    pub(super) inventory: Option<IgnoredAny>,
    pub(super) index: Option<IgnoredAny>,
    pub(super) verify: Option<IgnoredAny>,
    pub(super) respond: Option<IgnoredAny>,
}

impl RawPack {
    /// The first section in it that belongs into a `hekate.toml`.
    pub(super) fn config_section(&self) -> Option<&'static str> {
        let sections = [
            ("scan", &self.scan),
            ("store", &self.store),
            ("inventory", &self.inventory),
            ("index", &self.index),
            ("verify", &self.verify),
            ("respond", &self.respond),
        ];
        sections.into_iter().find(|(_, section)| section.is_some()).map(|(name, _)| name)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct RawExtend {
    pub(super) path: Option<String>,
    pub(super) url: Option<String>,
    #[serde(alias = "usedefault")]
    pub(super) use_default: bool,
    #[serde(alias = "disabledrules")]
    pub(super) disabled_rules: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct RawRule {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) regex: Option<String>,
    #[serde(alias = "secretgroup")]
    pub(super) secret_group: Option<usize>,
    pub(super) entropy: Option<f32>,
    pub(super) path: Option<String>,
    pub(super) keywords: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) allowlist: Option<RawAllowlist>,
    pub(super) allowlists: Vec<RawAllowlist>,
    pub(super) required: Vec<RawRequired>,
    #[serde(alias = "skipreport")]
    pub(super) skip_report: bool,
    /// betterleaks' rank among rules that match one value.
    pub(super) specificity: Option<u32>,
    pub(super) token_efficiency: bool,
    /// betterleaks' expression that leaves out matches.
    pub(super) filter: Option<String>,
    /// betterleaks' own way to ask a service; ours is `verify`.
    pub(super) validate: Option<IgnoredAny>,
    pub(super) severity: Option<Severity>,
    pub(super) confidence: Option<Confidence>,
    pub(super) category: Option<Category>,
    pub(super) provider: Option<String>,
    pub(super) checksum: Option<Checksum>,
    pub(super) companions: Vec<RawCompanion>,
    pub(super) help: Option<String>,
    pub(super) examples: Vec<String>,
    pub(super) negatives: Vec<String>,
    pub(super) verify: Option<HttpCheck>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct RawAllowlist {
    pub(super) description: String,
    #[serde(deserialize_with = "condition")]
    pub(super) condition: AllowlistCondition,
    #[serde(alias = "regextarget", deserialize_with = "regex_target")]
    pub(super) regex_target: RegexTarget,
    pub(super) regexes: Vec<String>,
    #[serde(alias = "stopWords")]
    pub(super) stopwords: Vec<String>,
    pub(super) paths: Vec<String>,
    pub(super) commits: Vec<String>,
    #[serde(alias = "targetrules")]
    pub(super) target_rules: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawRequired {
    pub(super) id: String,
    pub(super) within_lines: Option<u64>,
    pub(super) within_columns: Option<u64>,
}

/// An id, or an id with a distance.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a companion is the id of a rule, or { id = …, withinLines = … }")]
pub(super) enum RawCompanion {
    Id(String),
    Near(RawNear),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawNear {
    pub(super) id: String,
    pub(super) within_lines: Option<u64>,
}

fn condition<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AllowlistCondition, D::Error> {
    match String::deserialize(deserializer)?.to_ascii_uppercase().as_str() {
        "" | "OR" | "||" => Ok(AllowlistCondition::Any),
        "AND" | "&&" => Ok(AllowlistCondition::All),
        other => Err(serde::de::Error::custom(format!("condition `{other}` is neither AND nor OR"))),
    }
}

fn regex_target<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RegexTarget, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "" | "secret" => Ok(RegexTarget::Secret),
        "match" => Ok(RegexTarget::Match),
        "line" => Ok(RegexTarget::Line),
        other => {
            Err(serde::de::Error::custom(format!("regexTarget `{other}` is none of secret, match, line")))
        }
    }
}
