//! Reads every blob of a repository whole and looks at none: what `benches/history.sh` measures `hekate history` by.

use std::{env, error::Error, path::Path};

use hekate::{
    git::{Objects, Repository},
    history::materialise,
};

/// For buffers, in bytes.
const MEMORY: u64 = 1 << 30;

#[expect(clippy::print_stdout, reason = "whoever runs it sees that blobs were read")]
fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("which repository?")?;
    let repository = Repository::discover(Path::new(&path))?;
    let objects = Objects::open(repository.object_folders(), repository.hash)?;
    let read = materialise(&objects, MEMORY);
    println!("{} blobs, {} bytes; {} not read", read.blobs, read.bytes, read.failed);
    Ok(())
}
