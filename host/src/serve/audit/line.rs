//! One line of the log: its bytes, its hash, and what links it to the line before. The module's documentation tells the format.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::Cause;
use super::event::Event;

/// What a line is, by its first field.
const SCHEMA: &str = "podlens.dev/audit/v1";

/// Longest line, its newline included. All texts in it are bounded, so that none comes near; who reads a log need not hold more.
pub(super) const MAX_BYTES: usize = 128 << 10;

/// What precedes the hash in a line.
const SEAL: &[u8] = b",\"hash\":\"";
const SEAL_BYTES: usize = SEAL.len() + 64 + 2;

/// A SHA-256 hash, in hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hash([u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// It is not 64 lower-case hexadecimal digits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoHash;

impl fmt::Display for NoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hash has 64 hexadecimal digits, in lower case")
    }
}

impl std::error::Error for NoHash {}

impl FromStr for Hash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        crate::runtime::Digest::from_hex(text).map(|digest| Self(*digest.as_bytes())).ok_or(NoHash)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a chain ends: its last line. Before the first, number 0 and a hash of zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    pub(super) seq: u64,
    pub(super) hash: Hash,
}

/// Bytes that lie after a whole line and are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Torn {
    bytes: u64,
    sha256: Sha256,
    open: bool,
}

impl Torn {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last() {
            self.bytes = self.bytes.saturating_add(bytes.len() as u64);
            self.sha256.update(bytes);
            self.open = *last != b'\n';
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Whether a newline must come before anything else.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn told(&self) -> Option<ToldTorn> {
        (!self.is_empty()).then(|| ToldTorn { bytes: self.bytes, sha256: Hash(self.sha256.clone().finalize().into()) })
    }
}

/// The same in the line after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToldTorn {
    pub(super) bytes: u64,
    sha256: Hash,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    schema: &'static str,
    seq: u64,
    previous: Hash,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    torn: Option<ToldTorn>,
    #[serde(skip_serializing_if = "is_zero")]
    lost: u64,
    #[serde(skip_serializing_if = "is_zero")]
    refusals_left_out: u64,
    #[serde(flatten)]
    event: &'a Event,
}

/// What is not in the log since the line before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Missing {
    pub(super) lost: u64,
    pub(super) refusals_left_out: u64,
}

/// Appends the line that follows `end`, and tells where the chain ends then.
pub(super) fn append(
    bytes: &mut Vec<u8>,
    end: &End,
    time: Timestamp,
    event: &Event,
    torn: &Torn,
    missing: Missing,
) -> Result<End, Cause> {
    let start = bytes.len();
    let seq = end.seq + 1;
    let line = Written {
        schema: SCHEMA,
        seq,
        previous: end.hash,
        time: format!("{time:.6}"),
        torn: torn.told(),
        lost: missing.lost,
        refusals_left_out: missing.refusals_left_out,
        event,
    };
    serde_json::to_writer(&mut *bytes, &line).map_err(std::io::Error::from)?;
    let hash = Hash(Sha256::digest(&bytes[start..]).into());
    bytes.pop();
    bytes.extend_from_slice(SEAL);
    bytes.extend_from_slice(format!("{hash}\"}}\n").as_bytes());
    if bytes.len() - start > MAX_BYTES {
        return Err(Cause::TooLong);
    }
    Ok(End { seq, hash })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Whether a line, without its newline, ends as whole ones do: what a crash leaves does not.
pub(super) fn is_sealed(line: &[u8]) -> bool {
    sealed(line).is_some()
}

/// A line without its hash and without the `}` after it, and the hash.
fn sealed(line: &[u8]) -> Option<(&[u8], Hash)> {
    let (unsealed, seal) = line.split_at_checked(line.len().checked_sub(SEAL_BYTES)?)?;
    let hash = seal.strip_prefix(SEAL)?.strip_suffix(b"\"}")?;
    Some((unsealed, std::str::from_utf8(hash).ok()?.parse().ok()?))
}

/// Whether a file that begins so is, or was to be, a log.
pub(super) fn begins_log(bytes: &[u8]) -> bool {
    let start = format!("{{\"schema\":\"{SCHEMA}\"");
    let compared = start.len().min(bytes.len());
    bytes[..compared] == start.as_bytes()[..compared]
}

/// What links a line to others.
#[derive(Debug, Deserialize)]
pub(super) struct Links {
    schema: String,
    pub(super) seq: u64,
    pub(super) previous: Hash,
    pub(super) time: Timestamp,
    pub(super) stage: String,
    #[serde(default)]
    pub(super) torn: Option<ToldTorn>,
    #[serde(default)]
    pub(super) lost: u64,
    #[serde(default, rename = "refusalsLeftOut")]
    pub(super) refusals_left_out: u64,
    pub(super) hash: Hash,
}

impl Links {
    pub(super) fn end(&self) -> End {
        End { seq: self.seq, hash: self.hash }
    }
}

/// Reads a line, without its newline, whose hash is right; else says what is wrong with it.
pub(super) fn read(line: &[u8]) -> Result<Links, &'static str> {
    let (unsealed, hash) = sealed(line).ok_or("it is not a whole line")?;
    let found = Sha256::new().chain_update(unsealed).chain_update(b"}").finalize();
    if hash.0 != *found {
        return Err("its hash is not that of its bytes: it was changed");
    }
    let links: Links = serde_json::from_slice(line).map_err(|_| "it is not a record of an audit log")?;
    if links.schema != SCHEMA {
        return Err("it is of another schema than `podlens.dev/audit/v1`");
    }
    Ok(links)
}
