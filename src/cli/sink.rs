//! Where bytes go: standard output, standard error, report files.

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::args::Color;
use crate::{
    model::Report,
    output::{Format, RenderOptions, render},
};

/// Says something on standard error. Nobody may be there to hear it; that is no failure of ours.
///
/// Names in it may come from a hostile repository: its control characters must not reach the terminal.
pub(super) fn warn(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", plain(text)));
}

/// A text without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    let is_hostile = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Writes to standard output. A reader that went away has what it wanted.
pub(super) fn print(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("write standard output"),
    }
}

/// One place that a report goes to, in one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    format: Format,
    /// `None` is standard output.
    file: Option<PathBuf>,
}

/// Where reports go: each `--output`, and standard output unless one of them is it.
pub(super) fn targets(outputs: &[String], format: Format) -> Vec<Target> {
    let mut targets: Vec<Target> = outputs.iter().map(|output| Target::parse(output, format)).collect();
    if targets.iter().all(|target| target.file.is_some()) {
        targets.push(Target { format, file: None });
    }
    targets
}

impl Target {
    /// `[FORMAT:]FILE`: the prefix counts only if it names a format; else a chosen `--format` does, else the file's extension.
    fn parse(output: &str, chosen: Format) -> Self {
        let prefixed =
            output.split_once(':').and_then(|(format, file)| Some((format.parse::<Format>().ok()?, file)));
        let (format, file) = prefixed.unwrap_or_else(|| {
            let by_extension = || Format::from_extension(Path::new(output)).unwrap_or(chosen);
            (if chosen == Format::Human { by_extension() } else { chosen }, output)
        });
        Self { format, file: (file != "-").then(|| PathBuf::from(file)) }
    }

    /// Renders and writes.
    pub(super) fn write(&self, report: &Report, look: Look) -> Result<()> {
        let options = look.options(self.file.is_none());
        let bytes = render(report, self.format, &options)
            .with_context(|| format!("render the report as {}", self.format))?;
        match &self.file {
            None => print(&bytes),
            Some(path) => write_private(path, &bytes).with_context(|| format!("write {}", path.display())),
        }
    }
}

/// How a report should look, where that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) color: Color,
    pub(super) verbose: bool,
}

impl Look {
    /// Of what goes to standard output, or to a file.
    pub(super) fn options(self, to_stdout: bool) -> RenderOptions {
        let is_terminal = to_stdout && io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                is_terminal && !no_color && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        let columns = if is_terminal { console_width() } else { None };
        let mut options = RenderOptions { color, verbose: self.verbose, ..RenderOptions::default() };
        if let Some(columns) = columns {
            options.width = columns;
        }
        options
    }
}

fn console_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// Writes a file that only its owner can read, whole or not at all. What is no regular file (a pipe, a terminal) is written as it is.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Temporary files are 0600, and stay so.
    let mut file = tempfile::Builder::new().prefix(".hekate-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
