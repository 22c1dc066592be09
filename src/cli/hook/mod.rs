//! `hekate hook install|uninstall|run`.

mod pushed;
mod run;

use anyhow::{Context, Result, bail};

use super::{
    Exit,
    args::{HookArgs, HookCommand, HookPlaceArgs, InstallArgs},
    sink,
};
use crate::{
    config::{HooksFolder, hooks_folder},
    hook::{Hook, Hooks, Script, Step},
};

pub(super) fn run(args: &HookArgs) -> Result<Exit> {
    match &args.command {
        HookCommand::Install(args) => install(args),
        HookCommand::Uninstall(args) => uninstall(args),
        HookCommand::Run(args) => run::run(&args.hook),
    }
}

fn install(args: &InstallArgs) -> Result<Exit> {
    let place = Place::find(&args.place)?;
    let program = std::env::current_exe().context("find the path of hekate itself")?;
    for hook in &place.wanted {
        let script = Script::new(*hook, &program, &args.run_args)?;
        let steps = place.hooks.install(*hook, &script, args.place.dry_run)?;
        say(*hook, &steps, args.place.dry_run);
        if args.place.dry_run {
            sink::print(script.as_str().as_bytes())?;
        }
    }
    Ok(Exit::Clean)
}

fn uninstall(args: &HookPlaceArgs) -> Result<Exit> {
    let place = Place::find(args)?;
    for hook in &place.wanted {
        say(*hook, &place.hooks.uninstall(*hook, args.dry_run)?, args.dry_run);
    }
    Ok(Exit::Clean)
}

fn say(hook: Hook, steps: &[Step], dry_run: bool) {
    steps.iter().for_each(|step| sink::warn(&format!("{hook}: {}", step.describe(dry_run))));
}

/// Which hooks, and where.
struct Place {
    hooks: Hooks,
    wanted: Vec<Hook>,
}

impl Place {
    fn find(args: &HookPlaceArgs) -> Result<Self> {
        let HooksFolder { folder, within, is_shared, is_bare } = hooks_folder()?;
        if is_shared && !args.shared {
            bail!(
                "core.hooksPath in your own git config, or the machine's, takes the hooks of all repositories from {}; say --shared to \
                 mean them all, or give this one its own: git config core.hooksPath \"$(git rev-parse --git-common-dir)/hooks\"",
                folder.display()
            );
        }
        if is_shared {
            sink::warn(&format!("note: {} serves all repositories", folder.display()));
        }
        let usual = if is_bare { Hook::PreReceive } else { Hook::PreCommit };
        let wanted = if args.hooks.is_empty() { vec![usual] } else { args.hooks.clone() };
        Ok(Self { hooks: Hooks::new(folder, within.as_deref())?, wanted })
    }
}
