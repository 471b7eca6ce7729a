//! Decodes what [`keep`](super::shape::keep) left of a message: the half of what it costs to look at a pod.
//!
//! The library's decoder reads any buffer piece by piece and checks what was checked. This reads one slice, and a test holds both equal.

use std::collections::BTreeMap;

use prost::encoding::WireType;

use super::shape::{Malformed, delimited, key, skip, varint};

/// A field's type.
pub(super) trait Kept: Default {
    /// Takes a field's bytes off the front of `kept`. Where a message may have several, what is there already stays.
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed>;
}

/// A message's type.
pub(super) trait KeptMessage: Default {
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

impl<T: KeptMessage> Kept for T {
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        self.merge(delimited(kept)?)
    }
}

impl Kept for String {
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        *self = str::from_utf8(delimited(kept)?).map_err(|_| Malformed)?.to_owned();
        Ok(())
    }
}

impl Kept for bool {
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        *self = varint(kept)? != 0;
        Ok(())
    }
}

impl Kept for i32 {
    /// A negative one stands there as one of 64 bits, of which the lower are its own.
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        let [a, b, c, d, ..] = varint(kept)?.to_le_bytes();
        *self = Self::from_le_bytes([a, b, c, d]);
        Ok(())
    }
}

impl Kept for i64 {
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        *self = varint(kept)?.cast_signed();
        Ok(())
    }
}

impl<T: Kept> Kept for Option<T> {
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        self.get_or_insert_default().read(kept)
    }
}

impl<T: Kept> Kept for Vec<T> {
    #[inline]
    fn read(&mut self, kept: &mut &[u8]) -> Result<(), Malformed> {
        self.push(T::default());
        self.last_mut().map_or(Ok(()), |last| last.read(kept))
    }
}

impl<T: Kept> Kept for BTreeMap<String, T> {
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
