//! The command line's shape, and how it becomes each room's options.

#[cfg(feature = "network")]
mod audit;

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "network")]
use super::respond::args::{EmergencyArgs, RespondArgs};
use crate::{
    config::{Flags, PolicyFrom, WalkFlags},
    hook::Hook,
    model::Confidence,
    output::Format,
};

#[cfg(feature = "network")]
pub(super) use audit::{
    AuditArgs, AuditCommand, AuditExportArgs, AuditFilterArgs, AuditListArgs, AuditVerifyArgs, StateArgs,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  clean
  1  findings
  2  wrong use or config
  3  incomplete: something could not be scanned, and nothing was found
  4  at least one confirmed finding";

/// Finds leaked secrets, says why it believes them, and keeps them out of every report.
#[derive(Debug, Parser)]
#[command(name = "hekate", version, about, after_help = EXIT_CODES, disable_help_subcommand = true, disable_help_flag = true, max_term_width = 100)]
pub(super) struct Cli {
    /// Print help
    #[arg(short, long, action = ArgAction::HelpShort, global = true)]
    help: Option<bool>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Scan files and folders, or standard input
    Scan(ScanArgs),
    /// Scan what the next commit would add: the index against HEAD, never the working files
    Staged(StagedArgs),
    /// Scan every version of every file that a repository's refs reach
    History(HistoryArgs),
    /// List, show and test rules
    Rules(RulesArgs),
    /// Show what rules see on a line, what speaks for and against it, and what becomes of it
    Explain(ExplainArgs),
    /// Accept findings in a baseline file, or drop entries that do nothing
    Baseline(BaselineArgs),
    /// Show a saved JSON report in another format
    Report(ReportArgs),
    /// Install, take away and run git hooks
    Hook(HookArgs),
    /// Ask providers and databases which findings of a report are live
    #[cfg(feature = "network")]
    Verify(VerifyArgs),
    /// Revoke and replace what is confirmed, with a plan, a journal and an audit record
    #[cfg(feature = "network")]
    Respond(RespondArgs),
    /// Replace everything in an environment, under an incident id, confirmed by a second person
    #[cfg(feature = "network")]
    Emergency(EmergencyArgs),
    /// Hold the secret manager against inventory.yaml
    Inventory(InventoryArgs),
    /// Show and check the record of what was read, verified, revoked and rotated
    #[cfg(feature = "network")]
    Audit(AuditArgs),
    /// Write a commented hekate.toml and check .gitignore
    Init(InitArgs),
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ScanArgs {
    /// Files and folders; "-" is standard input
    #[arg(default_value = ".", value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// What reports call standard input
    #[arg(long, value_name = "NAME", default_value = "stdin")]
    pub(super) stdin_path: String,
    #[command(flatten)]
    pub(super) select: SelectArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
    #[command(flatten)]
    pub(super) walk: WalkArgs,
    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
    #[cfg(feature = "network")]
    #[command(flatten)]
    pub(super) hand_over: HandOverArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct StagedArgs {
    /// All of the index, not only what differs from HEAD
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) select: SelectArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct HistoryArgs {
    /// The repository: a work tree, a bare repository, or a folder in one
    #[arg(default_value = ".", value_name = "REPO")]
    pub(super) repository: PathBuf,
    /// Only what these commits bring in: A..B is what B reaches and A does not
    #[arg(long, value_name = "A..B", conflicts_with_all = ["branch", "since", "unreachable", "reflog", "recurse_submodules"])]
    pub(super) range: Option<String>,
    /// Only what this branch (or any revision) reaches
    #[arg(long, value_name = "NAME", conflicts_with_all = ["unreachable", "reflog", "recurse_submodules"])]
    pub(super) branch: Option<String>,
    /// Only commits that this ref or commit does not reach, or that were committed at this time or later: 2026-11-24,
    /// 2026-11-24T01:02:03Z, yesterday, 2.weeks or "2 weeks ago"
    #[arg(long, value_name = "REF|DATE", conflicts_with = "unreachable")]
    pub(super) since: Option<String>,
    /// Of merges follow, and compare with, the first parent only: what other parents brought in counts as the merge's
    #[arg(long, conflicts_with = "unreachable")]
    pub(super) first_parent: bool,
    /// Report what no ref reaches, too
    #[arg(long)]
    pub(super) unreachable: bool,
    /// Scan what reflogs name as if a ref pointed there, and what they say
    #[arg(long)]
    pub(super) reflog: bool,
    /// Scan the histories of submodules, too, as far as their repositories are here (in modules of the git folder); nothing is fetched
    #[arg(long)]
    pub(super) recurse_submodules: bool,
    /// List all refs with a place, not the first 20
    #[arg(long)]
    pub(super) refs: bool,
    /// How blobs are scanned: where they differ from what they are stored as a delta of, or each whole
    #[arg(long, value_enum, default_value = "delta", value_name = "ENGINE")]
    pub(super) engine: EngineArg,
    /// Memory for buffers (bytes, or with K, M or G) [default: 1G, at most a quarter of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(super) memory: Option<u64>,
    /// Neither use nor write the cache in the git folder: scan everything anew
    #[arg(long)]
    pub(super) no_cache: bool,
    #[command(flatten)]
    pub(super) select: SelectArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
    #[cfg(feature = "network")]
    #[command(flatten)]
    pub(super) hand_over: HandOverArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum EngineArg {
    /// Where they differ.
    Delta,
    /// Each whole.
    Plain,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Rules and policy")]
pub(super) struct SelectArgs {
    /// Read this hekate.toml (or gitleaks config) instead of the repository's own
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Add rules from a TOML file or a folder of them
    #[arg(long, value_name = "FILE|DIR")]
    pub(super) rules: Vec<PathBuf>,
    /// Run this rule only (repeatable)
    #[arg(long, value_name = "ID")]
    pub(super) only_rule: Vec<String>,
    /// Leave this rule out (repeatable)
    #[arg(long, value_name = "ID")]
    pub(super) skip_rule: Vec<String>,
    /// Leave out all built-in rules: run those of --rules and --config only
    #[arg(long)]
    pub(super) no_default_rules: bool,
    /// Don't look into archives
    #[arg(long)]
    pub(super) no_archives: bool,
    /// Find the values that this index of `hekate inventory pull` knows, too
    #[arg(long, value_name = "FILE", env = "HEKATE_INDEX")]
    pub(super) index: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Rules and policy")]
pub(super) struct PolicyArgs {
    /// Take config, baseline and ignore file from this commit, and count marks only where they stood in it already
    #[arg(long, value_name = "REF")]
    pub(super) policy_from: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct WalkArgs {
    /// Scan what .gitignore names, too
    #[arg(long)]
    pub(super) no_ignore: bool,
    /// Leave out names that start with a dot
    #[arg(long, conflicts_with = "hidden")]
    pub(super) skip_hidden: bool,
    /// Scan names that start with a dot (the default)
    #[arg(long, hide = true)]
    pub(super) hidden: bool,
    /// Leave out binary files
    #[arg(long)]
    pub(super) skip_binary: bool,
    /// Leave out bigger files (bytes, or with K, M or G)
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(super) max_file_size: Option<u64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct OutputArgs {
    /// Format on standard output: human, json, jsonl, sarif, gitleaks, gitlab or csv
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = parse_format)]
    pub(super) format: Format,
    /// Write a report to a file (repeatable); the format is the prefix, else --format, else the extension; "-" is standard output
    #[arg(short, long, value_name = "[FORMAT:]FILE")]
    pub(super) output: Vec<String>,
    /// Accepted findings [default: hekate.baseline at the repository's root]
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Leave out what is believed less: low, medium or high [default: medium]
    #[arg(long, value_name = "LEVEL", value_parser = parse_confidence)]
    pub(super) min_confidence: Option<Confidence>,
    /// Write secrets in clear text. Mind who reads it
    #[arg(long)]
    pub(super) show_secrets: bool,
    /// List what was suppressed, with reasons
    #[arg(long)]
    pub(super) show_suppressed: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(super) color: Color,
    /// Every place of each secret
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// No progress, no hints on standard error
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(super) struct RunArgs {
    /// Threads [default: one per core]
    #[arg(short = 'j', long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// No progress bar
    #[arg(long)]
    pub(super) no_progress: bool,
    /// Exit with 0 where findings would give 1 or 4 (3 stays)
    #[arg(long)]
    pub(super) exit_zero: bool,
    /// Say on standard error how long it took
    #[arg(long)]
    pub(super) timings: bool,
}

#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    #[command(subcommand)]
    pub(super) command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// One line per rule
    List(RuleListArgs),
    /// A rule with all that follows from it
    Show {
        /// The rule's id
        id: String,
        #[command(flatten)]
        select: SelectArgs,
    },
    /// Run each rule's own examples and negatives through the whole pipeline
    Test {
        #[command(flatten)]
        select: SelectArgs,
        /// Say on standard error how long the slowest rules take for a megabyte of ordinary source
        #[arg(long)]
        timings: bool,
    },
    /// Look over own rules: what is slow, never finds anything, or hides too much
    Lint(RuleLintArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 no errors (there may be warnings and notes) · 1 errors · 2 wrong use, or rules that can't be loaded"
)]
pub(super) struct RuleLintArgs {
    /// Rule files, configs of hekate or gitleaks, or folders of rule files [default: the repository's own configs]
    #[arg(value_name = "FILE|DIR")]
    pub(super) paths: Vec<PathBuf>,
    /// Text for people, or a JSON array
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    pub(super) format: ListFormat,
}

#[derive(Debug, Args)]
pub(super) struct RuleListArgs {
    #[command(flatten)]
    pub(super) select: SelectArgs,
    /// Text for people, or a JSON array
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    pub(super) format: ListFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// A line each.
    Human,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ExplainArgs {
    /// A file, and a line of it
    #[arg(value_name = "FILE[:LINE]")]
    pub(super) place: String,
    #[command(flatten)]
    pub(super) select: SelectArgs,
    /// Accepted findings [default: hekate.baseline at the repository's root]
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// What is believed less is not reported: low, medium or high [default: medium]
    #[arg(long, value_name = "LEVEL", value_parser = parse_confidence)]
    pub(super) min_confidence: Option<Confidence>,
    /// Text for people, or a JSON array
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    pub(super) format: ListFormat,
    /// When to use colour
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(super) color: Color,
}

#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    #[command(subcommand)]
    pub(super) command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum BaselineCommand {
    /// Scan, and accept all that is found; entries that are there stay
    Write {
        #[command(flatten)]
        scan: BaselineScanArgs,
        /// Why these are accepted
        #[arg(long, value_name = "TEXT", default_value = "accepted")]
        reason: String,
    },
    /// Scan, and drop entries that are expired or match nothing
    Prune {
        #[command(flatten)]
        scan: BaselineScanArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct BaselineScanArgs {
    /// Files and folders
    #[arg(default_value = ".", value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// A JSON report, of a history say, in place of a scan; "-" is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    pub(super) report: Option<PathBuf>,
    /// The baseline [default: hekate.baseline at the repository's root]
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    #[command(flatten)]
    pub(super) select: SelectArgs,
    #[command(flatten)]
    pub(super) walk: WalkArgs,
    /// Leave out what is believed less: low, medium or high [default: medium]
    #[arg(long, value_name = "LEVEL", value_parser = parse_confidence)]
    pub(super) min_confidence: Option<Confidence>,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A report written with --format json; "-" is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) show: ShowArgs,
}

/// How a report that is there already is written.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Format on standard output: human, json, jsonl, sarif, gitleaks, gitlab or csv
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = parse_format)]
    pub(super) format: Format,
    /// Write to a file (repeatable), as in scan
    #[arg(short, long, value_name = "[FORMAT:]FILE")]
    pub(super) output: Vec<String>,
    /// When to use colour
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(super) color: Color,
    /// Every place of each secret
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// What scans do about findings once they have them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Confirmation")]
pub(super) struct ConfirmArgs {
    /// Ask providers and databases which findings are live; whom to ask beside the built-in hosts, `[verify]` of trusted config says
    #[cfg(feature = "network")]
    #[arg(long)]
    pub(super) verify: bool,
    /// Keep only findings that are certainly real and alive: known, active or restricted
    #[arg(long)]
    pub(super) only_confirmed: bool,
}

/// What is done about confirmed findings.
#[cfg(feature = "network")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Response")]
pub(super) struct HandOverArgs {
    /// Plan what to do about confirmed findings; or do it at once, as far as [respond.auto] of trusted config allows
    #[arg(long, value_enum, value_name = "plan|apply")]
    pub(super) respond: Option<RespondWith>,
    /// Where --respond plan writes the plan
    #[arg(long, value_name = "FILE", requires = "respond")]
    pub(super) plan: Option<PathBuf>,
    /// The secret manager: dir:PATH or infisical [default: `[store]` of trusted config]
    #[arg(long, value_name = "dir:PATH|infisical", requires = "respond")]
    pub(super) store: Option<String>,
    /// What it should hold: verification logs in to its targets [default: `[inventory]` of trusted config]
    #[arg(long, value_name = "FILE")]
    pub(super) inventory: Option<PathBuf>,
    /// Journal, audit log and locks [default: `[respond]` of trusted config, else hekate in $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    #[command(flatten)]
    pub(super) pace: WaitArgs,
}

/// How long a run may wait for a time that was set.
#[cfg(feature = "network")]
#[derive(Debug, Clone, Args)]
pub(super) struct WaitArgs {
    /// Wait so long for a grace time to pass; longer is left to `hekate respond resume` (a number of seconds, or one with s or m)
    #[arg(long, value_name = "TIME", default_value = "20m", value_parser = parse_duration)]
    pub(super) wait: Duration,
}

/// How far a response goes.
#[cfg(feature = "network")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RespondWith {
    /// Shown and written.
    Plan,
    /// Carried out.
    Apply,
}

#[cfg(feature = "network")]
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct VerifyArgs {
    /// A report written with --format json; "-" is standard input
    #[arg(value_name = "REPORT")]
    pub(super) report: Option<PathBuf>,
    /// Show what would be asked, without secrets, and ask nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Where what was scanned lies now [default: where the report says, from the working directory]
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// Read this hekate.toml as trusted config [default: hekate/hekate.toml in $XDG_CONFIG_HOME, else in ~/.config]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Take checks of your own from rules in a TOML file or a folder of them
    #[arg(long, value_name = "FILE|DIR")]
    pub(super) rules: Vec<PathBuf>,
    /// Keep only findings that are certainly real and alive: known, active or restricted
    #[arg(long)]
    pub(super) only_confirmed: bool,
    #[command(flatten)]
    pub(super) show: ShowArgs,
    /// Questions at once [default: 8]
    #[arg(short = 'j', long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Exit with 0 where findings would give 1 or 4 (3 stays)
    #[arg(long)]
    pub(super) exit_zero: bool,
    #[command(flatten)]
    pub(super) hand_over: HandOverArgs,
}

#[derive(Debug, Args)]
pub(super) struct HookArgs {
    #[command(subcommand)]
    pub(super) command: HookCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum HookCommand {
    /// Write a hook into the repository one works in; a hook that is there is kept, and runs first
    Install(InstallArgs),
    /// Take a hook away again and put back what was there before
    Uninstall(HookPlaceArgs),
    /// What the installed hook runs
    Run(HookRunArgs),
}

#[derive(Debug, Args)]
pub(super) struct HookPlaceArgs {
    /// pre-commit, pre-push or pre-receive [default: pre-commit; in a bare repository pre-receive]
    #[arg(value_name = "HOOK", value_parser = parse_hook)]
    pub(super) hooks: Vec<Hook>,
    /// Also where the hooks folder is that of all your repositories (core.hooksPath in your own git config)
    #[arg(long)]
    pub(super) shared: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct InstallArgs {
    #[command(flatten)]
    pub(super) place: HookPlaceArgs,
    /// What the hook gives to `hekate hook run HOOK`
    #[arg(last = true, value_name = "OPTION")]
    pub(super) run_args: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct HookRunArgs {
    #[command(subcommand)]
    pub(super) hook: HookRun,
}

#[derive(Debug, Subcommand)]
pub(super) enum HookRun {
    /// What the commit would add, as `hekate staged` finds it
    #[command(name = "pre-commit")]
    Commit(HookScanArgs),
    /// The commits that the remote lacks; git says on standard input which refs are pushed
    #[command(name = "pre-push")]
    Push {
        #[command(flatten)]
        scan: HookScanArgs,
        /// The remote's name, or its address where it has none
        remote: String,
        /// The remote's address
        url: Option<String>,
    },
    /// The commits that were pushed to this repository; git says on standard input which refs would move
    #[command(name = "pre-receive")]
    Receive {
        #[command(flatten)]
        scan: HookScanArgs,
        /// How long it may take: a number of seconds, or one with ms, s or m
        #[arg(long, value_name = "TIME", default_value = "30s", env = "HEKATE_HOOK_DEADLINE", value_parser = parse_duration)]
        deadline: Duration,
        /// What to do when that is over
        #[arg(long, value_enum, value_name = "WHAT", default_value = "refuse")]
        on_timeout: OnTimeout,
    },
}

/// What becomes of a push that could not be scanned in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnTimeout {
    /// It is let in.
    Allow,
    /// It is refused.
    Refuse,
}

#[derive(Debug, Args)]
pub(super) struct HookScanArgs {
    #[command(flatten)]
    pub(super) select: SelectArgs,
    /// Accepted findings [default: hekate.baseline at the repository's root]
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Leave out what is believed less: low, medium or high [default: medium]
    #[arg(long, value_name = "LEVEL", value_parser = parse_confidence)]
    pub(super) min_confidence: Option<Confidence>,
}

#[derive(Debug, Args)]
pub(super) struct InventoryArgs {
    #[command(subcommand)]
    pub(super) command: InventoryCommand,
}

const INVENTORY_EXIT_CODES: &str = "\
Exit codes:
  0  nothing to do
  1  problems, or (of due) something is overdue
  2  wrong use or config
  3  the manager can't be asked, or did not show everything, and no problem was found";

#[derive(Debug, Subcommand)]
pub(super) enum InventoryCommand {
    /// Make an index of what the manager holds: keyed hashes without values, that scans can search for
    #[command(after_help = INVENTORY_EXIT_CODES)]
    Pull(PullArgs),
    /// What is missing in the manager, unexpected, empty, or in the wrong folder
    #[command(after_help = INVENTORY_EXIT_CODES)]
    Check(ReviewArgs),
    /// Values that are weak or used twice; policies and tokens that reach too far
    #[command(after_help = INVENTORY_EXIT_CODES)]
    Lint(ReviewArgs),
    /// Secrets past their rotation date, or near it
    #[command(after_help = INVENTORY_EXIT_CODES)]
    Due {
        #[command(flatten)]
        review: ReviewArgs,
        /// The day that counts as today
        #[arg(long, value_name = "DATE", value_parser = parse_date, hide = true)]
        today: Option<jiff::civil::Date>,
    },
}

#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// The secret manager: dir:PATH, a folder of dotenv files, or infisical [default: `[store]` of trusted config]
    #[arg(long, value_name = "dir:PATH|infisical")]
    pub(super) store: Option<String>,
    /// What it should hold [default: `[inventory]` of trusted config]
    #[arg(long, value_name = "FILE")]
    pub(super) inventory: Option<PathBuf>,
    /// Read this hekate.toml as trusted config [default: hekate/hekate.toml in $XDG_CONFIG_HOME, else in ~/.config]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Look at this environment only (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(super) environment: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct PullArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// Where to write the index [default: `[index]` of trusted config, else hekate.idx]
    #[arg(long, value_name = "FILE", env = "HEKATE_INDEX")]
    pub(super) index: Option<PathBuf>,
    /// Older versions of each secret that are found as retired, at most
    #[arg(long, value_name = "N", default_value = "10")]
    pub(super) versions: usize,
    /// Search for weak values, too: they stand in many places by chance, and whoever has index and key can guess them
    #[arg(long)]
    pub(super) include_weak: bool,
    /// The state folder, whose audit log records that the values were read [default: `[respond]` of trusted config, else hekate in
    /// $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Exit with 0 where a part of the manager could not be read
    #[arg(long)]
    pub(super) allow_partial: bool,
    /// Nothing but errors on standard error
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// Text for people, or JSON
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    pub(super) format: ListFormat,
    /// When to use colour
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(super) color: Color,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The folder to set up
    #[arg(default_value = ".", value_name = "DIR")]
    pub(super) folder: PathBuf,
}

impl SelectArgs {
    /// As the config room takes them.
    pub(super) fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            rules: self.rules.clone(),
            only_rules: self.only_rule.clone(),
            skip_rules: self.skip_rule.clone(),
            no_default_rules: self.no_default_rules,
            no_archives: self.no_archives,
            index: self.index.clone(),
            ..Flags::default()
        }
    }
}

impl HookScanArgs {
    /// As the config room takes them.
    pub(super) fn flags(&self) -> Flags {
        Flags { baseline: self.baseline.clone(), min_confidence: self.min_confidence, ..self.select.flags() }
    }
}

impl PolicyArgs {
    /// As the config room takes it.
    pub(super) fn source(&self) -> Option<PolicyFrom> {
        self.policy_from.clone().map(PolicyFrom::Ref)
    }
}

impl WalkArgs {
    /// As the config room takes them.
    pub(super) fn flags(&self) -> WalkFlags {
        WalkFlags {
            no_ignore: self.no_ignore,
            skip_hidden: self.skip_hidden,
            skip_binary: self.skip_binary,
            max_file_size: self.max_file_size,
        }
    }
}

fn parse_format(text: &str) -> Result<Format, String> {
    text.parse().map_err(|_| {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
        format!("none of {}", known.join(", "))
    })
}

fn parse_hook(text: &str) -> Result<Hook, String> {
    Hook::ALL
        .iter()
        .copied()
        .find(|hook| hook.name() == text)
        .ok_or_else(|| "none of pre-commit, pre-push and pre-receive".to_owned())
}

pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let fail = || "a time is a whole number of seconds, or one with ms, s or m behind it".to_owned();
    let (digits, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let number: u64 = digits.parse().map_err(|_| fail())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs).ok_or_else(fail),
        _ => Err(fail()),
    }
}

fn parse_date(text: &str) -> Result<jiff::civil::Date, String> {
    text.parse().map_err(|_| "a day is written YYYY-MM-DD".to_owned())
}

fn parse_confidence(text: &str) -> Result<Confidence, String> {
    text.parse().map_err(|error: crate::model::ParseGradeError| error.to_string())
}

fn parse_size(text: &str) -> Result<u64, String> {
    let trimmed = text.trim_end_matches(['b', 'B', 'i']);
    let (digits, unit) = trimmed.split_at(trimmed.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let factor = match unit.to_ascii_uppercase().as_str() {
        "" => 1_u64,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return Err("a size is a number of bytes, or one with K, M or G behind it".into()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "a size is a number of bytes, or one with K, M or G behind it".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "too big".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_take_units() {
        for (text, milliseconds) in [("5", 5_000), ("30s", 30_000), ("250ms", 250), ("2m", 120_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert!(["", "s", "1h", "-1", "1.5s"].iter().all(|text| parse_duration(text).is_err()));
    }

    #[test]
    fn sizes_take_units() {
        for (text, size) in [("10", 10), ("2K", 2048), ("10MB", 10 << 20), ("1GiB", 1 << 30)] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        assert!(parse_size("x").is_err() && parse_size("5T").is_err() && parse_size("99999999999G").is_err());
    }
}
