//! Decodes what [`keep`](super::shape::keep) left of a message, whenever a query looks at a part of a pod.
//!
//! The library's decoder reads any buffer piece by piece and checks what was checked. This reads one slice, in fewer instructions, and a test
//! holds both equal.

use std::collections::BTreeMap;

use prost::encoding::WireType;

use super::shape::{Malformed, delimited, key, skip, varint};

/// A field's type.
///
/// Only for bytes that `keep` left of a message with such a field: what kind of bytes these are was checked there, and is not here.
pub(super) trait Decode: Default {
    /// Takes a field's bytes off the front of `kept`. Where a message may have several, what is there already stays.
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed>;
}

/// A message's type.
pub(super) trait DecodeMessage: Default {
    /// Reads all fields that `kept` consists of.
    fn merge(&mut self, kept: &[u8]) -> Result<(), Malformed>;
}

/// Hands on each field of a message: its tag, what its bytes are, and those and all that follows, of which it takes its own.
#[inline]
pub(super) fn fields(
    mut kept: &[u8],
    mut read: impl FnMut(u32, WireType, &mut &[u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    while !kept.is_empty() {
        let (tag, wire_type) = key(&mut kept)?;
        read(tag, wire_type, &mut kept)?;
    }
    Ok(())
}

/// Says which field of a message has which tag.
macro_rules! fields_of {
    ($message:ty { $($tag:expr => $field:ident,)* }) => {
        impl $crate::kube::kept::DecodeMessage for $message {
            fn merge(&mut self, kept: &[u8]) -> Result<(), $crate::kube::shape::Malformed> {
                $crate::kube::kept::fields(kept, |tag, wire_type, kept| match tag {
                    $(_ if tag == const { $tag } => $crate::kube::kept::Decode::read(&mut self.$field, kept),)*
                    _ => $crate::kube::shape::skip(wire_type, kept),
                })
            }
        }
    };
}

pub(super) use fields_of;

impl<T: DecodeMessage> Decode for T {
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        self.merge(delimited(kept)?)
    }
}

impl Decode for String {
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        *self = std::str::from_utf8(delimited(kept)?).map_err(|_| Malformed)?.to_owned();
        Ok(())
    }
}

impl Decode for bool {
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        *self = varint(kept)? != 0;
        Ok(())
    }
}

impl Decode for i32 {
    /// A negative one stands there as one of 64 bits, of which the lower are its own.
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        let [a, b, c, d, ..] = varint(kept)?.to_le_bytes();
        *self = Self::from_le_bytes([a, b, c, d]);
        Ok(())
    }
}

impl Decode for i64 {
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        *self = varint(kept)?.cast_signed();
        Ok(())
    }
}

impl<T: Decode> Decode for Option<T> {
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        self.get_or_insert_default().read(kept)
    }
}

impl<T: Decode> Decode for Vec<T> {
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        self.push(T::default());
        self.last_mut().map_or(Ok(()), |last| last.read(kept))
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        let (mut name, mut value) = (String::new(), T::default());
        fields(delimited(kept)?, |tag, wire_type, kept| match tag {
            1 => name.read(kept),
            2 => value.read(kept),
            _ => skip(wire_type, kept),
        })?;
        self.insert(name, value);
        Ok(())
    }
}
