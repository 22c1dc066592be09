//! Flags and files, merged into what each room takes.

use std::{
    collections::HashSet,
    env, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    ConfigFile, PolicyFrom, Trusted,
    home::{Home, Text},
    index,
};
use zeroize::Zeroizing;

use crate::{
    detect::{MOST_MATCHES, known::KnownValues},
    inventory::IndexError,
    lint,
    model::{Confidence, FingerprintKey, KeyError},
    rule::{Extends, Origin, Rule, RuleError, RulePack, builtin, builtin_with_templates},
    source::{WalkOptions, display},
    triage::{Baseline, BaselineError, Date, IgnoreFile, IgnoreFileError, Policy},
};

/// Its name at the root of a repository.
pub const BASELINE_NAME: &str = "hekate.baseline";
const IGNORE_FILE_NAME: &str = ".gitleaksignore";

/// What the command line says, before defaults.
#[derive(Debug, Default, Clone)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--rules`.
    pub rules: Vec<PathBuf>,
    /// `--only-rule`.
    pub only_rules: Vec<String>,
    /// `--skip-rule`.
    pub skip_rules: Vec<String>,
    /// `--no-default-rules`.
    pub no_default_rules: bool,
    /// `--no-archives`.
    pub no_archives: bool,
    /// `--index`.
    pub index: Option<PathBuf>,
    /// `--baseline`.
    pub baseline: Option<PathBuf>,
    /// `--min-confidence`.
    pub min_confidence: Option<Confidence>,
    /// `--show-secrets`.
    pub show_secrets: bool,
    /// `--policy-from`.
    pub policy_from: Option<PolicyFrom>,
    /// What the walk is told.
    pub walk: WalkFlags,
}

/// The walk's flags.
#[derive(Debug, Default, Clone)]
pub struct WalkFlags {
    /// `--no-ignore` was given.
    pub no_ignore: bool,
    /// `--skip-hidden` was given.
    pub skip_hidden: bool,
    /// `--skip-binary` was given.
    pub skip_binary: bool,
    /// `--max-file-size`, in bytes.
    pub max_file_size: Option<u64>,
}

/// Everything a scan needs.
#[derive(Debug)]
pub struct Settings {
    /// The rules to run.
    pub rules: Vec<Rule>,
    /// The values of the secret manager to search for.
    pub known: Option<Arc<KnownValues>>,
    /// Whether archives are looked into.
    pub archives: bool,
    /// What to tell the user beside the report.
    pub notes: Vec<String>,
    /// What decides beside them.
    pub policy: Policy,
    /// How trees are walked.
    pub walk: WalkOptions,
    /// Least confidence that is reported.
    pub min_confidence: Confidence,
    /// The baseline's file, there or not.
    pub baseline_path: PathBuf,
    /// Root of the repository one works in.
    pub repository: Option<PathBuf>,
}

/// Config that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file can't be read.
    #[error("read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A rule or config file is malformed.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// A repository's config names a file outside.
    #[error("{}: `{}` leads out of the repository; only a config named by --config may do that", config.display(), path.display())]
    LeadsOut {
        /// The config.
        config: PathBuf,
        /// The path in it.
        path: PathBuf,
    },
    /// A repository's config says what only trusted config may.
    #[error(
        "{}: [{section}] counts only in a config that --config names, or in your own (hekate/hekate.toml in $XDG_CONFIG_HOME, else in \
         ~/.config); what a repository brings along must not say it", config.display()
    )]
    Untrusted {
        /// The config.
        config: PathBuf,
        /// The section in it.
        section: &'static str,
    },
    /// A section of trusted config with something in it that can't be used.
    #[error("{}: [{section}] {why}", config.display())]
    Section {
        /// The config.
        config: PathBuf,
        /// The section in it.
        section: &'static str,
        /// What, and how it is written.
        why: String,
    },
    /// The state folder can't be used.
    #[cfg(feature = "network")]
    #[error(transparent)]
    State(#[from] crate::respond::StateError),
    /// What is kept in a state folder can't be checked.
    #[error("there is no key: {} is not there, and neither HEKATE_KEY nor HEKATE_KEY_FILE is set", file.display())]
    NoStateKey {
        /// Where it would be.
        file: PathBuf,
    },
    /// There is nowhere to keep a state.
    #[error("no state folder: give --state DIR, or set HOME or XDG_STATE_HOME to an absolute path")]
    NoState,
    /// `--policy-from` names no commit.
    #[error(
        "--policy-from {name}: no such commit here ({}); fetch it first, with `git fetch origin BRANCH`; in CI check out with \
         the whole history (fetch-depth: 0)", source.message()
    )]
    PolicyRef {
        /// As typed.
        name: String,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// The repository one works in can't be opened, or its config not read.
    #[error("open the repository: {}", source.message())]
    Git {
        /// What libgit2 said.
        source: git2::Error,
    },
    /// A rule id that no rule has.
    #[error("no rule has the id `{id}`{hint}; `hekate rules list` shows them all")]
    UnknownRule {
        /// As typed.
        id: String,
        /// The nearest one.
        hint: String,
    },
    /// A rule could never match: what it requires is not there.
    #[error("rule `{rule}` requires `{id}`, and no rule has that id, so it would never find anything")]
    Required {
        /// The rule.
        rule: String,
        /// What it requires.
        id: String,
    },
    /// No rule is left.
    #[error("no rule is left to scan with")]
    NoRules,
    /// The baseline is malformed.
    #[error("{}: {source}", path.display())]
    Baseline {
        /// Which.
        path: PathBuf,
        /// Why.
        source: BaselineError,
    },
    /// The ignore file is malformed.
    #[error("{}: {source}", path.display())]
    IgnoreFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: IgnoreFileError,
    },
    /// There is no key, and an index needs one.
    #[error(
        "an index needs a key: set HEKATE_KEY to 64 hexadecimal digits, or HEKATE_KEY_FILE to a file that holds them; make one \
         with `openssl rand -hex 32`, and keep it: an index is of use with its own key only"
    )]
    NoKey,
    /// The index can't be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// `HEKATE_KEY` or the file named by `HEKATE_KEY_FILE`.
    #[error("{from}: {source}")]
    Key {
        /// Where it came from.
        from: String,
        /// Why.
        source: KeyError,
    },
}

impl Settings {
    /// Reads what there is. `scanned` is the root that will be scanned, `here` the working directory.
    ///
    /// # Errors
    /// Whatever file is there and can't be used.
    pub fn load(flags: &Flags, scanned: Option<&Path>, here: &Path) -> Result<Self, ConfigError> {
        let home = Home::find(flags.policy_from.as_ref(), here)?;
        let (config, gitleaks) = match &flags.config {
            Some(path) => (ConfigFile::load(path, true)?, RulePack::default()),
            None => (home.config()?, home.gitleaks()?),
        };
        let section = config.scan;
        let mut pack = if flags.no_default_rules { RulePack::default() } else { RulePack::of(builtin()) };
        pack.overlay(gitleaks)?;
        for files in config.rule_files {
            pack.overlay(files)?;
        }
        pack.overlay(config.pack)?;
        for path in &flags.rules {
            pack.overlay(RulePack::load(path, Extends::Allowed)?)?;
        }
        check_required(&pack.rules)?;
        let only = if flags.only_rules.is_empty() { &section.only_rules } else { &flags.only_rules };
        let skip: Vec<String> = section.skip_rules.iter().chain(&flags.skip_rules).cloned().collect();
        let trusted = Trusted::load(flags.config.as_deref())?;
        let (index, mut notes) = index::load(flags.index.as_deref(), &trusted)?;
        notes.extend(pack.rules.iter().filter(|rule| lint::matches_everything(rule)).map(everything));
        match select(&mut pack.rules, only, &skip) {
            // Known values can be searched for alone.
            Err(ConfigError::NoRules) if index.is_some() => {}
            result => result?,
        }
        let key = fingerprint_key()?;
        let baseline = match (&flags.baseline, &section.baseline) {
            (Some(path), _) => Some(Text::read(path)?),
            // A config that the user named says where its files lie; the repository's own has them where it is itself.
            (None, Some(path)) if flags.config.is_none() => Some(home.named(path)?),
            (None, Some(path)) => Some(Text::read(path)?),
            (None, None) => home.own(BASELINE_NAME)?,
        };
        let baseline_path = flags.baseline.clone().or(section.baseline);
        let baseline_path = baseline_path.unwrap_or_else(|| home.root.join(BASELINE_NAME));
        let is_pinned = home.is_pinned();
        let repository = home.is_repository.then(|| home.root.clone());
        let policy = Policy {
            allowlists: pack.allowlists,
            is_trusted: flags.config.is_some(),
            ignore_file: parse_ignore_file(home.own(IGNORE_FILE_NAME)?)?,
            repository: home.root.canonicalize().map(|root| display(&root)).unwrap_or_default(),
            prefix: prefix_in(scanned.filter(|path| path.is_dir()).unwrap_or(here), &home.root),
            baseline: parse_baseline(baseline, key.is_keyed())?,
            key,
            today: today(),
            show_secrets: flags.show_secrets,
            before: home.into_before(),
        };
        let walk = WalkOptions {
            // A change can put its own leak into .gitignore and commit it nevertheless.
            respect_gitignore: !is_pinned
                && !flags.walk.no_ignore
                && section.respect_gitignore.unwrap_or(true),
            skip_hidden: flags.walk.skip_hidden || section.skip_hidden.unwrap_or(false),
            skip_binary: flags.walk.skip_binary || section.skip_binary.unwrap_or(false),
            max_file_size: flags.walk.max_file_size.or(section.max_file_size),
            threads: 0,
        };
        let min_confidence = flags.min_confidence.or(section.min_confidence).unwrap_or(Confidence::Medium);
        let known = index.map(|index| Arc::new(index.known));
        let archives = !flags.no_archives && section.archives.unwrap_or(true);
        Ok(Self {
            rules: pack.rules,
            known,
            archives,
            notes,
            policy,
            walk,
            min_confidence,
            baseline_path,
            repository,
        })
    }

    /// Own rules, over the built-in ones: of these files and folders, else of the configs of the repository one works in.
    ///
    /// # Errors
    /// A file that can't be used.
    pub fn own_rules(paths: &[PathBuf], here: &Path) -> Result<RulePack, ConfigError> {
        let mut pack = RulePack::of(builtin_with_templates());
        let mut lay_over = |config: ConfigFile| -> Result<(), ConfigError> {
            for files in config.rule_files {
                pack.overlay(files)?;
            }
            Ok(pack.overlay(config.pack)?)
        };
        for path in paths {
            if path.is_dir() {
                let pack = RulePack::load(path, Extends::Allowed)?;
                lay_over(ConfigFile { pack, ..ConfigFile::default() })?;
            } else {
                lay_over(ConfigFile::load(path, true)?)?;
            }
        }
        if paths.is_empty() {
            let home = Home::find(None, here)?;
            lay_over(ConfigFile { pack: home.gitleaks()?, ..ConfigFile::default() })?;
            lay_over(home.config()?)?;
        }
        check_required(&pack.rules)?;
        Ok(pack)
    }

    /// The rules that a command about rules works with, templates included.
    ///
    /// # Errors
    /// A rule file that can't be used.
    pub fn rules_with_templates(flags: &Flags) -> Result<Vec<Rule>, ConfigError> {
        let rules = if flags.no_default_rules { Vec::new() } else { builtin_with_templates() };
        let mut pack = RulePack::of(rules);
        let config = flags.config.as_deref().map(|path| ConfigFile::load(path, true)).transpose()?;
        let config = config.unwrap_or_default();
        for files in config.rule_files {
            pack.overlay(files)?;
        }
        pack.overlay(config.pack)?;
        for path in &flags.rules {
            pack.overlay(RulePack::load(path, Extends::Allowed)?)?;
        }
        check_required(&pack.rules)?;
        select(&mut pack.rules, &flags.only_rules, &flags.skip_rules)?;
        pack.rules.sort_by(|one, two| one.id.cmp(&two.id));
        Ok(pack.rules)
    }
}

/// What to say of a rule that finds something in every file.
fn everything(rule: &Rule) -> String {
    format!(
        "note: rule `{}` matches ordinary text nearly everywhere; of each file only its first {MOST_MATCHES} matches are kept. \
         `hekate rules lint` says more",
        rule.id
    )
}

/// Where a folder lies in the repository, with a `/` at the end; empty for its root and for what lies outside.
fn prefix_in(folder: &Path, home: &Path) -> String {
    let (Ok(folder), Ok(home)) = (folder.canonicalize(), home.canonicalize()) else { return String::new() };
    let inner = folder.strip_prefix(&home).map(display).unwrap_or_default();
    if inner.is_empty() { inner } else { format!("{inner}/") }
}

/// What a user's rule requires has to be there.
fn check_required(rules: &[Rule]) -> Result<(), ConfigError> {
    let ids: HashSet<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    for rule in rules.iter().filter(|rule| rule.origin != Origin::BuiltIn) {
        if let Some(missing) = rule.required.iter().find(|required| !ids.contains(required.id.as_str())) {
            return Err(ConfigError::Required { rule: rule.id.clone(), id: missing.id.clone() });
        }
    }
    Ok(())
}

/// Keeps the wanted rules; a rule that another requires stays, but is not reported.
fn select(rules: &mut Vec<Rule>, only: &[String], skip: &[String]) -> Result<(), ConfigError> {
    for id in only.iter().chain(skip) {
        find_rule(rules, id)?;
    }
    let is_wanted = |rule: &Rule| (only.is_empty() || only.contains(&rule.id)) && !skip.contains(&rule.id);
    let required: HashSet<String> = rules
        .iter()
        .filter(|rule| is_wanted(rule))
        .flat_map(|rule| rule.required.iter().map(|other| other.id.clone()))
        .collect();
    rules.retain_mut(|rule| {
        let wanted = is_wanted(rule);
        rule.skip_report |= !wanted;
        wanted || required.contains(&rule.id)
    });
    if rules.is_empty() { Err(ConfigError::NoRules) } else { Ok(()) }
}

/// The rule of this id.
///
/// # Errors
/// That there is none, with the nearest id.
pub fn find_rule<'a>(rules: &'a [Rule], id: &str) -> Result<&'a Rule, ConfigError> {
    rules.iter().find(|rule| rule.id == id).ok_or_else(|| {
        let nearest = rules.iter().map(|rule| (strsim::damerau_levenshtein(&rule.id, id), &rule.id)).min();
        let hint = nearest
            .filter(|(distance, _)| *distance <= 4)
            .map(|(_, known)| format!("; did you mean `{known}`?"));
        ConfigError::UnknownRule { id: id.to_owned(), hint: hint.unwrap_or_default() }
    })
}

fn parse_baseline(text: Option<Text>, has_key: bool) -> Result<Baseline, ConfigError> {
    let Some(Text { name: path, text }) = text else { return Ok(Baseline::default()) };
    Baseline::parse(&text, has_key).map_err(|source| ConfigError::Baseline { path, source })
}

fn parse_ignore_file(text: Option<Text>) -> Result<IgnoreFile, ConfigError> {
    let Some(Text { name: path, text }) = text else { return Ok(IgnoreFile::default()) };
    IgnoreFile::parse(&text).map_err(|source| ConfigError::IgnoreFile { path, source })
}

/// The key of `HEKATE_KEY` or `HEKATE_KEY_FILE`, else the public constant.
///
/// # Errors
/// A key file that can't be read, or a key that is none.
pub fn fingerprint_key() -> Result<FingerprintKey, ConfigError> {
    let Some((from, text)) = master_key()? else { return Ok(FingerprintKey::public()) };
    FingerprintKey::from_hex(&text).map_err(|source| ConfigError::Key { from, source })
}

/// The text of `HEKATE_KEY` or of the file that `HEKATE_KEY_FILE` names, and which of the two it is.
///
/// # Errors
/// A key file that can't be read.
pub(super) fn master_key() -> Result<Option<(String, Zeroizing<String>)>, ConfigError> {
    let key_file = env::var_os("HEKATE_KEY_FILE").map(PathBuf::from);
    Ok(match (env::var_os("HEKATE_KEY"), key_file) {
        // What is no UTF-8 is no key either, and is refused as one.
        (Some(text), _) => {
            Some(("HEKATE_KEY".to_owned(), Zeroizing::new(text.to_string_lossy().into_owned())))
        }
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path)
                .map_err(|source| ConfigError::Read { path: path.clone(), source })?;
            Some((format!("HEKATE_KEY_FILE ({})", path.display()), Zeroizing::new(text)))
        }
        (None, None) => None,
    })
}

/// The day on which baseline entries are looked at, UTC.
pub fn today() -> Date {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Date::from_unix(since.as_secs())
}
