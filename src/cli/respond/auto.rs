//! `--respond plan|apply` of scans and verify: confirmed findings are handed over.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{
    args::MandateArgs,
    open::{Means, Office},
    plan::write,
    text,
};
use crate::{
    cli::{
        args::{Color, HandOverArgs, RespondWith, StoreArgs},
        sink,
    },
    config::Trusted,
    model::Report,
    output::Page,
    respond::{AutoPolicy, Desk, DraftDesk, Plan, Planned, Selection, Subject},
};

/// What is to become of the findings of a scan.
pub(in crate::cli) struct HandOver<'a> {
    pub(in crate::cli) wish: &'a HandOverArgs,
    /// The config that was named: trusted, since a flag names it.
    pub(in crate::cli) config: Option<PathBuf>,
    /// Where findings are read again from, where that is not what the report says.
    pub(in crate::cli) root: Option<&'a Path>,
}

impl HandOver<'_> {
    /// Looks before the scan whether the wish can be granted at all.
    ///
    /// # Errors
    /// A policy is missing.
    pub(in crate::cli) fn check(&self) -> Result<()> {
        match self.wish.respond {
            None => Ok(()),
            Some(RespondWith::Plan) if self.wish.plan.is_none() => {
                bail!("--respond plan: say where the plan goes, --plan FILE");
            }
            Some(RespondWith::Plan) => Ok(()),
            Some(RespondWith::Apply) => {
                let trusted = Trusted::load(self.config.as_deref())?;
                if trusted.respond_options()?.auto.is_none() {
                    bail!(
                        "--respond apply changes secrets without a person, which needs [respond.auto] in trusted config (--config, or the user's own); without it, --respond plan"
                    );
                }
                Ok(())
            }
        }
    }

    /// Hands the confirmed findings over.
    pub(in crate::cli) fn run(&self, report: &Report) -> Result<()> {
        let Some(respond) = self.wish.respond else { return Ok(()) };
        if !report.has_confirmed() {
            sink::warn("nothing is confirmed, so there is nothing to respond to");
            return Ok(());
        }
        let store = StoreArgs {
            store: self.wish.store.clone(),
            inventory: self.wish.inventory.clone(),
            config: self.config.clone(),
            environment: Vec::new(),
        };
        let office = Office::open(&store, self.wish.state.as_deref(), &self.mandate(respond)?)?;
        match respond {
            RespondWith::Plan => self.plan(&office, report),
            RespondWith::Apply => self.apply(&office, report),
        }
    }

    /// Without a person, the policy says on whose behalf.
    fn mandate(&self, respond: RespondWith) -> Result<MandateArgs> {
        let auto = Trusted::load(self.config.as_deref())?.respond_options()?.auto;
        Ok(match auto.filter(|_| respond == RespondWith::Apply) {
            Some(policy) => {
                MandateArgs { role: None, incident: Some(policy.incident), reason: Some(policy.reason) }
            }
            None => MandateArgs::default(),
        })
    }

    fn plan(&self, office: &Office, report: &Report) -> Result<()> {
        let means = Means { root: self.root, ..Means::default() };
        office.work(&means, |desk| {
            let plan = made(office, desk, report)?;
            let mut page = Page::new(&sink::Look { color: Color::Auto, verbose: false }.options(false));
            text::plan(&mut page, &plan);
            sink::warn(String::from_utf8_lossy(&page.into_bytes()).trim_end());
            let path = self.wish.plan.as_deref().context("--plan FILE")?;
            write(&plan, path)?;
            sink::warn(&format!("plan written: hekate respond apply {}", path.display()));
            Ok(())
        })
    }

    fn apply(&self, office: &Office, report: &Report) -> Result<()> {
        let policy = office.options().auto.clone().context("[respond.auto]")?;
        let _lock = office.lock()?;
        let means = Means { pace: Some(&self.wish.pace), root: self.root, ..Means::default() };
        office.work(&means, |desk| {
            let plan = made(office, desk, report)?;
            let allowed = allowed(desk, &policy, &plan)?;
            if allowed.is_empty() {
                return Ok(());
            }
            if let Err(why) = policy.allows_count(allowed.len()) {
                allowed.iter().try_for_each(|planned| refuse(desk, planned, &why))?;
                return Ok(());
            }
            for planned in &allowed {
                desk.tell_first(&policy.tell_first, &planned.incident)
                    .context("nothing is changed, since nobody could be told first")?;
            }
            let selection = Selection {
                environments: policy.environments.clone(),
                only: allowed.iter().map(|planned| planned.incident.id.clone()).collect(),
                skip: Vec::new(),
                most: policy.max_changes,
            };
            for ended in desk.apply(&plan, &selection)? {
                sink::warn(&format!("{} {}: {}", ended.incident.id, ended.incident.subject, ended.standing));
            }
            Ok(())
        })
    }
}

fn made(office: &Office, desk: &Desk<'_>, report: &Report) -> Result<Plan> {
    let tools = &desk.tools;
    let drafts = DraftDesk { store: tools.store, inventory: tools.inventory, now: tools.clock.now() };
    let plan = Plan::new(drafts.of_report(report)?, tools, &office.plan_key()?);
    desk.open(&plan)?;
    Ok(plan)
}

/// What the policy lets through; the rest is said, and recorded.
fn allowed<'p>(desk: &Desk<'_>, policy: &AutoPolicy, plan: &'p Plan) -> Result<Vec<&'p Planned>> {
    let mut allowed = Vec::new();
    for planned in &plan.incidents {
        match judge(policy, planned) {
            Ok(()) => allowed.push(planned),
            Err(why) => refuse(desk, planned, &why)?,
        }
    }
    Ok(allowed)
}

fn judge(policy: &AutoPolicy, planned: &Planned) -> Result<(), String> {
    let incident = &planned.incident;
    let Subject::Stored { environment, .. } = &incident.subject else {
        return Err("it is in no manager: a person decides about it".into());
    };
    let (path, _) = incident.subject.path().ok_or("it has no path")?;
    let found = incident.found.as_ref().ok_or("nothing was found of it")?;
    policy.allows(environment, &path.in_environment(), &found.verdict, &found.rule)
}

fn refuse(desk: &Desk<'_>, planned: &Planned, why: &str) -> Result<()> {
    sink::warn(&format!("{} {}: not changed: {why}", planned.incident.id, planned.incident.subject));
    Ok(desk.refuse(&planned.incident, why)?)
}
