//! How far a long command has come, on a terminal; nothing in a pipe.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use cpr_replika::{Progress, RewriteProgress, ScrubProgress};
use indicatif::{ProgressBar, ProgressStyle};

/// A line on standard error that is there while the work goes on, and gone after it.
pub(crate) struct Meter {
    bar: ProgressBar,
    /// Bytes of the extract that is read.
    bytes: u64,
}

impl Meter {
    /// For work on an extract of so many bytes.
    pub(crate) fn of_bytes(bytes: u64) -> Meter {
        Meter { bar: bar(), bytes }
    }

    /// For work whose end is not known.
    pub(crate) fn open_ended(what: &'static str) -> Meter {
        let meter = Meter { bar: bar(), bytes: 0 };
        meter.bar.set_message(what);
        meter
    }

    /// Shows where an extract is on its way into the store.
    pub(crate) fn show(&self, progress: Progress) {
        self.show_step(match progress {
            Progress::Checking { bytes } => ("checking", bytes, self.bytes, "{bytes}/{total_bytes}"),
            Progress::Merging { done, of } => ("merging", done, of, "{pos}/{len} persons"),
            Progress::Committing => ("committing", 0, 0, ""),
            // A stage of a later engine.
            _ => ("working", 0, 0, ""),
        });
    }

    /// Shows how far the writing anew of a store is.
    pub(crate) fn show_rewriting(&self, progress: RewriteProgress) {
        self.show_step(match progress {
            RewriteProgress::Copying { rows, of } => ("copying", rows, of, "{pos}/{len} rows"),
            RewriteProgress::Checking { rows, of } => ("checking", rows, of, "{pos}/{len} rows"),
            _ => ("replacing", 0, 0, ""),
        });
    }

    /// Shows how far a scrub is.
    pub(crate) fn show_scrubbing(&self, so_far: ScrubProgress) {
        self.show_step(("scrubbing", so_far.bytes, so_far.of, "{bytes}/{total_bytes}"));
    }

    /// What is done, how much of how much, and how the two are written.
    fn show_step(&self, (what, done, of, unit): (&'static str, u64, u64, &str)) {
        if self.bar.is_hidden() {
            return;
        }
        if self.bar.message() != what {
            let template = match of {
                0 => "{spinner} {msg} {elapsed}".to_owned(),
                _ => format!("{{msg:10}} [{{bar:25}}] {unit}, {{eta}} left"),
            };
            self.bar.set_style(style(&template));
            self.bar.set_message(what);
        }
        if of > 0 {
            self.bar.set_length(of);
            self.bar.set_position(done);
        }
    }

    /// A writer that shows how much went through it.
    pub(crate) fn count<W: Write>(&self, out: W) -> Counted<'_, W> {
        self.bar.set_style(style("{spinner} {msg} {bytes}, {bytes_per_sec}"));
        Counted { out, bar: &self.bar, bytes: 0 }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.set_style(style("{spinner} {msg} {elapsed}"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are well formed")
}

const STEP_BYTES: u64 = 256 * 1024;

/// See [`Meter::count`].
pub(crate) struct Counted<'a, W> {
    out: W,
    bar: &'a ProgressBar,
    /// How many bytes went through.
    pub(crate) bytes: u64,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        // A line of an extract is no step that anybody could see.
        if self.bytes - self.bar.position() >= STEP_BYTES {
            self.bar.set_position(self.bytes);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
