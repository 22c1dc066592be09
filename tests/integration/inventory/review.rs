//! `hekate inventory check` and `lint`.

use super::{INVENTORY, inventory, platform, put, strong};
use crate::harness::Project;

fn text(project: &Project, command: &str, code: i32) -> String {
    inventory(project, command, &[]).ends(code).stdout
}

#[test]
fn a_store_that_has_just_what_the_inventory_names_is_clean() {
    let project = platform(INVENTORY);
    insta::assert_snapshot!(text(&project, "check", 0), @"no problem · 6 secrets looked at in dir:store (development, production)");
    insta::assert_snapshot!(text(&project, "lint", 0), @"no problem · 6 secrets looked at in dir:store (development, production)");
}

#[test]
fn the_shipped_example_has_nothing_to_lint_and_is_complete() {
    let project = platform(include_str!("../../../docs/inventory.example.yaml"));
    // Signing keys are PEM, and longer than any password.
    for (seed, environment) in ["development", "staging", "production"].iter().enumerate() {
        let key: String = (0..5).map(|part| crate::secrets::pem(100 + 10 * seed as u64 + part)).collect();
        let lines = key.lines().filter(|line| !line.starts_with('-'));
        let kind = "RSA PRIVATE KEY";
        let pem = format!(
            "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
            lines.collect::<Vec<_>>().join("\n")
        );
        put(&project, environment, "/authentication", "JWT_SIGNING_KEY", &pem);
    }
    text(&project, "check", 0);
    text(&project, "lint", 0);
}

#[test]
fn check_tells_what_is_missing_unexpected_empty_and_in_the_wrong_folder() {
    let project = platform(INVENTORY);
    project.file("store/production/infrastructure.env", "NATS_SYSTEM_PASSWORD=\nOLD_KEY=x\n");
    project.file("store/production/_root.env", "POSTGRES_PASSWORD=x\n");
    std::fs::remove_file(project.path("store/development/authentication.env")).expect("remove a file");
    insta::assert_snapshot!(text(&project, "check", 1), @"
    missing  in the inventory, not in the manager
      development:/authentication/SESSION_SECRET
      → store a value there, or take the name out of the inventory

    wrong-folder  in another folder than the inventory says
      production:/infrastructure/POSTGRES_PASSWORD
        it lies at /POSTGRES_PASSWORD
      → move it in the manager, or correct its folder in the inventory

    unexpected  in the manager, not in the inventory
      production:/infrastructure/OLD_KEY
      → add it to the inventory, so that it is rotated, or remove it from the manager

    empty  without a value
      production:/infrastructure/NATS_SYSTEM_PASSWORD
      → store a value, or remove the name

    4 problems · 6 secrets looked at in dir:store (development, production)
    ");
}

#[test]
fn an_environment_that_is_not_there_is_a_problem_of_check_and_a_gap_of_lint() {
    let project = platform(INVENTORY);
    std::fs::remove_dir_all(project.path("store/development")).expect("remove a folder");
    insta::assert_snapshot!(text(&project, "check", 1), @"
    missing-environment  environments that the manager does not have
      development
        no environment `development`; there are production
      → make the environment there, or take it out of the inventory

    1 problem · 3 secrets looked at in dir:store (development, production)
    ");
    insta::assert_snapshot!(text(&project, "lint", 3), @"
    unread  what the manager did not show
      development
        no environment `development`; there are production

    no problem · 3 secrets looked at in dir:store (development, production)
    ");
    inventory(&project, "check", &["--environment", "production"]).ends(0);
}

#[test]
fn lint_tells_shared_and_weak_values_by_name_and_never_shows_them() {
    let project = platform(INVENTORY);
    let (shared, weak) = (strong(500), "Winter".to_owned() + "2024");
    put(&project, "development", "/infrastructure", "POSTGRES_PASSWORD", &shared);
    put(&project, "production", "/infrastructure", "POSTGRES_PASSWORD", &shared);
    put(&project, "production", "/infrastructure", "NATS_SYSTEM_PASSWORD", &weak);
    put(&project, "production", "/authentication", "SESSION_SECRET", &format!("{} ", strong(501)));
    let outcome = inventory(&project, "lint", &[]).ends(1);
    insta::assert_snapshot!(outcome.stdout, @"
    development-value  one value in development and elsewhere
      development:/infrastructure/POSTGRES_PASSWORD
      = production:/infrastructure/POSTGRES_PASSWORD
      → rotate it outside of development: who reads that environment knows the others

    short  shorter than 16 characters
      production:/infrastructure/NATS_SYSTEM_PASSWORD
      → rotate it to 32 random bytes, in base64

    white-space  blanks or line ends around the value
      production:/authentication/SESSION_SECRET
      → store it without them: some consumers trim a value, others don't

    3 problems · 6 secrets looked at in dir:store (development, production)
    ");
    let json = inventory(&project, "lint", &["--format", "json"]).ends(1);
    for output in [&outcome.stdout, &outcome.stderr, &json.stdout, &json.stderr] {
        assert!(!output.contains(&shared) && !output.contains(&weak), "{output}");
    }
}

#[test]
fn lint_tells_policies_and_tokens_that_reach_too_far() {
    let more = "\
tokens:
  - { name: deploy, scopes: ['kosmos:*:/*:write'] }
  - { name: reader, scopes: ['kosmos:production:/infrastructure/*:read'], needs: [/infrastructure/POSTGRES_PASSWORD], expires: 90d }
policies:
  ops: { description: Everything, environments: [production], paths: [/*], permissions: [read, write] }
  ci: { description: The pipeline, environments: [production], paths: [/infrastructure/*], permissions: [read, write] }
  developers: { description: Programmers, environments: [production], paths: [/authentication/*], permissions: [read] }
";
    let project = platform(&format!("{INVENTORY}{more}"));
    insta::assert_snapshot!(text(&project, "lint", 1), @"
    policy-too-wide  a role that may change everything
      policy ops
        write on /*
      → name the folders that it works on, or take write, delete and admin away

    policy-writes  a role that should only read, and may change
      policy ci
        write for the role of a pipeline
      → take write, delete and admin away

    policy-production  a role that has no business in production
      policy developers
        production for the role of a developer
      → take production out of its environments

    token-too-wide  tokens that reach more than is needed
      token deploy
        kosmos:*:/*:write: every secret of the project
      token reader
        kosmos:production:/infrastructure/*:read: nobody reads NATS_SYSTEM_PASSWORD with it
      → narrow the scope to what is read with it

    token-writes  tokens that can change secrets
      token deploy
        kosmos:*:/*:write
      → make the scope end in `:read`

    token-for-ever  tokens without an expiry
      token deploy
      → give it `expires: 30d`, and rotate it

    token-long-lived  tokens that live longer than 30 days
      token reader
        it lives 90d
      → give it `expires: 30d`, and rotate it

    8 problems · 6 secrets looked at in dir:store (development, production)
    ");
}

#[test]
fn json_has_a_stable_shape() {
    let project = platform(INVENTORY);
    project.file("store/production/_root.env", "EXTRA=x\n");
    let outcome = inventory(&project, "check", &["--format", "json"]).ends(1);
    insta::assert_snapshot!(outcome.stdout, @r#"
    {
      "schema": "hekate.inventory-review/1",
      "project": "kosmos",
      "store": "dir:store",
      "environments": [
        "development",
        "production"
      ],
      "secrets": 7,
      "problems": [
        {
          "code": "unexpected",
          "title": "in the manager, not in the inventory",
          "subjects": [
            "production:/EXTRA"
          ],
          "fix": "add it to the inventory, so that it is rotated, or remove it from the manager"
        }
      ],
      "unread": []
    }
    "#);
}

#[test]
fn hostile_names_of_a_store_do_not_steer_the_terminal() {
    let project = platform(INVENTORY);
    project.file("store/production/a\u{1b}[2J.env", "X=1\n");
    let outcome = inventory(&project, "check", &[]);
    assert_ne!(outcome.code, 0, "{}", outcome.stdout);
    assert!(!outcome.stdout.contains('\u{1b}') && !outcome.stderr.contains('\u{1b}'));
}

#[test]
fn a_store_file_that_can_not_be_read_ends_with_3() {
    let project = platform(INVENTORY);
    project.file("store/production/infrastructure.env", "POSTGRES_PASSWORD='unclosed\n");
    let outcome = inventory(&project, "check", &[]).ends(3);
    assert!(outcome.stderr.contains("infrastructure.env"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("unclosed\n"), "{}", outcome.stderr);
}
