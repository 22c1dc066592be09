//! What a report says, in the oracle's terms.

use std::collections::{BTreeMap, BTreeSet};

use hekate::model::{Fingerprint, Suppression};
use serde_json::Value;

use super::oracle::{Introduction, Lifetime, Seen};
use crate::harness::{Outcome, text};

/// A report of `hekate history`.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    /// Each secret, and why it does not count.
    pub(crate) seen: BTreeSet<Seen>,
    /// Files' occurrences.
    pub(crate) introductions: BTreeSet<Introduction>,
    /// How far each secret that counts is out.
    pub(crate) exposure: BTreeMap<Fingerprint, String>,
    /// The first and the last commit of each secret that counts.
    pub(crate) lifetimes: BTreeMap<Fingerprint, Lifetime>,
    /// Each ref that an occurrence names, by secret.
    pub(crate) refs: BTreeMap<Fingerprint, BTreeSet<String>>,
}

impl Reported {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let json = outcome.json();
        let mut reported = Self::default();
        for finding in list(&json["findings"]) {
            reported.add(finding, None);
            reported.exposure.insert(fingerprint(finding), text(&finding["exposure"]));
            let commit = |end: &str| finding.get(end).map(|moment| text(&moment["commit"]));
            if let (Some(first), Some(last)) = (commit("first_seen"), commit("last_seen")) {
                reported.lifetimes.insert(fingerprint(finding), (first, last));
            }
        }
        for suppressed in json.get("suppressed_findings").map(list).unwrap_or_default() {
            let reason = serde_json::from_value(suppressed["reason"].clone()).expect("a reason is known");
            reported.add(&suppressed["finding"], Some(reason));
        }
        reported
    }

    fn add(&mut self, finding: &Value, suppression: Option<Suppression>) {
        let seen = Seen { fingerprint: fingerprint(finding), suppression };
        for occurrence in list(&finding["occurrences"]) {
            let names = occurrence.get("refs").map(list).unwrap_or_default();
            let refs = self.refs.entry(seen.fingerprint).or_default();
            refs.extend(
                names.iter().map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned)),
            );
            // Texts of commits and tags, and blobs that lie in no tree, have no commit with a path.
            let Some(commit) = occurrence.get("commit").and_then(Value::as_str) else { continue };
            if occurrence.get("blob").is_none_or(Value::is_null) {
                continue;
            }
            self.introductions.insert(Introduction {
                commit: commit.to_owned(),
                path: text(&occurrence["path"]),
                seen: seen.clone(),
            });
        }
        self.seen.insert(seen);
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn fingerprint(finding: &Value) -> Fingerprint {
    text(&finding["fingerprint"]).parse().expect("it is a fingerprint")
}
