//! Where a secret of a history is and since when, in a line each.

use std::collections::BTreeSet;

use crate::model::{Exposure, Finding, Moment, Occurrence, Repository};

use super::wording;

/// Branches, and tags, that are named; of the others only the number.
const NAMED: usize = 3;
/// Hexadecimal digits of a short id.
const SHORT_ID: usize = 12;

/// How far a finding is out; `None` for a file of the scanned tree, where its places say it all.
pub(super) fn exposure(finding: &Finding, repository: Option<&Repository>) -> Option<String> {
    let refs = Refs::of(finding);
    let named = match finding.exposure {
        Exposure::Worktree => return None,
        Exposure::Staged => return Some("in the index, about to be committed".to_owned()),
        Exposure::Unreachable => return Some("in the object database, reachable from no ref".to_owned()),
        Exposure::Past => {
            let others = refs.named(&Refs::others, "");
            return Some(match others {
                Some(others) => format!("at {others}; at the tip of no branch, at no tag"),
                None => "in older commits only: at the tip of no branch, at no tag".to_owned(),
            });
        }
        Exposure::Head => {
            let branch = repository.and_then(|repository| repository.branch.as_deref());
            let head = branch.map_or_else(|| "HEAD".to_owned(), |branch| format!("HEAD ({branch})"));
            let others = |refs: &Refs<'_>| -> Vec<String> {
                let is_other = |name: &String| branch != Some(name.as_str());
                refs.branches().into_iter().filter(is_other).collect()
            };
            [Some(head), refs.named(&others, "branch"), refs.named(&Refs::tags, "tag")]
        }
        // What only another work tree has checked out has no branch.
        Exposure::Branch if refs.branches().is_empty() => [None, None, refs.named(&Refs::others, "")],
        Exposure::Branch => [None, refs.named(&Refs::branches, "branch"), refs.named(&Refs::tags, "tag")],
        Exposure::Tag => [None, None, refs.named(&Refs::tags, "tag")],
    };
    let named: Vec<String> = named.into_iter().flatten().collect();
    if named.is_empty() {
        return Some(word(finding.exposure).to_owned());
    }
    let more = if refs.left_out > 0 { " (--refs lists all)" } else { "" };
    Some(format!("still at {}{more}", named.join("; ")))
}

/// Where refs are not told.
fn word(exposure: Exposure) -> &'static str {
    match exposure {
        Exposure::Tag => "still at a tag",
        _ => "still at the tip of a branch",
    }
}

/// The refs that have a finding, at whatever path.
struct Refs<'a> {
    names: BTreeSet<&'a str>,
    /// So many more have it, at least.
    left_out: u64,
}

impl<'a> Refs<'a> {
    fn of(finding: &'a Finding) -> Self {
        let names = finding.occurrences.iter().flat_map(|place| &place.refs).map(String::as_str).collect();
        let left_out = finding.occurrences.iter().map(|place| place.more_refs).max().unwrap_or(0);
        Self { names, left_out }
    }

    fn below(&self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.names.iter().filter_map(move |name| name.strip_prefix(prefix))
    }

    fn branches(&self) -> Vec<String> {
        self.below("refs/heads/").chain(self.below("refs/remotes/")).map(str::to_owned).collect()
    }

    fn tags(&self) -> Vec<String> {
        self.below("refs/tags/").map(str::to_owned).collect()
    }

    fn others(&self) -> Vec<String> {
        self.names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// The first few of some refs, and how many more there are.
    fn named(&self, some: &dyn Fn(&Self) -> Vec<String>, noun: &str) -> Option<String> {
        let names = some(self);
        let (shown, rest) = names.split_at(names.len().min(NAMED));
        if shown.is_empty() {
            return None;
        }
        let mut text = match (noun, names.len()) {
            ("", _) => String::new(),
            ("branch", 2..) => "branches ".to_owned(),
            (noun, 2..) => format!("{noun}s "),
            (noun, _) => format!("{noun} "),
        };
        text.push_str(&shown.join(", "));
        if !rest.is_empty() {
            text.push_str(&format!(" and {} more", wording::number(rest.len() as u64)));
        }
        Some(text)
    }
}

/// Of a history, the first commit of a finding and how far it is out, for those who see nothing but a line of text.
pub(super) fn message(finding: &Finding) -> Option<String> {
    let first = moment(finding.first_seen.as_ref()?);
    let exposure = exposure(finding, None)?;
    Some(format!("first in commit {first}; {exposure}"))
}

/// From when to when a finding is known to have been out.
pub(super) fn lifetime(finding: &Finding) -> Option<String> {
    let (first, last) = (finding.first_seen.as_ref()?, finding.last_seen.as_ref()?);
    let is_there = matches!(finding.exposure, Exposure::Head | Exposure::Branch | Exposure::Tag);
    Some(match (first == last, is_there) {
        (true, true) => format!("since {}", moment(first)),
        (true, false) => format!("on {}", moment(first)),
        (false, true) => format!("since {}, last {}", moment(first), moment(last)),
        (false, false) => format!("from {} to {}", moment(first), moment(last)),
    })
}

fn moment(moment: &Moment) -> String {
    let id = short(&moment.commit);
    moment.date.as_deref().map_or_else(|| id.to_owned(), |date| format!("{} ({id})", day(date)))
}

/// Commit, day, author and subject of a place, the most telling first.
pub(super) fn commit(place: &Occurrence) -> Option<String> {
    let mut text = short(place.commit.as_deref()?).to_owned();
    if let Some(date) = &place.date {
        text.push_str(&format!(" {}", day(date)));
    }
    if let Some(author) = &place.author {
        text.push_str(&format!(" {}", name_and_mail(author).0));
    }
    if let Some(subject) = place.subject.as_deref().filter(|subject| !subject.trim().is_empty()) {
        text.push_str(&format!(": {}", subject.trim()));
    }
    Some(text)
}

/// `Name <mail>` apart.
pub(super) fn name_and_mail(author: &str) -> (&str, &str) {
    let apart = author.rsplit_once('<').map(|(name, mail)| (name.trim(), mail.trim_end_matches('>').trim()));
    match apart {
        Some(("", mail)) => (mail, mail),
        Some(both) => both,
        None => (author.trim(), ""),
    }
}

/// The first digits of an id, which comes from a report and may be anything.
fn short(id: &str) -> &str {
    id.get(..SHORT_ID).unwrap_or(id)
}

fn day(date: &str) -> &str {
    date.split_once('T').map_or(date, |(day, _)| day)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn exposed(exposure: Exposure, refs: &[&str], more_refs: u64) -> String {
        let report = sample::history();
        let mut finding = report.findings[0].clone();
        finding.exposure = exposure;
        finding.occurrences.iter_mut().for_each(|place| place.refs.clear());
        finding.occurrences[0].refs = refs.iter().map(|name| (*name).to_owned()).collect();
        finding.occurrences[0].more_refs = more_refs;
        super::exposure(&finding, report.source.repository.as_ref()).unwrap()
    }

    #[test]
    fn exposure_is_said_in_plain_words() {
        let main = ["HEAD", "refs/heads/main"];
        assert_eq!(exposed(Exposure::Head, &main, 0), "still at HEAD (main)");
        let many = ["HEAD", "refs/heads/main", "refs/heads/a", "refs/remotes/origin/main", "refs/tags/v1"];
        assert_eq!(
            exposed(Exposure::Head, &many, 0),
            "still at HEAD (main); branches a, origin/main; tag v1"
        );
        let five = ["a", "b", "c", "d", "e"].map(|name| format!("refs/heads/{name}"));
        let five: Vec<&str> = five.iter().map(String::as_str).collect();
        assert_eq!(exposed(Exposure::Branch, &five, 0), "still at branches a, b, c and 2 more");
        assert_eq!(
            exposed(Exposure::Branch, &five, 9),
            "still at branches a, b, c and 2 more (--refs lists all)"
        );
        assert_eq!(exposed(Exposure::Branch, &["worktrees/wt/HEAD"], 0), "still at worktrees/wt/HEAD");
        assert_eq!(exposed(Exposure::Tag, &["refs/tags/v1"], 0), "still at tag v1");
        assert_eq!(exposed(Exposure::Tag, &[], 0), "still at a tag");
        assert_eq!(
            exposed(Exposure::Past, &[], 0),
            "in older commits only: at the tip of no branch, at no tag"
        );
        assert_eq!(
            exposed(Exposure::Past, &["refs/stash"], 0),
            "at refs/stash; at the tip of no branch, at no tag"
        );
        assert_eq!(exposed(Exposure::Unreachable, &[], 0), "in the object database, reachable from no ref");
    }

    #[test]
    fn name_and_mail_come_apart() {
        assert_eq!(name_and_mail("Ada <ada@example.com>"), ("Ada", "ada@example.com"));
        assert_eq!(name_and_mail("<ada@example.com>"), ("ada@example.com", "ada@example.com"));
        assert_eq!(name_and_mail("Ada"), ("Ada", ""));
        assert_eq!(name_and_mail("A <b> <c@d>"), ("A <b>", "c@d"));
    }
}
