//! Names, ids and digests as a cluster generates them, made from the text of what they belong to: the demo's pods are the same
//! ones on each machine and at each start. Nothing here is a secret.

/// Kubernetes' alphabet for generated names: no vowels and no digits that look like one (apimachinery `pkg/util/rand`).
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// The letters of it that the digits of a hash are written in (the same file, `SafeEncodeString`).
const SAFE_DIGITS: &[u8] = b"456789bcdf";
const HEXADECIMAL: &[u8] = b"0123456789abcdef";

/// The end of a generated name, such as `x7k2p`.
pub(super) fn suffix(of: &[&str]) -> String {
    text(of, SAFE, 5)
}

/// The hash of a pod template, such as `7d9c5b8f64`.
pub(super) fn template_hash(of: &[&str]) -> String {
    text(of, SAFE_DIGITS, 10)
}

/// A version 4 UUID in form.
pub(super) fn uid(of: &[&str]) -> String {
    uuid(&text(of, HEXADECIMAL, 32))
}

/// A UUID of 32 hexadecimal digits, with the bits of version 4 and of the variant set (RFC 9562, section 5.4).
pub(super) fn uuid(digits: &str) -> String {
    format!("{}-{}-4{}-a{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..32])
}

/// An image's digest.
pub(super) fn digest(of: &[&str]) -> String {
    format!("sha256:{}", text(of, HEXADECIMAL, 64))
}

/// A number below `bound`.
pub(super) fn below(bound: u32, of: &[&str]) -> u32 {
    // A remainder of a `u32` is one.
    u32::try_from(numbers(of).next().unwrap_or_default() % u64::from(bound)).unwrap_or_default()
}

fn text(of: &[&str], alphabet: &[u8], length: usize) -> String {
    let count = u64::try_from(alphabet.len()).unwrap_or(u64::MAX);
    numbers(of).take(length).map(|number| char::from(alphabet[usize::try_from(number % count).unwrap_or_default()])).collect()
}

/// SplitMix64, started by the text's FNV-1a hash: both short, and the same on every platform and with every compiler.
fn numbers(of: &[&str]) -> impl Iterator<Item = u64> {
    let bytes = of.iter().flat_map(|part| part.bytes().chain([0]));
    let mut state =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    std::iter::from_fn(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(mixed ^ (mixed >> 31))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_gives_the_same_names() {
        assert_eq!(suffix(&["shop", "web", "0"]), suffix(&["shop", "web", "0"]));
        assert_ne!(suffix(&["shop", "web", "0"]), suffix(&["shop", "web", "1"]));
        assert_ne!(suffix(&["ab", "c"]), suffix(&["a", "bc"]));
        assert_eq!(template_hash(&["web"]).len(), 10);
        assert_eq!(digest(&["web"]).len(), "sha256:".len() + 64);
    }

    #[test]
    fn a_uid_is_a_version_4_uuid() {
        assert_eq!(uuid("0123456789abcdef0123456789abcdef"), "01234567-89ab-4def-a123-456789abcdef");
        assert_eq!(uid(&["web"]).len(), 36);
    }
}
