//! Our own records fail, or are too old.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command, time::Duration};

use hekate::{
    inventory::Inventory,
    model::{Finding, Secret, Source, derived_key},
    net::{Driver, DriverOptions, Limits},
    provider::TrustedHosts,
    respond::{
        Delivery, DraftDesk, Incident, Loose, Mandate, Phase, Plan, PlanKey, Step, SystemClock, Time, Tools,
        Watch,
        audit::{AuditKey, AuditLog, AuditOptions, User},
        kubernetes::Wait,
        target::Means,
    },
};

use super::{Stage, wire::Fault};
use crate::{harness::is_root, respond::platform::PLACE};

/// A clock that is wrong by so many seconds.
struct Wrong(i64);

impl Time for Wrong {
    fn now(&self) -> i64 {
        SystemClock::default().now() + self.0
    }

    fn sleep(&self, _: Duration) {}

    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}

/// Watches nothing.
struct Nobody;

impl Watch for Nobody {
    fn step(&self, _: &Incident, _: Step, _: &Phase) {}
}

/// Makes the plan of a stage as one whose clock is wrong by so many seconds would have.
fn plan_at(stage: &Stage, seconds: i64) {
    let key = |purpose: &[u8]| derived_key(&"a1".repeat(32), purpose).expect("a key");
    let project = &stage.platform.project;
    let store = stage.files();
    let inventory = Inventory::load(&project.path("outside/inventory.yaml")).expect("the inventory");
    let options =
        AuditOptions { user: User::new("test"), common: BTreeMap::new(), ..AuditOptions::default() };
    let folder = tempfile::tempdir().expect("a folder");
    let audit = AuditLog::open(&folder.path().join("audit"), AuditKey::new(*key(AuditKey::PURPOSE)), options)
        .expect("an audit log");
    let (driver, hosts, limits) = (
        Driver::new(DriverOptions::default()).expect("a driver"),
        TrustedHosts::default(),
        Limits::default(),
    );
    let known: BTreeMap<&str, String> = stage.variables.iter().cloned().collect();
    let variable = move |name: &str| known.get(name).map(|value| Secret::new(value.as_str()));
    let recover = |_: &Finding, _: &Source| -> Result<Loose, String> { Err("nothing was found".into()) };
    let delivery = Delivery { cluster: Err("none".into()), wait: Wait::default(), programs: &[], mark: None };
    let mandate = Mandate { user: "test".into(), ..Mandate::default() };
    let clock = Wrong(seconds);
    let tools = Tools {
        store: &store,
        inventory: &inventory,
        means: Means { send: &driver, hosts: &hosts, variable: &variable, limits: &limits },
        delivery: &delivery,
        tokens: None,
        recover: &recover,
        audit: &audit,
        mandate: &mandate,
        clock: &clock,
        watch: &Nobody,
    };
    let drafts = DraftDesk { store: &store, inventory: &inventory, now: clock.now() };
    let plan =
        Plan::new(drafts.of_name(PLACE).expect("a draft"), &tools, &PlanKey::new(key(PlanKey::PURPOSE)));
    project.file("outside/plan.json", serde_json::to_vec_pretty(&plan).expect("a plan"));
}

#[test]
fn plans_of_another_hour_are_refused() {
    let Some(stage) = Stage::new() else { return };
    for (seconds, words) in [
        (-3_600 - 60, "the plan is 61 minutes old, and good for 60: make it again"),
        (-86_400, "the plan is 1440 minutes old"),
        (600, "seconds from now: look at the clocks"),
    ] {
        plan_at(&stage, seconds);
        stage.apply().refuses(&[words]);
        stage.is_untouched();
    }
    plan_at(&stage, -3_500);
    stage.apply().ends(0);
    stage.is_whole();
}

/// A small file system on a folder, taken away at the end.
struct Small(PathBuf);

impl Small {
    /// None where this user may not make one.
    #[expect(clippy::print_stderr, reason = "a test that does nothing has to say so")]
    fn at(folder: PathBuf) -> Option<Self> {
        fs::create_dir_all(&folder).expect("make a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256k,mode=0700", "none"]).arg(&folder);
        if is_root() && mount.status().is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        eprintln!("skipped: no file system can be mounted here");
        None
    }

    fn filler(folder: &std::path::Path) -> PathBuf {
        folder.join("filler")
    }

    fn fill(folder: &std::path::Path) {
        let mut bytes = 256 << 10;
        // Less and less, until nothing fits.
        while bytes > 0 {
            let mut filler = fs::read(Self::filler(folder)).unwrap_or_default();
            filler.extend(std::iter::repeat_n(b'x', bytes));
            match fs::write(Self::filler(folder), &filler) {
                Ok(()) => {}
                Err(_) => bytes /= 2,
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(std::thread::panicking() || status.is_ok_and(|status| status.success()));
    }
}

#[test]
fn a_full_disk_stops_it_and_it_goes_on_once_there_is_room() {
    let Some(stage) = Stage::new() else { return };
    let folder = stage.platform.state_folder();
    let Some(_small) = Small::at(folder.clone()) else { return };
    // While the first step is taken, while the change is made, and while all but the last is done.
    for words in ["rolname =", "ALTER ROLE", "pg_terminate_backend"] {
        stage.begin();
        let full = folder.clone();
        stage.plan().wire.when(words, Fault::Meanwhile(Box::new(move || Small::fill(&full))));
        stage.apply().stops(&["No space left"]);
        let (current, before) = (stage.stored().1, stage.before.borrow().clone());
        let kept = stage.kept();
        let is_valid = |value: &String| stage.is_accepted(value);
        assert!(is_valid(&current) || kept.iter().any(is_valid), "nobody gets in");
        assert!(words == "rolname =" || !stage.is_accepted(&before.1));
        fs::remove_file(Small::filler(&folder)).expect("make room");
        stage.finish();
    }
}
