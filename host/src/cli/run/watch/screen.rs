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
    said: Vec<String>,
}

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        let mut out = io::stdout().lock();
        out.write_all(ENTER.as_bytes())?;
        out.flush()?;
        Ok(Self { is_open: true, answer: Vec::new(), said: Vec::new() })
    }

    pub(super) fn show(&mut self, answer: &[u8]) -> io::Result<()> {
        answer.clone_into(&mut self.answer);
        self.draw()
    }

    pub(super) fn say(&mut self, lines: Vec<String>) {
        self.said = lines;
    }

    pub(super) fn said(&self) -> &[String] {
        &self.said
    }

    fn draw(&self) -> io::Result<()> {
        let lines = terminal_size::terminal_size().map_or(DEFAULT_LINES, |(_, height)| usize::from(height.0));
        let frame = frame(&String::from_utf8_lossy(&self.answer), &self.said, &clock(), lines);
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

/// Most lines of what is said that are shown, the last ones. Arbitrary; leaves the screen to the answer.
const MAX_SAID: usize = 5;

/// A whole screen: the time, what is said, and as much of the answer as there is room for.
fn frame(answer: &str, said: &[String], clock: &str, lines: usize) -> String {
    let mut shown = vec![format!("as of {clock}; Ctrl-C ends")];
    shown.extend(said.iter().skip(said.len().saturating_sub(MAX_SAID)).cloned());
    shown.push(String::new());
    // The last line of a screen stays free, or it would scroll.
    let room = lines.saturating_sub(1);
    let rows: Vec<_> = answer.lines().collect();
    let room_for_rows = room.saturating_sub(shown.len()).max(1);
    if rows.is_empty() {
        shown.push("No rows found.".to_owned());
    } else if rows.len() <= room_for_rows {
        shown.extend(rows.iter().map(|row| (*row).to_owned()));
    } else {
        shown.extend(rows.iter().take(room_for_rows - 1).map(|row| (*row).to_owned()));
        shown.push(format!("… {} more", rows.len() - (room_for_rows - 1)));
    }
    let lines: String = shown.iter().take(room.max(1)).map(|line| format!("{line}{CLEAR_LINE}\r\n")).collect();
    format!("{HOME}{lines}{CLEAR_BELOW}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(answer: &str, said: &[&str], lines: usize) -> Vec<String> {
        let said: Vec<_> = said.iter().map(|line| (*line).to_owned()).collect();
        let frame = frame(answer, &said, "2026-01-02T03:04:05Z", lines);
        let text = frame.strip_prefix(HOME).and_then(|text| text.strip_suffix(CLEAR_BELOW)).expect("it is a whole screen");
        text.split_terminator("\r\n")
            .map(|line| line.strip_suffix(CLEAR_LINE).expect("nothing of before is left").to_owned())
            .collect()
    }

    #[test]
    fn a_screen_never_scrolls() {
        let head = ["as of 2026-01-02T03:04:05Z; Ctrl-C ends", ""];
        assert_eq!(shown("A\nb\n", &[], 24), [&head[..], &["A", "b"]].concat());
        assert_eq!(shown("", &[], 24), [&head[..], &["No rows found."]].concat());
        assert_eq!(shown("A\nb\nc\nd\n", &[], 6), [&head[..], &["A", "b", "… 2 more"]].concat());
        assert_eq!(shown("A\nb\nc\n", &[], 6), [&head[..], &["A", "b", "c"]].concat());
        assert_eq!(shown("A\nb\nc\n", &["1", "2", "3", "4", "5", "6"], 4), [head[0], "2", "3"]);
        assert_eq!(shown("A\nb\nc\n", &[], 1), [head[0]]);
        assert_eq!(shown("A\nb\nc\n", &["away", "  since"], 6), [head[0], "away", "  since", "", "… 3 more"]);
    }
}
