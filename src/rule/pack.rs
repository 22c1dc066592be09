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
    schema::{RawExtend, RawPack, RawRule},
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
#[derive(Debug, Default)]
pub struct RulePack {
    /// Rules with distinct ids.
    pub rules: Vec<Rule>,
    /// Allowlists that hold for all of them, or for those they name.
    pub allowlists: Vec<Allowlist>,
    /// Ids that an `[extend]` switched off.
    pub disabled: Vec<String>,
    /// Rules that have neither regex nor path, and so add to those of their ids which this is laid over.
    additions: Vec<Addition>,
}

/// A rule that adds to another.
#[derive(Debug)]
struct Addition {
    file: PathBuf,
    raw: RawRule,
}

/// Reads another file of the same repository: what names it, and the path that stands there. Returns what errors call it, and its text.
pub type ReadInside<'a> = &'a dyn Fn(&Path, &str) -> Result<(PathBuf, String), RuleError>;

/// Whether a rule file may name another one by `[extend] path`.
#[derive(Clone, Copy)]
pub enum Extends<'a> {
    /// The user named the file: it may lead anywhere.
    Allowed,
    /// It came with the scanned repository: it must not make hekate read files elsewhere.
    Inside(ReadInside<'a>),
    /// The same, where there is no other file.
    Refused,
}

impl Extends<'_> {
    /// Whether the user named the file.
    pub fn is_trusted(self) -> bool {
        matches!(self, Self::Allowed)
    }
}

/// Chains of `[extend] path` longer than this are refused, as gitleaks does.
const MAX_EXTENDS: usize = 4;

impl RulePack {
    /// These rules, and nothing else.
    pub fn of(rules: Vec<Rule>) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Reads a rule file, or all `*.toml` of a folder in the order of their names.
    ///
    /// # Errors
    /// What can't be read, malformed TOML, an invalid rule, or one id twice: always with file and rule.
    pub fn load(path: &Path, extends: Extends<'_>) -> Result<Self, RuleError> {
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
        extends: Extends<'_>,
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

    fn load_file(path: &Path, extends: Extends<'_>, depth: usize) -> Result<Self, RuleError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RuleError::Read { path: path.to_owned(), source })?;
        Self::from_file(&text, path, extends, depth)
    }

    /// Reads rules from the text of a rule file; `path` names it in errors.
    ///
    /// # Errors
    /// As [`RulePack::load`].
    pub fn parse_file(text: &str, path: &Path, extends: Extends<'_>) -> Result<Self, RuleError> {
        Self::from_file(text, path, extends, 0)
    }

    fn from_file(text: &str, path: &Path, extends: Extends<'_>, depth: usize) -> Result<Self, RuleError> {
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
    pub fn parse(text: &str, file: &Path, extends: Extends<'_>) -> Result<Self, RuleError> {
        Self::from_raw(read_toml(&file.to_string_lossy(), text)?, file, extends, 0)
    }

    fn from_raw(raw: RawPack, file: &Path, extends: Extends<'_>, depth: usize) -> Result<Self, RuleError> {
        let mut pack = match &raw.extend {
            Some(extend) => Self::extended(extend, file, extends, depth)?,
            None => Self::default(),
        };
        if !extends.is_trusted() {
            refuse_checks(&raw, file)?;
        }
        let extending = raw.extend.is_some();
        let own = compile(raw, &file.to_string_lossy(), Origin::User, |raw| {
            let base = pack.rules.iter().position(|rule| rule.id == raw.id).filter(|_| extending);
            base.map(|index| pack.rules.remove(index))
        })?;
        pack.rules.extend(own.rules);
        pack.allowlists.extend(own.allowlists);
        pack.additions.extend(own.additions);
        Ok(pack)
    }

    fn extended(
        extend: &RawExtend,
        file: &Path,
        extends: Extends<'_>,
        depth: usize,
    ) -> Result<Self, RuleError> {
        let fail = |message: String| RuleError::Pack { file: file.to_owned(), message };
        if depth >= MAX_EXTENDS {
            return Err(fail(format!("[extend] goes deeper than {MAX_EXTENDS} files")));
        }
        if extend.url.is_some() {
            let what = "[extend] url: no rules are fetched; save the file and name it by `path`";
            return Err(fail(what.into()));
        }
        let mut pack = match (&extend.path, extends) {
            (None, _) => Self::default(),
            (Some(path), Extends::Allowed) => {
                Self::load_file(&file.parent().unwrap_or(Path::new(".")).join(path), extends, depth + 1)?
            }
            (Some(path), Extends::Inside(read)) => {
                let (name, text) = read(file, path)?;
                Self::from_file(&text, &name, extends, depth + 1)?
            }
            (Some(_), Extends::Refused) => {
                let what = "[extend] path: only a file named by --config or --rules may do that";
                return Err(fail(what.into()));
            }
        };
        if extend.use_default {
            let newer: HashSet<String> = pack.rules.iter().map(|rule| rule.id.clone()).collect();
            pack.rules.extend(builtin().into_iter().filter(|rule| !newer.contains(&rule.id)));
        }
        pack.rules.retain(|rule| !extend.disabled_rules.contains(&rule.id));
        pack.additions.retain(|addition| !extend.disabled_rules.contains(&addition.raw.id));
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
        self.additions.extend(other.additions);
        Ok(())
    }

    /// Puts `newer` over this: a rule of the same id replaces, what `newer` disables goes, what has no pattern of its own adds.
    ///
    /// # Errors
    /// An addition to a rule that is not there, or that can't be made.
    pub fn overlay(&mut self, newer: Self) -> Result<(), RuleError> {
        self.rules.retain(|rule| {
            !newer.disabled.contains(&rule.id) && newer.rules.iter().all(|other| other.id != rule.id)
        });
        self.rules.extend(newer.rules);
        self.allowlists.extend(newer.allowlists);
        for Addition { file, raw } in newer.additions {
            let context = Context { file: &file.to_string_lossy(), origin: Origin::User };
            let base = self.rules.iter_mut().find(|rule| rule.id == raw.id);
            match base {
                Some(base) => *base = load::amend(base.clone(), raw, context)?,
                // It says itself what is missing.
                None => drop(load::rule(raw, context)?),
            }
        }
        Ok(())
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

/// Checks every rule and allowlist of one file. `base` gives what a rule extends, if there is something.
pub(super) fn compile(
    raw: RawPack,
    file: &str,
    origin: Origin,
    mut base: impl FnMut(&RawRule) -> Option<Rule>,
) -> Result<RulePack, RuleError> {
    let context = Context { file, origin };
    let fail = |message| RuleError::Pack { file: PathBuf::from(file), message };
    let mut pack = RulePack::default();
    let mut seen = HashSet::new();
    for raw in raw.rules {
        if !raw.id.is_empty() && !seen.insert(raw.id.clone()) {
            let message = "this id stands twice in the file".into();
            return Err(RuleError::Rule { file: PathBuf::from(file), rule: raw.id, message });
        }
        let is_bare = raw.regex.is_none() && raw.path.is_none() && !raw.id.is_empty();
        match base(&raw) {
            Some(base) => pack.rules.push(load::amend(base, raw, context)?),
            None if is_bare && origin == Origin::User => {
                pack.additions.push(Addition { file: PathBuf::from(file), raw });
            }
            None => pack.rules.push(load::rule(raw, context)?),
        }
    }
    for provider in raw.providers {
        for rule in nearby::rules(provider, context)? {
            if !seen.insert(rule.id.clone()) {
                let message = "this id stands twice in the file".into();
                return Err(RuleError::Rule { file: PathBuf::from(file), rule: rule.id, message });
            }
            pack.rules.push(rule);
        }
    }
    for list in raw.allowlist.iter().chain(&raw.allowlists) {
        pack.allowlists.push(load::allowlist(list, origin).map_err(fail)?);
    }
    for (key, source) in [("prefilter", &raw.prefilter), ("filter", &raw.filter)] {
        if let Some(source) = source {
            pack.allowlists.push(load::filter(key, source).map_err(fail)?);
        }
    }
    Ok(pack)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RulePack, String> {
        RulePack::parse(text, Path::new("own.toml"), Extends::Allowed).map_err(|error| error.to_string())
    }

    /// The pack laid over the built-in rules.
    fn over_builtin(text: &str) -> Result<Vec<Rule>, String> {
        let mut pack = RulePack::of(builtin());
        pack.overlay(parse(text)?).map_err(|error| error.to_string())?;
        Ok(pack.rules)
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
    #[test]
    fn a_rule_without_a_pattern_adds_to_the_built_in_one() {
        let before = builtin().into_iter().find(|rule| rule.id == "jwt").unwrap();
        for extend in ["", "[extend]\nuseDefault = true\n"] {
            let text = format!(
                "{extend}[[rules]]\nid = 'jwt'\ntags = ['mine']\n[[rules.allowlists]]\nstopwords = ['mine']\n"
            );
            let rules = over_builtin(&text).unwrap();
            let jwt: Vec<&Rule> = rules.iter().filter(|rule| rule.id == "jwt").collect();
            let [jwt] = jwt[..] else { panic!("it is there once") };
            assert_eq!(
                (&jwt.detection, &jwt.title, jwt.origin),
                (&before.detection, &before.title, Origin::Amended)
            );
            assert_eq!(jwt.allowlists.len(), before.allowlists.len() + 1);
            assert!(jwt.tags.contains(&"mine".to_owned()));
        }
        // A pattern or path of its own is not what was compiled at build time.
        for own in ["regex = 'zqx_[a-z]{9}'", "path = 'x$'"] {
            let rules = over_builtin(&format!("[[rules]]\nid = 'jwt'\n{own}\n")).unwrap();
            assert_eq!(rules.iter().find(|rule| rule.id == "jwt").unwrap().programs, None, "{own}");
        }
        let error = over_builtin("[[rules]]\nid = 'nope'\n").unwrap_err();
        assert!(error.contains("rule `nope`: has neither regex nor path"), "{error}");
    }

    #[test]
    fn an_extending_rule_merges_and_another_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "base.toml",
            "[[rules]]\nid='a'\ndescription='A'\nregex='acme_([0-9]{9})'\nentropy=2.0\ntags=['t']\nfilter='true'\n\
             [[rules]]\nid='b'\nregex='beta_[0-9]{9}'\n[[rules]]\nid='c'\nregex='gamma_[0-9]{9}'\n",
        );
        write(
            "own.toml",
            "[extend]\npath='base.toml'\ndisabledRules=['b', 'c']\n[[rules]]\nid='a'\nkeywords=['far']\nentropy=3.0\ntags=['u']\nfilter='false'\n\
             [[rules.allowlists]]\nstopwords=['x']\n[[rules]]\nid='b'\nregex='other_[0-9]{9}'\n",
        );
        let pack = RulePack::load(&folder.path().join("own.toml"), Extends::Allowed).unwrap();
        let ids: Vec<&str> = pack.rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        let a = &pack.rules[0];
        assert_eq!(
            (a.title.as_str(), a.entropy, a.gates.as_slice()),
            ("A", Some(3.0), &["far".to_owned()][..])
        );
        assert_eq!(a.tags, ["t", "u"]);
        let filters = a.allowlists.iter().filter_map(|list| list.filter.as_ref());
        assert_eq!(filters.collect::<Vec<_>>(), [&crate::rule::Filter::Const(false)]);
        assert!(pack.rules[1].pattern().unwrap().regex.starts_with("other_"));
    }

    #[test]
    fn nothing_is_fetched_and_an_empty_allowlist_is_refused() {
        assert!(parse("[extend]\nurl = 'x'\n").unwrap_err().contains("no rules are fetched"));
        let rule = "[[rules]]\nid = 'one'\nregex = 'acme'\n[[rules.allowlists]]\ndescription = 'x'\n";
        assert!(parse(rule).unwrap_err().contains("it says nothing"));
    }
}
