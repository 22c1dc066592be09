//! What git knows of the trees that folders of the index are.
//!
//! Format: gitformat-index(5), "Cache tree". What it says is what `git commit` writes, without another look at the entries.

use std::ops::Range;

use super::Fault;
use crate::git::{HashKind, Oid};

const CUT: Fault = Fault::Malformed("its cache tree is malformed");

/// The folders of an index.
#[derive(Debug, Default)]
pub struct CacheTree {
    /// Each folder before those in it.
    nodes: Vec<Node>,
    /// The extension's bytes.
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Node {
    name: Range<usize>,
    /// `None` where entries changed since.
    tree: Option<(u32, Oid)>,
    /// Behind the last folder in it.
    end: usize,
}

/// One folder of a [`CacheTree`].
#[derive(Debug, Clone, Copy)]
pub struct CacheTreeNode<'a> {
    tree: &'a CacheTree,
    index: usize,
}

impl CacheTree {
    /// The root; `None` where nothing is known.
    pub fn root(&self) -> Option<CacheTreeNode<'_>> {
        (!self.nodes.is_empty()).then_some(CacheTreeNode { tree: self, index: 0 })
    }

    pub(super) fn parse(bytes: &[u8], hash: HashKind) -> Result<Self, Fault> {
        let mut nodes: Vec<Node> = Vec::new();
        // The folders that are open, with how many are still to come in each.
        let mut open: Vec<(usize, u32)> = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let (node, folders, next) = node(bytes, at, hash).ok_or(CUT)?;
            let is_first = nodes.is_empty();
            match open.last_mut() {
                Some((_, left)) => *left -= 1,
                None if is_first => {}
                None => return Err(CUT),
            }
            open.push((nodes.len(), folders));
            nodes.push(node);
            at = next;
            while let Some((index, 0)) = open.last().copied() {
                nodes[index].end = nodes.len();
                open.pop();
            }
        }
        if open.is_empty() { Ok(Self { nodes, bytes: bytes.to_vec() }) } else { Err(CUT) }
    }
}

/// `<name>\0<entries> <folders>\n<id>`, without an id where the entries are -1. Gives the number of folders, and where the next starts.
fn node(bytes: &[u8], start: usize, hash: HashKind) -> Option<(Node, u32, usize)> {
    let name = start..start + memchr::memchr(0, &bytes[start..])?;
    let line = name.end + 1;
    let line_end = line + memchr::memchr(b'\n', bytes.get(line..)?)?;
    let (entries, folders) = std::str::from_utf8(&bytes[line..line_end]).ok()?.split_once(' ')?;
    let folders = folders.parse().ok()?;
    let mut next = line_end + 1;
    let mut tree = None;
    if !entries.starts_with('-') {
        let oid = Oid::from_bytes(bytes.get(next..next + hash.id_len())?)?;
        next += hash.id_len();
        tree = Some((entries.parse().ok()?, oid));
    }
    Some((Node { name, tree, end: 0 }, folders, next))
}

impl<'a> CacheTreeNode<'a> {
    /// How many entries of the index lie in it, and the tree that they are; `None` where entries changed since.
    pub fn tree(self) -> Option<(u32, Oid)> {
        self.tree.nodes[self.index].tree
    }

    /// The folders in it, by name.
    pub fn children(self) -> Vec<(&'a [u8], Self)> {
        let nodes = &self.tree.nodes;
        let mut children = Vec::new();
        let mut index = self.index + 1;
        while index < nodes[self.index].end {
            children.push((&self.tree.bytes[nodes[index].name.clone()], Self { tree: self.tree, index }));
            index = nodes[index].end;
        }
        children.sort_unstable_by_key(|(name, _)| *name);
        children
    }
}
