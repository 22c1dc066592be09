//! What a person gives: a new value that a provider showed them. It is read without echo, or from a file descriptor, and never from the
//! command line.

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
};

use anyhow::{Context, Result, bail};

use crate::model::Secret;

/// No value is longer, in bytes.
const LONGEST: u64 = 64 << 10;

/// A value, if one is to be given.
pub(super) fn value(asks: bool, descriptor: Option<i32>) -> Result<Option<Secret>> {
    match (asks, descriptor) {
        (true, _) => ask("New value (not shown): ").map(Some),
        (_, Some(0)) => bounded(io::stdin().lock()).context("read the value from standard input").map(Some),
        (_, Some(number)) => {
            let what = || format!("read the value from file descriptor {number}");
            if number < 0 {
                bail!("--value-fd {number}: it is a number from 0");
            }
            // What the shell has opened there is read; the number is all that we know of it.
            let file = File::open(format!("/dev/fd/{number}")).with_context(what)?;
            bounded(file).with_context(what).map(Some)
        }
        (false, None) => Ok(None),
    }
}

/// Asks at the terminal, without echo.
pub(super) fn ask(prompt: &str) -> Result<Secret> {
    if !io::stdin().is_terminal() {
        bail!("there is no terminal to ask at; give the value by --value-fd");
    }
    let typed = rpassword::prompt_password(prompt).context("read the value")?;
    checked(Secret::new(typed))
}

fn bounded(source: impl Read) -> Result<Secret> {
    let mut bytes = Vec::with_capacity(1024);
    source.take(LONGEST + 1).read_to_end(&mut bytes)?;
    let read = Secret::new(bytes);
    if read.len() as u64 > LONGEST {
        bail!("it is longer than {LONGEST} bytes");
    }
    checked(read)
}

/// Without the line's end, as it comes from `echo` or a file.
fn checked(read: Secret) -> Result<Secret> {
    let value = Secret::new(read.expose().trim_ascii());
    if value.is_empty() { bail!("it is empty") } else { Ok(value) }
}
