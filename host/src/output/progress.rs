//! A line on standard error while a run takes long: pods read so far and time passed.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long a run takes before anything is shown. Arbitrary: long enough that a quick answer comes without a flicker, short
/// enough that nobody wonders.
const SHOW_AFTER: Duration = Duration::from_millis(500);
/// How often the line is drawn again while nothing else happens. Arbitrary: the spinner looks alive.
const TICK_INTERVAL: Duration = Duration::from_millis(100);
/// What the line says.
const TEMPLATE: &str = "{spinner} {human_pos} pods read, {elapsed}";

/// The progress line of one run.
///
/// It appears on a terminal only, and only when a run lasts; it is cleared when this is dropped. Write nothing to the
/// terminal while it may be there, neither to standard output nor to standard error, except through a
/// [handle](Self::handle)'s [`suspend`](ProgressHandle::suspend).
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Dropped to tell the thread that the run has ended, and the thread that shows the line.
    delay: Option<(Sender<()>, JoinHandle<()>)>,
}

/// A cheap copy of a [`Progress`] for those that count pods or write lines. Outliving it does no harm.
#[derive(Clone, Debug)]
pub(crate) struct ProgressHandle(ProgressBar);

impl Progress {
    /// Starts to count pods and time. Without a terminal on standard error nothing is ever shown.
    pub(crate) fn start() -> Self {
        if io::stderr().is_terminal() { Self::on(ProgressDrawTarget::stderr(), SHOW_AFTER) } else { Self::hidden() }
    }

    /// Counts, and never shows anything.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), delay: None }
    }

    fn on(target: ProgressDrawTarget, show_after: Duration) -> Self {
        let bar = ProgressBar::hidden();
        // The template is a constant, and the test that shows the line reads it.
        bar.set_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let (running, ended) = mpsc::channel();
        let shown = bar.clone();
        let thread = thread::spawn(move || {
            if ended.recv_timeout(show_after) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(target);
                shown.enable_steady_tick(TICK_INTERVAL);
            }
        });
        Self { bar, delay: Some((running, thread)) }
    }

    /// A handle for those that count pods or write lines.
    pub(crate) fn handle(&self) -> ProgressHandle {
        ProgressHandle(self.bar.clone())
    }
}

impl ProgressHandle {
    /// Counts pods that have been read.
    pub(crate) fn add_pods(&self, count: u64) {
        self.0.inc(count);
    }

    /// Takes the line off the terminal while `write` runs.
    pub(crate) fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        self.0.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((running, thread)) = self.delay.take() {
            drop(running);
            // It cannot panic; if it did, the line would stay, which is no reason to fail a run.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use indicatif::TermLike;

    use super::*;

    /// A terminal of one line that also remembers whatever was on it.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<(String, String)>>);

    impl Screen {
        fn change(&self, change: impl FnOnce(&mut (String, String))) -> io::Result<()> {
            change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
            Ok(())
        }

        fn line(&self) -> String {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).0.trim().to_owned()
        }

        fn history(&self) -> String {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.change(|(line, history)| {
                line.push_str(text);
                history.push_str(text);
            })
        }
        fn clear_line(&self) -> io::Result<()> {
            self.change(|(line, _)| line.clear())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn progress(screen: &Screen, show_after: Duration) -> Progress {
        Progress::on(ProgressDrawTarget::term_like(Box::new(screen.clone())), show_after)
    }

    #[test]
    fn a_quick_run_shows_nothing() {
        let screen = Screen::default();
        let progress = progress(&screen, Duration::MAX);
        progress.handle().add_pods(500);
        assert_eq!(progress.handle().suspend(|| 3), 3);
        drop(progress);
        assert_eq!(screen.history(), "");
    }

    #[test]
    fn a_long_run_shows_a_line_and_clears_it() {
        let screen = Screen::default();
        let progress = progress(&screen, Duration::ZERO);
        let handle = progress.handle();
        handle.add_pods(12_500);
        while !screen.line().contains("12,500 pods read, ") {
            thread::yield_now();
        }
        handle.suspend(|| assert_eq!(screen.line(), ""));
        drop(progress);
        assert_eq!(screen.line(), "");
        handle.add_pods(1);
        assert_eq!(screen.line(), "");
    }
}
