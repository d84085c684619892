//! Signs of life on standard error, where a terminal watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Progress on a terminal, wiped when it is dropped.
pub(crate) struct Watch(ProgressBar);

impl Watch {
    pub(crate) fn hidden() -> Watch {
        Watch(ProgressBar::hidden())
    }

    /// Something whose length isn't known.
    pub(crate) fn spinner(message: &str) -> Watch {
        let bar = ProgressBar::new_spinner();
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Watch(bar)
    }

    /// Something else that goes on now.
    pub(crate) fn say(&self, message: &str) {
        self.0.set_message(message.to_owned());
    }

    /// Wipes it for good.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }

    /// Lets something be written above it.
    pub(crate) fn aside(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }

    /// What running programs has come to.
    pub(crate) fn show(&self, progress: lk_compile::Progress<'_>) {
        use lk_compile::Progress;
        match progress {
            Progress::Building { program } => self.phase(&format!("building {program}"), None),
            Progress::Comparing { program } => self.phase(&format!("comparing {program}"), None),
            Progress::Running { program, done: 0, total } => {
                self.phase(&format!("running {program}"), Some(total));
            }
            Progress::Running { done, .. } => self.0.set_position(done),
            _ => {}
        }
    }

    fn phase(&self, message: &str, total: Option<u64>) {
        let template = match total {
            Some(_) => "{spinner} {msg}  {wide_bar} {human_pos} of {human_len} ticks",
            None => "{spinner} {msg}",
        };
        // What the style shows is there before the style is.
        self.0.set_position(0);
        match total {
            Some(total) => self.0.set_length(total),
            None => self.0.unset_length(),
        }
        self.0.set_message(message.to_owned());
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.clear();
    }
}
