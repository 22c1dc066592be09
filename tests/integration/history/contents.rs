//! Histories whose versions of files are nasty, and stored as deltas.

use std::array;

use fastrand::Rng;

use super::{
    git::{Change, Import, Repo, file},
    is_long,
    pack::{Delta, Kind, Op, Pack, hex},
    text::{code, leak, leaky, lines, rule_text, spliced, text, two_lines},
};
use crate::secrets::{password, pem, token, utf16};

/// These versions of a file, a commit each, in deltas as deep as git makes them.
fn versions(path: &str, versions: &[Vec<u8>]) -> Repo {
    let mut import = Import::default();
    import.series(path, versions.iter().map(Vec::as_slice));
    let repo = Repo::of(&import);
    repo.git(&["repack", "--quiet", "-adf", "--depth=50", "--window=100"]);
    repo.lay_out_all();
    repo
}

/// A version for each of what stands between two stretches of code that stay.
fn between(parts: &[Vec<u8>]) -> Repo {
    let around = |part: &Vec<u8>| [code(1, 60), part.clone(), code(2, 60)].concat();
    versions("a.py", &parts.iter().map(around).collect::<Vec<_>>())
}

pub(crate) fn odd_line_ends_and_empty_files(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let mut parents = Vec::new();
    for (number, end) in ["\n", "\r\n", "\r", "\r\r\n", "\n\r"].into_iter().enumerate() {
        let number = number as u64;
        let body = String::from_utf8(leaky(1, number)).expect("it is text").replace('\n', end);
        let cut = body.trim_end();
        let bare = leak(number + 20).trim().to_owned();
        let names: [String; 4] = array::from_fn(|kind| format!("{number}-{kind}"));
        let changes = [
            file(&names[0], body.as_bytes()),
            file(&names[1], cut.as_bytes()),
            file(&names[2], bare.as_bytes()),
            file(&names[3], b""),
        ];
        parents = vec![import.commit("main", &parents, &changes)];
        let key = pem(number).replace('\n', end);
        parents =
            vec![import.commit("main", &parents, &[file(&names[3], key.as_bytes()), file(&names[2], b"\r")])];
        parents = vec![import.commit("main", &parents, &[file(&names[0], b"\xef\xbb\xbf")])];
    }
    Repo::of(&import)
}

pub(crate) fn lines_of_a_megabyte(rng: &mut Rng) -> Repo {
    let mut line: Vec<u8> = b"var a=b(1),".repeat(95_000);
    let mut all = vec![line.clone()];
    for number in 0..8 {
        let at = rng.usize(..line.len());
        let held = format!("t=\"{}\",", token("github-pat", number));
        line = spliced(&line, at, rng.usize(..30).min(line.len() - at), held.as_bytes());
        all.push(line.clone());
    }
    versions("line.js", &all)
}

pub(crate) fn binary_files(rng: &mut Rng) -> Repo {
    let mut bytes: Vec<u8> = (0..30_000).map(|_| rng.u8(..)).collect();
    let mut all = Vec::new();
    for number in 0..20 {
        let at = rng.usize(..bytes.len());
        let held = if number % 3 == 0 { vec![0, b'\n', 0xff] } else { leak(number).into_bytes() };
        bytes = spliced(&bytes, at, 0, &held);
        all.push(bytes.clone());
    }
    versions("data.bin", &all)
}

pub(crate) fn utf16_files(rng: &mut Rng) -> Repo {
    let mut words = lines(rng, 120);
    let mut all = Vec::new();
    for number in 0..24 {
        let at = rng.usize(..words.len());
        words[at] = if number % 2 == 0 { leak(number).trim().to_owned() } else { "größe 😀".to_owned() };
        let plain = String::from_utf8(text(&words)).expect("it is text");
        all.push(match number % 6 {
            0 | 1 => utf16(&format!("\u{feff}{plain}"), false),
            2 => utf16(&plain, true),
            // An odd byte in front: nothing is text any more. Then raw bytes that are found beside the decoded ones.
            3 => [b"x".to_vec(), utf16(&plain, false)].concat(),
            4 => [utf16(&format!("\u{feff}{plain}"), true), leak(number).into_bytes()].concat(),
            _ => plain.into_bytes(),
        });
    }
    versions("text.txt", &all)
}

pub(crate) fn a_key_whose_lines_change(_: &mut Rng) -> Repo {
    let key = pem(1);
    let body: Vec<&str> = key.lines().collect();
    let other = pem(2);
    let replaced = |at: usize, line: &str| {
        let mut lines = body.clone();
        lines[at] = line;
        lines.join("\n")
    };
    let last = body.len() - 1;
    let foreign: Vec<&str> = other.lines().collect();
    let parts = [
        key.clone(),
        replaced(9, foreign[9]),
        replaced(0, "-----BEGIN EC PRIVATE KEY-----"),
        replaced(0, "-----BEGIN PUBLIC KEY-----"),
        key.clone(),
        format!("# before\n{key}"),
        format!("# Before\n{key}"),
        replaced(last, "-----END"),
        replaced(last, "-----END EC PRIVATE KEY-----"),
        replaced(5, "..."),
        format!("{}{}", &key[..400], &other[400..]),
        key.replace('\n', "\\n"),
        format!("    {}", key.replace('\n', "\n    ")),
        body[..10].join("\n"),
        format!("{}\n{}", body[..10].join("\n"), body[10..].join("\n")),
        format!("{key}{key}"),
        format!("{}{key}", "-----BEGIN RSA PRIVATE KEY-----\n".repeat(30)),
    ];
    between(&parts.map(String::into_bytes))
}

pub(crate) fn keyword_and_value_part_and_meet(rng: &mut Rng) -> Repo {
    let [name, value] = two_lines(1);
    let apart = |count: usize, rng: &mut Rng| {
        let between = lines(rng, count).join("\n");
        format!("{name}\n{between}\n{value}\n").into_bytes()
    };
    let together = format!("{name}\n{value}\n").into_bytes();
    let parts = [
        together.clone(),
        apart(1, rng),
        apart(4, rng),
        together.clone(),
        format!("{value}\n{name}\n").into_bytes(),
        format!("{name}\n\n{value}\n").into_bytes(),
        format!("{name} # and more\n{value}\n").into_bytes(),
        format!("{name}\n{value}\n{name}\n{value}\n").into_bytes(),
        name.clone().into_bytes(),
        value.clone().into_bytes(),
        together,
    ];
    between(&parts)
}

/// The keyword stays and the value is new; the value stays and the keyword is new; the gate of a rule comes and goes.
pub(crate) fn half_copied_half_inserted(_: &mut Rng) -> Repo {
    let (one, two) = (password(1, 22), password(2, 22));
    let hexes = ["datadog-api-key", "aws-secret-access-key", "mailgun-api-key", "okta-access-token"]
        .map(|rule| token(rule, 5));
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for name in ["smtp_password", "xxxx_xxxxxxxx", "db_password", "zzz"] {
        for value in [&one, &two] {
            parts.push(format!("{name} = \"{value}\"\n").into_bytes());
        }
    }
    for name in ["datadog", "nothing", "aws", "mailgun", "okta", "secret"] {
        for value in &hexes {
            parts.push(format!("{name}_api_key = '{value}'\n").into_bytes());
            parts.push(format!("{name}\n\n{}\nkey = '{value}'\n", "x = 1\n".repeat(40)).into_bytes());
        }
    }
    between(&parts)
}

pub(crate) fn blocks_that_move(rng: &mut Rng) -> Repo {
    let mut blocks: Vec<Vec<u8>> = (0..12)
        .map(|number| match number % 3 {
            0 => leaky(number, number),
            1 => [code(number, 20), pem(number).into_bytes()].concat(),
            _ => [code(number, 15), two_lines(number).join("\n").into_bytes(), b"\n".to_vec()].concat(),
        })
        .collect();
    let mut all = Vec::new();
    for round in 0..20 {
        match round % 4 {
            0 => rng.shuffle(&mut blocks),
            1 => blocks.swap(0, 7),
            2 => blocks.push(blocks[rng.usize(..blocks.len())].clone()),
            _ => drop(blocks.remove(0)),
        }
        // Blocks are joined with and without a line end, so that lines meet that never met before.
        let end: &[u8] = if round % 2 == 0 { b"\n" } else { b"" };
        all.push(blocks.iter().flat_map(|block| [block.trim_ascii_end(), end].concat()).collect());
    }
    versions("blocks.py", &all)
}

/// A chain of overlapping clusters, hundreds of keywords long, with edits inside.
pub(crate) fn rows_of_keywords(rng: &mut Rng) -> Repo {
    let mut all = Vec::new();
    for (keyword, count) in [
        ("password=", 400),
        ("-----BEGIN RSA PRIVATE KEY-----\n", 300),
        ("ghp_", 900),
        ("token: ", 500),
        ("aws_secret ", 300),
        ("AKIA", 600),
        ("\"private_key\": \"", 200),
    ] {
        let mut bytes = keyword.repeat(count).into_bytes();
        for _ in 0..8 {
            let at = rng.usize(..bytes.len());
            let put = match rng.u8(..4) {
                0 => vec![b'x'],
                1 => leak(rng.u64(..50)).trim().as_bytes().to_vec(),
                2 => pem(rng.u64(..3)).into_bytes(),
                _ => password(rng.u64(..9), 20).into_bytes(),
            };
            bytes = spliced(&bytes, at, rng.usize(..12).min(bytes.len() - at), &put);
            all.push([code(1, 30), bytes.clone(), code(2, 30)].concat());
        }
    }
    versions("rows.txt", &all)
}

/// A hand-written pack of blobs, each a delta of the one before it with these instructions, in a commit each.
fn deltas(base: &[u8], steps: impl IntoIterator<Item = Box<dyn FnOnce(&[u8]) -> Vec<Op>>>) -> Repo {
    let repo = Repo::new();
    let mut pack = Pack::new();
    let mut at = pack.end();
    let mut ids = vec![pack.whole(Kind::Blob, base)];
    let mut bytes = base.to_vec();
    for step in steps {
        let delta = Delta::new(&bytes, &step(&bytes));
        let id = hex(delta.id());
        if !ids.contains(&id) {
            at = pack.ofs_delta(at, &delta, delta.id());
            bytes = delta.result;
            ids.push(id);
        }
    }
    pack.write(&repo);
    commit_each(&repo, &ids);
    repo.lay_out_all();
    repo
}

/// A commit for each blob, at one path.
pub(crate) fn commit_each(repo: &Repo, ids: &[String]) {
    let mut import = Import::default();
    let mut parents = Vec::new();
    for id in ids {
        parents = vec![import.commit("main", &parents, &[Change::Blob(b"a.py", id.clone())])];
    }
    repo.import(&import);
    repo.git(&["fsck", "--full", "--no-dangling"]);
}

/// Copies whose borders lie at every byte of a secret and of its keyword, so that it exists only over a seam.
pub(crate) fn glued_at_every_byte(_: &mut Rng) -> Repo {
    let held = format!("smtp_password = \"{}\" {}", password(3, 22), leak(3).trim());
    let other = held.bytes().map(|byte| if byte == b'Z' { b'Y' } else { byte }).collect::<Vec<_>>();
    let mut base = code(1, 20);
    let mut places = Vec::new();
    // For each split: its front, junk, its back, junk.
    for cut in 1..held.len() {
        let at = base.len();
        base.extend_from_slice(&held.as_bytes()[..cut]);
        base.extend_from_slice(b" no \n");
        let back = base.len();
        base.extend_from_slice(&other[cut..]);
        base.extend_from_slice(b"\n nor\n");
        places.push((at, cut, back, held.len() - cut));
    }
    let length = base.len();
    let glue: Vec<Op> = places
        .iter()
        .flat_map(|(at, cut, back, rest)| {
            [Op::Copy(*at, *cut), Op::Copy(*back, *rest), Op::Insert(b"\n".to_vec())]
        })
        .collect();
    let one_by_one: Vec<Op> = (0..length).map(|at| Op::Copy(at, 1)).collect();
    let backwards: Vec<Op> =
        (0..length).step_by(97).rev().map(|at| Op::Copy(at, 97.min(length - at))).collect();
    let again = |bytes: &[u8]| -> Vec<Op> {
        vec![
            Op::Copy(0, bytes.len() / 2),
            Op::Insert(b"#".to_vec()),
            Op::Copy(bytes.len() / 2, bytes.len() / 2),
        ]
    };
    let repo = Repo::new();
    let mut pack = Pack::new();
    let at = pack.end();
    let mut ids = vec![pack.whole(Kind::Blob, &base)];
    for ops in [glue, one_by_one, backwards] {
        let delta = Delta::new(&base, &ops);
        let id = hex(delta.id());
        if ids.contains(&id) {
            continue;
        }
        let place = pack.ofs_delta(at, &delta, delta.id());
        let child = Delta::new(&delta.result, &again(&delta.result));
        pack.ofs_delta(place, &child, child.id());
        ids.extend([id, hex(child.id())]);
    }
    pack.write(&repo);
    commit_each(&repo, &ids);
    repo.lay_out_all();
    repo
}

/// Deltas as no program would choose them: copies of any length from anywhere, and inserts of nothing much.
pub(crate) fn deltas_of_any_shape(rng: &mut Rng) -> Repo {
    let size = if is_long() { 20 } else { 5 };
    let base: Vec<u8> = (0..size)
        .flat_map(|_| {
            [code(rng.u64(..), 6), rule_text(rng), b"\n".to_vec(), pem(rng.u64(..9)).into_bytes()].concat()
        })
        .collect();
    let steps = (0..2 * size).map(|_| {
        let mut rng = rng.fork();
        Box::new(move |bytes: &[u8]| any_ops(&mut rng, bytes)) as Box<dyn FnOnce(&[u8]) -> Vec<Op>>
    });
    deltas(&base, steps)
}

/// Walks through the base, mostly forwards, and copies most of it in pieces.
pub(crate) fn any_ops(rng: &mut Rng, base: &[u8]) -> Vec<Op> {
    let longest = if is_long() { 60_000 } else { 12_000 };
    let mut ops = Vec::new();
    let (mut at, mut length) = (0, 0);
    let usual = [3, 40, 400, 4000][rng.usize(..4)];
    while at < base.len() && length < longest {
        let piece = rng.usize(1..=usual).min(base.len() - at);
        match rng.u8(..20) {
            0 => ops.push(Op::Insert(rule_text(rng))),
            1 => ops.push(Op::Insert(vec![b'\n'; rng.usize(1..4)])),
            2 => at = rng.usize(..base.len()).min(at + 500),
            3 => {
                let from = rng.usize(..base.len());
                ops.push(Op::Copy(from, piece.min(base.len() - from)));
            }
            4 => at += rng.usize(..8),
            _ => {
                ops.push(Op::Copy(at, piece));
                at += piece;
            }
        }
        length += piece;
    }
    ops
}

/// At least so many bytes of what rules look for, close together.
pub(crate) fn crowd(rng: &mut Rng, length: usize) -> Vec<u8> {
    let mut crowd = Vec::new();
    while crowd.len() < length {
        match rng.u8(..6) {
            0 => crowd.extend(leak(rng.u64(..90)).into_bytes()),
            1 => crowd.extend(pem(rng.u64(..9)).into_bytes()),
            2 => crowd.extend(format!("\n{}\n", two_lines(rng.u64(..9)).join("\n")).into_bytes()),
            3 => crowd.extend("password=".repeat(rng.usize(1..90)).into_bytes()),
            _ => crowd.extend(rule_text(rng)),
        }
    }
    crowd
}

/// What stands close together before and behind a block's border moves over it, byte by byte, without being changed.
pub(crate) fn clusters_that_shift_over_a_border(rng: &mut Rng) -> Repo {
    const BLOCK: usize = 1 << 20;
    let crowd = crowd(rng, 8000);
    let mut start = code(1, 60_000);
    start.resize(BLOCK, b'\n');
    let base = [&start[..BLOCK - crowd.len() / 2], &crowd, &start[..BLOCK]].concat();
    let step = |shift: usize| {
        let step = move |bytes: &[u8]| vec![Op::Insert(vec![b'#'; shift]), Op::Copy(0, bytes.len())];
        Box::new(step) as Box<dyn FnOnce(&[u8]) -> Vec<Op>>
    };
    let back = |shift: usize| {
        let step = move |bytes: &[u8]| vec![Op::Copy(shift, bytes.len() - shift)];
        Box::new(step) as Box<dyn FnOnce(&[u8]) -> Vec<Op>>
    };
    let forth = [1, 2, 5, 13, 40, 41, 500, 1500];
    let steps = forth.into_iter().map(step).chain([2000, 7, 30, 600].into_iter().map(back));
    deltas(&base, steps.collect::<Vec<_>>())
}
