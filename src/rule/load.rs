//! From raw TOML to valid rules.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::{
    Allowlist, Companion, Detection, Origin, Pattern, Required, Rule, RuleError, Search, Specificity,
    Templates, dialect, literal,
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
    fn error(&self, rule: &str, message: impl Into<String>) -> RuleError {
        RuleError::Rule { file: PathBuf::from(self.file), rule: rule.to_owned(), message: message.into() }
    }
}

pub(super) fn rule(raw: RawRule, context: Context<'_>) -> Result<Rule, RuleError> {
    let fail = |message: String| context.error(&raw.id, message);
    check_id(&raw.id, context)?;
    let keywords: Vec<String> = raw.keywords.iter().map(|keyword| keyword.to_ascii_lowercase()).collect();
    let (detection, specificity) = match &raw.regex {
        Some(regex) => content(regex, &raw, context)?,
        None if raw.path.is_some() => (Detection::Path, Specificity::Format),
        None => return Err(fail("has neither regex nor path".into())),
    };
    if let Some(path) = &raw.path {
        check_regex(path).map_err(|error| fail(format!("path: {error}")))?;
    }
    let gates = match &detection {
        Detection::Content(pattern) => unimplied_gates(keywords, &pattern.search),
        Detection::Path | Detection::Known => Vec::new(),
    };
    let mut allowlists = Vec::new();
    for list in raw.allowlist.into_iter().chain(raw.allowlists) {
        allowlists.push(allowlist(list).map_err(|error| context.error(&raw.id, error))?);
    }
    let title = if raw.description.is_empty() { raw.id.clone() } else { raw.description };
    Ok(Rule {
        title,
        detection,
        path: raw.path.map(|path| translated(&path)),
        secret_group: raw.secret_group.filter(|group| *group > 0),
        entropy: raw.entropy.filter(|bits| *bits > 0.0),
        gates,
        tags: raw.tags,
        severity: raw.severity.unwrap_or(Severity::High),
        confidence: raw.confidence,
        category: raw.category,
        provider: raw.provider,
        checksum: raw.checksum,
        help: raw.help,
        allowlists,
        required: raw.required.into_iter().map(required).collect(),
        companions: raw.companions.into_iter().map(companion).collect(),
        skip_report: raw.skip_report,
        specificity,
        origin: context.origin,
        templates: Templates { examples: raw.examples, negatives: raw.negatives },
        verify: raw.verify,
        id: raw.id,
    })
}

fn check_id(id: &str, context: Context<'_>) -> Result<(), RuleError> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_user_word = |byte: u8| byte.is_ascii_graphic();
    let well_formed = match context.origin {
        Origin::BuiltIn => id.bytes().all(is_word),
        Origin::User => id.bytes().all(is_user_word),
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
    let translated = dialect::translate(regex).map_err(|error| fail(format!("regex: {error}")))?;
    let properties = translated.hir.properties();
    if properties.minimum_len().is_none_or(|least| least == 0) {
        return Err(fail(
            "regex: it matches the empty string, and so everywhere; make something in it necessary".into(),
        ));
    }
    let groups = properties.explicit_captures_len();
    if raw.secret_group.is_some_and(|group| group > groups) {
        return Err(fail(format!("secretGroup: the regex has {groups} groups")));
    }
    let necessary = literal::necessary(&translated.hir);
    let reach = literal::reach(&translated.hir, necessary.as_ref());
    let search = match necessary {
        Some(set) => {
            Search::Literals { gate: set.gate(), literals: set.literals.into_iter().collect(), reach }
        }
        None => Search::Whole { reach },
    };
    let specificity = specificity(raw, &translated.hir);
    let pattern = Pattern { regex: translated.regex, unicode: translated.unicode, search };
    Ok((Detection::Content(pattern), specificity))
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
fn unimplied_gates(keywords: Vec<String>, search: &Search) -> Vec<String> {
    if keywords.iter().any(|keyword| keyword.len() < literal::MIN_LITERAL) {
        return Vec::new();
    }
    let Search::Literals { literals, .. } = search else { return keywords };
    let holds_keyword = |literal: &Vec<u8>| {
        keywords.iter().any(|keyword| memchr::memmem::find(literal, keyword.as_bytes()).is_some())
    };
    if literals.iter().all(holds_keyword) { Vec::new() } else { keywords }
}

pub(super) fn allowlist(raw: RawAllowlist) -> Result<Allowlist, String> {
    for regex in raw.regexes.iter().chain(&raw.paths) {
        check_regex(regex).map_err(|error| format!("allowlist: {error}"))?;
    }
    Ok(Allowlist {
        description: raw.description,
        condition: raw.condition,
        regex_target: raw.regex_target,
        regexes: raw.regexes.iter().map(|regex| translated(regex)).collect(),
        stopwords: raw
            .stopwords
            .iter()
            .map(|word| word.to_lowercase())
            .filter(|word| !word.is_empty())
            .collect(),
        paths: raw.paths.iter().map(|path| translated(path)).collect(),
        commits: raw.commits.iter().map(|commit| commit.to_ascii_lowercase()).collect(),
        target_rules: raw.target_rules,
    })
}

fn companion(raw: RawCompanion) -> Companion {
    let (id, within_lines) = match raw {
        RawCompanion::Id(id) => (id, None),
        RawCompanion::Near(near) => (near.id, near.within_lines),
    };
    Companion { id, within_lines: within_lines.unwrap_or(Companion::WITHIN_LINES) }
}

fn required(raw: super::schema::RawRequired) -> Required {
    Required { id: raw.id, within_lines: raw.within_lines, within_columns: raw.within_columns }
}

fn check_regex(regex: &str) -> Result<(), String> {
    dialect::translate(regex).map(|_| ())
}

fn translated(regex: &str) -> String {
    dialect::translate(regex).map(|translated| translated.regex).expect("it was checked before")
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
