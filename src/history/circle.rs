//! Folders that hold themselves: only a forged index can name such, and no path in them would have an end.

use super::{
    census::NONE,
    closure::{ListId, Lists},
};

/// Lists in which every one leads to every other have the same number.
///
/// Tarjan, "Depth-first search and linear graph algorithms" (1972), without recursion: folders nest as deep as they like.
pub(super) fn rounds(lists: &Lists) -> Vec<u32> {
    let count = lists.count();
    let mut search = Search {
        lists,
        met: 0,
        order: vec![0; count],
        lowest: vec![0; count],
        rounds: vec![NONE; count],
        waiting: Vec::new(),
    };
    (1..count as ListId).for_each(|list| search.from(list));
    search.rounds
}

struct Search<'a> {
    lists: &'a Lists,
    /// How many lists were met.
    met: u32,
    /// As which each was met; 0 where it was not.
    order: Vec<u32>,
    /// The first one that each leads to of those that wait.
    lowest: Vec<u32>,
    rounds: Vec<u32>,
    /// Met, and not known yet to which round they belong.
    waiting: Vec<ListId>,
}

impl Search<'_> {
    fn from(&mut self, start: ListId) {
        let mut open: Vec<(ListId, usize)> = Vec::new();
        self.enter(start, &mut open);
        while let Some((list, done)) = open.last_mut() {
            let at = *list as usize;
            if let Some((_, child)) = self.lists.entries(*list).get(*done) {
                *done += 1;
                let inner = self.lists.of(*child);
                if inner == 0 || self.rounds[inner as usize] != NONE {
                    continue;
                }
                // Of one that was met before it is as early as that.
                self.lowest[at] = match self.order[inner as usize] {
                    0 => self.lowest[at],
                    order => self.lowest[at].min(order),
                };
                self.enter(inner, &mut open);
                continue;
            }
            open.pop();
            if self.lowest[at] == self.order[at] {
                self.close(at as ListId);
            }
            if let Some((above, _)) = open.last() {
                let above = *above as usize;
                self.lowest[above] = self.lowest[above].min(self.lowest[at]);
            }
        }
    }

    fn enter(&mut self, list: ListId, open: &mut Vec<(ListId, usize)>) {
        if self.order[list as usize] == 0 {
            self.met += 1;
            self.order[list as usize] = self.met;
            self.lowest[list as usize] = self.met;
            self.waiting.push(list);
            open.push((list, 0));
        }
    }

    /// What waits since this one was met is one round with it.
    fn close(&mut self, list: ListId) {
        while let Some(last) = self.waiting.pop() {
            self.rounds[last as usize] = list;
            if last == list {
                return;
            }
        }
    }
}
