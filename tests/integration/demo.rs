//! The demo tree that the README scans, and the cleanliness of what is committed here.

use std::process::Command;

use crate::harness::Project;

fn demo(project: &Project) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/orders.sh");
    let output = Command::new("sh").arg(script).arg(project.path("demo")).output().expect("run orders.sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_demo_tree_has_a_secret_of_every_common_kind() {
    let project = Project::new();
    demo(&project);
    let outcome = project.scan(&["demo"]).ends(1);
    let mut rules = outcome.rules();
    rules.sort();
    // The id of the AWS key is a part of its secret's finding.
    for rule in ["aws-secret-access-key", "generic-password", "github-pat", "postgres-password"] {
        assert!(rules.iter().any(|found| found == rule), "{rule} is not among {rules:?}");
    }
    for rule in ["private-key", "private-key-base64", "redis-url-password", "slack-webhook-url"] {
        assert!(rules.iter().any(|found| found == rule), "{rule} is not among {rules:?}");
    }
    let places = outcome.places();
    for place in
        [".env:1:", ".env:2:", ".env:3:", "deploy/docker-compose.yml:6:", "deploy/docker-compose.yml:10:"]
    {
        assert!(places.iter().any(|found| found.starts_with(place)), "{place} is not among {places:?}");
    }
    // What only looks like a secret is left alone.
    let paths = outcome.paths();
    for clean in [".env.example", "README.md", "app/settings.py"] {
        assert!(!paths.iter().any(|path| path == clean), "{clean}: {paths:?}");
        assert!(project.path("demo").join(clean).exists(), "{clean}");
    }
}

#[test]
fn the_demo_is_not_written_over_something_else() {
    let project = Project::new();
    project.file("demo/mine.txt", "mine");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/orders.sh");
    for args in [vec![project.path("demo")], vec![]] {
        let output = Command::new("sh").arg(script).args(args).output().expect("run orders.sh");
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn no_test_holds_a_secret_of_its_own() {
    let project = Project::new();
    let folder = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    let outcome = project.scan(&[&folder("tests"), &folder("testdata")]);
    assert_eq!(outcome.places(), Vec::<String>::new());
}
