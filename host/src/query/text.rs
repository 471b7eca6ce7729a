//! Text that others wrote, on its way to a person.

use std::fmt::{self, Write as _};

/// How many characters of a guest's or operator's text an error message repeats. Arbitrary; one and a half of the longest
/// valid name, so that a name that is slightly too long is still seen whole.
const MAX_QUOTED_CHARACTERS: usize = 96;

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

/// Shows a literal in backticks within an error message: on one line, visible, and cut where it is long.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        f.write_char('`')?;
        for character in characters.by_ref().take(MAX_QUOTED_CHARACTERS) {
            if is_hidden(character) {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                f.write_char(character)?;
            }
        }
        if characters.next().is_some() {
            f.write_char('…')?;
        }
        f.write_char('`')
    }
}

/// Shows a list of literals: `` `a`, `b` ``.
pub(crate) struct QuotedList<'a>(pub(crate) &'a [String]);

impl fmt::Display for QuotedList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, text) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}", Quoted(text))?;
        }
        Ok(())
    }
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
    fn quoted_text_is_visible_and_bounded() {
        let long = "x".repeat(MAX_QUOTED_CHARACTERS + 1);
        let cases = [
            ("", "``".to_owned()),
            ("restarts", "`restarts`".to_owned()),
            ("a\n\u{1b}[2J\u{202e}b", r"`a\u{a}\u{1b}[2J\u{202e}b`".to_owned()),
            (&long[1..], format!("`{}`", &long[1..])),
            (&long, format!("`{}…`", &long[1..])),
        ];
        for (text, expected) in cases {
            assert_eq!(Quoted(text).to_string(), expected);
        }
    }
}
