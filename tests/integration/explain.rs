//! `hekate explain`: what it says is what a scan does, and no value is in it.

use crate::{
    harness::Project,
    secrets::{password, token},
};

#[test]
fn explain_says_what_speaks_for_a_value_and_does_not_show_it() {
    let project = Project::new();
    let value = password(1, 16);
    project.file("app.env", format!("# settings\nDB_MASTER_PASSWORD={value}\n"));
    let run = project.hekate(&["explain", "app.env:2"]).ends(1);
    let said = run.stdout;
    assert!(said.contains("named a password") && said.contains("reported, with"), "{said}");
    assert!(!said.contains(&value), "{said}");
    let json = project.hekate(&["explain", "app.env:2", "--format", "json"]).ends(1);
    assert!(!json.stdout.contains(&value));
}

#[test]
fn explain_says_why_a_value_is_not_reported() {
    let project = Project::new();
    project.file(
        "a.yml",
        format!(
            "password: changeme\nbypass: 'north-west-7'\ntoken: \"{}\" # hekate:allow\nplain: text\n",
            token("github-pat", 2)
        ),
    );
    for (line, reason) in [
        ("a.yml:1", "words that stand in for a secret"),
        ("a.yml:2", "the name speaks of something else"),
        ("a.yml:3", "not counted: inline-mark"),
        ("a.yml:4", "No rule's pattern matches there."),
    ] {
        let run = project.hekate(&["explain", line]).ends(0);
        assert!(run.stdout.contains(reason), "{line}: {}", run.stdout);
    }
    project.hekate(&["explain", "b.yml:1"]).refuses(&["b.yml"]);
}

#[test]
fn explain_decides_as_a_scan_does() {
    let project = Project::new();
    let lines: String = (0..40)
        .map(|seed| match seed % 4 {
            0 => format!("password = \"{}\"\n", password(seed, 16)),
            1 => format!("token = \"{}\"\n", token("github-pat", seed)),
            2 => format!("secret_name = \"orders-{seed}\"\n"),
            _ => format!("key = lookup(\"{}\")\n", password(seed, 16)),
        })
        .collect();
    project.file("a.py", &lines);
    let found: Vec<u64> = project
        .scan(&[])
        .occurrences()
        .iter()
        .map(|place| place["start"]["line"].as_u64().unwrap())
        .collect();
    let run = project.hekate(&["explain", "a.py", "--format", "json"]);
    let explained: Vec<serde_json::Value> = serde_json::from_str(&run.stdout).unwrap();
    let reported: Vec<u64> = explained
        .iter()
        .filter(|one| one["outcome"] == "reported")
        .map(|one| one["line"].as_u64().unwrap())
        .collect();
    let sorted = |mut lines: Vec<u64>| {
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted(reported), sorted(found));
}
