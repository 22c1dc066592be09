//! What git tells a hook on standard input: which refs move, from where to where.

use anyhow::{Context, Result, bail};

use crate::{
    git::{Objects, Oid, Refs, Repository},
    history::CommitRange,
};

/// An object at a ref is read to see whether it is there; a bigger one counts as missing, and more is scanned.
const MOST: u64 = 64 << 20;

/// A ref that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    /// What the other side has there; `None` where the ref is new.
    old: Option<Oid>,
    /// What it becomes; `None` where it is deleted.
    new: Option<Oid>,
}

/// Lines of a pre-push hook: `<local ref> <local id> <remote ref> <remote id>`.
///
/// # Errors
/// A line of another form.
pub(super) fn parse_push(input: &[u8]) -> Result<Vec<Move>> {
    lines(input).map(|line| parse(line, |[_, new, _, old]: [&[u8]; 4]| (old, new))).collect()
}

/// Lines of a pre-receive hook: `<old id> <new id> <ref>`.
///
/// # Errors
/// A line of another form.
pub(super) fn parse_receive(input: &[u8]) -> Result<Vec<Move>> {
    lines(input).map(|line| parse(line, |[old, new, _]: [&[u8]; 3]| (old, new))).collect()
}

fn lines(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn parse<'a, const N: usize>(
    line: &'a [u8],
    ids: impl FnOnce([&'a [u8]; N]) -> (&'a [u8], &'a [u8]),
) -> Result<Move> {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let shown = || String::from_utf8_lossy(line).into_owned();
    let words = <[&[u8]; N]>::try_from(words.as_slice());
    let (old, new) = ids(words
        .ok()
        .with_context(|| format!("read standard input: `{}` is no line of this hook", shown()))?);
    let id =
        |text| Oid::from_hex(text).with_context(|| format!("read standard input: `{}` holds no id", shown()));
    let there = |oid: Oid| (!oid.is_null()).then_some(oid);
    Ok(Move { old: there(id(old)?), new: there(id(new)?) })
}

/// The commits that a remote lacks. What it has is known from what it said, and from what was last fetched of it.
///
/// # Errors
/// Refs or folders of objects that can't be read.
pub(super) fn to_remote(repository: &Repository, remote: &str, moves: &[Move]) -> Result<CommitRange> {
    let objects = Objects::open(repository.object_folders(), repository.hash)?;
    let prefix = format!("refs/remotes/{remote}/");
    let refs = Refs::read(repository)?;
    let fetched = refs.entries.iter().filter(|entry| entry.name.starts_with(prefix.as_bytes()));
    // What the remote has and this side has not says nothing of what this side would send.
    let is_here = |oid: &Oid| matches!(objects.read(oid, MOST), Ok(Some(_)));
    let said = moves.iter().filter_map(|moved| moved.old).filter(is_here);
    let hidden = fetched.map(|entry| entry.target).chain(said).collect();
    Ok(CommitRange { tips: tips(moves), hidden, ..CommitRange::default() })
}

/// The commits that a push brought and no ref here had.
///
/// # Errors
/// Refs that can't be read.
pub(super) fn from_push(repository: &Repository, moves: &[Move]) -> Result<CommitRange> {
    let refs = Refs::read(repository)?;
    let hidden = refs.entries.iter().map(|entry| entry.target).collect();
    Ok(CommitRange { tips: tips(moves), hidden, ..CommitRange::default() })
}

fn tips(moves: &[Move]) -> Vec<Oid> {
    moves.iter().filter_map(|moved| moved.new).collect()
}

/// Checks that ids are of the repository's own kind.
///
/// # Errors
/// One that is not.
pub(super) fn check(repository: &Repository, range: &CommitRange) -> Result<()> {
    let length = repository.hash.id_len();
    match range.tips.iter().find(|oid| oid.as_bytes().len() != length) {
        Some(oid) => bail!("read standard input: {oid} is no id of this repository's kind"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    #[test]
    fn moves_of_both_hooks_are_read() {
        let (a, b, zero) = (id('a'), id('b'), id('0'));
        let oid = |text: &str| Oid::from_hex(text.as_bytes());
        let pushed = parse_push(
            format!("refs/heads/x {a} refs/heads/x {b}\n(delete) {zero} refs/heads/y {a}\n").as_bytes(),
        );
        let expected = [Move { old: oid(&b), new: oid(&a) }, Move { old: oid(&a), new: None }];
        assert_eq!(pushed.unwrap(), expected);
        let received = parse_receive(format!("{zero} {a} refs/heads/x\n").as_bytes());
        assert_eq!(received.unwrap(), [Move { old: None, new: oid(&a) }]);
        assert_eq!(parse_receive(b"").unwrap(), []);
    }

    #[test]
    fn lines_of_another_form_are_refused() {
        let a = id('a');
        for text in
            [format!("{a} {a}"), format!("{a} {a} x y"), format!("{a} abc x"), "\u{fffd} \u{fffd} x".into()]
        {
            assert!(parse_receive(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse_push(format!("x {a} y").as_bytes()).is_err());
    }
}
