//! Programs of the operator's own: run without a shell, for a limited time, with what they are to know on standard input.

use std::{
    io::Write,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How often a program is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// What only hekate is to know: keys, logins, addresses with secrets in them.
const OWN_VARIABLES: &str = "HEKATE_";

/// A program that trusted config names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What it is called in config and inventory.
    pub name: String,
    /// The program, by an absolute path, and its arguments: never a secret.
    pub argv: Vec<String>,
    /// It is stopped when it takes longer.
    pub timeout: Duration,
}

/// A program that did not do what it should. What it prints is not in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// It did not start: nothing was done.
    #[error("start {program}: {why}")]
    Start {
        /// Its path.
        program: String,
        /// What the system said.
        why: String,
    },
    /// It ended otherwise than with 0.
    #[error("{program} ended with {status}")]
    Failed {
        /// Its path.
        program: String,
        /// `exit status: 1`, `signal: 9`.
        status: String,
    },
    /// It was stopped.
    #[error("{program} took longer than {seconds} seconds, and was stopped")]
    Timeout {
        /// Its path.
        program: String,
        /// As trusted config says.
        seconds: u64,
    },
}

impl Program {
    fn path(&self) -> String {
        self.argv.first().cloned().unwrap_or_default()
    }

    /// Runs it to its end. It sees hekate's environment without the variables that are hekate's own; what it prints goes nowhere.
    ///
    /// # Errors
    /// It does not start, takes too long, or ends otherwise than with 0.
    pub fn run(&self, stdin: &[u8]) -> Result<(), ProgramError> {
        let mut child = self
            .start()
            .map_err(|error| ProgramError::Start { program: self.path(), why: error.to_string() })?;
        let pipe = child.stdin.take();
        let input = zeroize::Zeroizing::new(stdin.to_vec());
        // It may read nothing, and end: that is its right. If it hangs, the pipe breaks when it is stopped.
        thread::spawn(move || pipe.map(|mut pipe| pipe.write_all(&input)));
        match self.wait(&mut child) {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => {
                Err(ProgramError::Failed { program: self.path(), status: status.to_string() })
            }
            Ok(None) => Err(ProgramError::Timeout { program: self.path(), seconds: self.timeout.as_secs() }),
            Err(error) => Err(ProgramError::Failed { program: self.path(), status: error.to_string() }),
        }
    }

    fn start(&self) -> std::io::Result<Child> {
        let [program, args @ ..] = self.argv.as_slice() else {
            return Err(std::io::Error::other("no program is named"));
        };
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(OWN_VARIABLES) {
                command.env_remove(&name);
            }
        }
        command.spawn()
    }

    /// How it ended; `None` where it had to be stopped.
    fn wait(&self, child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if start.elapsed() >= self.timeout {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            thread::sleep(PAUSE);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, timeout: Duration) -> Program {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        Program { name: "page-me".into(), argv, timeout }
    }

    #[test]
    fn a_program_gets_its_input_and_says_by_its_end_how_it_went() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen");
        let program = shell(&format!("cat > '{}'; echo noise", path.display()), Duration::from_secs(30));
        assert_eq!(program.run(b"the message"), Ok(()));
        assert_eq!(std::fs::read(path).unwrap(), b"the message");
        let error = shell("exit 3", Duration::from_secs(30)).run(b"").unwrap_err().to_string();
        assert_eq!(error, "/bin/sh ended with exit status: 3");
    }

    #[test]
    fn a_program_that_hangs_is_stopped_even_if_it_reads_nothing() {
        let program = shell("exec sleep 60", Duration::from_millis(50));
        let error = program.run(&vec![b'x'; 1 << 20]).unwrap_err();
        assert!(matches!(error, ProgramError::Timeout { .. }), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_did_nothing() {
        let program =
            Program { name: "x".into(), argv: vec!["/nowhere/x".into()], timeout: Duration::from_secs(1) };
        assert!(matches!(program.run(b""), Err(ProgramError::Start { .. })));
        let none = Program { argv: Vec::new(), ..program };
        assert!(matches!(none.run(b""), Err(ProgramError::Start { .. })));
    }
}
