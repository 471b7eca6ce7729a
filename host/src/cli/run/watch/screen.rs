//! A terminal's second screen, with the last answer on it.

use std::io::{self, Write};

use jiff::Timestamp;

/// Control sequences of xterm that every terminal of today knows.
const ENTER: &str = "\x1b[?1049h\x1b[?7l\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?7h\x1b[?1049l";
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// Lines of a terminal that does not tell its size.
const DEFAULT_LINES: usize = 24;

/// The second screen, for as long as this exists. What was shown last is left on the first.
pub(super) struct Screen {
    is_open: bool,
    answer: Vec<u8>,
    said: Option<String>,
}

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        let mut out = io::stdout().lock();
        out.write_all(ENTER.as_bytes())?;
        out.flush()?;
        Ok(Self { is_open: true, answer: Vec::new(), said: None })
    }

    pub(super) fn show(&mut self, answer: &[u8]) -> io::Result<()> {
        answer.clone_into(&mut self.answer);
        self.draw()
    }

    pub(super) fn say(&mut self, message: &str) {
        self.said = Some(message.to_owned());
        // A terminal that is gone is noticed with the next answer.
        let _ = self.draw();
    }

    fn draw(&self) -> io::Result<()> {
        let lines = terminal_size::terminal_size().map_or(DEFAULT_LINES, |(_, height)| usize::from(height.0));
        let frame = frame(&String::from_utf8_lossy(&self.answer), self.said.as_deref(), &clock(), lines);
        let mut out = io::stdout().lock();
        out.write_all(frame.as_bytes())?;
        out.flush()
    }

    pub(super) fn close(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_open) {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(LEAVE.as_bytes())?;
        out.write_all(&self.answer)?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing restored.
        let _ = self.close();
    }
}

/// This moment, in whole seconds.
fn clock() -> String {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string()
}

/// A whole screen: the time, what is said, and as much of the answer as there is room for.
fn frame(answer: &str, said: Option<&str>, clock: &str, lines: usize) -> String {
    let mut frame = HOME.to_owned();
    let mut line = |text: &str| frame += &format!("{text}{CLEAR_LINE}\r\n");
    line(&format!("as of {clock}; Ctrl-C ends"));
    let said: Vec<_> = said.into_iter().flat_map(str::lines).collect();
    said.iter().for_each(|text| line(text));
    line("");
    let rows: Vec<_> = answer.lines().collect();
    // The last line of a screen stays free, or it would scroll.
    let room = lines.saturating_sub(said.len() + 3).max(1);
    if rows.is_empty() {
        line("No rows found.");
    } else if rows.len() <= room {
        rows.iter().for_each(|row| line(row));
    } else {
        rows.iter().take(room - 1).for_each(|row| line(row));
        line(&format!("… {} more", rows.len() - (room - 1)));
    }
    frame + CLEAR_BELOW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(answer: &str, said: Option<&str>, lines: usize) -> Vec<String> {
        let frame = frame(answer, said, "2026-01-02T03:04:05Z", lines);
        let text = frame.strip_prefix(HOME).and_then(|text| text.strip_suffix(CLEAR_BELOW)).expect("it is a whole screen");
        text.split_terminator("\r\n")
            .map(|line| line.strip_suffix(CLEAR_LINE).expect("nothing of before is left").to_owned())
            .collect()
    }

    #[test]
    fn a_screen_never_scrolls() {
        let head = ["as of 2026-01-02T03:04:05Z; Ctrl-C ends", ""];
        assert_eq!(shown("A\nb\n", None, 24), [&head[..], &["A", "b"]].concat());
        assert_eq!(shown("", None, 24), [&head[..], &["No rows found."]].concat());
        assert_eq!(shown("A\nb\nc\nd\n", None, 6), [&head[..], &["A", "b", "… 2 more"]].concat());
        assert_eq!(shown("A\nb\nc\n", None, 6), [&head[..], &["A", "b", "c"]].concat());
        assert_eq!(shown("A\nb\nc\n", Some("away\n  since"), 6), [head[0], "away", "  since", "", "… 3 more"]);
    }
}
