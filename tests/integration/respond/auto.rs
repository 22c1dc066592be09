//! `--respond`: what scans hand over, and what may be done without a person.

use super::platform::{Platform, ROLE};

/// A policy that lets the platform's password be replaced.
fn policy(change: impl Fn(String) -> String) -> String {
    change(format!(
        "[respond]
role = \"{ROLE}\"

[respond.auto]
environments = [\"production\"]
paths = [\"/infrastructure/*\"]
max-changes = 3
incident = \"AUTO-1\"
reason = \"found in a history\"
tell-first = \"ops\"

[respond.notify.ops]
type = \"command\"
program = [\"/bin/sh\", \"-c\", \"cat >> told\"]
"
    ))
}

impl Platform {
    fn index(&self) -> &Self {
        let store = ["--store", "dir:outside/store", "--inventory", "outside/inventory.yaml"];
        self.hekate(&[&["inventory", "pull", "--index", "outside/hekate.idx"], &store[..]].concat()).ends(0);
        self
    }

    /// `history --respond apply` under this config, if one is given.
    fn auto(&self, config: Option<&str>) -> crate::harness::Outcome {
        let told = self.project.path("outside/told");
        if let Some(config) = config {
            self.project.file(
                "outside/trusted.toml",
                config.replace("cat >> told", &format!("cat >> {}", told.display())),
            );
        }
        let config: &[&str] = if config.is_some() { &["--config", "outside/trusted.toml"] } else { &[] };
        let history = ["history", ".", "--index", "outside/hekate.idx", "--respond", "apply"];
        self.respond(&[&history[..], config].concat())
    }
}

#[test]
fn a_history_is_planned_for_and_the_plan_carried_out() {
    let Some(platform) = Platform::new() else { return };
    platform.index();
    let history = ["history", ".", "--index", "outside/hekate.idx", "--format", "json", "--respond", "plan"];
    let outcome = platform.respond(&[&history[..], &["--plan", "outside/plan.json"]].concat()).ends(4);
    assert!(
        outcome.stderr.contains("ALTER ROLE") && outcome.stderr.contains("hekate respond apply"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.json()["findings"].is_array(), "the report is not mixed with the plan");
    platform.is_whole(false);
    platform.apply().ends(0);
    platform.is_whole(true);
}

#[test]
fn a_trusted_policy_lets_a_history_replace_what_it_confirms_and_tells_first() {
    let Some(platform) = Platform::new() else { return };
    let outcome = platform.index().auto(Some(&policy(|text| text))).ends(4);
    assert!(outcome.stderr.contains("rotated"), "{}", outcome.stderr);
    platform.is_whole(true);
    let told = platform.project.read("outside/told");
    let states: Vec<&str> =
        told.matches("\"state\":\"open\"").chain(told.matches("\"state\":\"rotated\"")).collect();
    assert_eq!(states.len(), 2, "{told}");
    assert!(!told.contains(&platform.old) && !told.contains(&platform.current()));
    let listed = platform.hekate(&["audit", "list", "--state", "outside/state", "--format", "json"]).ends(0);
    assert!(
        listed.stdout.contains("AUTO-1") && listed.stdout.contains("found in a history"),
        "{}",
        listed.stdout
    );
}

#[test]
fn without_a_trusted_policy_nothing_is_changed() {
    let Some(platform) = Platform::new() else { return };
    platform.index().auto(None).refuses(&["needs [respond.auto] in trusted config"]);
    // One that stands in the scanned tree is none.
    platform.project.file("hekate.toml", policy(|text| text));
    platform.auto(None).ends(2);
    assert_eq!(platform.current(), platform.old);
    assert!(platform.accepts(&platform.old));
}

#[test]
fn what_the_policy_does_not_allow_is_not_changed_and_the_line_that_forbids_it_is_named() {
    let Some(platform) = Platform::new() else { return };
    platform.index();
    let changes: [(&dyn Fn(String) -> String, &str); 6] = [
        (&|text| text.replace("[\"production\"]", "[\"staging\"]"), "`environments = [\"staging\"]`"),
        (&|text| text.replace("/infrastructure/*", "/observability/*"), "`paths = [\"/observability/*\"]`"),
        (
            &|text| text.replace("max-changes = 3", "max-changes = 3\nverdicts = [\"active\"]"),
            "`verdicts = [\"active\"]`",
        ),
        (
            &|text| text.replace("max-changes = 3", "max-changes = 3\nrules = [\"github-*\"]"),
            "`rules = [\"github-*\"]`",
        ),
        (&|text| text.replace("cat >> told", "exit 1"), "nobody could be told first"),
        (&|text| text.replace(&format!("role = \"{ROLE}\""), "role = \"readers\""), "may not change"),
    ];
    for (change, words) in changes {
        let outcome = platform.auto(Some(&policy(change)));
        assert!(
            outcome.code != 0 && outcome.stderr.contains(words),
            "{words}: {} {}",
            outcome.code,
            outcome.stderr
        );
        platform.is_whole(false);
    }
}

#[test]
fn more_than_the_cap_is_not_changed_at_all() {
    let Some(platform) = Platform::with(|inventory| {
        inventory
            .replace("[POSTGRES_PASSWORD]", "[POSTGRES_PASSWORD, OTHER_PASSWORD]")
            .replace("policies:", "  OTHER_PASSWORD: { kind: static, environments: [production] }\npolicies:")
    }) else {
        return;
    };
    let other = super::platform::random(40);
    let old = platform.project.read("outside/store/production/infrastructure.env");
    platform
        .project
        .file("outside/store/production/infrastructure.env", format!("{old}OTHER_PASSWORD={other}\n"));
    platform.project.file("other.env", format!("OTHER_PASSWORD={other}\n")).commit_all();
    let outcome =
        platform.index().auto(Some(&policy(|text| text.replace("max-changes = 3", "max-changes = 1"))));
    assert!(outcome.ends(4).stderr.contains("`max-changes = 1` of [respond.auto] does not allow 2 changes"));
    platform.is_whole(false);
}
