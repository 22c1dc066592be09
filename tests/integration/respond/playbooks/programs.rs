//! What hekate does not know how to change: static secrets, and what programs of the operator change.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{
    super::{kubernetes_double::objects, platform::random},
    Bench, flat,
};

const STATIC: &str = "production:/authentication/SESSION_SECRET";
const OWN: &str = "production:/infrastructure/VAULT_UNSEAL_PASSWORD";

#[test]
fn a_static_secret_is_replaced_in_the_manager_and_where_it_is_read() {
    let mut bench = Bench::new(
        "
folders:
  authentication: [SESSION_SECRET]
secrets:
  SESSION_SECRET:
    environments: [production]
    consumers:
      - { type: infisical-static-secret, namespace: web, name: session }
      - { type: daemon-set, namespace: web, name: gateway }
",
    );
    let old = random(40);
    bench.put(STATIC, &old);
    let cluster = bench.cluster();
    cluster.world().put(objects::static_secret("web", "session", "production", "/authentication"));
    cluster.world().put(objects::workload("DaemonSet", "web", "gateway", "session"));
    cluster.settle();
    let plan = bench.plan(&["--secret", STATIC]);
    assert!(plan.stdout.contains("nothing tells whether the old value is still accepted"), "{}", plan.stdout);
    let done = bench.apply(&[]).ends(0);
    let new = bench.value(STATIC);
    assert_eq!((bench.version(STATIC), new.len()), (2, 43));
    assert_eq!(cluster.world().rollouts("web", "gateway"), 2);
    assert_eq!(cluster.world().pod("web", "gateway")["SESSION_SECRET"], new);
    bench.is_tidy(&[&plan, &done], &[&old, &new]);
}

#[test]
fn a_static_secret_without_consumers_says_what_remains_for_a_person() {
    let bench = Bench::new("folders:\n  authentication: [SESSION_SECRET]\n");
    let old = random(40);
    bench.put(STATIC, &old);
    let plan = bench.plan(&["--secret", STATIC]);
    assert!(plan.stdout.contains("whoever reads it has to be restarted by hand"), "{}", plan.stdout);
    bench.apply(&[]).ends(0);
    assert_eq!(bench.version(STATIC), 2);
    bench.is_tidy(&[&plan], &[&old, &bench.value(STATIC)]);
}

/// A bench with a program as playbook, which keeps the value in force in a file of its own.
fn programmed(body: &str) -> Bench {
    let mut bench = Bench::new(
        "
folders:
  infrastructure: [VAULT_UNSEAL_PASSWORD]
secrets:
  VAULT_UNSEAL_PASSWORD:
    environments: [production]
    playbook: command:reseal
",
    );
    let script = bench.project.path("outside/reseal");
    let folder = bench.project.path("outside").display().to_string();
    bench.project.file(
        "outside/reseal",
        format!("#!/bin/sh\ncd '{folder}' || exit 9\necho \"$HEKATE_ACTION\" >> actions\n{body}"),
    );
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).expect("make it executable");
    bench.config(&format!("[respond.commands.reseal]\nprogram = [{:?}]\n", script.display().to_string()));
    bench
}

const RESEAL: &str = r#"
case $HEKATE_ACTION in
check) exit 0 ;;
introduce | withdraw) cat > inforce ;;
accepts) [ "$(cat)" = "$(cat inforce)" ] ;;
*) exit 3 ;;
esac
"#;

#[test]
fn a_program_of_trusted_config_changes_what_hekate_does_not_know() {
    let bench = programmed(RESEAL);
    let old = random(40);
    bench.put(OWN, &old);
    bench.project.file("outside/inforce", &old);
    let plan = bench.plan(&["--secret", OWN]);
    assert!(plan.stdout.contains("HEKATE_ACTION=introduce"), "{}", plan.stdout);
    let done = bench.apply(&[]).ends(0);
    let new = bench.value(OWN);
    assert_eq!((bench.version(OWN), bench.project.read("outside/inforce")), (2, new.clone()));
    bench.is_tidy(&[&plan, &done], &[&old, &new]);
}

#[test]
fn what_a_program_refuses_is_taken_back_by_it() {
    let bench = programmed(
        &RESEAL
            .replace("introduce | withdraw) cat > inforce", "introduce) exit 1 ;;\nwithdraw) cat > inforce"),
    );
    let old = random(40);
    bench.put(OWN, &old);
    bench.project.file("outside/inforce", &old);
    bench.plan(&["--secret", OWN]);
    let stopped = bench.apply(&[]).ends(1);
    assert!(flat(&stopped.stdout).contains("taken back, the old value is in force"), "{}", stopped.stdout);
    assert_eq!((bench.version(OWN), bench.project.read("outside/inforce")), (1, old.clone()));
    assert!(
        bench.project.read("outside/actions").contains("introduce\nwithdraw\n"),
        "{}",
        bench.project.read("outside/actions")
    );
    bench.is_tidy(&[&stopped], &[&old]);
}

#[test]
fn without_its_program_nothing_is_planned() {
    let mut bench = programmed(RESEAL);
    bench.config("");
    bench.put(OWN, random(40));
    let plan = bench.plan(&["--secret", OWN]);
    assert!(plan.stdout.contains("add [respond.commands.reseal] to the trusted config"), "{}", plan.stdout);
    assert!(bench.apply(&[]).ends(2).stderr.contains("nothing of the plan is chosen"));
}
