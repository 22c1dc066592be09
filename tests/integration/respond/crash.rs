//! `kill -9` at any instant, and then `resume`: always one valid password, and nothing left behind.

use std::{
    collections::BTreeMap,
    env,
    os::unix::process::ExitStatusExt,
    process::{self, Command},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use hekate::{
    inventory::Inventory,
    model::{Finding, Secret, Source, derived_key},
    net::{Driver, DriverOptions, Limits},
    provider::TrustedHosts,
    respond::{
        Delivery, Desk, Incident, Loose, Mandate, Phase, Plan, PlanKey, Selection, State, Step, SystemClock,
        Tools, Watch,
        audit::{AuditKey, AuditLog, AuditOptions, User},
        kubernetes::Wait,
        notify::Notifier,
        target::Means,
    },
    store::DotenvStore,
};

use super::platform::{Platform, ROLE};

/// After which phase of a step the child kills itself.
const POINT: &str = "HEKATE_TEST_CRASH_POINT";
/// Runs that are killed at a random instant.
const RUNS: usize = 200;

/// Kills its own process, as a crash or the kernel does, once it has seen so many phases.
struct Killer {
    left: AtomicUsize,
}

impl Watch for Killer {
    fn step(&self, _: &Incident, _: Step, _: &Phase) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            let status = Command::new("kill").args(["-9", &process::id().to_string()]).status();
            unreachable!("it was killed: {status:?}");
        }
    }
}

/// Not a test by itself: what the tests below run in a process of its own, in the platform's folder.
#[test]
fn child() {
    let Ok(point) = env::var(POINT) else { return };
    let key = |purpose: &[u8]| derived_key(&"a1".repeat(32), purpose).expect("a key");
    let state = State::open("outside/state").expect("the state folder");
    let store = DotenvStore::open("outside/store").expect("the store");
    let inventory = Inventory::load("outside/inventory.yaml".as_ref()).expect("the inventory");
    let options =
        AuditOptions { user: User::new("child"), common: BTreeMap::new(), ..AuditOptions::default() };
    let audit_key = AuditKey::new(*key(AuditKey::PURPOSE));
    let audit = AuditLog::open(&state.audit_folder(), audit_key, options).expect("the audit log");
    let plan = std::fs::read("outside/plan.json").expect("the plan");
    let plan = Plan::read(&plan, &PlanKey::new(key(PlanKey::PURPOSE))).expect("the plan");
    let (driver, hosts, limits) = (
        Driver::new(DriverOptions::default()).expect("a driver"),
        TrustedHosts::default(),
        Limits::default(),
    );
    let variable = |name: &str| env::var(name).ok().map(Secret::new);
    let recover = |_: &Finding, _: &Source| -> Result<Loose, String> { Err("nothing was found".into()) };
    let delivery = Delivery { cluster: Err("none".into()), wait: Wait::default(), programs: &[], mark: None };
    let mandate = Mandate { user: "child".into(), role: Some(ROLE.into()), ..Mandate::default() };
    let killer = Killer { left: AtomicUsize::new(point.parse().expect("a number")) };
    let tools = Tools {
        store: &store,
        inventory: &inventory,
        means: Means { send: &driver, hosts: &hosts, variable: &variable, limits: &limits },
        delivery: &delivery,
        tokens: None,
        recover: &recover,
        audit: &audit,
        mandate: &mandate,
        clock: &SystemClock { patience: Duration::ZERO },
        watch: &killer,
    };
    let notifier = Notifier::new(&[], DriverOptions::default(), |_| None);
    let desk = Desk { tools, state: &state, notifier: &notifier };
    let selection = Selection { environments: vec!["production".into()], ..Selection::default() };
    desk.apply(&plan, &selection).expect("it is carried out");
}

impl Platform {
    /// Carries the plan out in a child that kills itself at a point. Says whether it was killed, or got to the end before.
    fn crash_at(&self, point: usize) -> bool {
        let mut child = Command::new(env::current_exe().expect("the tests themselves"));
        child.args(["--exact", "respond::crash::child", "--nocapture"]);
        let own = self.command(&[]);
        child.env_clear().current_dir(self.project.root()).env(POINT, point.to_string());
        child.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = child.output().expect("run the tests themselves");
        let is_killed = output.status.signal() == Some(9);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(is_killed || output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
        is_killed
    }
}

#[test]
fn a_crash_at_the_border_of_any_step_ends_well_once_resumed() {
    let Some(platform) = Platform::new() else { return };
    let mut point = 0;
    loop {
        let before = platform.current();
        platform.plan();
        if !platform.crash_at(point) {
            assert!(platform.is_whole_after(&before));
            break;
        }
        platform.resume().ends(0);
        assert!(platform.is_whole_after(&before), "killed at point {point}");
        point += 1;
    }
    // Three phases each of check, keep, introduce, promote, prove-new, end-sessions, prove-old, tidy.
    assert_eq!(point, 24);
}

#[test]
fn a_crash_at_any_instant_ends_well_once_resumed() {
    thread::scope(|scope| {
        for seed in 0..2 {
            scope.spawn(move || crash_at_random(seed, RUNS / 2));
        }
    });
}

fn crash_at_random(seed: u64, runs: usize) {
    let Some(platform) = Platform::new() else { return };
    let mut random = fastrand::Rng::with_seed(seed);
    let mut replaced = 0;
    for run in 0..runs {
        let before = platform.current();
        platform.plan();
        let mut attempt = platform.apply_command();
        // Now and then a second crash meets the run that goes on after the first.
        for _ in 0..random.usize(1..4) {
            kill_after(attempt, Duration::from_millis(random.u64(0..250)));
            attempt = platform.respond_command(&["respond", "resume", "--role", ROLE]);
        }
        platform.resume().ends(0);
        let is_replaced = platform.is_whole_after(&before);
        replaced += usize::from(is_replaced);
        assert!(run < 50 || replaced > 0, "no run gets far enough to be worth anything");
    }
}

fn kill_after(mut command: Command, pause: Duration) {
    let mut child =
        command.stdout(process::Stdio::null()).stderr(process::Stdio::null()).spawn().expect("start hekate");
    thread::sleep(pause);
    // It may have ended by itself.
    child.kill().expect("kill it");
    child.wait().expect("wait for it");
}
