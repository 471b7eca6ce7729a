//! Names of objects, made of other names: what an object's name may not have is folded, and whatever is folded gets a hash of the
//! whole, so that no two share a name by accident.

/// Most characters of a name that is folded; arbitrary, so that the whole can be read.
const MAX_CHARACTERS: usize = 40;

/// How many digits a hash has.
const HASH_DIGITS: usize = 8;

/// `name` as a part of an object's name: lower case letters, digits and hyphens. Where that is another text, or looks as if it were
/// made so, a hash of `whole` is at its end.
pub(super) fn fold(name: &str, whole: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' };
    let folded: String = name.chars().take(MAX_CHARACTERS).map(plain).collect();
    let folded = folded.trim_matches('-');
    if folded == name && !has_hash(name) && !name.is_empty() { folded.to_owned() } else { hashed(folded, whole) }
}

/// `name` with the hash of `whole`.
pub(super) fn hashed(name: &str, whole: &str) -> String {
    let hyphen = if name.is_empty() { "" } else { "-" };
    format!("{name}{hyphen}{:08x}", fnv1a(whole))
}

fn has_hash(name: &str) -> bool {
    let end = name.rsplit('-').next().unwrap_or_default();
    end.len() == HASH_DIGITS && end.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// FNV-1a of 32 bits (Fowler, Noll and Vo): short, and the same with every release, which `std`'s own is not. It keeps apart who
/// happens to be called alike; who may choose a user's name to collide with another's may do worse.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        for (text, expected) in [("", 0x811c_9dc5), ("a", 0xe40c_292c), ("foobar", 0xbf9c_f968)] {
            assert_eq!(fnv1a(text), expected);
        }
    }

    #[test]
    fn what_is_folded_has_a_hash() {
        let long = "a".repeat(MAX_CHARACTERS + 1);
        for (name, expected) in [
            ("jane", "jane"),
            ("jane-2", "jane-2"),
            ("Jane", "jane-7b3b8991"),
            ("", "811c9dc5"),
            ("-", "280c9438"),
            ("jane-0badcafe", "jane-0badcafe-"),
            (&long, &long[1..]),
        ] {
            let folded = fold(name, name);
            assert!(folded.starts_with(expected) && (folded == name) == (expected == name), "{name}: {folded}");
        }
        assert_ne!(fold("jane@a", "jane@a"), fold("jane.a", "jane.a"));
    }
}
