//! From raw TOML to valid rules.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::{
    Allowlist, Companion, Detection, Filter, FilterCheck, FilterSubject, FilterTest, Origin, Pattern,
    Required, Rule, RuleError, Search, Specificity, Templates, dialect, literal,
    schema::{RawAllowlist, RawCompanion, RawRule},
};
use crate::model::Severity;

/// TOML that can't be read, with its place and, for an unknown key, the nearest known one.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct TomlError {
    file: String,
    line: usize,
    column: usize,
    message: String,
}

/// Reads TOML of any room; `file` names it in errors.
///
/// # Errors
/// Bad syntax, a wrong type, or an unknown key.
pub fn read_toml<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, TomlError> {
    toml::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let message = error.message();
        let suggestion =
            nearest_key(message).map(|key| format!("; did you mean `{key}`?")).unwrap_or_default();
        TomlError {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
            message: format!("{message}{suggestion}"),
        }
    })
}

/// Of serde's "unknown field `a`, expected one of `b`, `c`", the nearest of b and c.
fn nearest_key(message: &str) -> Option<&str> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    quoted
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, known)| known)
}

/// Where a rule comes from, for errors, and what is expected of it.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) file: &'a str,
    pub(super) origin: Origin,
}

impl Context<'_> {
    pub(super) fn error(&self, rule: &str, message: impl Into<String>) -> RuleError {
        RuleError::Rule { file: PathBuf::from(self.file), rule: rule.to_owned(), message: message.into() }
    }
}

/// A rule of its own.
pub(super) fn rule(raw: RawRule, context: Context<'_>) -> Result<Rule, RuleError> {
    let fail = |message: String| context.error(&raw.id, message);
    check_id(&raw.id, context)?;
    let keywords = lower_case(&raw.keywords);
    let (detection, specificity) = match &raw.regex {
        Some(regex) => content(regex, &raw, context)?,
        None if raw.path.is_some() => (Detection::Path, Specificity::Format),
        None => {
            return Err(fail("has neither regex nor path, and there is no rule of this id to add to".into()));
        }
    };
    let path = raw.path.as_deref().map(|path| translated(path, context.origin)).transpose();
    let title = if raw.description.is_empty() { raw.id.clone() } else { raw.description.clone() };
    Ok(Rule {
        title,
        gates: gates(&keywords, &detection),
        keywords,
        detection,
        path: path.map_err(|error| fail(format!("path: {error}")))?,
        secret_group: raw.secret_group.filter(|group| *group > 0),
        entropy: raw.entropy.filter(|bits| *bits > 0.0),
        allowlists: allowlists(&raw, context)?,
        required: raw.required.into_iter().map(required).collect(),
        tags: raw.tags,
        severity: raw.severity.unwrap_or(Severity::High),
        confidence: raw.confidence,
        category: raw.category,
        provider: raw.provider,
        checksum: raw.checksum,
        help: raw.help,
        companions: raw.companions.into_iter().map(companion).collect(),
        skip_report: raw.skip_report,
        specificity,
        rank: raw.specificity.unwrap_or(0),
        origin: context.origin,
        programs: None,
        templates: Templates { examples: raw.examples, negatives: raw.negatives },
        verify: raw.verify,
        id: raw.id,
    })
}

/// What a rule becomes when one of the same id extends it: what that says wins, and lists are joined, as gitleaks does it.
pub(super) fn amend(mut base: Rule, raw: RawRule, context: Context<'_>) -> Result<Rule, RuleError> {
    let fail = |message: String| context.error(&raw.id, message);
    base.keywords.extend(lower_case(&raw.keywords));
    base.tags.extend(raw.tags.iter().cloned());
    let group = raw.secret_group.filter(|group| *group > 0).or(base.secret_group);
    if let Some(regex) = &raw.regex {
        let merged = RawRule {
            id: raw.id.clone(),
            secret_group: group,
            tags: base.tags.clone(),
            checksum: raw.checksum.or(base.checksum),
            ..RawRule::default()
        };
        (base.detection, base.specificity) = content(regex, &merged, context)?;
        (base.origin, base.programs) = (Origin::User, None);
    } else if base.origin == Origin::BuiltIn {
        base.origin = Origin::Amended;
    }
    if let Some(pattern) = base.pattern() {
        let hir = dialect::parser(pattern.unicode).parse(&pattern.regex).expect("a rule's regex parses");
        check_group(group, &hir).map_err(fail)?;
    }
    if let Some(path) = &raw.path {
        base.path = Some(translated(path, Origin::User).map_err(|error| fail(format!("path: {error}")))?);
        base.programs = None;
    }
    if raw.filter.is_some() {
        base.allowlists.retain(|list| list.filter.is_none() || list.description == READS_LIKE_WORDS);
    }
    base.allowlists.extend(allowlists(&raw, context)?);
    base.secret_group = group;
    base.gates = gates(&base.keywords, &base.detection);
    base.entropy = raw.entropy.filter(|bits| *bits > 0.0).or(base.entropy);
    if !raw.description.is_empty() {
        base.title = raw.description;
    }
    base.required.extend(raw.required.into_iter().map(required));
    base.severity = raw.severity.unwrap_or(base.severity);
    base.confidence = raw.confidence.or(base.confidence);
    base.category = raw.category.or(base.category);
    base.provider = raw.provider.or(base.provider);
    base.help = raw.help.or(base.help);
    base.rank = raw.specificity.unwrap_or(base.rank);
    base.skip_report |= raw.skip_report;
    base.companions.extend(raw.companions.into_iter().map(companion));
    base.templates.examples.extend(raw.examples);
    base.templates.negatives.extend(raw.negatives);
    base.verify = raw.verify.or(base.verify);
    if let Some(checksum) = raw.checksum {
        (base.checksum, base.specificity) = (Some(checksum), Specificity::Checksum);
    }
    Ok(base)
}

fn lower_case(keywords: &[String]) -> Vec<String> {
    keywords
        .iter()
        .map(|keyword| keyword.to_ascii_lowercase())
        .filter(|keyword| !keyword.is_empty())
        .collect()
}

fn gates(keywords: &[String], detection: &Detection) -> Vec<String> {
    match detection {
        Detection::Content(pattern) => unimplied_gates(keywords, &pattern.search),
        Detection::Nearby(_) | Detection::Path | Detection::Known => Vec::new(),
    }
}

/// What betterleaks' `tokenEfficiency` becomes.
const READS_LIKE_WORDS: &str = "reads like words";

/// All that a rule says of matches which don't count.
fn allowlists(raw: &RawRule, context: Context<'_>) -> Result<Vec<Allowlist>, RuleError> {
    let fail = |message: String| context.error(&raw.id, message);
    let mut lists = Vec::new();
    for list in raw.allowlist.iter().chain(&raw.allowlists) {
        // It holds for its own rule, whatever it says.
        let list = allowlist(list, context.origin).map_err(fail)?;
        lists.push(Allowlist { target_rules: Vec::new(), ..list });
    }
    if let Some(source) = &raw.filter {
        lists.push(filter("filter", source).map_err(fail)?);
    }
    if raw.token_efficiency {
        let test = FilterTest { subject: FilterSubject::Secret, check: FilterCheck::ReadsLikeWords };
        let description = READS_LIKE_WORDS.to_owned();
        lists.push(Allowlist { description, filter: Some(Filter::Test(test)), ..Allowlist::default() });
    }
    Ok(lists)
}

/// An expression of betterleaks' as an allowlist; `key` is where it stands.
pub(super) fn filter(key: &str, source: &str) -> Result<Allowlist, String> {
    let filter = Filter::parse(source).map_err(|error| format!("{key}: {error}"))?;
    Ok(Allowlist { description: key.to_owned(), filter: Some(filter), ..Allowlist::default() })
}

pub(super) fn check_id(id: &str, context: Context<'_>) -> Result<(), RuleError> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_user_word = |byte: u8| byte.is_ascii_graphic();
    let well_formed = match context.origin {
        Origin::BuiltIn => id.bytes().all(is_word),
        Origin::User | Origin::Amended => id.bytes().all(is_user_word),
    };
    if id.is_empty() {
        return Err(context.error("(no id)", "a rule has no id"));
    }
    if well_formed {
        Ok(())
    } else {
        Err(context.error(id, "an id is made of visible ASCII characters, without blanks"))
    }
}

fn content(regex: &str, raw: &RawRule, context: Context<'_>) -> Result<(Detection, Specificity), RuleError> {
    let fail = |message: String| context.error(&raw.id, message);
    let translated =
        dialect::translate(regex, context.origin).map_err(|error| fail(format!("regex: {error}")))?;
    let properties = translated.hir.properties();
    if properties.minimum_len().is_none_or(|least| least == 0) {
        return Err(fail(
            "regex: it matches the empty string, and so everywhere; make something in it necessary".into(),
        ));
    }
    check_group(raw.secret_group, &translated.hir).map_err(fail)?;
    let necessary = literal::necessary(&translated.hir);
    let reach = literal::reach(&translated.hir, necessary.as_ref());
    let search = match necessary {
        Some(set) => {
            Search::Literals { ahead: set.ahead(), literals: set.literals.into_iter().collect(), reach }
        }
        None => Search::Whole { reach },
    };
    let specificity = specificity(raw, &translated.hir);
    let pattern = Pattern { regex: translated.regex, unicode: translated.unicode, search };
    Ok((Detection::Content(pattern), specificity))
}

fn check_group(group: Option<usize>, hir: &regex_syntax::hir::Hir) -> Result<(), String> {
    let groups = hir.properties().explicit_captures_len();
    if group.is_some_and(|group| group > groups) {
        return Err(format!("secretGroup: the regex has {groups} groups"));
    }
    Ok(())
}

/// A secret that holds a necessary literal of its own says what it is; else the words around it do.
fn specificity(raw: &RawRule, hir: &regex_syntax::hir::Hir) -> Specificity {
    let group = raw.secret_group.filter(|group| *group > 0).unwrap_or(1);
    let secret = literal::capture(hir, group).unwrap_or(hir);
    let is_generic = raw.id.starts_with("generic-") || raw.tags.iter().any(|tag| tag == "generic");
    if raw.checksum.is_some() {
        Specificity::Checksum
    } else if is_generic {
        Specificity::Generic
    } else if literal::necessary(secret).is_some() {
        Specificity::Format
    } else {
        Specificity::Provider
    }
}

/// Keywords are already sure to be there when each necessary literal holds one. Those too short to search for gate nothing.
fn unimplied_gates(keywords: &[String], search: &Search) -> Vec<String> {
    if keywords.iter().any(|keyword| keyword.len() < literal::MIN_LITERAL) {
        return Vec::new();
    }
    let Search::Literals { literals, .. } = search else { return keywords.to_vec() };
    let holds_keyword = |literal: &Vec<u8>| {
        keywords.iter().any(|keyword| memchr::memmem::find(literal, keyword.as_bytes()).is_some())
    };
    if literals.iter().all(holds_keyword) { Vec::new() } else { keywords.to_vec() }
}

/// One of the `[[allowlists]]`.
pub(super) fn allowlist(raw: &RawAllowlist, origin: Origin) -> Result<Allowlist, String> {
    let given = [&raw.regexes, &raw.paths, &raw.stopwords, &raw.commits];
    if given.iter().all(|list| list.is_empty()) {
        return Err("allowlist: it says nothing; give it regexes, paths, stopwords or commits".into());
    }
    let all = |regexes: &[String]| -> Result<Vec<String>, String> {
        let one = |regex: &String| translated(regex, origin).map_err(|error| format!("allowlist: {error}"));
        regexes.iter().map(one).collect()
    };
    Ok(Allowlist {
        description: raw.description.clone(),
        condition: raw.condition,
        regex_target: raw.regex_target,
        regexes: all(&raw.regexes)?,
        stopwords: raw
            .stopwords
            .iter()
            .map(|word| word.to_lowercase())
            .filter(|word| !word.is_empty())
            .collect(),
        paths: all(&raw.paths)?,
        commits: raw.commits.iter().map(|commit| commit.to_ascii_lowercase()).collect(),
        filter: None,
        target_rules: raw.target_rules.clone(),
    })
}

pub(super) fn companion(raw: RawCompanion) -> Companion {
    let (id, within_lines) = match raw {
        RawCompanion::Id(id) => (id, None),
        RawCompanion::Near(near) => (near.id, near.within_lines),
    };
    Companion { id, within_lines: within_lines.unwrap_or(Companion::WITHIN_LINES) }
}

fn required(raw: super::schema::RawRequired) -> Required {
    Required { id: raw.id, within_lines: raw.within_lines, within_columns: raw.within_columns }
}

fn translated(regex: &str, origin: Origin) -> Result<String, String> {
    dialect::translate(regex, origin).map(|translated| translated.regex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code, reason = "only its name matters")]
        baseline: Option<String>,
    }

    #[test]
    fn unknown_keys_are_refused_with_the_nearest_known_one() {
        let error = read_toml::<Sample>("x.toml", "\nbasline = 'x'\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "x.toml:2:1: unknown field `basline`, expected `baseline`; did you mean `baseline`?"
        );
    }
}
