//! Text that others wrote, on its way to a person: guests, servers, files and flags choose it, so that it may be long, and may hold
//! what a terminal acts on. Whatever shows such text takes it through here. Uses nothing of ours; used by all.

use std::fmt::{self, Write as _};
use std::path::Path;

/// How many characters of somebody's text an error message repeats. Arbitrary; one and a half of the longest valid label, so
/// that a name that is slightly too long is still seen whole.
const MAX_EXCERPT_CHARACTERS: usize = 96;

/// Whether a character is one that a person cannot see for what it is: a terminal acts on it, it turns the text around it,
/// or it is invisible.
///
/// These are the control characters (Unicode's `Cc`, so C0, DEL and C1), the line and paragraph separators, the interlinear
/// annotations, and what Unicode's `DerivedCoreProperties.txt` calls `Default_Ignorable_Code_Point`, which has the
/// bidirectional controls in it. Variation selectors are left out: emoji need them and they change nothing else.
///
/// A description may hold none of them; the text of a row may, and whoever shows it to a person escapes them.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A short form of `text` for a message: on one line, visible, and cut where it is long.
pub(crate) fn excerpt(text: &str) -> String {
    visible_at_most(text, MAX_EXCERPT_CHARACTERS)
}

/// At most so many characters of `text`, with each hidden one as its escape.
pub(crate) fn visible_at_most(text: &str, limit: usize) -> String {
    let mut visible = String::new();
    push_visible_at_most(&mut visible, text, limit);
    visible
}

/// The whole of `text`, with each hidden character as its escape.
pub(crate) fn visible(text: &str) -> String {
    let mut visible = String::new();
    push_visible(&mut visible, text);
    visible
}

/// A path for a message. Who makes a file chooses its name, and may choose one that a terminal acts on.
pub(crate) fn path(path: &Path) -> String {
    visible(&path.to_string_lossy())
}

/// Shows literals in backticks within a message, each as its [`excerpt`]: `` `a`, `b` ``.
pub(crate) struct Quoted<'a, T>(pub(crate) &'a [T]);

impl<T: AsRef<str>> fmt::Display for Quoted<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, text) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}`{}`", excerpt(text.as_ref()))?;
        }
        Ok(())
    }
}

/// Appends `text` with each hidden character as its escape, such as `\u{1b}`.
///
/// The result is for people: a backslash stays as it is, so it cannot be told from an escape.
pub(crate) fn push_visible(line: &mut String, text: &str) {
    push_visible_characters(line, text.chars());
}

/// As [`push_visible`], but of a text with more than `limit` characters only that many, followed by `…`.
pub(crate) fn push_visible_at_most(line: &mut String, text: &str, limit: usize) {
    let mut characters = text.chars();
    push_visible_characters(line, characters.by_ref().take(limit));
    if characters.next().is_some() {
        line.push('…');
    }
}

fn push_visible_characters(line: &mut String, characters: impl Iterator<Item = char>) {
    for character in characters {
        if is_hidden(character) {
            push_escape(line, character);
        } else {
            line.push(character);
        }
    }
}

/// Appends the escape of one character, such as `\u{1b}`.
pub(crate) fn push_escape(line: &mut String, character: char) {
    // Writing to a `String` cannot fail.
    let _ = write!(line, "{}", character.escape_unicode());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_known() {
        let hidden = [
            0x00, 0x09, 0x0a, 0x1b, 0x7f, 0x80, 0x9b, 0x9f, 0xad, 0x61c, 0x180e, 0x200b, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029,
            0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0xfeff, 0xfff9, 0xfffb, 0xe0001, 0xe007f,
        ];
        for code in hidden {
            assert!(char::from_u32(code).is_some_and(is_hidden), "U+{code:04X}");
        }
        for character in [' ', '~', '\u{a0}', 'é', '\u{301}', '日', '\u{fe0f}', '\u{fffd}', '😀'] {
            assert!(!is_hidden(character), "{character:?}");
        }
    }

    #[test]
    fn an_excerpt_is_visible_and_bounded() {
        let long = "x".repeat(MAX_EXCERPT_CHARACTERS + 1);
        let cases = [
            ("", String::new()),
            ("restarts", "restarts".to_owned()),
            ("a\n\u{1b}[2J\u{202e}b", r"a\u{a}\u{1b}[2J\u{202e}b".to_owned()),
            (&long[1..], long[1..].to_owned()),
            (&long, format!("{}…", &long[1..])),
        ];
        for (text, expected) in cases {
            assert_eq!(excerpt(text), expected);
        }
        assert_eq!(Quoted(&["a", "b\n"]).to_string(), r"`a`, `b\u{a}`");
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_path_is_visible() {
        use std::os::unix::ffi::OsStrExt as _;

        assert_eq!(path(Path::new("/a/\u{1b}[2J\u{202e}b")), r"/a/\u{1b}[2J\u{202e}b");
        assert_eq!(path(Path::new(std::ffi::OsStr::from_bytes(b"/a\xff"))), "/a\u{fffd}");
    }

    #[test]
    fn hidden_characters_are_escaped() {
        let cases = [
            ("", ""),
            ("web-1 é 日本 😀", "web-1 é 日本 😀"),
            ("\u{1b}[31mred\u{7}", r"\u{1b}[31mred\u{7}"),
            ("a\tb\nc\r\n", r"a\u{9}b\u{a}c\u{d}\u{a}"),
            ("\u{7f}\u{9b}2J", r"\u{7f}\u{9b}2J"),
            ("\u{202e}gnp.exe\u{202c}", r"\u{202e}gnp.exe\u{202c}"),
            ("\u{feff}a\u{200f}b\u{2028}\u{e0041}", r"\u{feff}a\u{200f}b\u{2028}\u{e0041}"),
            (r"C:\u{1b}", r"C:\u{1b}"),
        ];
        for (text, expected) in cases {
            let mut line = String::new();
            push_visible(&mut line, text);
            assert_eq!(line, expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        for (text, expected) in [("", ""), ("日本é", "日本é"), ("日本é\n", "日本é…"), ("\n\n\n\n", r"\u{a}\u{a}\u{a}…")]
        {
            let mut line = String::new();
            push_visible_at_most(&mut line, text, 3);
            assert_eq!(line, expected, "{text:?}");
        }
    }
}
