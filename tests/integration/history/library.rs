//! The rooms below the command, on the same repositories: what they read is what git reads, what they carry over is what is there.

use fastrand::Rng;
use hekate::{
    detect::Trace,
    git::{Oid, Repository, delta},
    model::Segment,
};

use super::{
    contents::{any_ops, crowd},
    git::Repo,
    is_long,
    oracle::{DETECTOR, Kind, Oracle},
    pack::{Delta, Op},
    text::code,
};
use crate::secrets::token;

/// Every object that git reads is read as git reads it, packs and alternates and all.
#[track_caller]
pub(crate) fn reads_as_git_does(repo: &Repo, oracle: &Oracle) {
    let repository = Repository::open(&repo.path("")).expect("it is a repository");
    let objects = hekate::git::Objects::open(repository.object_folders(), repository.hash)
        .expect("its object folders can be listed");
    for id in oracle.all() {
        let oid = Oid::from_hex(id.as_bytes()).expect("git's ids are ids");
        let object = objects.read(&oid, 1 << 30).unwrap_or_else(|error| panic!("{error}"));
        let object = object.unwrap_or_else(|| panic!("{id} is not found"));
        assert!(Some(object.bytes.as_slice()) == oracle.bytes(&id), "{id} is read as something else");
        let kind = oracle.kind(&id).map(|kind| format!("{kind:?}").to_lowercase());
        assert_eq!(Some(object.kind.as_str()), kind.as_deref(), "{id}");
    }
    assert!(oracle.all().iter().all(|id| oracle.kind(id) != Some(Kind::Blob) || oracle.bytes(id).is_some()));
}

/// A version made of the one before it, scanned by what differs and as a whole; gives the version.
#[track_caller]
fn retraced(base: &[u8], ops: &[Op], trace: &mut Trace, what: &str) -> Vec<u8> {
    let made = Delta::new(base, ops);
    let (mut bytes, mut segments): (Vec<u8>, Vec<Segment>) = (Vec::new(), Vec::new());
    delta::apply(base, &made.bytes, &mut bytes, &mut segments).expect("the delta is sound");
    assert!(bytes == made.result, "{what}: the delta is applied otherwise");
    let mut tracer = DETECTOR.tracer();
    let next = tracer.retrace(&bytes, trace, &segments);
    let whole = DETECTOR.scan(&bytes.as_slice()).expect("memory can be read");
    let carried = tracer.matches(&bytes, &next);
    let name = |at: usize| DETECTOR.rule(at).id.clone();
    let place = |found: &hekate::detect::RawMatch| format!("{} {:?}", name(found.rule), found.span);
    let lost: Vec<String> = whole.iter().filter(|found| !carried.contains(found)).map(place).collect();
    let unknown: Vec<String> = carried.iter().filter(|found| !whole.contains(found)).map(place).collect();
    assert!(lost.is_empty() && unknown.is_empty(), "{what}: lost {lost:?}, unknown {unknown:?}");
    assert_eq!(carried, whole, "{what}");
    *trace = next;
    bytes
}

#[test]
fn what_is_carried_over_deltas_of_any_shape_is_what_is_there() {
    for seed in 0..if is_long() { 2000 } else { 3 } {
        let mut rng = Rng::with_seed(seed);
        let length = [300, 3000, 20_000][rng.usize(..3)];
        let mut bytes = crowd(&mut rng, length);
        let mut trace = DETECTOR.tracer().trace(&bytes);
        for version in 0..12 {
            let ops = any_ops(&mut rng, &bytes);
            bytes = retraced(&bytes, &ops, &mut trace, &format!("seed {seed}, version {version}"));
        }
    }
}

#[test]
fn what_is_carried_over_a_border_is_what_is_there() {
    const BLOCK: usize = 1 << 20;
    for seed in 0..if is_long() { 60 } else { 2 } {
        let mut rng = Rng::with_seed(seed);
        let mut filler = code(seed, 36_000);
        filler.resize(BLOCK, b'\n');
        let crowd = crowd(&mut rng, 6000);
        let mut bytes = [&filler[..BLOCK - crowd.len() / 2], &crowd, &filler].concat();
        let mut trace = DETECTOR.tracer().trace(&bytes);
        for version in 0..12 {
            let (cut, put) = (rng.usize(..60), vec![b'#'; rng.usize(1..100)]);
            let start = rng.usize(..4000);
            let rest = bytes.len() - start - cut;
            let ops = [Op::Copy(0, start), Op::Insert(put), Op::Copy(start + cut, rest)];
            bytes = retraced(&bytes, &ops, &mut trace, &format!("seed {seed}, version {version}"));
        }
    }
}

/// As many segments as there are lines, and a match in each.
#[test]
fn what_is_carried_over_thousands_of_edits_is_what_is_there() {
    let line = |seed: u64| format!("k = \"{}\"\n", token("github-pat", seed));
    let mut bytes: Vec<u8> = (0..10_000).flat_map(|seed| line(seed).into_bytes()).collect();
    let width = line(0).len();
    let edit = |at: usize| {
        let start = at * width;
        [Op::Copy(start, 4 * width - 5), Op::Insert(b"x".to_vec()), Op::Copy(start + 4 * width - 5, 5)]
    };
    let ops: Vec<Op> = (0..10_000).step_by(4).flat_map(edit).collect();
    let mut trace = DETECTOR.tracer().trace(&bytes);
    bytes = retraced(&bytes, &ops, &mut trace, "an edit in every fourth line");
    assert!(bytes.len() > 10_000 * width, "every edit adds a byte");
}
