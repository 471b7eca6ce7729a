//! The escapes within quotation marks, which are Go's.

/// What a quoted text means, without its quotation marks: `UnquoteExtend` in `parser.go` of client-go, and so Go's `strconv.UnquoteChar`.
///
/// Nothing for an escape that Go does not know, and for bytes that are no text.
pub(super) fn unquote(text: &str, quote: char) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let mut characters = escape.chars();
        let kind = characters.next()?;
        rest = characters.as_str();
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '0'..='7' => {
                let (number, after) = number(escape, 3, 8)?;
                bytes.push(u8::try_from(number).ok()?);
                rest = after;
                continue;
            }
            _ => {
                bytes.push(match kind {
                    'a' => 0x07,
                    'b' => 0x08,
                    'f' => 0x0c,
                    'n' => b'\n',
                    'r' => b'\r',
                    't' => b'\t',
                    'v' => 0x0b,
                    '\\' => b'\\',
                    '"' if quote == '"' => b'"',
                    '\'' if quote == '\'' => b'\'',
                    _ => return None,
                });
                continue;
            }
        };
        let (number, after) = number(rest, digits, 16)?;
        rest = after;
        if kind == 'x' {
            bytes.push(u8::try_from(number).ok()?);
        } else {
            let character = char::from_u32(number)?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

/// A number of exactly so many digits, and what follows it.
fn number(text: &str, digits: usize, radix: u32) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    // `from_str_radix` takes a sign.
    let is_digit = |byte: u8| char::from(byte).is_digit(radix);
    number.bytes().all(is_digit).then(|| u32::from_str_radix(number, radix).ok()).flatten().map(|number| (number, rest))
}
