//! `hekate emergency`.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context, Result, bail};

use super::{
    apply::show,
    args::EmergencyArgs,
    open::{Means, Office},
    plan,
};
use crate::{
    cli::{
        Exit,
        args::{Color, ListFormat},
        exit, sink,
    },
    output::Page,
    respond::{Approval, CONFIRM, Desk, DraftDesk, Emergency, Plan, RunError},
    store::ServiceToken,
};

pub(in crate::cli) fn run(args: &EmergencyArgs) -> Result<Exit> {
    Ok(carry_out(args).unwrap_or_else(|error| exit::of_response_error(&error)))
}

fn carry_out(args: &EmergencyArgs) -> Result<Exit> {
    let [environment] = args.store.environment.as_slice() else {
        bail!("say which environment, and one only: --environment NAME");
    };
    let (Some(incident), Some(reason)) = (&args.mandate.incident, &args.mandate.reason) else {
        bail!("an emergency has an incident id and a reason: --incident ID --reason TEXT");
    };
    let office = Office::open(&args.store, args.state.as_deref(), &args.mandate)?;
    if !office.inventory().environments.contains(environment) {
        bail!(
            "--environment {environment}: the inventory has {}",
            office.inventory().environments.join(", ")
        );
    }
    let _lock = office.lock()?;
    let mark = format!("{incident}-{}", office.now());
    let means = Means {
        pace: Some(&args.pace.pace),
        is_quiet: args.pace.quiet,
        mark: Some(&mark),
        ..Means::default()
    };
    office.work(&means, |desk| {
        let tools = &desk.tools;
        let drafts = DraftDesk { store: tools.store, inventory: tools.inventory, now: tools.clock.now() };
        let plan = Plan::new(drafts.of_environment(environment)?, tools, &office.plan_key()?);
        plan::show(&plan, ListFormat::Human, Color::Auto)?;
        let tokens = service_tokens(&office, environment);
        say_tokens(&tokens);
        if args.dry_run {
            return Ok(Exit::Clean);
        }
        let approval = approval(args, incident, reason, environment)?;
        desk.open(&plan)?;
        let emergency = match desk.emergency(&plan, environment, &approval) {
            Err(RunError::Wrong(why)) => bail!(why),
            other => other?,
        };
        let left = remove_tokens(&office, desk, tokens)?;
        finish(desk, &emergency, incident, left)
    })
}

/// The word of a second person, by flags or at the terminal.
fn approval(args: &EmergencyArgs, incident: &str, reason: &str, environment: &str) -> Result<Approval> {
    if let (Some(by), Some(word)) = (&args.approved_by, &args.confirm) {
        return Ok(Approval { by: by.clone(), word: word.clone() });
    }
    if !io::stdin().is_terminal() {
        bail!(
            "a second person has to confirm at a terminal; a machine says --approved-by NAME --confirm {CONFIRM}"
        );
    }
    sink::warn(&format!(
        "EMERGENCY {incident}: everything above is replaced in {environment}, because: {reason}\nA second person confirms this, not the one who started it."
    ));
    let by = ask("Name of the second person: ")?;
    let word = ask(&format!("Type {CONFIRM} to go on: "))?;
    Ok(Approval { by, word })
}

fn ask(prompt: &str) -> Result<String> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{prompt}").and_then(|()| stderr.flush()).context("ask at the terminal")?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("read the answer")?;
    Ok(line.trim().to_owned())
}

/// Service tokens that reach into the environment; or what a person has to do about them.
enum TokensOf {
    Nobody,
    Listed(Vec<ServiceToken>),
    Manual(String),
}

fn service_tokens(office: &Office, environment: &str) -> TokensOf {
    let Some(tokens) = office.tokens() else { return TokensOf::Nobody };
    match tokens.service_tokens() {
        Ok(mut listed) => {
            listed.retain(|token| token.scopes.iter().any(|(own, _)| own == environment || own == "*"));
            TokensOf::Listed(listed)
        }
        Err(error) => TokensOf::Manual(format!(
            "service tokens: {error}; delete those of {environment} at {}",
            tokens.page()
        )),
    }
}

fn say_tokens(tokens: &TokensOf) {
    match tokens {
        TokensOf::Nobody => {}
        TokensOf::Listed(listed) => {
            let names: Vec<&str> = listed.iter().map(|token| token.name.as_str()).collect();
            sink::warn(&format!("service tokens that are deleted at the end: {}", names.join(", ")));
        }
        TokensOf::Manual(what) => sink::warn(what),
    }
}

/// Deletes service tokens, last of all: the operator may sync by one. Gives what is left to do.
fn remove_tokens(office: &Office, desk: &Desk<'_>, tokens: TokensOf) -> Result<Vec<String>> {
    let listed = match tokens {
        TokensOf::Nobody => return Ok(Vec::new()),
        TokensOf::Manual(what) => return Ok(vec![what]),
        TokensOf::Listed(listed) => listed,
    };
    let mut left = Vec::new();
    for token in listed {
        let Some(tokens) = office.tokens() else { continue };
        let deleted = tokens.delete_service_token(&token.id).map_err(|error| error.to_string());
        desk.note_token(&token.name, deleted.as_ref().err().map(String::as_str))?;
        match deleted {
            Ok(()) => left.push(format!(
                "make a new service token {}, and give it to whoever used the old one",
                token.name
            )),
            Err(why) => left.push(format!("delete the service token {}: {why}", token.name)),
        }
    }
    Ok(left)
}

fn finish(desk: &Desk<'_>, emergency: &Emergency, incident: &str, left: Vec<String>) -> Result<Exit> {
    let exit = show(&emergency.ended)?;
    let mut page = Page::new(&sink::Look { color: Color::Auto, verbose: false }.options(true));
    super::text::after_emergency(&mut page, emergency, &left);
    sink::print(&page.into_bytes())?;
    desk.tell_of_emergency(incident, emergency)?;
    let is_well = exit == Exit::Clean && emergency.is_over();
    Ok(if is_well { Exit::Clean } else { Exit::Findings })
}
