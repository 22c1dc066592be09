//! Policies that give a role more than it should have.

use crate::inventory::{
    Inventory, Policy, is_production,
    review::{Code, Problem},
};

pub(super) fn problems(inventory: &Inventory) -> Vec<Problem> {
    let mut problems: Vec<Problem> = inventory.policies.iter().flat_map(judge).collect();
    for policy in &inventory.policies {
        let is_idle = |pattern: &&_| {
            !inventory
                .entries
                .iter()
                .any(|entry| crate::inventory::PathPattern::matches(pattern, &entry.path()))
        };
        let idle = policy.paths.iter().filter(is_idle);
        problems.extend(idle.map(|path| Problem::with(Code::IdlePath, subject(policy), path.as_str())));
    }
    problems
}

fn subject(policy: &Policy) -> String {
    format!("policy {}", policy.name)
}

fn judge(policy: &Policy) -> Vec<Problem> {
    let role = policy.role;
    let changes: Vec<&str> =
        policy.permissions.iter().filter(|own| own.is_change()).map(|own| own.as_str()).collect();
    let wide: Vec<&str> =
        policy.paths.iter().filter(|path| path.is_everything()).map(|path| path.as_str()).collect();
    let production: Vec<&str> =
        policy.environments.iter().map(String::as_str).filter(|own| is_production(own)).collect();
    let mut problems = Vec::new();
    let mut say = |code, detail| problems.push(Problem::with(code, subject(policy), detail));
    if !role.may_change() && !changes.is_empty() {
        say(Code::PolicyWrites, format!("{} for the role of a {role}", changes.join(", ")));
    } else if !role.may_change_everything() && !changes.is_empty() && !wide.is_empty() {
        say(Code::PolicyTooWide, format!("{} on {}", changes.join(", "), wide.join(", ")));
    }
    if !role.may_enter_production() && !production.is_empty() {
        say(Code::PolicyProduction, format!("{} for the role of a {role}", production.join(", ")));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::review::fake::inventory;

    fn of(policy: &str) -> Vec<String> {
        let text = format!(
            "project: p\nenvironments: [development, production]\nfolders: {{a: [X]}}\npolicies:\n  {policy}\n"
        );
        let shown =
            |problem: &Problem| format!("{}: {}", problem.code, problem.detail.clone().unwrap_or_default());
        problems(&inventory(&text)).iter().map(shown).collect()
    }

    fn policy(name: &str, environments: &str, paths: &str, permissions: &str) -> String {
        format!(
            "{name}: {{description: d, environments: [{environments}], paths: [{paths}], permissions: [{permissions}]}}"
        )
    }

    #[test]
    fn only_the_security_team_may_change_everything() {
        assert!(of(&policy("security-team", "production", "/*", "read, write, admin")).is_empty());
        assert_eq!(
            of(&policy("platform", "production", "/*", "read, write")),
            ["policy-too-wide: write on /*"]
        );
        assert_eq!(of(&policy("platform", "production", "/**", "admin")), ["policy-too-wide: admin on /**"]);
        assert!(of(&policy("platform", "production", "/*", "read")).is_empty());
        assert!(of(&policy("platform", "production", "/a/*", "read, write, delete")).is_empty());
    }

    #[test]
    fn pipelines_and_auditors_only_read() {
        for (name, role) in [("ci-cd", "pipeline"), ("auditors", "auditor")] {
            assert_eq!(
                of(&policy(name, "production", "/a/*", "read, write, delete")),
                [format!("policy-writes: write, delete for the role of a {role}")]
            );
            assert!(of(&policy(name, "production", "/*", "read")).is_empty());
        }
    }

    #[test]
    fn developers_stay_out_of_production_and_a_role_of_its_own_wins_over_the_name() {
        let text = policy("developers", "development, production", "/a/*", "read");
        assert_eq!(of(&text), ["policy-production: production for the role of a developer"]);
        assert!(of(&text.replace("{description", "{role: operator, description")).is_empty());
    }

    #[test]
    fn a_path_that_leads_to_nothing_is_told() {
        assert_eq!(of(&policy("platform", "production", "/a/*, /b/*", "read")), ["idle-path: /b/*"]);
    }
}
