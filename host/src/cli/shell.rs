//! Command lines for a person to paste into a shell: bash, zsh or any other POSIX shell.
//!
//! Names in them may be chosen by a server, a token or a file. Each becomes one word, whatever is in it; and what a person cannot
//! see is not pasted by a person.

use std::fmt;
use std::path::Path;

use crate::text::{excerpt, is_hidden};

/// Why a command is not printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Unprintable {
    /// Has characters that a terminal acts on, or that nobody sees, or is no text at all.
    Hidden(String),
    /// Would be taken for a flag.
    Flag(String),
}

/// A command of these words, each of which is one argument.
pub(in crate::cli) fn command<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Result<String, Unprintable> {
    let words: Result<Vec<_>, _> = words.into_iter().map(|text| word(text.as_ref())).collect();
    Ok(words?.join(" "))
}

/// One word of a command line.
pub(in crate::cli) fn word(text: &str) -> Result<String, Unprintable> {
    // What stands for bytes that are no text would be another name.
    if text.chars().any(|character| is_hidden(character) || character == char::REPLACEMENT_CHARACTER) {
        return Err(Unprintable::Hidden(excerpt(text)));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=,+".contains(&byte);
    // zsh takes a leading `=` for the path of a command.
    let is_word = !text.is_empty() && !text.starts_with('=') && text.bytes().all(is_plain);
    Ok(if is_word { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) })
}

/// A word that is no flag, such as the name of an entry.
pub(in crate::cli) fn name(text: &str) -> Result<&str, Unprintable> {
    if text.starts_with('-') { Err(Unprintable::Flag(excerpt(text))) } else { Ok(text) }
}

/// A path as an argument: never taken for a flag.
pub(in crate::cli) fn path(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.starts_with('-') { format!("./{text}") } else { text.into_owned() }
}

impl fmt::Display for Unprintable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden(text) => write!(f, "`{text}` has characters that cannot be seen"),
            Self::Flag(text) => write!(f, "`{text}` would be taken for a flag"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_stays_one_word() {
        for (text, expected) in [
            ("jane@x", "jane@x"),
            ("", "''"),
            ("a b", "'a b'"),
            ("a'; rm", r"'a'\''; rm'"),
            ("$(x)", "'$(x)'"),
            ("=ls", "'=ls'"),
            ("--user==ls", "--user==ls"),
            ("--server=https://[::1]:6443", "'--server=https://[::1]:6443'"),
        ] {
            assert_eq!(word(text).as_deref(), Ok(expected));
        }
        assert_eq!(command(["a", "b c"]).as_deref(), Ok("a 'b c'"));
    }

    #[test]
    fn what_cannot_be_seen_is_not_printed() {
        for text in ["a\n", "a\u{1b}[2J", "a\u{202e}b", "a\u{200b}", "a\u{fffd}"] {
            assert!(matches!(command(["kubectl", text]), Err(Unprintable::Hidden(shown)) if !shown.contains('\u{1b}')), "{text:?}");
        }
        assert_eq!(name("-n"), Err(Unprintable::Flag("-n".to_owned())));
        assert_eq!((path(Path::new("-n")), path(Path::new("/a/-n"))), ("./-n".to_owned(), "/a/-n".to_owned()));
    }
}
