//! Makes hidden characters visible, for output that people read on a terminal.

use std::fmt::Write as _;

use crate::query::is_hidden;

/// Appends `text` with each hidden character as its escape, such as `\u{1b}`.
///
/// The result is for people: a backslash stays as it is, so it cannot be told from an escape.
pub(super) fn push_visible(line: &mut String, text: &str) {
    push_visible_characters(line, text.chars());
}

/// As [`push_visible`], but of a text with more than `limit` characters only that many, followed by `…`.
pub(super) fn push_visible_at_most(line: &mut String, text: &str, limit: usize) {
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
pub(super) fn push_escape(line: &mut String, character: char) {
    // Writing to a `String` cannot fail.
    let _ = write!(line, "{}", character.escape_unicode());
}

#[cfg(test)]
mod tests {
    use super::*;

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
