//! The fields that podlens reads of an encoded message, as a value: what [`keep`] leaves of one.
//!
//! Shapes come out of the declarations of `pod.rs`, so that nothing is written down twice.

use std::collections::BTreeMap;

use prost::encoding::{WireType, decode_varint, encoded_len_varint};

/// What a field's bytes are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A number or a boolean.
    Varint,
    Text,
    Message(&'static Fields),
}

/// Tags are below it: one bit each tells which fields were seen.
const TAGS: usize = u64::BITS as usize;
/// The largest tag that there is: a key is a number of 32 bits, three of which tell what the bytes are.
const MAX_TAG: u32 = u32::MAX >> 3;

/// The fields of a message, each at its tag.
#[derive(Debug)]
pub(super) struct Fields([Option<Field>; TAGS]);

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

impl Fields {
    pub(super) const fn new(fields: &[Field]) -> Self {
        let mut by_tag = [None; TAGS];
        let mut at = 0;
        while at < fields.len() {
            by_tag[fields[at].tag as usize] = Some(fields[at]);
            at += 1;
        }
        Self(by_tag)
    }

    fn get(&self, tag: u32) -> Option<&Field> {
        self.0.get(tag as usize)?.as_ref()
    }
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
        assert!(number > 0 && (number as usize) < TAGS);
        Self { tag: number, shape: T::SHAPE, repeated: T::REPEATED }
    }

    pub(super) const fn tag(&self) -> u32 {
        self.tag
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
    const SHAPE: Shape = Shape::Message(const { &Fields::new(&[Field::new::<String>("1"), Field::new::<T>("2")]) });
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

fn message(fields: &'static Fields, encoded: &[u8], kept: &mut Vec<u8>, parts: &mut usize) -> Result<(), Malformed> {
    let mut seen = 0_u64;
    let mut left = encoded;
    // Begins with what is kept as it is, and is not copied yet: fields that follow one another are copied together.
    let mut uncopied = encoded;
    while !left.is_empty() {
        let field_on = left;
        let (tag, wire_type) = key(&mut left)?;
        let Some(field) = fields.get(tag) else {
            copy(uncopied, field_on, kept);
            skip(wire_type, &mut left)?;
            uncopied = left;
            continue;
        };
        let bit = 1 << tag;
        if seen & bit != 0 && !field.repeated {
            return Err(Malformed);
        }
        seen |= bit;
        match (field.shape, wire_type) {
            (Shape::Varint, WireType::Varint) => drop(varint(&mut left)?),
            (Shape::Text, WireType::LengthDelimited) => drop(std::str::from_utf8(delimited(&mut left)?).map_err(|_| Malformed)?),
            (Shape::Message(fields), WireType::LengthDelimited) => {
                *parts = parts.checked_sub(1).ok_or(Malformed)?;
                copy(uncopied, left, kept);
                nested(fields, delimited(&mut left)?, kept, parts)?;
                uncopied = left;
            }
            _ => return Err(Malformed),
        }
    }
    kept.extend_from_slice(uncopied);
    Ok(())
}

/// Appends what lies before `end`, which `from` ends with.
fn copy(from: &[u8], end: &[u8], kept: &mut Vec<u8>) {
    kept.extend_from_slice(&from[..from.len() - end.len()]);
}

/// A message with its length before it, which is known only behind it. It has place for the longest that it can be; a number may have bytes
/// that add nothing.
fn nested(fields: &'static Fields, encoded: &[u8], kept: &mut Vec<u8>, parts: &mut usize) -> Result<(), Malformed> {
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

/// A field's tag, and what its bytes are. Kubernetes has no groups.
///
/// As the two that follow it, in place wherever it is called, which is for each field: a page takes 7 % fewer instructions to decode.
#[inline(always)]
pub(super) fn key(encoded: &mut &[u8]) -> Result<(u32, WireType), Malformed> {
    let key = varint(encoded)?;
    let wire_type = match key & 7 {
        0 => WireType::Varint,
        1 => WireType::SixtyFourBit,
        2 => WireType::LengthDelimited,
        5 => WireType::ThirtyTwoBit,
        _ => return Err(Malformed),
    };
    match u32::try_from(key >> 3) {
        Ok(tag @ 1..=MAX_TAG) => Ok((tag, wire_type)),
        _ => Err(Malformed),
    }
}

/// A number. Nearly all have one byte.
#[inline(always)]
pub(super) fn varint(encoded: &mut &[u8]) -> Result<u64, Malformed> {
    match encoded.split_first() {
        Some((byte, rest)) if byte.is_ascii() => {
            *encoded = rest;
            Ok(u64::from(*byte))
        }
        _ => long_varint(encoded),
    }
}

#[inline(never)]
fn long_varint(encoded: &mut &[u8]) -> Result<u64, Malformed> {
    decode_varint(encoded).map_err(|_| Malformed)
}

/// The bytes that begin with their length.
#[inline(always)]
pub(super) fn delimited<'a>(encoded: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = usize::try_from(varint(encoded)?).map_err(|_| Malformed)?;
    let (taken, rest) = encoded.split_at_checked(length).ok_or(Malformed)?;
    *encoded = rest;
    Ok(taken)
}

/// Takes a field that is not looked at.
pub(super) fn skip(wire_type: WireType, encoded: &mut &[u8]) -> Result<(), Malformed> {
    let length = match wire_type {
        WireType::Varint => return varint(encoded).map(drop),
        WireType::LengthDelimited => return delimited(encoded).map(drop),
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::StartGroup | WireType::EndGroup => return Err(Malformed),
    };
    *encoded = encoded.get(length..).ok_or(Malformed)?;
    Ok(())
}
