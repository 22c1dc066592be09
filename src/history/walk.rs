//! Every object of a kind with its bytes: delta families depth first, the parent's bytes in hand, on all threads.

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    git::{EntryError, ObjectKind, delta, inflate::Inflater, pack::Body},
    history::census::{Bits, Census, FOREIGN, Gid, NONE, PackCensus},
    model::Segment,
};

/// Who is shown the objects; each thread has one.
pub(super) trait Visit: Send {
    /// What is kept of an object as long as others are made from it.
    type State: Send + Sync;

    /// An object, and what it is made of where that is another object.
    fn visit(&mut self, gid: Gid, bytes: &[u8], made: Option<Made<'_, Self::State>>) -> Self::State;

    /// An object that others are made from, and that need not be looked at itself.
    fn skip(&mut self) -> Self::State;

    /// That so many bytes are held: of an object, or of a delta.
    fn hold(&mut self, _: u64) {}

    /// An object that can't be read.
    fn fail(&mut self, gid: Gid, error: EntryError);

    /// An object of so many bytes, that stands whole in its pack or file and is too big to be held.
    fn pass_over(&mut self, gid: Gid, size: u64) {
        self.fail(gid, EntryError::TooBig(size));
    }
}

/// What an object is made of.
pub(super) struct Made<'a, S> {
    /// The other object.
    pub(super) gid: Gid,
    /// Its bytes.
    pub(super) bytes: &'a [u8],
    /// What was kept of it.
    pub(super) state: &'a S,
    /// This object, as stretches of that one and bytes of its own.
    pub(super) segments: &'a [Segment],
}

/// How much memory may be used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// For the buffers of one thread, in bytes.
    per_thread: u64,
    /// For one object, in bytes: the same for any number of threads, as what can be read must not depend on that.
    pub(super) object: u64,
}

/// An object, what it is made from, and the delta in between.
const AT_ONCE: u64 = 3;

impl Budget {
    /// Shares a number of bytes: half among threads, half for the one that has something big in hand.
    pub(super) fn share(memory: u64, threads: usize) -> Self {
        Self { per_thread: memory / 2 / threads.max(1) as u64, object: memory / 2 / AT_ONCE }
    }

    /// Whether an object of so many bytes needs more than a thread's share.
    fn is_big(&self, size: u64) -> bool {
        size > self.per_thread / AT_ONCE
    }
}

/// Roots that a thread takes at once.
const BATCH: usize = 16;
/// Families with more entries are begun first.
const BIG_FAMILY: u32 = 256;

/// Shows every object of a kind in the packs, and every loose one, to as many visitors as there are threads; or, where `due` says
/// which, those.
pub(super) fn walk<V: Visit>(
    census: &Census<'_>,
    kind: ObjectKind,
    due: Option<&Bits>,
    budget: Budget,
    new: impl Fn() -> V + Sync,
) -> Vec<V> {
    let due = due.map(|due| Due { due, needed: needed(census, kind, due) });
    let mut roots = roots(census, kind);
    if let Some(due) = &due {
        roots.retain(|root| match *root {
            Root::Packed { pack, entry } => due.needed.get(census.packs[pack as usize].first + entry),
            Root::Loose(gid) => due.due.get(gid),
        });
    }
    let plan = Plan { roots, next: AtomicUsize::new(0), due };
    let shared = Shared { donated: Mutex::default(), waiting: AtomicUsize::new(0), changed: Condvar::new() };
    let big = Mutex::new(());
    rayon::broadcast(|_| {
        let mut walker = Walker {
            census,
            budget,
            due: plan.due.as_ref(),
            big: &big,
            turn: None,
            visitor: new(),
            inflater: Inflater::default(),
            spare: Vec::new(),
            delta: Vec::new(),
            segments: Vec::new(),
        };
        walker.run(&plan, &shared, kind);
        walker.visitor
    })
}

/// What is to be done: the roots of all families, taken from the front.
struct Plan<'d> {
    roots: Vec<Root>,
    next: AtomicUsize,
    due: Option<Due<'d>>,
}

/// Which objects are shown, where that is not all.
struct Due<'d> {
    due: &'d Bits,
    /// These, and what they are made from.
    needed: Bits,
}

fn needed(census: &Census<'_>, kind: ObjectKind, due: &Bits) -> Bits {
    let mut needed = Bits::of_len(census.len());
    for pack in &census.packs {
        for entry in 0..pack.len() {
            if !due.get(pack.first + entry) || pack.kind(entry) != Some(kind) {
                continue;
            }
            let mut at = entry;
            while at < pack.len() && !needed.get(pack.first + at) {
                needed.set(pack.first + at);
                at = pack.base(at);
            }
        }
    }
    needed
}

#[derive(Clone, Copy)]
enum Root {
    Packed { pack: u32, entry: u32 },
    Loose(Gid),
}

fn roots(census: &Census<'_>, kind: ObjectKind) -> Vec<Root> {
    let mut big = Vec::new();
    let mut rest = Vec::new();
    for (at, pack) in census.packs.iter().enumerate() {
        let sizes = family_sizes(pack);
        for entry in 0..pack.len() {
            let is_root = matches!(pack.base(entry), NONE | FOREIGN) && pack.kind(entry) == Some(kind);
            if is_root {
                let root = Root::Packed { pack: at as u32, entry };
                let size = sizes[entry as usize];
                if size > BIG_FAMILY { big.push((size, root)) } else { rest.push(root) }
            }
        }
    }
    big.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    let loose = census.loose_gids().filter(|(gid, _)| census.kind(*gid) == Some(kind));
    let loose = loose.map(|(gid, _)| Root::Loose(gid));
    big.into_iter().map(|(_, root)| root).chain(rest).chain(loose).collect()
}

/// How many entries each entry's subtree has. Too few where an entry stands on a later one: that costs balance, nothing else.
fn family_sizes(pack: &PackCensus<'_>) -> Vec<u32> {
    let mut sizes = vec![1_u32; pack.len() as usize];
    for entry in (0..pack.len()).rev() {
        if let Some(base) = sizes.get(pack.base(entry) as usize).copied() {
            sizes[pack.base(entry) as usize] = base.saturating_add(sizes[entry as usize]);
        }
    }
    sizes
}

/// Where busy threads leave work for idle ones.
struct Shared<S> {
    donated: Mutex<Donated<S>>,
    waiting: AtomicUsize,
    changed: Condvar,
}

struct Donated<S> {
    frames: VecDeque<(u32, Frame<S>)>,
    /// Threads that are at work, and may still donate.
    busy: usize,
}

impl<S> Default for Donated<S> {
    fn default() -> Self {
        Self { frames: VecDeque::new(), busy: 0 }
    }
}

impl<S> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, Donated<S>> {
        self.donated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next donated piece of work; `None` when nobody can donate any more.
    fn take(&self) -> Option<(u32, Frame<S>)> {
        let mut donated = self.lock();
        donated.busy -= 1;
        loop {
            if let Some(work) = donated.frames.pop_front() {
                donated.busy += 1;
                return Some(work);
            }
            if donated.busy == 0 {
                self.changed.notify_all();
                return None;
            }
            self.waiting.fetch_add(1, Ordering::Relaxed);
            donated = self.changed.wait(donated).unwrap_or_else(PoisonError::into_inner);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// An object with children that are yet to be visited.
struct Frame<S> {
    entry: u32,
    /// Dropped where memory is short; then it is read again.
    bytes: Option<Arc<Vec<u8>>>,
    state: Arc<S>,
    /// Its children that are left, as places in its list of them.
    next: usize,
    end: usize,
}

struct Walker<'a, V: Visit> {
    census: &'a Census<'a>,
    budget: Budget,
    due: Option<&'a Due<'a>>,
    /// One thread at a time has big objects in hand.
    big: &'a Mutex<()>,
    turn: Option<MutexGuard<'a, ()>>,
    visitor: V,
    inflater: Inflater,
    /// Buffers to use again.
    spare: Vec<Vec<u8>>,
    delta: Vec<u8>,
    segments: Vec<Segment>,
}

impl<V: Visit> Walker<'_, V> {
    fn run(&mut self, plan: &Plan<'_>, shared: &Shared<V::State>, kind: ObjectKind) {
        shared.lock().busy += 1;
        loop {
            let first = plan.next.fetch_add(BATCH, Ordering::Relaxed);
            let Some(batch) = plan.roots.get(first..plan.roots.len().min(first + BATCH)) else { break };
            if batch.is_empty() {
                break;
            }
            for root in batch {
                match *root {
                    Root::Packed { pack, entry } => self.root(pack, entry, shared),
                    Root::Loose(gid) => self.loose(gid, kind),
                }
                self.turn = None;
            }
        }
        while let Some((pack, frame)) = shared.take() {
            self.descend(pack, frame, shared);
            self.turn = None;
        }
    }

    /// Waits for the turn of this thread, if so many bytes are more than its share. It ends with the family.
    fn hold(&mut self, size: u64) {
        self.visitor.hold(size);
        if self.turn.is_none() && self.budget.is_big(size) {
            self.spare.clear();
            self.turn = Some(self.big.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn is_due(&self, gid: Gid) -> bool {
        self.due.is_none_or(|due| due.due.get(gid))
    }

    /// Shows the object, or passes it by.
    fn show(&mut self, gid: Gid, bytes: &[u8], made: Option<Made<'_, V::State>>) -> V::State {
        if self.is_due(gid) { self.visitor.visit(gid, bytes, made) } else { self.visitor.skip() }
    }

    fn fail(&mut self, gid: Gid, error: EntryError) {
        if self.is_due(gid) {
            self.visitor.fail(gid, error);
        }
    }

    fn loose(&mut self, gid: Gid, kind: ObjectKind) {
        match self.census.objects.read(&self.census.oid(gid), self.budget.object) {
            Ok(Some(object)) if object.kind == kind => {
                self.hold(object.bytes.len() as u64);
                self.visitor.visit(gid, &object.bytes, None);
            }
            Ok(_) => self.visitor.fail(gid, EntryError::Header),
            Err(error) => match error.size() {
                Some(size) => self.visitor.pass_over(gid, size),
                None => self.visitor.fail(gid, EntryError::Header),
            },
        }
    }

    fn root(&mut self, pack: u32, entry: u32, shared: &Shared<V::State>) {
        let census = &self.census.packs[pack as usize];
        let gid = census.first + entry;
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        let read = match census.base(entry) {
            FOREIGN => self.read_foreign(census, entry, &mut bytes),
            _ => self.inflate_whole(census, entry, &mut bytes),
        };
        match read {
            Ok(()) => {
                let state = self.show(gid, &bytes, None);
                self.descend_from((pack, entry), (bytes, state), shared);
            }
            Err(error) => {
                match error {
                    EntryError::TooBig(size) if census.base(entry) == NONE && self.is_due(gid) => {
                        self.visitor.pass_over(gid, size)
                    }
                    error => self.fail(gid, error),
                }
                self.fail_children(census, entry);
            }
        }
    }

    fn descend_from(
        &mut self,
        (pack, entry): (u32, u32),
        (bytes, state): (Vec<u8>, V::State),
        shared: &Shared<V::State>,
    ) {
        let end = self.census.packs[pack as usize].children(entry).len();
        if end == 0 {
            self.spare.push(bytes);
            return;
        }
        let frame = Frame { entry, bytes: Some(Arc::new(bytes)), state: Arc::new(state), next: 0, end };
        self.descend(pack, frame, shared);
    }

    /// Visits all that is made from the frame's object.
    fn descend(&mut self, pack: u32, frame: Frame<V::State>, shared: &Shared<V::State>) {
        let census = &self.census.packs[pack as usize];
        let mut stack = vec![frame];
        while let Some(frame) = stack.last_mut() {
            if frame.next == frame.end {
                let done = stack.pop().and_then(|frame| frame.bytes);
                self.spare.extend(done.and_then(Arc::into_inner));
                continue;
            }
            let child = census.children(frame.entry)[frame.next];
            frame.next += 1;
            if self.due.is_some_and(|due| !due.needed.get(census.first + child)) {
                continue;
            }
            let Some(base) = self.bytes_of(census, frame) else {
                self.fail_with_children(census, child, &EntryError::BadBase);
                continue;
            };
            let (parent, state) = (frame.entry, frame.state.clone());
            if frame.next == frame.end {
                // The last child's parent need not be kept while the child's own are visited.
                stack.pop();
            }
            if let Some(frame) = self.child(census, child, (parent, &base, &state)) {
                stack.push(frame);
            }
            self.spare.extend(Arc::into_inner(base));
            self.release(&mut stack);
            if shared.waiting.load(Ordering::Relaxed) > 0 {
                donate(pack, &mut stack, shared);
            }
        }
    }

    /// Visits one object that is made from another; gives its frame if others are made from it.
    fn child(
        &mut self,
        census: &PackCensus<'_>,
        entry: u32,
        (parent, base, state): (u32, &[u8], &V::State),
    ) -> Option<Frame<V::State>> {
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        if let Err(error) = self.apply(census, entry, base, &mut bytes) {
            self.fail_with_children(census, entry, &error);
            return None;
        }
        let made = Made { gid: census.first + parent, bytes: base, state, segments: &self.segments };
        let gid = census.first + entry;
        let state =
            if self.is_due(gid) { self.visitor.visit(gid, &bytes, Some(made)) } else { self.visitor.skip() };
        let end = census.children(entry).len();
        if end == 0 {
            self.spare.push(bytes);
            return None;
        }
        Some(Frame { entry, bytes: Some(Arc::new(bytes)), state: Arc::new(state), next: 0, end })
    }

    /// The bytes of a frame's object, read again if they were dropped.
    fn bytes_of(&mut self, census: &PackCensus<'_>, frame: &mut Frame<V::State>) -> Option<Arc<Vec<u8>>> {
        if frame.bytes.is_none() {
            let oid = self.census.oid(census.first + frame.entry);
            let object = self.census.objects.read(&oid, self.budget.object).ok()??;
            frame.bytes = Some(Arc::new(object.bytes));
        }
        frame.bytes.clone()
    }

    /// Drops the buffers that are needed last, where there is not room for all.
    fn release(&mut self, stack: &mut [Frame<V::State>]) {
        let held = |frame: &Frame<V::State>| frame.bytes.as_ref().map_or(0, |bytes| bytes.capacity() as u64);
        let mut total: u64 = stack.iter().map(held).sum();
        let most = if self.turn.is_some() { self.budget.object * AT_ONCE } else { self.budget.per_thread };
        let Some((_, ancestors)) = stack.split_last_mut() else { return };
        for frame in ancestors {
            if total <= most {
                break;
            }
            total -= held(frame);
            frame.bytes = None;
        }
        let spare: u64 = self.spare.iter().map(|buffer| buffer.capacity() as u64).sum();
        if spare > self.budget.per_thread / 4 || self.spare.len() > 64 {
            self.spare.clear();
        }
    }

    /// Inflates the entry's stream to the end of `out`.
    fn inflate(
        &mut self,
        census: &PackCensus<'_>,
        entry: u32,
        out: &mut Vec<u8>,
    ) -> Result<Body, EntryError> {
        let (pack, offset) = (census.pack, census.offset(entry));
        let header = pack.header(offset).ok_or(EntryError::Header)?;
        if header.size > self.budget.object {
            return Err(EntryError::TooBig(header.size));
        }
        self.hold(header.size);
        let bytes = pack.bytes(offset, census.end(entry)).ok_or(EntryError::Header)?;
        if pack.index.crc(census.position(entry)).is_some_and(|crc| crc != crc32fast::hash(bytes)) {
            return Err(EntryError::Checksum);
        }
        let stream = bytes.get((header.stream - offset) as usize..).ok_or(EntryError::Header)?;
        // No stream of this length holds so much: zlib shrinks to a thousandth at best.
        if header.size / 1100 > stream.len() as u64 {
            return Err(EntryError::Header);
        }
        self.inflater.inflate(stream, header.size as usize, out)?;
        Ok(header.body)
    }

    fn inflate_whole(
        &mut self,
        census: &PackCensus<'_>,
        entry: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), EntryError> {
        self.inflate(census, entry, out).map(|_| ())
    }

    /// Makes the entry's object from its base's bytes; `segments` say how.
    fn apply(
        &mut self,
        census: &PackCensus<'_>,
        entry: u32,
        base: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), EntryError> {
        let mut delta = mem::take(&mut self.delta);
        delta.clear();
        let applied = self.inflate(census, entry, &mut delta).and_then(|_| {
            let (_, size) = delta::lengths(&delta)?;
            if size > self.budget.object {
                return Err(EntryError::TooBig(size));
            }
            self.hold(size);
            self.segments.clear();
            out.reserve(size as usize);
            Ok(delta::apply(base, &delta, out, &mut self.segments)?)
        });
        self.delta = delta;
        applied
    }

    /// An entry whose base lies outside of its pack.
    fn read_foreign(
        &mut self,
        census: &PackCensus<'_>,
        entry: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), EntryError> {
        let oid = census.foreign_base(entry).ok_or(EntryError::Header)?;
        let base = self.census.objects.read(&oid, self.budget.object).map_err(|_| EntryError::BadBase)?;
        self.apply(census, entry, &base.ok_or(EntryError::NoBase)?.bytes, out)
    }

    fn fail_with_children(&mut self, census: &PackCensus<'_>, entry: u32, error: &EntryError) {
        self.fail(census.first + entry, error.clone());
        self.fail_children(census, entry);
    }

    fn fail_children(&mut self, census: &PackCensus<'_>, entry: u32) {
        let mut open = census.children(entry).to_vec();
        while let Some(entry) = open.pop() {
            self.fail(census.first + entry, EntryError::BadBase);
            open.extend_from_slice(census.children(entry));
        }
    }
}

/// Gives half of the children that are left of the topmost frame that has several to whoever waits.
fn donate<S>(pack: u32, stack: &mut [Frame<S>], shared: &Shared<S>) {
    let has_several = |frame: &&mut Frame<S>| frame.end - frame.next > 1 && frame.bytes.is_some();
    let Some(frame) = stack.iter_mut().find(has_several) else { return };
    let middle = frame.next + (frame.end - frame.next) / 2;
    let half = Frame {
        entry: frame.entry,
        bytes: frame.bytes.clone(),
        state: frame.state.clone(),
        next: middle,
        end: frame.end,
    };
    frame.end = middle;
    shared.lock().frames.push_back((pack, half));
    shared.changed.notify_one();
}
