//! A progress bar for scans that take more than a blink.

use std::{
    io::IsTerminal,
    sync::OnceLock,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::scan::Progress;

/// Scans shorter than this show nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// Shows on standard error how many files are done, once it takes longer.
pub(super) struct Bar {
    bar: ProgressBar,
    started: Instant,
    shown: OnceLock<()>,
    is_wanted: bool,
}

impl Bar {
    pub(super) fn new(is_wanted: bool) -> Self {
        Self {
            bar: ProgressBar::hidden(),
            started: Instant::now(),
            shown: OnceLock::new(),
            is_wanted: is_wanted && std::io::stderr().is_terminal(),
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn start(&self, files: u64) {
        self.bar.set_length(files);
    }

    fn advance(&self, _: u64) {
        if !self.is_wanted {
            return;
        }
        self.bar.inc(1);
        if self.shown.get().is_none() && self.started.elapsed() > PATIENCE {
            self.shown.get_or_init(|| {
                let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} files  {elapsed}")
                    .expect("a valid template");
                self.bar.set_style(style);
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
            });
        }
    }
}
