//! What a new query may be called: a name that cargo, npm, Python's packages and kubectl's plugins all take, and that is a file's.

use std::fmt;
use std::str::FromStr;

use crate::cli::builtin;
use crate::text::excerpt;

/// Most characters of a name. Arbitrary, and below the limit of any of them; crates.io has the lowest, 64.
const MAX_CHARACTERS: usize = 50;

/// Words that are no crate's name: Rust's keywords and libraries (the Rust Reference, "Keywords"), what cargo keeps for its folders, and
/// the SDK.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "podlens-guest",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// The name of a new query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_name = text.len() <= MAX_CHARACTERS
            && text.starts_with(|character: char| character.is_ascii_lowercase())
            && text.split('-').all(is_word);
        if !is_name {
            return Err(InvalidName::Grammar(excerpt(text)));
        }
        if RESERVED.contains(&text) {
            return Err(InvalidName::Reserved(text.to_owned()));
        }
        if builtin::query(text).is_some() {
            return Err(InvalidName::Taken(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Why a query cannot be called so.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InvalidName {
    Grammar(String),
    Reserved(String),
    Taken(String),
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grammar(name) => write!(
                f,
                "`{name}` is no name for a query: words of `a-z` and `0-9`, joined by `-`, the first character a letter, at most \
                 {MAX_CHARACTERS} characters, such as `oom-kills`"
            ),
            Self::Reserved(name) => write!(f, "`{name}` is no name for a query: Rust's tools keep it for themselves"),
            Self::Taken(name) => write!(f, "`{name}` comes with podlens: `podlens run {name}` would run that query, not yours"),
        }
    }
}

impl std::error::Error for InvalidName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_every_tool() {
        let longest = "a".repeat(MAX_CHARACTERS);
        for name in ["a", "oom-kills", "k8s-2", "a-1", "my-restarts", &longest] {
            assert_eq!(name.parse().as_ref().map(Name::as_str), Ok(name));
        }
        let too_long = "a".repeat(MAX_CHARACTERS + 1);
        for name in [
            "",
            "-",
            "-a",
            "a-",
            "a--b",
            "1a",
            "A",
            "a_b",
            "a.b",
            "a/b",
            "..",
            ".",
            "a b",
            "é",
            "@a/b",
            "--help",
            "a\n",
            "a\u{202e}b",
            &too_long,
        ] {
            let error = name.parse::<Name>().expect_err("it is no name");
            assert!(matches!(&error, InvalidName::Grammar(shown) if *shown == excerpt(name)), "{error:?}");
        }
        for name in ["fn", "test", "std", "podlens-guest"] {
            assert_eq!(name.parse::<Name>(), Err(InvalidName::Reserved(name.to_owned())));
        }
        for name in builtin::names() {
            assert_eq!(name.parse::<Name>(), Err(InvalidName::Taken(name.to_owned())));
        }
    }
}
