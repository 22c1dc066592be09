//! What a response works with, put together from flags, trusted config and the environment.

use std::{collections::BTreeMap, env, path::Path, time::Duration};

use anyhow::{Context, Result, bail};

use super::args::MandateArgs;
use crate::{
    cli::{
        args::{StateArgs, StoreArgs, WaitArgs},
        inventory::open::{inventory_file, store, tokens},
        sink,
        verify::loose,
    },
    config::{Trusted, audit_key, state_folder, state_key},
    inventory::Inventory,
    model::Secret,
    net::{AddressPolicy, Driver, DriverOptions},
    respond::{
        Delivery, Desk, Incident, Lock, Mandate, Phase, PlanKey, RespondOptions, State, Step, SystemClock,
        Time, Tools, Watch,
        audit::{AuditLog, AuditOptions},
        kubernetes::{self, Access, Cluster},
        notify::Notifier,
        target,
    },
    store::{Store, Tokens},
    verify::Trust,
};

/// What is changed by `apply` and `resume`, and how a run goes.
#[derive(Default)]
pub(in crate::cli) struct Means<'a> {
    /// How long is waited, and what is said meanwhile; nothing where nothing is changed.
    pub(super) pace: Option<&'a WaitArgs>,
    /// Nothing is said of steps that go well.
    pub(super) is_quiet: bool,
    /// Where findings are read again from, where that is not what their report says.
    pub(super) root: Option<&'a Path>,
    /// A new value that a person gives.
    pub(super) given: Option<Secret>,
    /// What marks restarts in the cluster, where many incidents share them.
    pub(super) mark: Option<&'a str>,
}

/// The state folder alone, for commands that change nothing but that.
pub(in crate::cli) struct StateDesk {
    pub(super) state: State,
    pub(in crate::cli) audit: AuditLog,
    pub(super) mandate: Mandate,
}

impl StateDesk {
    /// The folder that is there: a slip in its name must not look like there being nothing to do.
    pub(super) fn open(args: &StateArgs) -> Result<Self> {
        let trusted = Trusted::load_alone(args.config.as_deref())?;
        let folder = state_folder(args.state.as_deref(), trusted.respond.state.as_deref())?;
        if !folder.exists() {
            bail!(
                "there is no state folder {}, so that nothing was planned with it; --state names another",
                folder.display()
            );
        }
        Self::of(Some(&folder), &trusted, mandate(&MandateArgs::default(), None))
    }

    /// For commands that only read.
    pub(in crate::cli) fn of_reader(folder: Option<&Path>, trusted: &Trusted) -> Result<Self> {
        Self::of(folder, trusted, mandate(&MandateArgs::default(), None))
    }

    fn of(folder: Option<&Path>, trusted: &Trusted, mandate: Mandate) -> Result<Self> {
        let state = State::open(state_folder(folder, trusted.respond.state.as_deref())?)?;
        let options =
            AuditOptions { user: (&mandate).into(), common: BTreeMap::new(), ..AuditOptions::default() };
        let audit = AuditLog::open(&state.audit_folder(), audit_key(&state)?, options)?;
        Ok(Self { state, audit, mandate })
    }

    pub(super) fn now(&self) -> i64 {
        SystemClock::default().now()
    }
}

/// All that a response works with, owned.
pub(in crate::cli) struct Office {
    desk: StateDesk,
    options: RespondOptions,
    inventory: Inventory,
    store: Box<dyn Store>,
    tokens: Option<Tokens>,
    trust: Trust,
    driver: Driver,
    notifier: Notifier,
    cluster: Result<(Access, Driver), String>,
}

impl Office {
    pub(in crate::cli) fn open(
        store_args: &StoreArgs,
        folder: Option<&Path>,
        args: &MandateArgs,
    ) -> Result<Self> {
        let trusted = Trusted::load_alone(store_args.config.as_deref())?;
        let options = trusted.respond_options()?;
        let inventory = Inventory::load(&inventory_file(store_args, &trusted)?)?;
        let trust = trusted.trust()?;
        let driver = driver(&inventory, &trust)?;
        let desk = StateDesk::of(folder, &trusted, mandate(args, options.role.as_deref()))?;
        let network = DriverOptions { origins: Vec::new(), ..trust.driver_options() };
        let notifier = Notifier::new(&options.channels, network, |name| env::var(name).ok());
        let cluster =
            cluster(&inventory, options.kubernetes_context.as_deref()).map_err(|error| format!("{error:#}"));
        Ok(Self {
            store: store(store_args, &trusted)?,
            tokens: tokens(store_args, &trusted)?,
            desk,
            options,
            inventory,
            trust,
            driver,
            notifier,
            cluster,
        })
    }

    pub(in crate::cli) fn plan_key(&self) -> Result<PlanKey> {
        Ok(PlanKey::new(state_key(&self.desk.state, PlanKey::PURPOSE)?))
    }

    pub(in crate::cli) fn lock(&self) -> Result<Lock> {
        Ok(self.desk.state.lock()?)
    }

    pub(in crate::cli) fn state(&self) -> &State {
        &self.desk.state
    }

    pub(in crate::cli) fn now(&self) -> i64 {
        self.desk.now()
    }

    pub(in crate::cli) fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// Credentials of the manager itself, where it is Infisical.
    pub(in crate::cli) fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }

    /// What trusted config says of response.
    pub(in crate::cli) fn options(&self) -> &RespondOptions {
        &self.options
    }

    /// Does something with all of it.
    pub(in crate::cli) fn work<T>(
        &self,
        means: &Means<'_>,
        work: impl FnOnce(&Desk<'_>) -> Result<T>,
    ) -> Result<T> {
        let mandate = Mandate { given: means.given.clone(), ..self.desk.mandate.clone() };
        let clock = SystemClock { patience: means.pace.map_or(Duration::ZERO, |pace| pace.wait) };
        let watch = Speaker { is_quiet: means.is_quiet };
        let variable = |name: &str| env::var(name).ok().map(Secret::new);
        let recover = |finding: &_, source: &_| loose(finding, source, means.root);
        let cluster = match &self.cluster {
            Ok((access, driver)) => Ok(Cluster::new(driver, access)),
            Err(why) => Err(why.clone()),
        };
        let wait = kubernetes::Wait { within: self.options.rollout_timeout, ..kubernetes::Wait::default() };
        let delivery = Delivery { cluster, wait, programs: &self.options.commands, mark: means.mark };
        let tools = Tools {
            store: self.store.as_ref(),
            inventory: &self.inventory,
            means: target::Means {
                send: &self.driver,
                hosts: &self.trust.hosts,
                variable: &variable,
                limits: &self.trust.limits,
            },
            delivery: &delivery,
            tokens: self.tokens.as_ref(),
            recover: &recover,
            audit: &self.desk.audit,
            mandate: &mandate,
            clock: &clock,
            watch: &watch,
        };
        work(&Desk { tools, state: &self.desk.state, notifier: &self.notifier })
    }
}

/// The driver of targets: it may go where checks go, to what revokes keys, and to the hosts of the inventory.
fn driver(inventory: &Inventory, trust: &Trust) -> Result<Driver> {
    let (origins, private) = target::origins(inventory);
    let options = trust.driver_options();
    let options = DriverOptions {
        origins: options.origins.into_iter().chain(origins).collect(),
        addresses: AddressPolicy::allowing(trust.allow_private.iter().chain(&private)),
        ..options
    };
    Driver::new(options).context("set up the network by [verify]")
}

/// The cluster that consumers run in, where the inventory has any there.
fn cluster(inventory: &Inventory, context: Option<&str>) -> Result<(Access, Driver)> {
    if !kubernetes::is_needed(inventory) {
        bail!("the inventory has nothing in Kubernetes");
    }
    let access = Access::find(&|name| env::var(name).ok(), context)?;
    let driver = Driver::new(access.driver_options()?).context("set up the network for the cluster")?;
    Ok((access, driver))
}

/// Who acts, as far as the machine tells.
fn mandate(args: &MandateArgs, role: Option<&str>) -> Mandate {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let user =
        variable("HEKATE_USER").or_else(login).or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
    Mandate {
        user: user.unwrap_or_else(|| "unknown".into()),
        email: variable("HEKATE_USER_EMAIL").or_else(|| variable("EMAIL")),
        address: variable("SSH_CONNECTION").and_then(|text| text.split(' ').next().map(str::to_owned)),
        role: args.role.clone().or_else(|| role.map(str::to_owned)),
        ticket: args.incident.clone(),
        reason: args.reason.clone(),
        given: None,
    }
}

/// The name of the account that the process runs as: variables can say anything.
fn login() -> Option<String> {
    #[cfg(unix)]
    {
        let id = rustix::process::getuid().as_raw().to_string();
        let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
        let mut names = accounts.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == id).then(|| name.to_owned())
        });
        names.next()
    }
    #[cfg(not(unix))]
    None
}

/// Says on standard error how far it is.
struct Speaker {
    is_quiet: bool,
}

impl Watch for Speaker {
    fn step(&self, incident: &Incident, step: Step, phase: &Phase) {
        let (id, subject) = (&incident.id, &incident.subject);
        let line = match phase {
            Phase::Begun | Phase::Acted => return,
            Phase::Done(notes) if notes.is_empty() => format!("{id} {step}: done"),
            Phase::Done(notes) => format!("{id} {step}: done ({})", notes.join("; ")),
            Phase::Undone => format!("{id} {step}: taken back"),
            Phase::Waiting(what) => format!("{id} {step}: waits {what}"),
            Phase::Failed(why) => {
                sink::warn(&format!("{subject} {step}: {why}"));
                return;
            }
        };
        if !self.is_quiet {
            sink::warn(&line);
        }
    }
}
