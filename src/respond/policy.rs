//! What trusted config allows: as whom, how much, and what without a person.

use std::time::Duration;

use super::{Program, notify::Channel};
use crate::{
    inventory::{PathPattern, matches_part},
    model::Verdict,
};

/// What trusted config says of response.
#[derive(Debug, Clone, PartialEq)]
pub struct RespondOptions {
    /// As whom runs act that no person started.
    pub role: Option<String>,
    /// How many secrets one run changes at most.
    pub max_changes: usize,
    /// Which context of the Kubernetes config, where it is not the current one.
    pub kubernetes_context: Option<String>,
    /// How long a rollout is waited for.
    pub rollout_timeout: Duration,
    /// What may be done without a person; nothing without it.
    pub auto: Option<AutoPolicy>,
    /// Who is told.
    pub channels: Vec<Channel>,
    /// Programs that rotate what hekate does not know.
    pub commands: Vec<Program>,
}

impl Default for RespondOptions {
    fn default() -> Self {
        Self {
            role: None,
            max_changes: 5,
            kubernetes_context: None,
            rollout_timeout: Duration::from_secs(300),
            auto: None,
            channels: Vec::new(),
            commands: Vec::new(),
        }
    }
}

/// What may be changed without a person: all of what is said has to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct AutoPolicy {
    /// In these environments.
    pub environments: Vec<String>,
    /// Secrets that one of these speaks of.
    pub paths: Vec<PathPattern>,
    /// With one of these verdicts, all of which are confirmed ones.
    pub verdicts: Vec<Verdict>,
    /// Found by one of these rules: ids, or patterns with `*`.
    pub rules: Vec<String>,
    /// So many in one run; if there are more, none is changed.
    pub max_changes: usize,
    /// The incident that all of it belongs to.
    pub incident: String,
    /// Why, for the record.
    pub reason: String,
    /// The channel that has to be told before anything is changed.
    pub tell_first: String,
}

impl AutoPolicy {
    /// Whether a secret of this environment and path, found by this rule with this verdict, may be changed.
    ///
    /// # Errors
    /// The line of the policy that forbids it, for people.
    pub fn allows(&self, environment: &str, path: &str, verdict: &Verdict, rule: &str) -> Result<(), String> {
        let refuse = |key: &str, values: Vec<String>, what: &str| {
            let values: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
            Err(format!("`{key} = [{}]` of [respond.auto] does not allow {what}", values.join(", ")))
        };
        if !self.environments.iter().any(|own| own == environment) {
            return refuse("environments", self.environments.clone(), environment);
        }
        if !self.paths.iter().any(|pattern| pattern.matches(path)) {
            return refuse("paths", self.paths.iter().map(ToString::to_string).collect(), path);
        }
        if !verdict.is_confirmed() || !self.verdicts.contains(verdict) {
            let verdicts = self.verdicts.iter().map(ToString::to_string).collect();
            return refuse("verdicts", verdicts, &verdict.to_string());
        }
        if !self.rules.iter().any(|pattern| matches_part(pattern, rule)) {
            return refuse("rules", self.rules.clone(), rule);
        }
        Ok(())
    }

    /// Whether so many may be changed in one run.
    ///
    /// # Errors
    /// The line that forbids it, for people.
    pub fn allows_count(&self, count: usize) -> Result<(), String> {
        if count <= self.max_changes {
            return Ok(());
        }
        Err(format!(
            "`max-changes = {}` of [respond.auto] does not allow {count} changes in one run",
            self.max_changes
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> AutoPolicy {
        AutoPolicy {
            environments: vec!["staging".into()],
            paths: vec!["/infrastructure/*".parse().unwrap()],
            verdicts: vec![Verdict::Known],
            rules: vec!["generic-*".into(), "known-value".into()],
            max_changes: 3,
            incident: "AUTO".into(),
            reason: "a test".into(),
            tell_first: "ops".into(),
        }
    }

    #[test]
    fn the_line_that_refuses_is_named() {
        let policy = policy();
        let allows = |environment, path, verdict, rule| policy.allows(environment, path, &verdict, rule);
        assert_eq!(allows("staging", "/infrastructure/A", Verdict::Known, "generic-password"), Ok(()));
        assert_eq!(allows("staging", "/infrastructure/A", Verdict::Known, "known-value"), Ok(()));
        for (environment, path, verdict, rule, line) in [
            (
                "production",
                "/infrastructure/A",
                Verdict::Known,
                "known-value",
                "environments = [\"staging\"]",
            ),
            ("staging", "/observability/A", Verdict::Known, "known-value", "paths = [\"/infrastructure/*\"]"),
            ("staging", "/infrastructure/A", Verdict::Active, "known-value", "verdicts = [\"known\"]"),
            ("staging", "/infrastructure/A", Verdict::Unknown("x".into()), "known-value", "verdicts"),
            (
                "staging",
                "/infrastructure/A",
                Verdict::Known,
                "github-pat",
                "rules = [\"generic-*\", \"known-value\"]",
            ),
        ] {
            let refusal = allows(environment, path, verdict, rule).unwrap_err();
            assert!(refusal.contains(line), "{refusal}");
        }
        assert_eq!(policy.allows_count(3), Ok(()));
        assert!(policy.allows_count(4).unwrap_err().contains("max-changes = 3"));
    }

    #[test]
    fn what_is_not_confirmed_is_never_changed() {
        let policy = AutoPolicy { verdicts: vec![Verdict::Retired], ..policy() };
        assert!(policy.allows("staging", "/infrastructure/A", &Verdict::Retired, "known-value").is_err());
    }
}
