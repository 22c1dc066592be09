//! `hekate explain FILE:LINE`: what rules see there, what speaks for and against it, and what becomes of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{
    Exit,
    args::{ExplainArgs, ListFormat},
    sink::{self, Look},
};
use crate::{
    config::{Flags, Settings},
    detect::{Detector, Refusal, Score},
    output::{ALARM, FRAME, Label, PLAIN, Page, STRONG, escape_json},
    scan::{Candidate, Outcome, explain},
    source::Worktree,
    triage::Triage,
};

pub(super) fn run(args: &ExplainArgs) -> Result<Exit> {
    let (path, line) = place(&args.place);
    let flags =
        Flags { baseline: args.baseline.clone(), min_confidence: args.min_confidence, ..args.select.flags() };
    let here = std::env::current_dir().context("find the working directory")?;
    if !path.is_file() {
        bail!("{} is no file", path.display());
    }
    let settings = Settings::load(&flags, Some(&path), &here)?;
    let tree = Worktree::new(vec![path], settings.walk)?;
    let detector = Detector::with_known(settings.rules, settings.known)?;
    let triage = Triage::new(&detector, settings.policy)?;
    let mut candidates = match explain(&tree, &triage, settings.min_confidence) {
        Ok(candidates) => candidates,
        Err(gap) => bail!("scan {}: {} {}", gap.path, gap.reason, gap.detail),
    };
    candidates.retain(|one| line.is_none_or(|line| (one.matched.line..=one.end.line).contains(&line)));
    let bytes = match args.format {
        ListFormat::Json => as_json(&detector, &candidates)?,
        ListFormat::Human => as_text(&detector, &candidates, args),
    };
    sink::print(&bytes)?;
    let is_reported = |one: &Candidate| matches!(one.outcome, Outcome::Reported(_));
    Ok(if candidates.iter().any(is_reported) { Exit::Findings } else { Exit::Clean })
}

/// `FILE:LINE`, or `FILE`. A file that is called so comes first.
fn place(text: &str) -> (PathBuf, Option<u64>) {
    let split = text.rsplit_once(':').filter(|_| !Path::new(text).is_file());
    match split.and_then(|(file, line)| Some((file, line.parse().ok()?))) {
        Some((file, line)) => (PathBuf::from(file), Some(line)),
        None => (PathBuf::from(text), None),
    }
}

fn as_text(detector: &Detector, candidates: &[Candidate], args: &ExplainArgs) -> Vec<u8> {
    let look = Look { color: args.color, verbose: false };
    let mut page = Page::new(&look.options(true));
    if candidates.is_empty() {
        page.line(PLAIN, "No rule's pattern matches there.");
    }
    for (index, one) in candidates.iter().enumerate() {
        if index > 0 {
            page.end_line();
        }
        put(&mut page, detector, one);
    }
    page.into_bytes()
}

fn put(page: &mut Page, detector: &Detector, one: &Candidate) {
    page.put(FRAME, &format!("{}:{}  ", one.start.line, one.start.column));
    page.put(STRONG, &detector.rule(one.rule).id);
    page.line(PLAIN, &format!("  {}", one.secret.redacted()));
    if let Some(score) = one.score {
        for (bits, says) in pieces(score) {
            let label = Label { indent: 2, text: &format!("{bits:>6}"), width: 8, style: PLAIN };
            page.paragraph(&label, PLAIN, says);
        }
        let label =
            Label { indent: 2, text: &format!("{:>6}", tenths(score.total())), width: 8, style: STRONG };
        page.paragraph(&label, STRONG, &format!("in all; {} is enough", tenths(Score::ENOUGH)));
    }
    if let Some(valid) = one.checksum {
        page.paragraph(&LABEL, PLAIN, if valid { "its checksum is right" } else { "its checksum is wrong" });
    }
    let style = if matches!(one.outcome, Outcome::Reported(_)) { ALARM } else { PLAIN };
    page.paragraph(&LABEL, style, &outcome(detector, one.outcome));
}

const LABEL: Label<'static> = Label { indent: 2, text: "", width: 0, style: PLAIN };

/// Each piece of evidence with its weight, the heaviest first.
fn pieces(score: Score) -> Vec<(String, &'static str)> {
    let mut pieces: Vec<(i32, &str)> = score.clues().map(|clue| (clue.weight(), clue.says())).collect();
    let random = score.random();
    let says = if random < 0 { "reads like words" } else { "reads like random characters" };
    pieces.push((random, says));
    pieces.sort_by_key(|(weight, _)| std::cmp::Reverse(weight.abs()));
    pieces
        .into_iter()
        .filter(|(weight, _)| *weight != 0)
        .map(|(weight, says)| (tenths(weight), says))
        .collect()
}

/// Tenths of a bit, as bits.
fn tenths(weight: i32) -> String {
    format!("{:+.1}", f64::from(weight) / 10.0)
}

fn outcome(detector: &Detector, outcome: Outcome) -> String {
    match outcome {
        Outcome::Reported(confidence) => format!("reported, with {confidence} confidence"),
        Outcome::Doubted(confidence) => {
            format!("not reported: of {confidence} confidence, less than --min-confidence asks for")
        }
        Outcome::Suppressed(suppression) => format!("not counted: {suppression}"),
        Outcome::NamedBy(rule) => format!("not reported by this rule: {} names it", detector.rule(rule).id),
        Outcome::Unmet => {
            "not reported: the rule is for other paths, needs another match nearby, or only serves other rules"
                .to_owned()
        }
        Outcome::Refused(why) => format!("not reported: {}", refusal(why)),
    }
}

fn refusal(why: Refusal) -> String {
    match why {
        Refusal::Entropy { found, least } => {
            format!("its entropy is {found:.2} bits a character, and the rule wants more than {least}")
        }
        Refusal::StandIn => "a placeholder, a reference, or plainly something else".to_owned(),
        Refusal::Score(_) => "what speaks for it is not enough".to_owned(),
        Refusal::OtherRule(_) => "its name is one that another rule is for".to_owned(),
    }
}

fn as_json(detector: &Detector, candidates: &[Candidate]) -> Result<Vec<u8>> {
    let all: Vec<Value> = candidates.iter().map(|one| json_of(detector, one)).collect();
    let mut text = serde_json::to_string_pretty(&all).context("write candidates as JSON")?;
    text.push('\n');
    Ok(escape_json(text).into_bytes())
}

fn json_of(detector: &Detector, one: &Candidate) -> Value {
    let bits = |weight: i32| f64::from(weight) / 10.0;
    let score = one.score.map(|score| {
        let clue = |clue: crate::detect::Clue| json!({ "says": clue.says(), "bits": bits(clue.weight()) });
        json!({
            "bits": bits(score.total()),
            "enough": bits(Score::ENOUGH),
            "random": bits(score.random()),
            "evidence": score.clues().map(clue).collect::<Vec<_>>(),
        })
    });
    let word = match one.outcome {
        Outcome::Reported(_) => "reported",
        Outcome::Doubted(_) => "doubted",
        Outcome::Suppressed(_) => "suppressed",
        Outcome::NamedBy(_) => "named-by",
        Outcome::Unmet => "unmet",
        Outcome::Refused(_) => "refused",
    };
    json!({
        "rule": detector.rule(one.rule).id,
        "line": one.start.line,
        "column": one.start.column,
        "secret": { "redacted": one.secret.redacted(), "length": one.secret.characters() },
        "name": one.name,
        "checksum": one.checksum,
        "score": score,
        "outcome": word,
        "reason": outcome(detector, one.outcome),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_and_perhaps_a_line() {
        assert_eq!(place("src/a.rs:12"), (PathBuf::from("src/a.rs"), Some(12)));
        assert_eq!(place("c:x"), (PathBuf::from("c:x"), None));
        assert_eq!(place("plain"), (PathBuf::from("plain"), None));
    }
}
