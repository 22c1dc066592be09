//! The operator's own programs, of trusted config: run without a shell, for a limited time, with nothing secret on their command line.

mod output;
mod run;

use std::{path::PathBuf, time::Duration};

pub(super) use self::run::Ended;
use self::run::Run;
use super::target::Trouble;
use crate::model::Secret;

/// A program of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What the inventory calls it.
    pub name: String,
    /// The program, by its whole path or by a name that is found on `PATH`, and its arguments. No shell reads them.
    pub argv: Vec<String>,
    /// How long it may take; then it is killed, with all that it started.
    pub timeout: Duration,
}

impl Program {
    /// Has it do something about a consumer: `sync` or `restart`. It gets no value.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn run_for_consumer(&self, action: &str, incident: &str) -> Result<(), Trouble> {
        let variables = vec![("HEKATE_ACTION", action.to_owned()), ("HEKATE_INCIDENT", incident.to_owned())];
        self.done(self.run(variables, None, &[]), action)
    }

    /// Runs it to its end. It sees `PATH`, `HOME`, `LANG` and these variables, and gets the input and nothing else on its standard input.
    ///
    /// # Errors
    /// It did not start: nothing was done.
    pub(super) fn run(
        &self,
        variables: Vec<(&'static str, String)>,
        input: Option<&Secret>,
        secrets: &[&Secret],
    ) -> Result<Ended, Trouble> {
        let program =
            self.locate().map_err(|why| Trouble::Refused(format!("program {}: {why}", self.name)))?;
        let run = Run {
            program,
            arguments: self.argv.get(1..).unwrap_or_default(),
            variables,
            timeout: self.timeout,
        };
        run.run(input, secrets)
            .map_err(|error| Trouble::Refused(format!("program {}: start it: {error}", self.name)))
    }

    /// Has it take something in: a message.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn tell(&self, input: &[u8]) -> Result<(), Trouble> {
        self.done(self.run(Vec::new(), Some(&Secret::new(input)), &[]), "notify")
    }

    /// The program's file. Folders of `PATH` that are relative don't count: what lies there is the scanned tree's.
    fn locate(&self) -> Result<PathBuf, String> {
        let named =
            PathBuf::from(self.argv.first().filter(|name| !name.is_empty()).ok_or("it has no command")?);
        if named.is_absolute() {
            return Ok(named);
        }
        if named.components().count() > 1 {
            return Err(format!("{} is neither a whole path nor a bare name", named.display()));
        }
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let mut files = std::env::split_paths(&folders)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(&named));
        files.find(|file| run::is_program(file)).ok_or_else(|| format!("{} is not on PATH", named.display()))
    }

    /// What its end means for something that was to be done.
    pub(super) fn done(&self, ended: Result<Ended, Trouble>, action: &str) -> Result<(), Trouble> {
        let ended = ended?;
        let what = format!("program {} at {action}: {}", self.name, ended.words(self.timeout));
        match ended.code() {
            Some(0 | 3) => Ok(()),
            Some(1) => Err(Trouble::Refused(what)),
            _ => Err(Trouble::Unclear(what)),
        }
    }
}
