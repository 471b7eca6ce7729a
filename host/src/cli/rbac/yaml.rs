//! YAML scalars that mean the text that they are made of.

use std::fmt::Write as _;

use crate::text::is_hidden;

/// The text as YAML. A plain word stays plain; anything that a YAML 1.1 or 1.2 reader could take for something else is quoted.
pub(in crate::cli) fn scalar(text: &str) -> String {
    let starts_plain = text.starts_with(|character: char| character.is_ascii_lowercase() || character == '/');
    let is_plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-./_".contains(&byte));
    // What is a number in hexadecimal begins with a digit, and so it is quoted anyway.
    let is_word = matches!(text, "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null");
    if starts_plain && is_plain && !is_word { text.to_owned() } else { quoted(text) }
}

/// The text in double quotes (YAML 1.2, section 5.7). What a person cannot see is escaped, so that what is pasted is what is read.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            // Writing to a `String` cannot fail.
            _ if is_hidden(character) && u32::from(character) <= 0xffff => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            _ if is_hidden(character) => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_something_else_is_quoted() {
        for (text, expected) in [
            ("shop", "shop"),
            ("kube-system", "kube-system"),
            ("/queries/mine.wasm", "/queries/mine.wasm"),
            ("123", "\"123\""),
            ("1e3", "\"1e3\""),
            ("no", "\"no\""),
            ("null", "\"null\""),
            ("a: b", "\"a: b\""),
            ("", "\"\""),
            ("jane@x\n", r#""jane@x\u000a""#),
            ("\u{1b}\u{9b}\u{202e}", r#""\u001b\u009b\u202e""#),
            ("\u{e0041}é", r#""\U000e0041é""#),
            (r#"a"\b"#, r#""a\"\\b""#),
        ] {
            assert_eq!(scalar(text), expected);
        }
    }
}
