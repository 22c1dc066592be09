//! Parse, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    hekate::cli::run().into()
}
