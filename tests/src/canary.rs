//! The forms in which a secret that was planted would give itself away.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// `secret` as it is, reversed, in hexadecimal, escaped for a URL or for JSON, as a list of bytes, and in base64.
pub fn forms(secret: &str) -> Vec<String> {
    let each = |byte: &dyn Fn(&mut String, u8)| {
        let mut text = String::new();
        secret.bytes().for_each(|it| byte(&mut text, it));
        text
    };
    let hex = each(&|text, byte| write!(text, "{byte:02x}").expect("a String takes everything"));
    let url = each(&|text, byte| match byte.is_ascii_alphanumeric() {
        true => text.push(byte.into()),
        false => write!(text, "%{byte:02X}").expect("a String takes everything"),
    });
    let json = each(&|text, byte| write!(text, "\\u{byte:04x}").expect("a String takes everything"));
    let mut forms = vec![
        secret.to_owned(),
        secret.chars().rev().collect(),
        hex.to_uppercase(),
        hex,
        url.to_lowercase(),
        url,
        json,
        format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned(),
    ];
    // Within a longer text, such as `Bearer TOKEN`, it may begin at any of the three bytes that four characters stand for. What
    // comes before and after changes the outermost of them.
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for skipped in 0..3 {
            let encoded = engine.encode(&secret.as_bytes()[skipped..]);
            forms.push(encoded[..encoded.len() - 3].to_owned());
        }
    }
    forms
}

/// [`forms`] of a token and of its last part, the signature, without which it is worth nothing.
pub fn forms_of_token(token: &str) -> Vec<String> {
    let signature = token.rsplit('.').next().unwrap_or(token);
    [forms(token), forms(signature)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_that_sings_is_heard() {
        let token = "header.payload.signature-0123456789";
        let authorization = format!("Bearer {token}\r\n");
        for text in [
            authorization.clone(),
            STANDARD_NO_PAD.encode(&authorization),
            STANDARD_NO_PAD.encode(&authorization[1..]),
            URL_SAFE_NO_PAD.encode(&authorization[2..]),
            format!("{:?}", authorization.as_bytes()),
            format!("{:x?}", authorization.as_bytes()).replace(", ", ""),
            authorization.replace('.', "%2e").replace('-', "%2d"),
            authorization.replace('.', "%2E").replace('-', "%2D"),
            authorization.chars().rev().collect(),
            token.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
        ] {
            assert!(forms_of_token(token).iter().any(|form| text.contains(form)), "{text}");
        }
    }
}
