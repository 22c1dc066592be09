//! What a file may say, and what it is told where it says something else.

use super::*;

const HEAD: &str =
    "project: kosmos\nenvironments: [staging, production]\nfolders:\n  a: [X, Y]\n  b/c: [Z]\n";

fn parse(more: &str) -> Result<Inventory, String> {
    Inventory::parse("inventory.yaml", &format!("{HEAD}{more}")).map_err(|error| error.to_string())
}

#[track_caller]
fn fails(more: &str) -> String {
    parse(more).expect_err("it says something that can't be")
}

fn whole(text: &str) -> String {
    Inventory::parse("inventory.yaml", text).expect_err("it is no inventory").to_string()
}

#[test]
fn the_shipped_example_is_the_platform_whole() {
    let example = include_str!("../../../docs/inventory.example.yaml");
    let inventory = Inventory::parse("example", example).unwrap_or_else(|error| panic!("{error}"));
    let line = |entry: &Entry| {
        let rotation = entry.rotation;
        let has_target = if entry.targets.is_empty() { "-" } else { "target" };
        format!(
            "{:47} {:17} {:>4} {:>3} {:10} {} {has_target}",
            entry.path(),
            entry.kind,
            rotation.every.to_string(),
            rotation.notice.to_string(),
            rotation.trigger,
            entry.consumers.len()
        )
    };
    let lines: Vec<String> = inventory.entries.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    /authentication/JWT_SIGNING_KEY                 signing-key         1y 30d blue-green 2 -
    /authentication/KEYCLOAK_ADMIN_PASSWORD         admin-password     90d  7d automated  1 target
    /authentication/SESSION_SECRET                  static            365d 30d manual     2 -
    /external-services/ALIBABA_ACCESS_KEY_SECRET    api-key            90d 14d manual     2 target
    /external-services/CLOUDFLARE_API_TOKEN         api-key            90d 14d manual     2 target
    /external-services/GITHUB_TOKEN                 api-key            90d 14d manual     2 target
    /infrastructure/DRAGONFLY_PASSWORD              cache-password     90d  7d automated  3 target
    /infrastructure/MINIO_ROOT_PASSWORD             service-password   90d  7d automated  2 target
    /infrastructure/MINIO_SECRET_KEY                service-password   90d  7d automated  2 target
    /infrastructure/NATS_SYSTEM_PASSWORD            service-password   90d  7d automated  2 target
    /infrastructure/POSTGRES_PASSWORD               database-password  90d  7d automated  2 target
    /infrastructure/POSTGRES_REPLICATION_PASSWORD   database-password  90d  7d automated  2 target
    /llm-providers/ANTHROPIC_API_KEY                api-key            90d 14d manual     2 target
    /llm-providers/HUGGINGFACE_API_KEY              api-key            90d 14d manual     2 target
    /llm-providers/OPENAI_API_KEY                   api-key            90d 14d manual     2 target
    /observability/GRAFANA_ADMIN_PASSWORD           admin-password     90d 14d manual     1 target
    /observability/LANGFUSE_SECRET_KEY              api-key            90d 14d manual     2 target
    /observability/PAGERDUTY_INTEGRATION_KEY        api-key            90d 14d manual     2 target
    ");
    let signing = inventory.entry("JWT_SIGNING_KEY").and_then(|entry| entry.signing.clone()).unwrap();
    assert_eq!((signing.bits, signing.grace.seconds()), (Some(4096), 900));
    let policies: Vec<String> =
        inventory.policies.iter().map(|policy| format!("{}: {}", policy.name, policy.role)).collect();
    assert_eq!(
        policies,
        [
            "security-team: security",
            "platform-engineers: operator",
            "ml-engineers: operator",
            "developers: developer",
            "ci-cd: pipeline",
            "auditors: auditor"
        ]
    );
    assert!(inventory.policy("ci-cd").is_some_and(|policy| policy.allows(
        "production",
        "/external-services/GITHUB_TOKEN",
        Permission::Read
    )));
}

#[test]
fn what_a_file_leaves_out_follows_from_folder_and_name() {
    let inventory = parse("").unwrap();
    let entry = inventory.entry("Z").unwrap();
    assert_eq!((entry.path().as_str(), entry.kind), ("/b/c/Z", Kind::Static));
    assert_eq!(entry.environments, ["staging", "production"]);
    assert!(entry.targets.is_empty() && entry.consumers.is_empty() && entry.signing.is_none());
    assert_eq!(entry.in_environment("production").to_string(), "production:/b/c/Z");
    assert_eq!((inventory.tokens.len(), inventory.policies.len()), (0, 0));
}

#[test]
fn a_target_holds_for_all_environments_or_for_each() {
    let target = "type: postgres, host: db, role: r";
    let one = parse(&format!("secrets: {{X: {{target: {{{target}}}}}}}\n")).unwrap();
    let targets = &one.entry("X").unwrap().targets;
    assert_eq!(targets.in_environment("staging"), targets.in_environment("production"));
    let Some(Target::Postgres(postgres)) = targets.in_environment("staging") else {
        panic!("it is PostgreSQL")
    };
    assert_eq!((postgres.port, postgres.database.as_str()), (5432, "postgres"));

    let each = parse(&format!(
        "secrets: {{X: {{target: {{production: {{{target}, port: 6000}}, staging: {{type: redis, host: c}}}}}}}}\n"
    ));
    let each = each.unwrap();
    let targets = &each.entry("X").unwrap().targets;
    let in_production = targets.in_environment("production");
    assert!(matches!(in_production, Some(Target::Postgres(postgres)) if postgres.port == 6000));
    let in_staging = targets.in_environment("staging");
    assert!(matches!(in_staging, Some(Target::Cache(cache)) if cache.flavour == CacheFlavour::Redis));
}

#[test]
fn the_digest_tells_one_file_from_another() {
    assert_ne!(parse("").unwrap().digest, parse("# a comment\n").unwrap().digest);
}

#[test]
fn errors_of_the_whole_name_their_place_and_what_is_allowed() {
    let errors = [
        "folders: {}\nenvironments: [a]\n",
        "project: p\nenvironments: []\nfolders: {}\n",
        "project: p\nenvironments: [a, a]\nfolders: {}\n",
        "project: p\nenvironments: [host]\nfolders: {}\n",
        "project: p\nenvironments: [a]\nfolders:\n  x: [A, B]\n  y: [B]\n",
        "project: p\nenvironments: [a]\nfolders:\n  x: [A]\n  /x/: [B]\n",
        "project: p\nenvironments: [a]\nfolders:\n  x: [A B]\n",
        "project: p\nenvironments: [a]\nfolders:\n  ../x: [A]\n",
        "project: p\nenvironments: [a]\nfolders:\n  hekate-pending: [A]\n",
        "project: p\nenvironments: [a]\nfolders: [x]\n",
        "project: p\nproject: q\nenvironments: [a]\nfolders: {}\n",
        "project: p\nenvironment: [a]\nfolders: {}\n",
        "- project\n",
        "",
        "project: p\nenvironments: [a]\nfolders: {x: [A]}\n---\nproject: q\n",
        "project: p\nenvironments: [a\nfolders: {}\n",
    ];
    let shown: Vec<String> = errors.iter().map(|text| whole(text)).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    inventory.yaml:2:1: `project` is missing
    inventory.yaml:2:15: `environments` is empty
    inventory.yaml:2:19: `a` stands twice
    inventory.yaml:2:16: `host` is a key of targets: call the environment otherwise
    inventory.yaml:5:7: `B` stands in /x already: a name has one folder
    inventory.yaml:5:3: the folder `/x` stands twice
    inventory.yaml:4:7: a secret's name is made of letters, digits, `_`, `-` and `.`
    inventory.yaml:4:3: a folder is made of letters, digits, `_`, `-` and `.`, with `/` between
    inventory.yaml:4:3: this folder is kept for rotations that are under way
    inventory.yaml:3:10: expected a map
    inventory.yaml:2:1: `project` stands twice
    inventory.yaml:2:1: unknown key `environment`; known are project, environments, folders, secrets, tokens, health, policies; did you mean `environments`?
    inventory.yaml:1:1: expected a map
    inventory.yaml:1:1: the file ends where more is expected
    inventory.yaml:4:1: an inventory is one document
    inventory.yaml:3:8: illegal placement of ':' indicator
    ");
}

#[test]
fn errors_of_secrets_name_their_place_and_what_is_allowed() {
    let errors = [
        "secrets:\n  XX: {kind: static}\n",
        "secrets:\n  X: {kind: api_key}\n",
        "secrets:\n  X: {kinds: static}\n",
        "secrets:\n  X: {kind: static}\n  X: {kind: static}\n",
        "secrets:\n  X: {rotate: {every: 90}}\n",
        "secrets:\n  X: {rotate: {every: 12h}}\n",
        "secrets:\n  X: {rotate: {every: 7d, notice: 7d}}\n",
        "secrets:\n  X: {rotate: {trigger: sometimes}}\n",
        "secrets:\n  X: {environments: [development]}\n",
        "secrets:\n  X: {signing: {algorithm: RS256, next_name: N, next_public_name: P, grace: 1m}}\n",
        "secrets:\n  X: {kind: signing-key, signing: {algorithm: RS256, next_name: Y, next_public_name: P, grace: 1m}}\n",
        "secrets:\n  X: {kind: signing-key, signing: {algorithm: RS256, bits: 1024, next_name: N, next_public_name: P, grace: 1m}}\n",
        "secrets:\n  X: {kind: signing-key, signing: {algorithm: ES256, bits: 2048, next_name: N, next_public_name: P, grace: 1m}}\n",
        "secrets:\n  X: {kind: signing-key, signing: {algorithm: HS256, next_name: N, next_public_name: P, grace: 1m}}\n",
        "secrets:\n  X: {playbook: by hand}\n",
        "secrets:\n  X: {playbook: 'command:a b'}\n",
    ];
    let shown: Vec<String> = errors.iter().map(|text| fails(text)).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    inventory.yaml:7:3: `XX` stands in no folder of `folders`
    inventory.yaml:7:7: `api_key` is none of database-password, cache-password, service-password, signing-key, api-key, admin-password, manager-token, static; did you mean `api-key`?
    inventory.yaml:7:7: unknown key `kinds`; known are kind, rotate, environments, target, consumers, signing, playbook; did you mean `kind`?
    inventory.yaml:8:3: `X` stands twice
    inventory.yaml:7:23: a period is a whole number and a unit, s, m, h, d, w or y: `90d`; at most 100 years
    inventory.yaml:7:23: rotation goes by whole days
    inventory.yaml:7:35: notice has to be shorter than the 7d of `every`
    inventory.yaml:7:16: `sometimes` is none of automated, manual, blue-green
    inventory.yaml:7:22: no environment `development`; known are staging, production
    inventory.yaml:7:16: `signing` is for signing keys; this is a static
    inventory.yaml:7:65: the rotation makes and drops this name: take it out of `folders`
    inventory.yaml:7:60: `bits` is from 2048 to 16384
    inventory.yaml:7:60: keys of ES256 have one length: leave `bits` out
    inventory.yaml:7:36: `HS256` is none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA; did you mean `ES256`?
    inventory.yaml:7:17: a playbook is manual, command:NAME, or one of database-password, cache-password, service-password, signing-key, api-key, admin-password, manager-token, static
    inventory.yaml:7:17: a name is made of letters, digits, `_`, `-` and `.`
    ");
}

#[test]
fn errors_of_targets_and_consumers_name_their_place_and_what_is_allowed() {
    let of_target = |target: &str| fails(&format!("secrets:\n  X:\n    target: {target}\n"));
    let of_consumer =
        |consumer: &str| fails(&format!("secrets:\n  X:\n    consumers:\n      - {consumer}\n"));
    let errors = [
        of_target("{}"),
        of_target("{host: db}"),
        of_target("{type: postgre, host: db}"),
        of_target("{type: postgres, host: db}"),
        of_target("{type: postgres, host: 'db:5432', role: r}"),
        of_target("{type: postgres, host: db, role: r, port: 0}"),
        of_target("{type: postgres, host: db, role: r, realm: x}"),
        of_target("{type: postgres, host: db, role: r, admin_url_env: DATABASE_URL}"),
        of_target("{type: postgres, host: db, role: r, replication: maybe}"),
        of_target("{type: grafana, url: 'https://u@host/'}"),
        of_target("{hots: db, type: redis}"),
        of_target("{production: db}"),
        of_target("{development: {type: redis, host: db}}"),
        of_target("db"),
        of_consumer("{type: pod, namespace: n, name: x}"),
        of_consumer("{type: deployment, name: x}"),
        of_consumer("{type: infisical-secret, namespace: n, name: x, next_env: E}"),
        of_consumer("{type: deployment, namespace: n, name: x, token: t}"),
        of_consumer("{type: deployment, namespace: n, name: [x]}"),
    ];
    insta::assert_snapshot!(errors.join("\n"), @"
    inventory.yaml:8:13: a target needs a `type`: postgres, redis, dragonfly, nats, minio, keycloak, grafana, kubernetes, provider, infisical-identity
    inventory.yaml:8:13: a target needs a `type`: postgres, redis, dragonfly, nats, minio, keycloak, grafana, kubernetes, provider, infisical-identity
    inventory.yaml:8:20: no such type of target; known are postgres, redis, dragonfly, nats, minio, keycloak, grafana, kubernetes, provider, infisical-identity; did you mean `postgres`?
    inventory.yaml:8:13: a target of type postgres needs `role`
    inventory.yaml:8:36: `host`: a host is a name or an address, without scheme, user, port or path
    inventory.yaml:8:55: `port`: a port is a number from 1 to 65535
    inventory.yaml:8:49: unknown key `realm` of a target of type postgres; known are type, host, port, database, role, replication, admin_url_env; did you mean `role`?
    inventory.yaml:8:64: `admin_url_env`: an environment variable that an inventory names starts with HEKATE_ and is made of capitals, digits and `_`
    inventory.yaml:8:62: `replication`: it is true or false
    inventory.yaml:8:34: `url`: an address is http:// or https:// with a host, a port if need be, and a path; no user, no fragment, no blanks
    inventory.yaml:8:14: `hots` is neither a target's key nor an environment (staging, production); did you mean `host`?
    inventory.yaml:8:14: an environment has a target of its own: a map with its `type`
    inventory.yaml:8:14: `development` is neither a target's key nor an environment (staging, production)
    inventory.yaml:8:13: expected a map
    inventory.yaml:9:16: no such type of consumer; known are infisical-secret, infisical-static-secret, deployment, stateful-set, daemon-set, command
    inventory.yaml:9:9: a consumer of type deployment needs `namespace`
    inventory.yaml:9:57: unknown key `next_env` of a consumer of type infisical-secret; known are type, namespace, name, token, secret
    inventory.yaml:9:9: no token `t` stands in `tokens`
    inventory.yaml:9:48: expected text
    ");
}

#[test]
fn errors_of_tokens_policies_and_health_name_their_place_and_what_is_allowed() {
    let of_policy = |policy: &str| fails(&format!("policies:\n  p: {policy}\n"));
    let errors = [
        fails("tokens:\n  - {name: t, scopes: []}\n"),
        fails("tokens:\n  - {name: t, scopes: ['kosmos:production:/a/*']}\n"),
        fails("tokens:\n  - {name: t, scopes: ['cosmos:production:/a/*:read']}\n"),
        fails("tokens:\n  - {name: t, scopes: ['kosmos:prod:/a/*:read']}\n"),
        fails("tokens:\n  - {name: t, scopes: ['kosmos:production:/a/*:read'], expires: never}\n"),
        fails(
            "tokens:\n  - {name: t, scopes: ['kosmos:*:/a/*:read']}\n  - {name: t, scopes: ['kosmos:*:/a/*:read']}\n",
        ),
        fails("health: ['ftp://host']\n"),
        of_policy("{description: d, environments: [prod], paths: [/a/*], permissions: [read]}"),
        of_policy("{description: d, environments: [production], paths: [/a], permissions: [read]}"),
        of_policy("{description: d, environments: [production], paths: [a/*], permissions: [read]}"),
        of_policy("{description: d, environments: [production], paths: [/a/*], permissions: [reed]}"),
        of_policy("{description: d, environments: [production], paths: [/a/*], permissions: []}"),
        of_policy(
            "{description: d, role: king, environments: [production], paths: [/a/*], permissions: [read]}",
        ),
        of_policy("{environments: [production], paths: [/a/*], permissions: [read]}"),
    ];
    insta::assert_snapshot!(errors.join("\n"), @"
    inventory.yaml:7:23: `scopes` is empty
    inventory.yaml:7:24: a scope is `project:environment:/path/NAME*:permission`, four parts and not 3
    inventory.yaml:7:24: the scope is of another project than kosmos
    inventory.yaml:7:24: no such environment; known are staging, production, and * for all
    inventory.yaml:7:65: a period is a whole number and a unit, s, m, h, d, w or y: `90d`; at most 100 years
    inventory.yaml:8:12: the token `t` stands twice
    inventory.yaml:6:10: an address is http:// or https:// with a host, a port if need be, and a path; no user, no fragment, no blanks
    inventory.yaml:7:38: no environment `prod`; known are staging, production
    inventory.yaml:7:59: `/a` is a folder: write `/a/*`
    inventory.yaml:7:59: a path starts with `/`, has no empty parts and no `..`, and `**` only as its last part: `/infrastructure/*`
    inventory.yaml:7:80: `reed` is none of read, write, delete, admin; did you mean `read`?
    inventory.yaml:7:79: `permissions` is empty
    inventory.yaml:7:23: `king` is none of security, operator, pipeline, auditor, developer
    inventory.yaml:7:50: `description` is missing
    ");
}

#[test]
fn a_value_that_somebody_put_into_the_file_is_not_shown() {
    let value = "hunter".repeat(9);
    for text in [format!("secrets:\n  X: {value}\n"), format!("secrets:\n  X: {{kind: {value}}}\n")] {
        let error = fails(&text);
        assert!(!error.contains("hunter"), "{error}");
    }
}

#[test]
fn aliases_that_multiply_and_nesting_end_early() {
    let mut bomb =
        String::from("project: p\nenvironments: [a]\nfolders:\n  f0: &a0 [A, B, C, D, E, F, G, H]\n");
    for level in 1..12 {
        let aliases = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("  f{level}: &a{level} [{aliases}]\n"));
    }
    let nested = format!("{HEAD}health: {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
    for text in [bomb, nested, format!("{HEAD}health: [{}]\n", "'https://a', ".repeat(120_000))] {
        let start = std::time::Instant::now();
        assert!(Inventory::parse("inventory.yaml", &text).is_err());
        assert!(start.elapsed().as_secs() < 10);
    }
}

#[test]
fn files_that_are_too_big_or_no_text_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inventory.yaml");
    std::fs::write(&path, vec![b'#'; 1 << 20]).unwrap();
    assert!(matches!(Inventory::load(&path), Err(InventoryError::Malformed { .. })));
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(matches!(Inventory::load(&path), Err(InventoryError::TooBig { .. })));
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(matches!(Inventory::load(&path), Err(InventoryError::NotText { .. })));
    assert!(matches!(Inventory::load(folder.path()), Err(InventoryError::Read { .. })));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    assert!(Inventory::parse("inventory.yaml", &format!("\u{feff}{HEAD}")).is_ok());
}
