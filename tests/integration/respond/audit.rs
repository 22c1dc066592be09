//! The audit log: what users see of it, and what it survives.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use hekate::{
    respond::{
        State,
        audit::{Action, AuditKey, AuditLog, AuditOptions, Event, EventType, Outcome, User},
    },
    store::SecretPath,
};

use crate::harness::{Outcome as Run, Project};

/// In the environment of a child, the folder that it writes a log in, and how much.
const CHILD: &str = "TEST_AUDIT_CHILD";

fn secret(environment: &str, name: &str) -> SecretPath {
    SecretPath { environment: environment.into(), folder: "/infrastructure".into(), name: name.into() }
}

fn key_of(state: &State) -> AuditKey {
    let text = state.master_key(None).expect("make a key");
    AuditKey::new(*hekate::model::derived_key(&text, AuditKey::PURPOSE).expect("a right key"))
}

fn log(state: &State) -> AuditLog {
    let options = AuditOptions { user: User::new("ada"), ..AuditOptions::default() };
    AuditLog::open(&state.audit_folder(), key_of(state), options).expect("open the log")
}

/// A project with a log of three events in `state`; and the receipt of the last.
fn recorded() -> (Project, String) {
    let project = Project::new();
    let state = State::open(project.path("state")).expect("open the state");
    let log = log(&state);
    let events = [
        Event::new(EventType::SecretAccess, Action::SECRET_READ)
            .on(&secret("production", "POSTGRES_PASSWORD"))
            .at("2026-11-24T10:00:00Z".parse().expect("a time")),
        Event::new(EventType::Rotation, Action::step("introduce"))
            .on(&secret("staging", "DRAGONFLY_PASSWORD"))
            .result(Outcome::Failure)
            .with("incident", "INC-7")
            .with("reason", "=cmd()\u{1b}[2J")
            .at("2026-11-25T10:00:00Z".parse().expect("a time")),
        Event::new(EventType::Refusal, Action::PLAN_REFUSED)
            .result(Outcome::Refused)
            .with("environment", "production")
            .at("2026-11-26T10:00:00Z".parse().expect("a time")),
    ];
    let receipts = events.into_iter().map(|event| log.append(event).expect("write an event"));
    let receipt = receipts.last().expect("there are three").to_string();
    (project, receipt)
}

fn audit(project: &Project, args: &[&str]) -> Run {
    let (command, rest) = args.split_first().expect("a command");
    project.hekate(&[&["audit", command, "--state", "state"], rest].concat())
}

fn actions(run: &Run) -> Vec<String> {
    let json = run.json();
    let entries = json.as_array().expect("a list").iter();
    entries.map(|entry| crate::harness::text(&entry["action"])).collect()
}

#[test]
fn the_list_shows_when_what_who_and_how_it_went() {
    let (project, _) = recorded();
    let run = audit(&project, &["list"]).ends(0);
    insta::assert_snapshot!(run.stdout, @r"
    2026-11-24T10:00:00Z  secret.read  success
      ada · production:/infrastructure/POSTGRES_PASSWORD
    2026-11-25T10:00:00Z  step.introduce  failure
      ada · staging:/infrastructure/DRAGONFLY_PASSWORD
      incident=INC-7 reason==cmd()\x1b[2J
    2026-11-26T10:00:00Z  plan.refused  refused
      ada
      environment=production
    3 events
    ");
    assert_eq!(run.stderr, "");
}

#[test]
fn the_list_takes_what_is_asked_for() {
    let (project, _) = recorded();
    let (read, step, refused) = ("secret.read", "step.introduce", "plan.refused");
    for (args, expected) in [
        (&[][..], &[read, step, refused][..]),
        (&["--action", read, "--action", refused], &[read, refused]),
        (&["--type", "rotation"], &[step]),
        (&["--environment", "production"], &[read, refused]),
        (&["--since", "2026-11-25"], &[step, refused]),
        (&["--until", "2026-11-25T10:00:00Z"], &[read]),
        (&["--path", "/infrastructure/*_PASSWORD", "--since", "2026-11-25"], &[step]),
        (&["--incident", "INC-7"], &[step]),
        (&["--incident", "INC-8"], &[]),
    ] {
        let run = audit(&project, &[&["list", "--format", "json"], args].concat()).ends(0);
        assert_eq!(actions(&run), expected, "{args:?}");
        let run = audit(&project, &[&["export", "--format", "json"], args].concat()).ends(0);
        assert_eq!(actions(&run), expected, "{args:?}");
    }
    audit(&project, &["list", "--since", "soon"]).refuses(&["--since", "`soon` is no time", "2.weeks"]);
    audit(&project, &["list", "--path", "infrastructure"]).refuses(&["--path", "/infrastructure/*"]);
    audit(&project, &["list", "--action", "Read"]).refuses(&["--action", "secret.read"]);
    audit(&project, &["list", "--type", "read"]).refuses(&["--type", "secret_access"]);
}

#[test]
fn an_export_is_for_programs_and_for_its_owner_only() {
    let (project, _) = recorded();
    let csv = audit(&project, &["export", "--format", "csv"]).ends(0).stdout;
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 4, "{csv}");
    assert!(rows[0].starts_with("seq,timestamp,event_type,action,result,user_id"), "{csv}");
    assert!(rows[2].contains("2026-11-25T10:00:00.000Z,rotation,step.introduce,failure,ada"), "{csv}");
    assert!(!csv.contains('\u{1b}'));
    audit(&project, &["export", "--format", "json", "-o", "out.json"]).ends(0);
    assert_eq!(
        serde_json::from_str::<Vec<serde_json::Value>>(&project.read("out.json")).expect("JSON").len(),
        3
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(project.path("out.json")).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    audit(&project, &["export"]).refuses(&["--format"]);
}

#[test]
fn verify_tells_a_whole_log_from_a_broken_one_and_where() {
    let (project, receipt) = recorded();
    let run = audit(&project, &["verify", "--expect", &receipt]).ends(0);
    assert_eq!(run.stdout, format!("intact · 3 events in 1 file\nreceipt  {receipt}\n"));
    let file = "state/audit/audit.000001.jsonl";
    project.file(file, project.read(file).replace("\"failure\"", "\"success\""));
    let run = audit(&project, &["verify"]).ends(1);
    assert!(run.stdout.contains("audit.000001.jsonl:2: edited, entry 2: "), "{}", run.stdout);
    assert!(run.stdout.contains("broken: 1 fault · 3 events in 1 file"), "{}", run.stdout);
    let json = audit(&project, &["verify", "--format", "json"]).ends(1).json();
    assert_eq!((&json["faults"][0]["kind"], &json["faults"][0]["line"]), (&"edit".into(), &2.into()));
    let run = audit(&project, &["list"]).ends(0);
    assert!(run.stderr.contains("not as it was written: audit.000001.jsonl:2"), "{}", run.stderr);
}

#[test]
fn a_receipt_shows_that_log_and_head_were_cut_together() {
    let (project, early) = recorded();
    let kept =
        ["head.json", "audit.000001.jsonl"].map(|name| (name, project.read(&format!("state/audit/{name}"))));
    let state = State::open(project.path("state")).expect("open the state");
    let late = log(&state)
        .append(Event::new(EventType::Audit, Action::NOTIFICATION_SENT))
        .expect("write")
        .to_string();
    for (name, text) in &kept {
        project.file(&format!("state/audit/{name}"), text);
    }
    audit(&project, &["verify"]).ends(0);
    audit(&project, &["verify", "--expect", &early]).ends(0);
    let run = audit(&project, &["verify", "--expect", &late]).ends(1);
    assert!(run.stdout.contains("entry 4 of the receipt is not in the log"), "{}", run.stdout);
    fs::remove_dir_all(project.path("state/audit")).expect("remove the log");
    audit(&project, &["verify", "--expect", &late]).ends(1);
    audit(&project, &["verify", "--expect", "4"]).refuses(&["--expect", "COUNT:HEAD"]);
}

#[test]
fn wrong_use_says_what_is_missing() {
    let project = Project::new();
    for command in ["list", "verify"] {
        project
            .hekate(&["audit", command, "--state", "nowhere"])
            .refuses(&["no state folder nowhere", "--state DIR"]);
        project.hekate(&["audit", command]).refuses(&["no state folder", ".local/state/hekate"]);
    }
    assert!(!project.path("nowhere").exists());
    State::open(project.path("state")).expect("open the state");
    for command in ["list", "verify"] {
        audit(&project, &[command]).refuses(&["there is no"]);
    }
    assert!(!project.path("state/key").exists(), "who only reads makes no key");
}

#[test]
fn the_users_own_key_comes_first_and_another_one_is_told_from_an_edit() {
    let project = Project::new();
    let state = State::open(project.path("state")).expect("open the state");
    let own = "5".repeat(64);
    let key = hekate::model::derived_key(&own, AuditKey::PURPOSE).expect("a right key");
    let log =
        AuditLog::open(&state.audit_folder(), AuditKey::new(*key), AuditOptions::default()).expect("open");
    log.append(Event::new(EventType::Audit, Action::NOTIFICATION_SENT)).expect("write");
    let args = ["audit", "verify", "--state", "state"];
    project.hekate(&args).refuses(&["there is no key", "HEKATE_KEY"]);
    project.hekate_with(b"", &[("HEKATE_KEY", &own)], &args).ends(0);
    let run = project.hekate_with(b"", &[("HEKATE_KEY", &"6".repeat(64))], &args).ends(1);
    assert!(run.stdout.contains("foreign key"), "{}", run.stdout);
}

#[test]
fn the_state_folder_is_that_of_flag_then_config_then_home() {
    let (project, _) = recorded();
    project.file("own/hekate.toml", "[respond]\nstate = \"../state\"\n");
    project.hekate(&["audit", "verify", "--config", "own/hekate.toml"]).ends(0);
    fs::create_dir_all(project.path("xdg")).expect("make a folder");
    fs::rename(project.path("state"), project.path("xdg/hekate")).expect("move the state");
    let xdg = project.path("xdg").display().to_string();
    project.hekate_with(b"", &[("XDG_STATE_HOME", &xdg)], &["audit", "verify"]).ends(0);
    project.hekate(&["audit", "verify", "--config", "own/hekate.toml"]).refuses(&["no state folder"]);
}

/// Runs this very test in another process, as a child that writes a log.
fn child(folder: &Path, events: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("know oneself"));
    command.args(["--exact", "respond::audit::the_child_of_the_tests_writes_a_log", "--nocapture"]);
    command.env(CHILD, format!("{events}:{}", folder.display()));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start a child")
}

#[test]
fn the_child_of_the_tests_writes_a_log() {
    // What other tests start; by itself it is nothing to do.
    let Ok(task) = std::env::var(CHILD) else { return };
    let (events, folder) = task.split_once(':').expect("a number and a folder");
    let log = open_small(Path::new(folder));
    for number in 0..events.parse::<u64>().expect("a number") {
        log.append(Event::new(EventType::Rotation, Action::step("x")).with("number", number)).expect("write");
    }
}

fn open_small(folder: &Path) -> AuditLog {
    let options = AuditOptions { segment_bytes: 5_000, ..AuditOptions::default() };
    AuditLog::open(folder, AuditKey::new([3; 32]), options).expect("open the log")
}

#[test]
fn two_processes_and_this_one_write_one_chain() {
    let folder = tempfile::tempdir().expect("make a folder");
    let mut children = [child(folder.path(), 40), child(folder.path(), 40)];
    let log = open_small(folder.path());
    for number in 0..40 {
        log.append(Event::new(EventType::Rotation, Action::step("y")).with("number", number)).expect("write");
    }
    children.iter_mut().for_each(|child| assert!(child.wait().expect("wait for it").success()));
    let found = hekate::respond::audit::verify(folder.path(), &AuditKey::new([3; 32]), None).expect("verify");
    assert_eq!((found.faults, found.entries), (Vec::new(), 120));
}

#[test]
fn a_process_that_is_killed_leaves_a_log_that_verifies_and_goes_on() {
    let folder = tempfile::tempdir().expect("make a folder");
    let mut before = 0;
    for round in 0..12_u64 {
        let mut child = child(folder.path(), u64::MAX);
        let until = Instant::now() + Duration::from_secs(60);
        let count = || open_small(folder.path()).head().expect("read the head").count;
        while count() < before + 3 {
            assert!(Instant::now() < until, "the child writes nothing");
            thread::yield_now();
        }
        // At another instant of its work each time.
        thread::sleep(Duration::from_micros(137 * round));
        child.kill().expect("kill it");
        child.wait().expect("wait for it");
        let verify =
            || hekate::respond::audit::verify(folder.path(), &AuditKey::new([3; 32]), None).expect("verify");
        assert_eq!(verify().faults, Vec::new());
        open_small(folder.path()).append(Event::new(EventType::Audit, Action::step("z"))).expect("go on");
        let found = verify();
        assert_eq!((found.faults, found.notes), (Vec::new(), Vec::new()));
        before = found.entries;
    }
}
