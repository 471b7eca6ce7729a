//! Marks and colours: colours only where a terminal shows them and nobody asked for none.

use std::io::IsTerminal as _;

use crate::config::{Environment as _, ProcessEnvironment};

/// What a line says about something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Good,
    Bad,
    /// Good, with something to be looked at.
    Doubt,
    /// Nothing was found out.
    Open,
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    colours: bool,
}

impl Style {
    /// For standard output. <https://no-color.org>: any value but the empty one turns colours off.
    pub(crate) fn of_stdout() -> Self {
        let environment = ProcessEnvironment;
        let is_dumb = environment.var("TERM").is_some_and(|term| term == "dumb");
        let colours = std::io::stdout().is_terminal() && environment.non_empty("NO_COLOR").is_none() && !is_dumb;
        Self { colours }
    }

    /// Without colours.
    pub(crate) const fn plain() -> Self {
        Self { colours: false }
    }

    /// With colours, wherever it goes.
    #[cfg(test)]
    pub(crate) const fn coloured() -> Self {
        Self { colours: true }
    }

    /// The mark alone.
    pub(crate) fn mark(self, mark: Mark) -> String {
        self.paint(
            mark,
            match mark {
                Mark::Good => "✔",
                Mark::Bad => "✘",
                Mark::Doubt => "!",
                Mark::Open => "–",
            },
        )
    }

    /// A text in the mark's colour.
    pub(crate) fn paint(self, mark: Mark, text: &str) -> String {
        self.render(
            match mark {
                Mark::Good => 32,
                Mark::Bad => 31,
                Mark::Doubt => 33,
                Mark::Open => 2,
            },
            text,
        )
    }

    /// A text that heads others.
    pub(crate) fn heading(self, text: &str) -> String {
        self.render(1, text)
    }

    /// SGR, ECMA-48 section 8.3.117: the colours that every terminal has.
    fn render(self, code: u8, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_coloured_or_plain() {
        assert_eq!(Style { colours: false }.mark(Mark::Bad), "✘");
        assert_eq!(Style { colours: true }.mark(Mark::Good), "\u{1b}[32m✔\u{1b}[0m");
    }
}
