//! Programs of the operator: told by variables, given the value on standard input, and killed when they hang.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use hekate::{
    model::Secret,
    respond::{
        Program,
        target::{Accepts, Act, Operator, Target, Trouble, Values},
    },
    store::SecretPath,
};

const OLD: &str = "old-correct-horse";
const NEW: &str = "new-battery-staple";

/// A program of one test, in a folder of its own.
struct Script {
    folder: tempfile::TempDir,
    path: SecretPath,
    program: Program,
}

impl Script {
    /// With this body, after which `$FOLDER` is the test's folder.
    fn new(body: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("rotate it");
        let text = format!("#!/bin/sh\nFOLDER='{}'\n{body}\n", folder.path().display());
        fs::write(&file, text).expect("write a script");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("make it executable");
        let argv = vec![file.display().to_string(), "a b".into(), "$(c)".into()];
        let path = SecretPath {
            environment: "production".into(),
            folder: "/infrastructure".into(),
            name: "NATS_SYSTEM_PASSWORD".into(),
        };
        let program = Program { name: "rotate".into(), argv, timeout: Duration::from_secs(20) };
        Self { folder, path, program }
    }

    fn target(&self) -> Operator<'_> {
        Operator::new(&self.program, self.path.clone())
    }

    fn perform(&self, act: Act) -> Result<(), Trouble> {
        let (old, new) = (Secret::new(OLD), Secret::new(NEW));
        self.target().perform(act, &Values { old: &old, new: Some(&new), incident: "INC-7" })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).expect("the script wrote it")
    }
}

fn is_alive(pid: &str) -> bool {
    // A zombie has ended too.
    fs::read_to_string(Path::new("/proc").join(pid).join("stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

#[test]
fn a_program_is_told_by_variables_and_gets_the_value_on_standard_input() {
    let script =
        Script::new("cat > \"$FOLDER/$HEKATE_ACTION.in\"; env > \"$FOLDER/env\"; pwd > \"$FOLDER/pwd\"");
    for (act, word, input) in [
        (Act::Check, "check", ""),
        (Act::Introduce, "introduce", NEW),
        (Act::Withdraw, "withdraw", OLD),
        (Act::Retire, "retire", OLD),
        (Act::EndSessions, "end-sessions", OLD),
        (Act::Contain, "contain", OLD),
        (Act::Release, "release", OLD),
    ] {
        assert_eq!(script.perform(act), Ok(()));
        assert_eq!(script.read(&format!("{word}.in")), input, "{word}");
        let env = script.read("env");
        for line in [
            &format!("HEKATE_ACTION={word}"),
            "HEKATE_SECRET=NATS_SYSTEM_PASSWORD",
            "HEKATE_ENVIRONMENT=production",
            "HEKATE_INCIDENT=INC-7",
        ] {
            assert!(env.lines().any(|known| known == line), "{line}");
        }
        assert!(!env.contains(OLD) && !env.contains(NEW));
        // A shell adds some of its own.
        let known = ["PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"];
        let is_known = |name: &str| known.contains(&name) || name.starts_with("HEKATE_");
        assert!(env.lines().all(|line| is_known(line.split('=').next().unwrap_or_default())), "{env}");
        assert_eq!(script.read("pwd"), "/\n");
    }
    let shown = script.target().requests(Act::Introduce).expect("there is something to do").join("\n");
    assert!(shown.contains("HEKATE_ACTION=introduce and the new value on its standard input"), "{shown}");
}

#[test]
fn arguments_are_read_by_no_shell() {
    let script = Script::new("printf '%s|' \"$@\" > \"$FOLDER/arguments\"");
    assert_eq!(script.perform(Act::Check), Ok(()));
    assert_eq!(script.read("arguments"), "a b|$(c)|");
}

#[test]
fn how_it_ends_is_what_it_answers() {
    for (code, done, accepts) in [
        (0, "done", Some(Accepts::Yes)),
        (1, "refused", Some(Accepts::No)),
        (3, "done", None),
        (2, "unclear", None),
        (127, "unclear", None),
    ] {
        let script = Script::new(&format!("echo 'no such user' >&2\nexit {code}"));
        let outcome = match script.perform(Act::Introduce) {
            Ok(()) => "done",
            Err(Trouble::Refused(why)) => {
                assert_eq!(why, "program rotate at introduce: it ended with 1: no such user");
                "refused"
            }
            Err(Trouble::Unclear(_)) => "unclear",
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(outcome, done, "{code}");
        let said = script.target().accepts(&Secret::new(NEW));
        match accepts {
            Some(accepts) => assert_eq!(said, accepts, "{code}"),
            None => assert!(matches!(said, Accepts::Unknown(_)), "{code}"),
        }
    }
    let script = Script::new("kill -TERM $$");
    let outcome = script.perform(Act::Introduce);
    assert!(matches!(outcome, Err(Trouble::Unclear(why)) if why.contains("killed by a signal")));
}

#[test]
fn the_value_that_is_asked_about_is_on_standard_input() {
    let script = Script::new(&format!("[ \"$HEKATE_ACTION\" = accepts ] && [ \"$(cat)\" = {NEW} ]"));
    assert_eq!(script.target().accepts(&Secret::new(NEW)), Accepts::Yes);
    assert_eq!(script.target().accepts(&Secret::new(OLD)), Accepts::No);
}

#[test]
fn a_program_that_hangs_is_killed_with_all_that_it_started() {
    let mut script = Script::new("sleep 300 & echo $! > \"$FOLDER/pid\"\necho waiting\nsleep 300");
    script.program.timeout = Duration::from_secs(2);
    let start = Instant::now();
    let outcome = script.perform(Act::Introduce);
    let Err(Trouble::Unclear(why)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(why, "program rotate at introduce: it took longer than 2 s and was killed: waiting");
    assert!(start.elapsed() < Duration::from_secs(60));
    let pid = script.read("pid").trim().to_owned();
    // The kernel takes its time.
    while is_alive(&pid) && start.elapsed() < Duration::from_secs(60) {
        std::thread::yield_now();
    }
    assert!(!is_alive(&pid));
}

#[test]
fn what_a_program_leaves_behind_holds_nobody_up() {
    let script = Script::new("sleep 300 &\nexit 0");
    let start = Instant::now();
    assert_eq!(script.perform(Act::Check), Ok(()));
    // Out of its process group, it keeps the output open.
    let script = Script::new("setsid sleep 5 &\nexit 1");
    assert!(matches!(script.perform(Act::Check), Err(Trouble::Refused(_))));
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_program_that_never_reads_ends_as_it_says() {
    // More than a pipe takes.
    let big = Secret::new("x".repeat(1 << 20));
    for (body, done) in [("exit 0", true), ("exec <&-\nexit 1", false)] {
        let script = Script::new(body);
        let values = Values { old: &big, new: Some(&big), incident: "INC-7" };
        assert_eq!(script.target().perform(Act::Introduce, &values).is_ok(), done);
    }
}

#[test]
fn a_program_that_says_much_is_read_to_its_end() {
    let script = Script::new(
        "head -c 3000000 /dev/zero | tr '\\0' 'a'; head -c 3000000 /dev/zero | tr '\\0' 'b' >&2; exit 1",
    );
    let Err(Trouble::Refused(why)) = script.perform(Act::Introduce) else { panic!("it refuses") };
    assert_eq!(why, "program rotate at introduce: it ended with 1");
}

#[test]
fn a_line_with_the_secret_in_it_is_not_shown() {
    for body in
        ["echo \"set to $(cat)\"", "cat >&2", "cat | cut -c 3-14", "cat | base64 >&2", "cat | tr -d '\\n'"]
    {
        let script = Script::new(&format!("{body}\nexit 1"));
        for act in [Act::Introduce, Act::Retire] {
            let Err(Trouble::Refused(why)) = script.perform(act) else { panic!("it refuses") };
            assert!(why.ends_with("it ended with 1"), "{why}");
        }
    }
    // Nor that of the other value.
    let script = Script::new(&format!("echo {OLD} >&2; exit 1"));
    let Err(Trouble::Refused(why)) = script.perform(Act::Introduce) else { panic!("it refuses") };
    assert!(!why.contains("horse"), "{why}");
}

#[test]
fn what_is_no_program_is_refused_before_anything_happens() {
    let script = Script::new("exit 0");
    let plain = script.file("plain");
    fs::write(&plain, "#!/bin/sh\n").expect("write a file");
    for (argv, words) in [
        (vec![], "it has no command"),
        (vec![String::new()], "it has no command"),
        (vec!["./rotate".into()], "neither a whole path nor a bare name"),
        (vec!["no-such-program-of-hekate".into()], "is not on PATH"),
        (vec!["/no/such/program".into()], "start it"),
        (vec![plain.display().to_string()], "start it"),
    ] {
        let program = Program { argv, ..script.program.clone() };
        let outcome = program.run_for_consumer("sync", "INC-7");
        assert!(matches!(&outcome, Err(Trouble::Refused(why)) if why.contains(words)), "{outcome:?}");
    }
    let program = Program { argv: vec!["true".into()], ..script.program.clone() };
    assert_eq!(program.run_for_consumer("sync", "INC-7"), Ok(()));
}

#[test]
fn a_consumer_gets_no_value() {
    let script = Script::new("cat > \"$FOLDER/in\"; env > \"$FOLDER/env\"");
    assert_eq!(script.program.run_for_consumer("restart", "INC-7"), Ok(()));
    assert_eq!(script.read("in"), "");
    let env = script.read("env");
    assert!(env.contains("HEKATE_ACTION=restart") && env.contains("HEKATE_INCIDENT=INC-7"));
    assert!(!env.contains("HEKATE_SECRET"));
}
