//! Checks a log line by line: that no line was changed, and that each follows the one before. Holds one line at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read as _};

use jiff::Timestamp;

use super::line::{self, End, Hash, Torn};

/// Checks a log that may be in several files, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    end: Option<End>,
    /// What is behind the last whole line, and in which line it begins.
    torn: Torn,
    torn_since: u64,
    summary: Summary,
}

/// What is in a log that is whole.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) records: u64,
    /// How many of each stage.
    pub(crate) stages: BTreeMap<&'static str, u64>,
    /// The first line and the last.
    pub(crate) seq: Option<(u64, u64)>,
    pub(crate) time: Option<(Timestamp, Timestamp)>,
    /// The hash of a line that is not here, where the log's beginning is not.
    pub(crate) continues: Option<Hash>,
    pub(crate) last: Option<Hash>,
    /// How many times a line was left unfinished.
    pub(crate) torn: u64,
    pub(crate) refusals_left_out: u64,
    /// How many events are not in the log, by its own words.
    pub(crate) lost: u64,
}

#[derive(Debug)]
pub(crate) enum VerifyError {
    Io(io::Error),
    Broken(Broken),
}

/// The first line that is wrong, counted from 1 in its file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) line: u64,
    what: &'static str,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is broken: {}", self.line, self.what)
    }
}

impl std::error::Error for Broken {}

impl From<io::Error> for VerifyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

const NO_RECORD: &str = "it is no whole record, and the next one does not tell of it";
const UNFINISHED: &str = "it is not finished; a crash leaves such a line, and `podlens serve` tells of it in the next";

impl Verifier {
    /// Checks the next file. `each` is told the hash of each line.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Broken`] at the first line that is wrong; nothing more can be checked then.
    pub(crate) fn file(&mut self, mut file: impl BufRead, mut each: impl FnMut(Hash)) -> Result<(), VerifyError> {
        let (mut number, mut bytes, mut begins) = (0, Vec::new(), true);
        loop {
            bytes.clear();
            if file.by_ref().take(line::MAX_BYTES as u64).read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            number += u64::from(begins);
            let text = bytes.strip_suffix(b"\n");
            match text.filter(|text| begins && line::is_sealed(text)) {
                Some(text) => self.record(text, number, &mut each).map_err(VerifyError::Broken)?,
                None => {
                    if self.torn.is_empty() {
                        self.torn_since = number;
                    }
                    self.torn.add(&bytes);
                }
            }
            begins = text.is_some();
        }
        if self.torn.is_empty() {
            return Ok(());
        }
        let what = if self.torn.is_open() { UNFINISHED } else { NO_RECORD };
        Err(VerifyError::Broken(Broken { line: self.torn_since, what }))
    }

    fn record(&mut self, text: &[u8], number: u64, each: &mut impl FnMut(Hash)) -> Result<(), Broken> {
        let broken = |what| Broken { line: number, what };
        let links = line::read(text);
        match self.torn.told() {
            // Where what is before is not told of, it is the first that is wrong.
            Some(torn) if links.as_ref().ok().and_then(|links| links.torn) != Some(torn) => {
                return Err(Broken { line: self.torn_since, what: NO_RECORD });
            }
            Some(_) => {}
            None if links.as_ref().is_ok_and(|links| links.torn.is_some()) => {
                return Err(broken("it tells of an unfinished line before it, which is not there"));
            }
            None => {}
        }
        let links = links.map_err(broken)?;
        match self.end {
            Some(end) if links.previous != end.hash || Some(links.seq) != end.seq.checked_add(1) => {
                return Err(broken("it does not follow the line before: lines were removed, added or moved"));
            }
            Some(_) => {}
            None if links.seq == 0 || (links.seq == 1) != (links.previous == Hash::default()) => {
                return Err(broken("it is neither the first line of a log nor one that follows another"));
            }
            None => self.summary.continues = Some(links.previous).filter(|_| links.seq > 1),
        }
        each(links.hash);
        self.end = Some(links.end());
        self.summary.add(&links);
        self.torn = Torn::default();
        Ok(())
    }

    /// What is in all files.
    pub(crate) fn finish(self) -> Summary {
        self.summary
    }
}

impl Summary {
    fn add(&mut self, links: &line::Links) {
        self.records += 1;
        self.seq = Some((self.seq.map_or(links.seq, |(first, _)| first), links.seq));
        self.time = Some((self.time.map_or(links.time, |(first, _)| first), links.time));
        self.last = Some(links.hash);
        self.torn += u64::from(links.torn.is_some());
        self.refusals_left_out = self.refusals_left_out.saturating_add(links.refusals_left_out);
        self.lost = self.lost.saturating_add(links.lost);
        // Not by the log's own words alone, of which there could be any number.
        let stage = ["RunStarted", "RunComplete", "ResponseComplete", "Refused"].into_iter().find(|stage| *stage == links.stage);
        *self.stages.entry(stage.unwrap_or("other")).or_default() += 1;
    }
}
