//! Sets of rules: files and folders of TOML, read, checked and joined.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
};

use super::{
    Allowlist, Origin, Rule, TomlError, builtin,
    load::{self, Context, read_toml},
    nearby,
    schema::{RawExtend, RawPack},
};

/// Why rules could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A file or folder could not be read.
    #[error("read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The TOML is malformed.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// A rule in it is.
    #[error("{}: rule `{rule}`: {message}", file.display())]
    Rule {
        /// The file.
        file: PathBuf,
        /// The rule's id.
        rule: String,
        /// What is wrong.
        message: String,
    },
    /// A global allowlist or `[extend]` in it is.
    #[error("{}: {message}", file.display())]
    Pack {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// Rules and global allowlists, in order.
#[derive(Debug, Clone, Default)]
pub struct RulePack {
    /// Rules with distinct ids.
    pub rules: Vec<Rule>,
    /// Allowlists that hold for all of them, or for those they name.
    pub allowlists: Vec<Allowlist>,
    /// Ids that an `[extend]` switched off.
    pub disabled: Vec<String>,
}

/// Whether a rule file may name another one by `[extend] path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extends {
    /// The user named the file: it may lead anywhere.
    Allowed,
    /// It came with the scanned repository: it must not make hekate read files elsewhere.
    Refused,
}

/// Chains of `[extend] path` longer than this are refused, as gitleaks does.
const MAX_EXTENDS: usize = 4;

impl RulePack {
    /// Reads a rule file, or all `*.toml` of a folder in the order of their names.
    ///
    /// # Errors
    /// What can't be read, malformed TOML, an invalid rule, or one id twice: always with file and rule.
    pub fn load(path: &Path, extends: Extends) -> Result<Self, RuleError> {
        let read = |source| RuleError::Read { path: path.to_owned(), source };
        if !path.metadata().map_err(read)?.is_dir() {
            return Self::load_file(path, extends, 0);
        }
        let mut files = Vec::new();
        for entry in path.read_dir().map_err(read)? {
            let file = entry.map_err(read)?.path();
            if file.extension().is_some_and(|extension| extension == "toml") {
                files.push(file);
            }
        }
        files.sort();
        let load = |file: PathBuf| Ok((Self::load_file(&file, extends, 0)?, file));
        Self::of_folder(path, files.into_iter().map(load))
    }

    /// The same from text, where the folder is none on disk: each file's name and text, in order.
    ///
    /// # Errors
    /// As [`RulePack::load`].
    pub fn parse_folder(
        folder: &Path,
        files: Vec<(PathBuf, String)>,
        extends: Extends,
    ) -> Result<Self, RuleError> {
        let parse = |(name, text): (PathBuf, String)| Ok((Self::parse_file(&text, &name, extends)?, name));
        Self::of_folder(folder, files.into_iter().map(parse))
    }

    fn of_folder(
        folder: &Path,
        files: impl Iterator<Item = Result<(Self, PathBuf), RuleError>>,
    ) -> Result<Self, RuleError> {
        let mut joined: Option<Self> = None;
        for file in files {
            let (pack, name) = file?;
            joined.get_or_insert_default().join(pack, &name)?;
        }
        let message = "the folder holds no *.toml".to_owned();
        joined.ok_or_else(|| RuleError::Pack { file: folder.to_owned(), message })
    }

    fn load_file(path: &Path, extends: Extends, depth: usize) -> Result<Self, RuleError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RuleError::Read { path: path.to_owned(), source })?;
        Self::from_file(&text, path, extends, depth)
    }

    /// Reads rules from the text of a rule file; `path` names it in errors.
    ///
    /// # Errors
    /// As [`RulePack::load`].
    pub fn parse_file(text: &str, path: &Path, extends: Extends) -> Result<Self, RuleError> {
        Self::from_file(text, path, extends, 0)
    }

    fn from_file(text: &str, path: &Path, extends: Extends, depth: usize) -> Result<Self, RuleError> {
        let raw: RawPack = read_toml(&path.to_string_lossy(), text)?;
        if let Some(section) = raw.config_section() {
            let message = format!("[{section}] belongs into hekate.toml, not into a rule file");
            return Err(RuleError::Pack { file: path.to_owned(), message });
        }
        Self::from_raw(raw, path, extends, depth)
    }

    /// Reads rules from text, as a rule file or a `hekate.toml` holds them; `file` names it in errors.
    ///
    /// # Errors
    /// As [`RulePack::load`].
    pub fn parse(text: &str, file: &Path, extends: Extends) -> Result<Self, RuleError> {
        Self::from_raw(read_toml(&file.to_string_lossy(), text)?, file, extends, 0)
    }

    fn from_raw(raw: RawPack, file: &Path, extends: Extends, depth: usize) -> Result<Self, RuleError> {
        let mut pack = raw
            .extend
            .as_ref()
            .map_or_else(|| Ok(Self::default()), |extend| Self::extended(extend, file, extends, depth))?;
        if extends == Extends::Refused {
            refuse_checks(&raw, file)?;
        }
        let mut own = compile(raw, &file.to_string_lossy(), Origin::User)?;
        pack.rules.retain(|rule| own.rules.iter().all(|newer| newer.id != rule.id));
        pack.rules.append(&mut own.rules);
        pack.allowlists.append(&mut own.allowlists);
        Ok(pack)
    }

    fn extended(extend: &RawExtend, file: &Path, extends: Extends, depth: usize) -> Result<Self, RuleError> {
        let fail = |message: String| RuleError::Pack { file: file.to_owned(), message };
        if depth >= MAX_EXTENDS {
            return Err(fail(format!("[extend] goes deeper than {MAX_EXTENDS} files")));
        }
        if extend.path.is_some() && extends == Extends::Refused {
            return Err(fail("[extend] path: only a file named by --config or --rules may do that".into()));
        }
        let mut pack = match &extend.path {
            Some(path) => {
                Self::load_file(&file.parent().unwrap_or(Path::new(".")).join(path), extends, depth + 1)?
            }
            None => Self::default(),
        };
        if extend.use_default {
            let newer: HashSet<String> = pack.rules.iter().map(|rule| rule.id.clone()).collect();
            pack.rules.extend(builtin().into_iter().filter(|rule| !newer.contains(&rule.id)));
        }
        pack.rules.retain(|rule| !extend.disabled_rules.contains(&rule.id));
        pack.disabled.extend(extend.disabled_rules.iter().cloned());
        Ok(pack)
    }

    fn join(&mut self, other: Self, file: &Path) -> Result<(), RuleError> {
        if let Some(twice) =
            other.rules.iter().find(|rule| self.rules.iter().any(|known| known.id == rule.id))
        {
            let message = "another file of the folder has a rule of this id".into();
            return Err(RuleError::Rule { file: file.to_owned(), rule: twice.id.clone(), message });
        }
        self.rules.extend(other.rules);
        self.allowlists.extend(other.allowlists);
        self.disabled.extend(other.disabled);
        Ok(())
    }

    /// Puts `newer` over this: a rule of the same id replaces, what `newer` disables goes.
    pub fn overlay(&mut self, newer: Self) {
        self.rules.retain(|rule| {
            !newer.disabled.contains(&rule.id) && newer.rules.iter().all(|other| other.id != rule.id)
        });
        self.rules.extend(newer.rules);
        self.allowlists.extend(newer.allowlists);
    }
}

/// What comes with the scanned repository must not say where secrets are sent.
fn refuse_checks(raw: &RawPack, file: &Path) -> Result<(), RuleError> {
    let Some(rule) = raw.rules.iter().find(|rule| rule.verify.is_some()) else { return Ok(()) };
    let message =
        "verify: a repository's own rules can't say where secrets are sent; put the rule into a file that \
                   you name by --config or --rules"
            .into();
    Err(RuleError::Rule { file: file.to_owned(), rule: rule.id.clone(), message })
}

/// Checks every rule and allowlist of one file.
pub(super) fn compile(raw: RawPack, file: &str, origin: Origin) -> Result<RulePack, RuleError> {
    let context = Context { file, origin };
    let mut pack = RulePack::default();
    let mut seen = HashSet::new();
    let mut rules = Vec::new();
    for raw_rule in raw.rules {
        rules.push(load::rule(raw_rule, context)?);
    }
    for provider in raw.providers {
        rules.extend(nearby::rules(provider, context)?);
    }
    for rule in rules {
        if !seen.insert(rule.id.clone()) {
            let message = "this id stands twice in the file".into();
            return Err(RuleError::Rule { file: PathBuf::from(file), rule: rule.id, message });
        }
        pack.rules.push(rule);
    }
    for list in raw.allowlist.into_iter().chain(raw.allowlists) {
        let list = load::allowlist(list)
            .map_err(|message| RuleError::Pack { file: PathBuf::from(file), message })?;
        pack.allowlists.push(list);
    }
    Ok(pack)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RulePack, String> {
        RulePack::parse(text, Path::new("own.toml"), Extends::Allowed).map_err(|error| error.to_string())
    }

    #[test]
    fn a_bad_regex_names_file_rule_and_place() {
        let error = parse("[[rules]]\nid = 'broken'\nregex = 'acme_(['\n").unwrap_err();
        assert!(error.starts_with("own.toml: rule `broken`: regex: "), "{error}");
        assert!(error.contains("unclosed character class"), "{error}");
    }

    #[test]
    fn a_pattern_that_matches_the_empty_string_is_refused() {
        assert!(parse("[[rules]]\nid = 'all'\nregex = 'a*'\n").unwrap_err().contains("empty string"));
    }

    #[test]
    fn one_id_twice_is_refused() {
        let rule = "[[rules]]\nid = 'one'\nregex = 'acme'\n";
        assert!(parse(&format!("{rule}{rule}")).unwrap_err().contains("twice"));
    }

    #[test]
    fn a_group_that_is_not_there_is_refused() {
        assert!(
            parse("[[rules]]\nid = 'one'\nregex = 'acme'\nsecretGroup = 2").unwrap_err().contains("0 groups")
        );
    }

    #[test]
    fn keywords_gate_only_where_the_literals_do_not_imply_them() {
        let pack = parse("[[rules]]\nid='a'\nregex='acme_[0-9]{9}'\nkeywords=['ACME']\n[[rules]]\nid='b'\nregex='zeta_[0-9]{9}'\nkeywords=['acme']").unwrap();
        assert!(pack.rules[0].gates.is_empty());
        assert_eq!(pack.rules[1].gates, ["acme"]);
    }

    #[test]
    fn extend_takes_the_built_in_rules_less_the_disabled_ones() {
        let pack = parse("[extend]\nuseDefault = true\ndisabledRules = ['jwt']\n").unwrap();
        assert!(pack.rules.len() > 50 && pack.rules.iter().all(|rule| rule.id != "jwt"));
    }
}
