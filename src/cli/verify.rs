//! `hekate verify`, and what `--verify` of scans does.

use std::{
    env,
    fmt::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use super::{
    Exit,
    args::{HandOverArgs, VerifyArgs},
    exit,
    recorded::Place,
    report,
    respond::auto::HandOver,
    sink,
};
use crate::{
    config::{Flags, Settings, Trusted, fingerprint_key},
    git::Repository,
    inventory::Inventory,
    model::{Finding, FingerprintKey, Report, Source, SourceKind},
    net::Driver,
    respond::Loose,
    verify::{Blobs, Files, Kept, Nothing, Preview, Reader, Reread, Setup, Trust, preview, reread, verify},
};

/// Questions at once, where the user does not say.
const THREADS: usize = 8;

pub(super) fn run(args: &VerifyArgs) -> Result<Exit> {
    let Some(file) = &args.report else {
        bail!(
            "say which report: `hekate scan --output json:report.json`, then `hekate verify report.json`; or scan with --verify"
        );
    };
    let hand_over =
        HandOver { wish: &args.hand_over, config: args.config.clone(), root: args.root.as_deref() };
    hand_over.check()?;
    let mut report = report::read(file)?;
    let flags = Flags { config: args.config.clone(), rules: args.rules.clone(), ..Flags::default() };
    let asker =
        Asker::new(&flags, args.jobs.map_or(THREADS, usize::from), args.hand_over.inventory.as_deref())?;
    let reader = reader(&report.source, args.root.as_deref(), None)?;
    if args.dry_run {
        let previews = preview(&report, reader.as_ref(), &asker.setup());
        sink::print(shown(&report, &previews).as_bytes())?;
        return Ok(Exit::Clean);
    }
    verify(&mut report, reader.as_ref(), &asker.setup());
    asker.record(&report, args.hand_over.state.as_deref())?;
    if args.only_confirmed {
        report.keep_confirmed();
    }
    report::show(&report, &args.show)?;
    hand_over.run(&report)?;
    Ok(exit::of_report(&report, args.exit_zero))
}

/// Asks about the findings of a scan that was just made; `stdin` is what came in there, where that was scanned.
pub(super) fn of_scan(
    report: &mut Report,
    flags: &Flags,
    stdin: Option<Vec<u8>>,
    wish: Option<&HandOverArgs>,
) -> Result<()> {
    let inventory = wish.and_then(|wish| wish.inventory.as_deref());
    let asker = Asker::new(flags, THREADS, inventory)?;
    let reader = reader(&report.source, None, stdin)?;
    verify(report, reader.as_ref(), &asker.setup());
    asker.record(report, wish.and_then(|wish| wish.state.as_deref()))
}

/// What it takes to ask, owned.
struct Asker {
    driver: Driver,
    trust: Trust,
    key: FingerprintKey,
    threads: usize,
    trusted: Trusted,
}

impl Asker {
    fn new(flags: &Flags, threads: usize, inventory: Option<&Path>) -> Result<Self> {
        let trusted = Trusted::load(flags.config.as_deref())?;
        // Rules that a repository brings along carry no checks; which of these run in a scan does not matter.
        let own = Flags { config: flags.config.clone(), rules: flags.rules.clone(), ..Flags::default() };
        let trust = trusted.trust()?.with_rules(&Settings::rules_with_templates(&own)?);
        let trust = match inventory.or(trusted.inventory.file.as_deref()) {
            Some(file) => trust.with_inventory(&Inventory::load(file)?),
            None => trust,
        };
        let driver = Driver::new(trust.driver_options()).context("set up the network by [verify]")?;
        Ok(Self { driver, trust, key: fingerprint_key()?, threads, trusted })
    }

    /// That these secrets were asked about.
    fn record(&self, report: &Report, state: Option<&Path>) -> Result<()> {
        Place { state, trusted: &self.trusted }.verified(report)
    }

    fn setup(&self) -> Setup<'_> {
        Setup {
            send: &self.driver,
            trust: &self.trust,
            key: &self.key,
            now: Timestamp::now(),
            threads: self.threads,
        }
    }
}

/// The value of a finding that the manager does not hold, read again from where it was found.
pub(super) fn loose(finding: &Finding, source: &Source, root: Option<&Path>) -> Result<Loose, String> {
    let again = || -> Result<Reread> {
        let reader = reader(source, root, None)?;
        reread(finding, reader.as_ref(), &fingerprint_key()?).map_err(anyhow::Error::msg)
    };
    let Reread { value, companions } = again().map_err(|error| format!("{error:#}"))?;
    Ok(Loose { value, companions })
}

/// Where the values of a report are read again from.
fn reader(source: &Source, root: Option<&Path>, stdin: Option<Vec<u8>>) -> Result<Box<dyn Reader>> {
    let here = env::current_dir().context("find the working directory")?;
    let named = root.map_or_else(|| PathBuf::from(&source.root), Path::to_owned);
    let repository = || {
        // A report of the repository one works in names it by nothing.
        if named.as_os_str().is_empty() || named == Path::new(".") {
            Repository::from_env(&here, |name| env::var_os(name))
        } else {
            Repository::discover(&named)
        }
    };
    Ok(match (source.kind, stdin) {
        (SourceKind::Stdin, Some(bytes)) => Box::new(Kept::new(bytes)),
        (SourceKind::Stdin, None) => Box::new(Nothing),
        (SourceKind::Worktree, _) => Box::new(Files::new(&named, &here)),
        (kind, _) => Box::new(Blobs::open(&repository()?, kind)?),
    })
}

/// What would be asked, for people.
fn shown(report: &Report, previews: &[Preview]) -> String {
    let mut text = String::new();
    for preview in previews {
        for finding in preview.findings.iter().filter_map(|index| report.findings.get(*index)) {
            let place = finding.occurrences.first().map(|place| format!("{place:?}")).unwrap_or_default();
            let head = format!("{} {} {place}", finding.rule, finding.secret.redacted);
            writeln!(text, "{}", sink::plain(&head)).expect("writing to a string succeeds");
        }
        for line in &preview.lines {
            writeln!(text, "    {}", sink::plain(line)).expect("writing to a string succeeds");
        }
    }
    text
}
