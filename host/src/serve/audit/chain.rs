//! The next line of the chain, whatever became of the one before.

use jiff::Timestamp;

use super::line::{self, End, Missing, Torn};
use super::refusals::Refusals;
use super::sink::Sink;
use super::{AuditError, Destination, Event, LogName};

#[derive(Debug)]
pub(super) struct Chain {
    pub(super) sink: Sink,
    /// The last whole line.
    end: End,
    /// What was written after it.
    torn: Torn,
    refusals: Refusals,
    /// How many are not in the log, and were not told of yet.
    lost: u64,
}

impl Chain {
    /// # Errors
    ///
    /// The file cannot be opened or is another server's, or its last line is not one of an audit log's.
    pub(super) fn open(to: &Destination) -> Result<Self, AuditError> {
        let (sink, end, torn) = match to {
            Destination::File(path) => Sink::file(path)?,
            Destination::Stdout => (Sink::stdout()?, End::default(), Torn::default()),
        };
        Ok(Self::new(sink, end, torn))
    }

    pub(super) fn new(sink: Sink, end: End, torn: Torn) -> Self {
        Self { sink, end, torn, refusals: Refusals::default(), lost: 0 }
    }

    /// Writes one line, for as long as that takes. A refusal that is one too many is counted and not written: `false`.
    ///
    /// # Errors
    ///
    /// The line is not in the log, and counted as lost.
    pub(super) fn add(&mut self, event: &Event, now: Timestamp) -> Result<bool, AuditError> {
        if let Event::Refused(refused) = event
            && !self.refusals.admit(refused, now)
        {
            return Ok(false);
        }
        let written = self.write(event, now);
        match written {
            Ok(()) => self.lost = 0,
            Err(_) => self.lose(1),
        }
        written.map(|()| true)
    }

    /// So many more will never be given to it.
    pub(super) fn lose(&mut self, count: u64) {
        self.lost = self.lost.saturating_add(count);
    }

    fn write(&mut self, event: &Event, now: Timestamp) -> Result<(), AuditError> {
        if self.torn.is_empty() {
            self.sink.follow().map_err(|cause| self.sink.failed(cause))?;
        }
        // What was begun and not ended must not be continued.
        let mut torn = self.torn.clone();
        let mut bytes = Vec::new();
        if torn.is_open() {
            torn.add(b"\n");
            bytes.push(b'\n');
        }
        let missing = Missing { lost: self.lost, refusals_left_out: self.refusals.left_out() };
        let end = line::append(&mut bytes, &self.end, now, event, &torn, missing).map_err(|cause| self.sink.failed(cause))?;
        match self.sink.append(&bytes) {
            Ok(()) => {
                (self.end, self.torn) = (end, Torn::default());
                self.refusals.told();
                Ok(())
            }
            Err((left, cause)) => {
                self.torn.add(&bytes[..left]);
                Err(self.sink.failed(cause))
            }
        }
    }

    pub(super) fn name(&self) -> LogName {
        self.sink.name()
    }
}
