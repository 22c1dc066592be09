//! What the last part of a path has to look like for a path pattern to match: folders are read name by name, long before paths are known.

use std::slice::from_ref;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::{dialect, literal::printed};

/// A regex that matches the last part of every path which the pattern matches; `None` where every name may be the last part of one.
///
/// Such a pattern ends with `$`, and what stands before it holds no `/` (or none after a last one that is spelled out).
pub fn name_pattern(path: &str) -> Option<String> {
    printed(&of(&dialect::read(path)?)?)
}

fn of(hir: &Hir) -> Option<Hir> {
    match hir.kind() {
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Alternation(branches) => {
            Some(Hir::alternation(branches.iter().map(of).collect::<Option<Vec<_>>>()?))
        }
        HirKind::Concat(parts) => of_concat(parts),
        _ => None,
    }
}

fn of_concat(parts: &[Hir]) -> Option<Hir> {
    let (last, before) = parts.split_last()?;
    if *last.kind() != HirKind::Look(Look::End) {
        return None;
    }
    let mut name: Vec<Hir> = Vec::new();
    for (at, part) in before.iter().enumerate().rev() {
        if !holds_slash(part) {
            name.insert(0, without_groups(part));
            continue;
        }
        return match without_groups(part).kind() {
            HirKind::Literal(literal) => {
                let tail = literal.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
                anchored([vec![Hir::literal(tail)], name].concat())
            }
            // `(^|/)` and the like.
            HirKind::Alternation(branches) if branches.iter().all(is_edge) => anchored(name),
            HirKind::Alternation(branches) => {
                let rest = |branch: &Hir| {
                    let parts = [&before[..at], from_ref(branch), &before[at + 1..], from_ref(last)].concat();
                    of(&Hir::concat(parts))
                };
                Some(Hir::alternation(branches.iter().map(rest).collect::<Option<Vec<_>>>()?))
            }
            // Whatever it is, what follows lies behind the last `/`.
            _ if name.is_empty() => None,
            _ => Some(Hir::concat([name, vec![Hir::look(Look::End)]].concat())),
        };
    }
    (!name.is_empty()).then(|| Hir::concat([name, vec![Hir::look(Look::End)]].concat()))
}

fn anchored(name: Vec<Hir>) -> Option<Hir> {
    let edges = (vec![Hir::look(Look::Start)], vec![Hir::look(Look::End)]);
    Some(Hir::concat([edges.0, name, edges.1].concat()))
}

fn is_edge(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Look(Look::Start) => true,
        HirKind::Literal(literal) => *literal.0 == *b"/",
        HirKind::Capture(capture) => is_edge(&capture.sub),
        _ => false,
    }
}

fn without_groups(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Capture(capture) => without_groups(&capture.sub),
        _ => hir.clone(),
    }
}

fn holds_slash(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'/'),
        HirKind::Class(Class::Bytes(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&b'/'))
        }
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&'/'))
        }
        HirKind::Repetition(repetition) => holds_slash(&repetition.sub),
        HirKind::Capture(capture) => holds_slash(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(holds_slash),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::bytes::Regex;

    use super::*;

    const PATTERNS: &[&str] = &[
        r"\.pem$",
        r"(^|/)id_(rsa|dsa)$",
        r"(?:^|/)\.docker/config\.json$",
        r"(?:^|/)(?:\.aws/credentials|a{2,3}b?|x/[a-z]+\.key)$",
        r"(?i)^secrets/[^/]+\.env$",
        r"conf.*\.ini$",
        r"^abc$",
        r"(a$|b/c$)",
    ];

    #[test]
    fn names_are_told_where_the_end_of_the_pattern_holds_no_slash() {
        let pattern = |path: &str| name_pattern(path).map(|text| Regex::new(&text).unwrap());
        assert!(PATTERNS.iter().all(|path| pattern(path).is_some()), "each of them has a name");
        let docker = pattern(r"(?:^|/)\.docker/config\.json$").unwrap();
        assert!(docker.is_match(b"config.json") && !docker.is_match(b"myconfig.json"));
        for anything in [r"^secrets/", r"\.env", r"(^|/)secrets/.*$", r"", r"(\.key$|^x/)"] {
            assert!(pattern(anything).is_none(), "{anything}");
        }
    }

    proptest! {
        #[test]
        fn a_path_that_matches_ends_with_a_name_that_does(
            parts in prop::collection::vec("[abcx]{1,3}|id_rsa|\\.aws|credentials|\\.docker|config\\.json|secrets|SECRETS|a?\\.(pem|env|ENV|key|ini)|conf", 1..4),
            which in 0..PATTERNS.len(),
        ) {
            let path = parts.join("/");
            let name = Regex::new(&name_pattern(PATTERNS[which]).unwrap()).unwrap();
            let matches = Regex::new(PATTERNS[which]).unwrap().is_match(path.as_bytes());
            prop_assert!(!matches || name.is_match(parts.last().unwrap().as_bytes()), "{path}");
        }
    }
}
