//! `hekate rules list|show|test|lint`.

use std::{collections::BTreeSet, env, fmt::Write as _};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    Exit,
    args::{ListFormat, RuleLintArgs, RuleListArgs, RulesArgs, RulesCommand, SelectArgs},
    sink,
};
use crate::{
    config::{Settings, find_rule},
    lint::{self, Level, Remark},
    prove::prove,
    rule::{Origin, Rule, Search, builtin_with_templates},
};

pub(super) fn run(args: &RulesArgs) -> Result<Exit> {
    match &args.command {
        RulesCommand::List(args) => list(args),
        RulesCommand::Show { id, select } => show(id, select),
        RulesCommand::Test { select, timings } => test(select, *timings),
        RulesCommand::Lint(args) => lint(args),
    }
}

fn list(args: &RuleListArgs) -> Result<Exit> {
    let rules = Settings::rules_with_templates(&args.select.flags())?;
    if args.format == ListFormat::Json {
        let all: Vec<Value> = rules.iter().map(as_json).collect();
        let mut text = serde_json::to_string_pretty(&all).context("write rules as JSON")?;
        text.push('\n');
        sink::print(text.as_bytes())?;
        return Ok(Exit::Clean);
    }
    sink::print(as_table(&rules)?.as_bytes())?;
    Ok(Exit::Clean)
}

/// A line for each rule, and how many there are.
fn as_table(rules: &[Rule]) -> Result<String> {
    let widest = |of: fn(&Rule) -> &str| rules.iter().map(|rule| of(rule).len()).max().unwrap_or(0);
    let (ids, providers) = (widest(|rule| &rule.id), widest(provider));
    let mut text = String::new();
    for rule in rules {
        let assumed =
            if rule.nearby().is_some_and(|nearby| nearby.assumed) { " (assumed format)" } else { "" };
        let (id, severity, title) = (&rule.id, rule.severity, &rule.title);
        writeln!(text, "{id:ids$}  {severity:8}  {:providers$}  {title}{assumed}", provider(rule))
            .context("format rules")?;
    }
    let named: BTreeSet<&str> = rules.iter().filter_map(|rule| rule.provider.as_deref()).collect();
    writeln!(text, "{} rules of {} providers", grouped(rules.len()), grouped(named.len()))
        .context("format rules")?;
    Ok(text)
}

fn provider(rule: &Rule) -> &str {
    rule.provider.as_deref().unwrap_or("-")
}

/// Digits in groups of three: `1,200`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).expect("digits are ASCII"))
        .collect();
    groups.join(",")
}

fn show(id: &str, select: &SelectArgs) -> Result<Exit> {
    let rules = Settings::rules_with_templates(&select.flags())?;
    let rule = find_rule(&rules, id)?;
    sink::print(as_text(rule).as_bytes())?;
    Ok(Exit::Clean)
}

fn test(select: &SelectArgs, timings: bool) -> Result<Exit> {
    let rules = Settings::rules_with_templates(&select.flags())?;
    if timings {
        say_timings(&rules)?;
    }
    let proof = prove(rules, |_| true)?;
    for failure in &proof.failures {
        sink::warn(&format!(
            "{}: {}\n    in the template {:?}",
            failure.rule, failure.what, failure.template
        ));
    }
    let text =
        format!("{} rules, {} runs of templates, {} failed\n", proof.rules, proof.runs, proof.failures.len());
    sink::print(text.as_bytes())?;
    Ok(if proof.failures.is_empty() { Exit::Clean } else { Exit::Findings })
}

/// Times go to standard error: they are never the same twice.
fn say_timings(rules: &[Rule]) -> Result<()> {
    const SHOWN: usize = 20;
    let timings = lint::timings(rules)?;
    for timing in timings.iter().take(SHOWN) {
        sink::warn(&format!("{:>9.2} ms/MB  {}", timing.per_megabyte.as_secs_f64() * 1e3, timing.rule));
    }
    Ok(())
}

fn lint(args: &RuleLintArgs) -> Result<Exit> {
    let here = env::current_dir().context("find the working directory")?;
    let pack = Settings::own_rules(&args.paths, &here)?;
    let remarks = lint::lint(&pack.rules, &pack.allowlists, &builtin_with_templates())?;
    let text = match args.format {
        ListFormat::Json => serde_json::to_string_pretty(&remarks).context("write remarks as JSON")? + "\n",
        ListFormat::Human => {
            remarks_as_text(&remarks, pack.rules.iter().filter(|rule| rule.origin != Origin::BuiltIn).count())
        }
    };
    sink::print(sink::plain(&text).as_bytes())?;
    let has_errors = remarks.iter().any(|remark| remark.level == Level::Error);
    Ok(if has_errors { Exit::Findings } else { Exit::Clean })
}

fn remarks_as_text(remarks: &[Remark], rules: usize) -> String {
    let mut text = String::new();
    for Remark { rule, level, lint, what, advice } in remarks {
        text.push_str(&format!("{level}: {rule}: {lint}\n    {what}\n    {advice}\n"));
    }
    let count = |level| remarks.iter().filter(|remark| remark.level == level).count();
    let [errors, warnings, notes] = [Level::Error, Level::Warning, Level::Note].map(count);
    text.push_str(&format!("{rules} own rules, {errors} errors, {warnings} warnings, {notes} notes\n"));
    text
}

fn as_json(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "title": rule.title,
        "provider": rule.provider,
        "category": rule.category,
        "severity": rule.severity,
        "confidence": rule.confidence,
        "regex": rule.regex().map(|(regex, _)| regex),
        "path": rule.path,
        "secretGroup": rule.secret_group,
        "entropy": rule.entropy,
        "keywords": keywords(rule),
        "words": rule.nearby().map(|nearby| &nearby.words),
        "names": rule.nearby().map(|nearby| &nearby.names),
        "checksum": rule.checksum,
        "tags": rule.tags,
        "help": rule.help,
        "examples": rule.templates.examples,
        "negatives": rule.templates.negatives,
    })
}

/// What has to be in a file before the rule's regex is run at all.
fn keywords(rule: &Rule) -> Vec<String> {
    rule.literals().iter().map(|literal| String::from_utf8_lossy(literal).into_owned()).collect()
}

fn as_text(rule: &Rule) -> String {
    let mut text = format!("{}\n  {}\n\n", rule.id, rule.title);
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("  {name:11} {value}\n"));
        }
    };
    line("provider", rule.provider.clone().unwrap_or_default());
    line("category", rule.category.map(|category| category.to_string()).unwrap_or_default());
    line("severity", rule.severity.to_string());
    line("confidence", crate::triage::base_confidence(rule).to_string());
    line(
        "entropy",
        rule.entropy.map(|bits| format!("more than {bits} bits per character")).unwrap_or_default(),
    );
    line("checksum", rule.checksum.map(|checksum| checksum.as_str().to_owned()).unwrap_or_default());
    line("path", rule.path.clone().unwrap_or_default());
    if let Some(pattern) = rule.pattern() {
        line("regex", pattern.regex.clone());
        line("literals", keywords(rule).join("  "));
        line("reach", reach(&pattern.search));
    }
    if let Some(nearby) = rule.nearby() {
        let assumed = if nearby.assumed { " (assumed: no form is documented)" } else { "" };
        line("value", format!("{}{assumed}", nearby.value));
        line("words", nearby.words.join(", "));
        line(
            "common",
            if nearby.common {
                "only next to a word such as key, or as a host".into()
            } else {
                String::new()
            },
        );
        line("names", nearby.names.join(", "));
    }
    line("help", rule.help.clone().unwrap_or_default());
    line("examples", rule.templates.examples.join("\n              "));
    line("negatives", rule.templates.negatives.join("\n              "));
    text
}

fn reach(search: &Search) -> String {
    let reach = search.reach();
    let lines = if reach.within_line { ", within a line" } else { "" };
    let capped = if reach.capped { ", cut off there" } else { "" };
    match search {
        Search::Literals { .. } => {
            format!("{} bytes before, {} after a literal{lines}{capped}", reach.before, reach.after)
        }
        Search::Whole { .. } => {
            format!("no necessary literal: over the whole file, {} bytes{lines}{capped}", reach.after)
        }
    }
}
