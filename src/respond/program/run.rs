//! Running a program: what it is given, how long it may take, how it ended.

use std::{
    env,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use super::output::{KEPT, Tail};
use crate::model::Secret;

/// What a program sees of our environment.
const PASSED: &[&str] = &["PATH", "HOME", "LANG"];
/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(10);
/// How long its output may take after it has ended: only what left its process group can hold it open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A program that is to run.
pub(super) struct Run<'a> {
    pub(super) program: PathBuf,
    pub(super) arguments: &'a [String],
    pub(super) variables: Vec<(&'static str, String)>,
    pub(super) timeout: Duration,
}

/// How a program ended.
pub(in crate::respond) struct Ended {
    /// None where it was killed for taking too long.
    status: Option<ExitStatus>,
    /// Its last line, if that can be shown.
    line: Option<String>,
}

impl Ended {
    /// Its exit code; none where it has none.
    pub(in crate::respond) fn code(&self) -> Option<i32> {
        self.status?.code()
    }

    /// For errors.
    pub(in crate::respond) fn words(&self, timeout: Duration) -> String {
        let how = match self.status.map(|status| status.code()) {
            None => format!("it took longer than {} s and was killed", timeout.as_secs_f32()),
            Some(Some(code)) => format!("it ended with {code}"),
            Some(None) => "it was killed by a signal".to_owned(),
        };
        self.line.as_ref().map(|line| format!("{how}: {line}")).unwrap_or(how)
    }
}

/// Whether a file can be run.
pub(super) fn is_program(file: &Path) -> bool {
    #[cfg(unix)]
    let is_executable = |metadata: &std::fs::Metadata| {
        use std::os::unix::fs::PermissionsExt;
        metadata.permissions().mode() & 0o111 != 0
    };
    #[cfg(not(unix))]
    let is_executable = |_: &std::fs::Metadata| true;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && is_executable(&metadata))
}

impl Run<'_> {
    /// Runs it to its end, or to its timeout. `secrets` are what its last line must not show.
    pub(super) fn run(self, input: Option<&Secret>, secrets: &[&Secret]) -> io::Result<Ended> {
        let end = Instant::now() + self.timeout;
        let mut child = self.command().spawn()?;
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input.cloned()) {
            // It may read none of it: the pipe then breaks when the program ends, which is its own business.
            thread::spawn(move || drop(pipe.write_all(input.expose())));
        }
        let words = [child.stderr.take().map(tail_of), child.stdout.take().map(tail_of)];
        let status = wait(&mut child, end)?;
        let line =
            words.into_iter().flatten().find_map(|tail| tail.recv_timeout(LAST_WORDS).ok()?.line(secrets));
        Ok(Ended { status, line })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments).env_clear();
        command.envs(PASSED.iter().filter_map(|name| Some((name, env::var_os(name)?))));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        {
            // The working folder may be a scanned tree, from which interpreters would load what lies there.
            command.current_dir("/");
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        command
    }
}

/// Reads an output to its end in a thread of its own, so that the program is never held up; keeps the end of it.
fn tail_of(mut pipe: impl Read + Send + 'static) -> Receiver<Tail> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut tail, mut buffer) = (Tail::new(), Zeroizing::new([0; KEPT]));
        // A pipe that can't be read has said all that it will.
        while let Ok(count @ 1..) = pipe.read(&mut *buffer) {
            tail.push(&buffer[..count]);
        }
        // Nobody waits any more if it took too long.
        drop(sender.send(tail));
    });
    receiver
}

/// Waits for its end; after the timeout it is killed, and `None` comes back. What it started and left behind is killed either way.
fn wait(child: &mut Child, end: Instant) -> io::Result<Option<ExitStatus>> {
    while !has_ended(child)? {
        if Instant::now() >= end {
            kill(child)?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
    kill(child)?;
    child.wait().map(Some)
}

/// Looks without collecting its status: until that is done, nobody else gets its process id.
#[cfg(unix)]
fn has_ended(child: &mut Child) -> io::Result<bool> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
}

#[cfg(unix)]
fn kill(child: &mut Child) -> io::Result<()> {
    use rustix::{
        io::Errno,
        process::{Pid, Signal, kill_process_group},
    };
    match kill_process_group(Pid::from_child(child), Signal::KILL) {
        // Nobody is left, or (elsewhere than on Linux) only the one that has ended.
        Ok(()) | Err(Errno::SRCH | Errno::PERM) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn has_ended(child: &mut Child) -> io::Result<bool> {
    child.try_wait().map(|status| status.is_some())
}

#[cfg(not(unix))]
fn kill(child: &mut Child) -> io::Result<()> {
    // It has ended if it can't be killed.
    drop(child.kill());
    Ok(())
}
