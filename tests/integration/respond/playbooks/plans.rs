//! Plans of several secrets, what of them is carried out, and how they read.

use serde_json::Value;

use super::{super::platform::random, Bench, masked};

const ONE: &str = "production:/authentication/SESSION_SECRET";
const OTHER: &str = "production:/authentication/COOKIE_SECRET";

fn bench() -> Bench {
    let bench = Bench::new(
        "
folders:
  authentication: [SESSION_SECRET, COOKIE_SECRET]
secrets:
  SESSION_SECRET:
    rotate: { every: 30d, notice: 7d, trigger: automated }
",
    );
    for place in
        [ONE, OTHER, "staging:/authentication/SESSION_SECRET", "staging:/authentication/COOKIE_SECRET"]
    {
        bench.put(place, random(40));
    }
    bench
}

/// Dates the kept versions of every secret back by so many days.
fn age(bench: &Bench, days: i64) {
    let number = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").expect("a valid regex");
    for path in find(&bench.store_folder()) {
        let text = std::fs::read_to_string(&path).expect("read a version");
        let earlier = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
        let earlier = jiff::Timestamp::from_second(earlier.as_second()).expect("a time").to_string();
        assert!(number.is_match(&text), "a version says when it was written: {text}");
        std::fs::write(&path, number.replace_all(&text, earlier.as_str()).as_ref()).expect("write a version");
    }
}

fn find(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries =
        std::fs::read_dir(folder).expect("list a folder").map(|entry| entry.expect("list a folder").path());
    let all = entries.flat_map(|path| if path.is_dir() { find(&path) } else { vec![path] });
    all.filter(|path| path.components().any(|part| part.as_os_str() == ".versions")).collect()
}

#[test]
fn several_secrets_make_one_plan_and_only_and_skip_choose_of_it() {
    let bench = bench();
    let plan = bench.plan(&["--secret", ONE, "--secret", OTHER, "--secret", ONE]);
    assert!(plan.stdout.contains("2 incidents: 2 in production"), "{}", plan.stdout);
    let unknown = bench.apply(&["--only", "NOTHING"]).ends(2);
    assert!(unknown.stderr.contains("the plan has no `NOTHING`"), "{}", unknown.stderr);
    let versions = || (bench.version(ONE), bench.version(OTHER));
    bench.apply(&["--skip", "SESSION_SECRET", "--skip", OTHER]).ends(2);
    bench.apply(&["--max-changes", "1"]).ends(2);
    assert_eq!(versions(), (1, 1));
    bench.apply(&["--only", "COOKIE_SECRET"]).ends(0);
    assert_eq!(versions(), (1, 2));
    let status = bench.status(&[]).ends(0);
    assert!(
        status.stdout.contains("planned; nothing was done") && status.stdout.contains("1 open"),
        "{}",
        status.stdout
    );
    bench.apply(&["--only", &bench.ids()[0]]).ends(0);
    assert_eq!(versions(), (2, 2));
}

#[test]
fn what_is_due_is_planned_and_what_a_person_starts_is_named() {
    let bench = bench();
    let early = bench.plan(&["--due"]);
    assert!(early.stdout.contains("0 incidents"), "{}", early.stdout);
    age(&bench, 29);
    let due = bench.plan(&["--due", "--environment", "production"]);
    assert!(
        due.stdout.contains("1 incident: 1 in production") && due.stdout.contains("reason    due"),
        "{}",
        due.stdout
    );
    age(&bench, 400);
    let due = bench.plan(&["--due"]);
    assert!(due.stdout.contains("2 incidents: 1 in production, 1 in staging"), "{}", due.stdout);
    assert!(due.stdout.contains(&format!("plan it with --secret {OTHER}")), "{}", due.stdout);
    bench.apply(&[]).ends(0);
    assert_eq!((bench.version(ONE), bench.version("staging:/authentication/SESSION_SECRET")), (2, 1));
    let after = bench.plan(&["--due", "--environment", "production"]);
    assert!(after.stdout.contains("0 incidents"), "{}", after.stdout);
}

#[test]
fn a_plan_as_json_has_every_step_and_no_value() {
    let bench = bench();
    let shown = bench.plan(&["--secret", ONE, "--format", "json"]);
    let json: Value = shown.json();
    assert_eq!(json["schema"], "hekate.plan/1");
    let steps = json["incidents"][0]["steps"].as_array().expect("a list").clone();
    let named: Vec<&str> = steps.iter().filter_map(|step| step["step"].as_str()).collect();
    assert_eq!(named, ["check", "keep", "promote", "tidy"]);
    let last: Vec<bool> = steps.iter().map(|step| step["no_return"] == true).collect();
    assert_eq!(last, [false, false, true, false]);
    assert_eq!(
        json,
        serde_json::from_str::<Value>(&bench.project.read("outside/plan.json")).expect("a plan is JSON")
    );
    assert!(!shown.stdout.contains(&bench.value(ONE)));
}

#[test]
fn an_incident_can_be_closed_by_a_persons_word_until_it_is_begun() {
    let bench = bench();
    bench.plan(&["--secret", ONE, "--secret", OTHER]);
    let [first, second] = &bench.ids()[..] else { panic!("two are planned") };
    let close = |id: &str| {
        bench.hekate(&["respond", "close", id, "--reason", "a test value", "--state", "outside/state"])
    };
    close(first).ends(0);
    let again = close(first).ends(2);
    assert!(again.stderr.contains("is closed already"), "{}", again.stderr);
    assert!(close("hk-0000000000").ends(2).stderr.contains("there is no incident"));
    let report = bench.report(first).ends(0);
    assert!(report.stdout.contains("a test value"), "{}", report.stdout);
    bench.apply(&["--only", second]).ends(0);
    assert!(close(second).ends(2).stderr.contains("is closed already"));
    // What is closed is not changed by a plan from before.
    let closed = bench.apply(&["--only", first]).ends(0);
    assert!(closed.stdout.contains("closed") && bench.version(ONE) == 1, "{}", closed.stdout);
    let log = bench.hekate(&["audit", "list", "--state", "outside/state"]).ends(0);
    assert!(log.stdout.contains("incident"), "{}", log.stdout);
}

#[test]
fn plans_status_and_reports_read_well() {
    let bench = bench();
    insta::assert_snapshot!(masked(&bench.plan(&["--secret", ONE]).stdout), @"
    hk-0123456789  production:/authentication/SESSION_SECRET
      reason    request, known since YYYY-MM-DDTHH:MM:SSZ
      playbook  static
      target    none in the inventory
       1  check: look whether everything can be changed: target, administrator, manager, consumers
          manager: read production:/authentication/SESSION_SECRET (version 1)
       2  keep: make the new value in memory and keep it in the manager, in a folder that nobody syncs
          make 256 random bits
          manager: write production:/hekate-pending/SESSION_SECRET_HK_0123456789
          undo: remove it there
       3  promote: store the new value under its name in the manager
          manager: write production:/authentication/SESSION_SECRET (version 2 follows 1)
      ──  no way back from here: what follows is finished
       4  tidy: remove what was kept in the manager for the change
          manager: remove production:/hekate-pending/SESSION_SECRET_HK_0123456789
      → no target in the inventory: nothing tells whether the old value is still accepted
      → no consumers in the inventory: whoever reads it has to be restarted by hand

    1 incident: 1 in production · dir:outside/store
    ");
    insta::assert_snapshot!(masked(&bench.status(&[]).ends(0).stdout), @"
    hk-0123456789  production:/authentication/SESSION_SECRET
      state     planned; nothing was done

    1 incident · 1 open · 0 missed a clock
    ");
    insta::assert_snapshot!(masked(&bench.apply(&[]).ends(0).stdout), @"hk-0123456789  production:/authentication/SESSION_SECRET: rotated");
    insta::assert_snapshot!(masked(&bench.report(&bench.id()).ends(0).stdout), @"
    hk-0123456789  production:/authentication/SESSION_SECRET
      reason    request, known since YYYY-MM-DDTHH:MM:SSZ
      state     rotated

    timeline  all times UTC
      YYYY-MM-DDTHH:MM:SSZ  planned by ada
      YYYY-MM-DDTHH:MM:SSZ  started by ada as platform-engineers, INC-7
      YYYY-MM-DDTHH:MM:SSZ  check done
      YYYY-MM-DDTHH:MM:SSZ  keep done
      YYYY-MM-DDTHH:MM:SSZ  promote done: version 2 is in force
      YYYY-MM-DDTHH:MM:SSZ  tidy done
      YYYY-MM-DDTHH:MM:SSZ  contained
      YYYY-MM-DDTHH:MM:SSZ  rotated
      YYYY-MM-DDTHH:MM:SSZ  end: rotated (ada)
    ");
}
