//! The fields that podlens reads of an encoded message, as a value: what [`keep`] leaves of one.
//!
//! Shapes come out of the declarations of `pod.rs`, so that nothing is written down twice.

use std::collections::BTreeMap;

use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint, encoded_len_varint};

/// What a field's bytes are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A number or a boolean.
    Varint,
    Text,
    Message(&'static [Field]),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    tag: u32,
    shape: Shape,
    repeated: bool,
}

/// A type of a field.
pub(super) trait Shaped {
    const SHAPE: Shape;
    /// Whether a message may have several.
    const REPEATED: bool = false;
}

impl Field {
    /// A field of type `T`; its tag in decimal.
    pub(super) const fn new<T: Shaped>(tag: &str) -> Self {
        let mut number = 0;
        let mut at = 0;
        while at < tag.len() {
            number = number * 10 + (tag.as_bytes()[at] - b'0') as u32;
            at += 1;
        }
        // One bit each tells which fields were seen.
        assert!(number > 0 && number < u64::BITS);
        Self { tag: number, shape: T::SHAPE, repeated: T::REPEATED }
    }
}

macro_rules! varints {
    ($($type:ty),*) => {$(
        impl Shaped for $type {
            const SHAPE: Shape = Shape::Varint;
        }
    )*};
}

varints!(bool, i32, i64);

impl Shaped for String {
    const SHAPE: Shape = Shape::Text;
}

impl<T: Shaped> Shaped for Option<T> {
    const SHAPE: Shape = T::SHAPE;
}

impl<T: Shaped> Shaped for Vec<T> {
    const SHAPE: Shape = T::SHAPE;
    const REPEATED: bool = true;
}

/// Encoded as repeated messages of a key and a value.
impl<T: Shaped> Shaped for BTreeMap<String, T> {
    const SHAPE: Shape = Shape::Message(&[Field::new::<String>("1"), Field::new::<T>("2")]);
    const REPEATED: bool = true;
}

/// Bytes that are no encoding of what they should be.
#[derive(Debug)]
pub(super) struct Malformed;

/// Appends to `kept` what a message of type `T` has of `encoded`. What is kept decodes as `encoded` does, and never fails to.
///
/// `parts` is how many messages, entries of maps among them, may still be kept: an empty one has two bytes here and hundreds once it is
/// decoded. A field that stands there twice, though there is one, is refused: encoders write none, and of two readers each could take another
/// one.
pub(super) fn keep<T: Shaped>(encoded: &[u8], kept: &mut Vec<u8>, parts: &mut usize) -> Result<(), Malformed> {
    match T::SHAPE {
        Shape::Message(fields) => message(fields, encoded, kept, parts),
        Shape::Varint | Shape::Text => Err(Malformed),
    }
}

fn message(fields: &'static [Field], mut encoded: &[u8], kept: &mut Vec<u8>, parts: &mut usize) -> Result<(), Malformed> {
    let mut seen = 0_u64;
    while !encoded.is_empty() {
        let (tag, wire_type) = decode_key(&mut encoded).map_err(|_| Malformed)?;
        let Some(field) = fields.iter().find(|field| field.tag == tag) else {
            skip(wire_type, &mut encoded)?;
            continue;
        };
        let bit = 1 << tag;
        if seen & bit != 0 && !field.repeated {
            return Err(Malformed);
        }
        seen |= bit;
        match (field.shape, wire_type) {
            (Shape::Varint, WireType::Varint) => {
                encode_key(tag, wire_type, kept);
                encode_varint(decode_varint(&mut encoded).map_err(|_| Malformed)?, kept);
            }
            (Shape::Text, WireType::LengthDelimited) => {
                let text = delimited(&mut encoded)?;
                std::str::from_utf8(text).map_err(|_| Malformed)?;
                encode_key(tag, wire_type, kept);
                encode_varint(text.len() as u64, kept);
                kept.extend_from_slice(text);
            }
            (Shape::Message(fields), WireType::LengthDelimited) => {
                *parts = parts.checked_sub(1).ok_or(Malformed)?;
                let inner = delimited(&mut encoded)?;
                encode_key(tag, wire_type, kept);
                nested(fields, inner, kept, parts)?;
            }
            _ => return Err(Malformed),
        }
    }
    Ok(())
}

/// A message with its length before it, which is known only behind it. It has place for the longest that it can be; a number may have bytes
/// that add nothing.
fn nested(fields: &'static [Field], encoded: &[u8], kept: &mut Vec<u8>, parts: &mut usize) -> Result<(), Malformed> {
    const MORE: u8 = 0x80;
    let at = kept.len();
    let place = encoded_len_varint(encoded.len() as u64);
    kept.resize(at + place, 0);
    message(fields, encoded, kept, parts)?;
    let mut length = kept.len() - at - place;
    let (last, others) = kept[at..at + place].split_last_mut().ok_or(Malformed)?;
    for byte in others {
        *byte = MORE | length.to_le_bytes()[0];
        length >>= 7;
    }
    *last = length.to_le_bytes()[0];
    Ok(())
}

/// The bytes that begin with their length.
pub(super) fn delimited<'a>(encoded: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = decode_varint(encoded).ok().and_then(|length| usize::try_from(length).ok()).ok_or(Malformed)?;
    let (taken, rest) = encoded.split_at_checked(length).ok_or(Malformed)?;
    *encoded = rest;
    Ok(taken)
}

/// Kubernetes has no groups.
pub(super) fn skip(wire_type: WireType, encoded: &mut &[u8]) -> Result<(), Malformed> {
    let length = match wire_type {
        WireType::Varint => return decode_varint(encoded).map(drop).map_err(|_| Malformed),
        WireType::LengthDelimited => return delimited(encoded).map(drop),
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::StartGroup | WireType::EndGroup => return Err(Malformed),
    };
    if encoded.len() < length {
        return Err(Malformed);
    }
    encoded.advance(length);
    Ok(())
}
