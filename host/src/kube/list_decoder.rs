//! Reads a list while it comes: each pod as soon as its last byte is there, so that no answer is held as a whole. Whole or not at all: the
//! pods are given at the end, if there is one.

use prost::Message;
use prost::encoding::WireType;

use super::decode::{DecodeError, Expected, check_type, decode_item, decode_json_list};
use super::pod::{ListMeta, PROTOBUF_MAGIC, TypeMeta};
use super::{ContinueToken, Detail, PodList, ReadPod};

/// Most items of one answer. A server is asked for at most 500; some give all that they have. Bounds what an answer of tiny items
/// becomes in memory, together with the next.
pub(super) const MAX_ITEMS: usize = 20 * super::PAGE_LIMIT as usize;
/// Most bytes that the pods of one answer may take in memory, by [`ReadPod::size_bytes`]. An answer has at most 32 MiB, and pods met in
/// practice take less than their answer.
const MAX_DECODED_BYTES: usize = 256 << 20;

/// From how many bytes on what has come is given all the room that it may need, which is memory only as it is filled. Grown by halves, an
/// answer in JSON is in memory up to three times.
const LARGE_BYTES: usize = 1 << 20;
const LARGEST_BYTES: usize = 34 << 20;

/// A list that is being read.
pub(crate) struct ListDecoder {
    detail: Detail,
    stage: Stage,
    /// What came and is not read yet.
    pending: Vec<u8>,
    type_is_known: bool,
    list_is_read: bool,
    metadata: Option<ListMeta>,
    pods: Pods,
    /// Used anew for each pod.
    buffer: Vec<u8>,
}

enum Stage {
    /// The first bytes tell the encoding.
    Start,
    /// JSON is read when all of it is there.
    Json,
    /// Fields of `runtime.Unknown`, the first of which tells the type, and the second is the list.
    Envelope,
    /// Fields of the list, of which there are so many bytes.
    List { left: usize },
}

/// Pods, for as long as they fit.
#[derive(Default)]
pub(super) struct Pods {
    pods: Vec<ReadPod>,
    bytes: usize,
}

impl Pods {
    pub(super) fn push(&mut self, read: ReadPod) -> Result<(), DecodeError> {
        if self.pods.len() == MAX_ITEMS {
            return Err(DecodeError::malformed("PodList: it has too many items"));
        }
        self.bytes = self.bytes.saturating_add(read.size_bytes());
        if self.bytes > MAX_DECODED_BYTES {
            return Err(DecodeError::malformed("PodList: its pods take too much memory"));
        }
        self.pods.push(read);
        Ok(())
    }

    pub(super) fn into_vec(self) -> Vec<ReadPod> {
        self.pods
    }
}

impl ListDecoder {
    /// For a list of which so much was asked for.
    pub(crate) fn new(detail: Detail) -> Self {
        Self {
            detail,
            stage: Stage::Start,
            pending: Vec::new(),
            type_is_known: false,
            list_is_read: false,
            metadata: None,
            pods: Pods::default(),
            buffer: Vec::new(),
        }
    }

    /// The next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        if self.pending.len() >= LARGE_BYTES && self.pending.capacity() < LARGEST_BYTES {
            self.pending.reserve_exact(LARGEST_BYTES - self.pending.len());
        }
        self.pending.extend_from_slice(piece);
        let pending = std::mem::take(&mut self.pending);
        let read = self.read(&pending)?;
        self.pending = pending;
        self.pending.drain(..read);
        Ok(())
    }

    /// Where the list goes on, as soon as that is known: an API server writes it before the first pod.
    pub(crate) fn continue_token(&self) -> Option<ContinueToken> {
        self.metadata.as_ref().and_then(|metadata| ContinueToken::new(&metadata.continue_token))
    }

    /// The list, if it is complete.
    pub(crate) fn finish(self) -> Result<PodList, DecodeError> {
        match self.stage {
            // Too short for protobuf.
            Stage::Start | Stage::Json => return decode_json_list(&self.pending, self.detail),
            Stage::Envelope if self.list_is_read && self.pending.is_empty() => {}
            Stage::Envelope | Stage::List { .. } => return Err(malformed()),
        }
        let metadata = self.metadata.unwrap_or_default();
        Ok(PodList {
            pods: self.pods.into_vec(),
            continue_token: ContinueToken::new(&metadata.continue_token),
            resource_version: metadata.resource_version,
        })
    }

    /// Reads what is complete of `bytes`, and gives how many those were.
    fn read(&mut self, bytes: &[u8]) -> Result<usize, DecodeError> {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let read = match self.stage {
                Stage::Json => 0,
                Stage::Start => self.start(rest)?,
                Stage::Envelope => self.envelope(rest)?,
                Stage::List { left } => {
                    let read = self.list(&rest[..rest.len().min(left)], left)?;
                    self.end_list(left - read);
                    read
                }
            };
            if read == 0 {
                return Ok(at);
            }
            at += read;
        }
    }

    fn start(&mut self, bytes: &[u8]) -> Result<usize, DecodeError> {
        if bytes.len() < PROTOBUF_MAGIC.len() {
            return Ok(0);
        }
        if !bytes.starts_with(PROTOBUF_MAGIC) {
            self.stage = Stage::Json;
            return Ok(0);
        }
        if self.detail == Detail::Object {
            return Err(DecodeError::malformed("PodList as JSON"));
        }
        self.stage = Stage::Envelope;
        Ok(PROTOBUF_MAGIC.len())
    }

    fn envelope(&mut self, bytes: &[u8]) -> Result<usize, DecodeError> {
        const TYPE: u32 = 1;
        const RAW: u32 = 2;
        const CONTENT_ENCODING: u32 = 3;
        let Some(field) = Field::begin(bytes)? else { return Ok(0) };
        if field.tag == RAW {
            // What is in it is not looked at before it is known what it is, and none follows another.
            if !field.is_delimited || !self.type_is_known || self.list_is_read {
                return Err(malformed());
            }
            self.end_list(field.length);
            return Ok(field.at);
        }
        let Some(value) = field.value(bytes) else { return Ok(0) };
        match field.tag {
            TYPE if !self.type_is_known && field.is_delimited => {
                let TypeMeta { api_version, kind } = TypeMeta::decode(value).map_err(|_| malformed())?;
                check_type(&api_version, &kind, Expected::list(self.detail))?;
                self.type_is_known = true;
            }
            TYPE => return Err(malformed()),
            CONTENT_ENCODING if !value.is_empty() => return Err(malformed()),
            _ => {}
        }
        Ok(field.at + field.length)
    }

    /// Goes on with a list of which so many bytes are left.
    fn end_list(&mut self, left: usize) {
        self.list_is_read = left == 0;
        self.stage = if left == 0 { Stage::Envelope } else { Stage::List { left } };
    }

    /// Reads one field. `bytes` are the first of those that are left of the list.
    fn list(&mut self, bytes: &[u8], left: usize) -> Result<usize, DecodeError> {
        const METADATA: u32 = 1;
        const ITEMS: u32 = 2;
        let Some(field) = Field::begin(bytes)? else {
            return if bytes.len() == left { Err(malformed()) } else { Ok(0) };
        };
        if field.length > left - field.at {
            return Err(malformed());
        }
        let Some(value) = field.value(bytes) else { return Ok(0) };
        match field.tag {
            METADATA if self.metadata.is_none() && field.is_delimited => {
                self.metadata = Some(ListMeta::decode(value).map_err(|_| malformed())?);
            }
            ITEMS if field.is_delimited => self.pods.push(decode_item(value, &mut self.buffer)?)?,
            METADATA | ITEMS => return Err(malformed()),
            _ => {}
        }
        Ok(field.at + field.length)
    }
}

fn malformed() -> DecodeError {
    DecodeError::malformed("PodList")
}

/// A field whose first bytes are there.
struct Field {
    tag: u32,
    is_delimited: bool,
    /// Where its value begins, and how long that is.
    at: usize,
    length: usize,
}

impl Field {
    /// `None` while there are not enough bytes to tell.
    fn begin(bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let Some((key, key_bytes)) = varint(bytes)? else { return Ok(None) };
        let tag = u32::try_from(key >> 3).ok().filter(|tag| *tag > 0).ok_or_else(malformed)?;
        let wire_type = WireType::try_from(key & 7).map_err(|_| malformed())?;
        let value = &bytes[key_bytes..];
        let (before, length) = match wire_type {
            WireType::LengthDelimited => {
                let Some((length, length_bytes)) = varint(value)? else { return Ok(None) };
                (length_bytes, usize::try_from(length).map_err(|_| malformed())?)
            }
            WireType::Varint => {
                let Some((_, length)) = varint(value)? else { return Ok(None) };
                (0, length)
            }
            WireType::SixtyFourBit => (0, 8),
            WireType::ThirtyTwoBit => (0, 4),
            WireType::StartGroup | WireType::EndGroup => return Err(malformed()),
        };
        Ok(Some(Self { tag, is_delimited: wire_type == WireType::LengthDelimited, at: key_bytes + before, length }))
    }

    /// Its value, if all of it is there.
    fn value<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        bytes.get(self.at..self.at.checked_add(self.length)?)
    }
}

/// A number and its length, if all of it is there.
fn varint(bytes: &[u8]) -> Result<Option<(u64, usize)>, DecodeError> {
    /// Of 64 bits, seven in each.
    const MAX_VARINT_BYTES: usize = 10;
    match bytes.iter().take(MAX_VARINT_BYTES).position(|byte| byte & 0x80 == 0) {
        Some(last) => {
            let number = prost::encoding::decode_varint(&mut &bytes[..=last]).map_err(|_| malformed())?;
            Ok(Some((number, last + 1)))
        }
        None if bytes.len() >= MAX_VARINT_BYTES => Err(malformed()),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Pod;
    use super::super::pod::{Envelope, PodListWire};
    use super::*;

    fn pod(name: &str) -> Vec<u8> {
        let mut pod = Pod::default();
        pod.metadata.name = name.into();
        pod.metadata.annotations = [("long".to_owned(), "x".repeat(200))].into();
        pod.encode_to_vec()
    }

    fn list() -> Vec<u8> {
        let metadata = ListMeta { continue_token: "more".into(), resource_version: "7".into(), ..ListMeta::default() };
        PodListWire { metadata, items: vec![pod("a").into(), pod("b").into()] }.encode_to_vec()
    }

    fn envelope(raw: Vec<u8>) -> Vec<u8> {
        let type_meta = TypeMeta { api_version: "v1".into(), kind: "PodList".into() };
        let envelope = Envelope { type_meta, raw: raw.into(), ..Envelope::default() };
        [PROTOBUF_MAGIC.as_slice(), &envelope.encode_to_vec()].concat()
    }

    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<PodList, DecodeError> {
        let mut list = ListDecoder::new(Detail::Fields);
        for piece in pieces {
            list.push(piece)?;
        }
        list.finish()
    }

    fn told(list: &PodList) -> (Vec<&str>, &str, &str) {
        let names = list.pods.iter().map(ReadPod::name).collect();
        (names, list.continue_token.as_ref().map_or("", ContinueToken::as_str), &list.resource_version)
    }

    #[test]
    fn a_list_is_the_same_in_whatever_pieces_it_comes() {
        let json = br#"{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"more","resourceVersion":"7"},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}"#;
        for body in [envelope(list()), json.to_vec()] {
            for at in 0..=body.len() {
                assert_eq!(told(&decode([&body[..at], &body[at..]]).unwrap()), (vec!["a", "b"], "more", "7"), "{at}");
            }
            for size in [1, 2, 7, 100] {
                assert_eq!(told(&decode(body.chunks(size)).unwrap()), (vec!["a", "b"], "more", "7"), "{size}");
            }
        }
    }

    #[test]
    fn a_list_that_does_not_end_gives_no_pod() {
        let body = envelope(list());
        for at in 0..body.len() {
            decode([&body[..at]]).map(drop).unwrap_err();
        }
        decode([&body[..], &[0x0a]]).map(drop).unwrap_err();
    }

    #[test]
    fn where_a_list_goes_on_is_known_before_its_pods() {
        let body = envelope(list());
        let mut decoder = ListDecoder::new(Detail::Fields);
        let before = body.windows(4).position(|window| window == b"more").unwrap();
        decoder.push(&body[..before]).unwrap();
        assert_eq!(decoder.continue_token(), None);
        decoder.push(&body[before..before + 20]).unwrap();
        assert_eq!(decoder.continue_token(), ContinueToken::new("more"));
        assert!(decoder.pods.pods.is_empty());
        decoder.finish().map(drop).unwrap_err();
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let body = envelope(list());
        let fields = &body[PROTOBUF_MAGIC.len()..];
        let type_end = 2 + usize::from(fields[1]);
        let (type_meta, rest) = fields.split_at(type_end);
        let magic = PROTOBUF_MAGIC.as_slice();
        decode([magic, type_meta, rest]).unwrap();
        for pieces in [
            [magic, rest, type_meta, &[]],
            [magic, rest, &[], &[]],
            [magic, type_meta, type_meta, rest],
            [magic, type_meta, rest, rest],
            // Encoded in a way of its own.
            [magic, type_meta, rest, &[0x1a, 0x01, b'g']],
            [magic, type_meta, &[0x10, 0x01], &[]],
            [magic, type_meta, &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], &[]],
        ] {
            decode(pieces).map(drop).unwrap_err();
        }
        let twice =
            [ListMeta::default(), ListMeta::default()].map(|metadata| PodListWire { metadata, items: Vec::new() }.encode_to_vec());
        decode([&envelope(twice.concat())[..]]).map(drop).unwrap_err();
        for raw in [&[0x12, 0x05, 0x0a][..], &[0x12, 0x80], &[0x13, 0x14], &[0x10, 0x01], &[0x00, 0x00]] {
            decode([&envelope(raw.to_vec())[..]]).map(drop).unwrap_err();
        }
    }
}
