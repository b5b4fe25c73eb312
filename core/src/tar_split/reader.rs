//! Reads the lines of a tar-split.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::limits::Limits;

use super::headers::headers;
use super::line::Line;
use super::raw::Raw;
use super::{Row, TarSplit, TarSplitError};

/// Reads a decompressed tar-split that arrives in pieces.
#[derive(Debug)]
pub struct TarSplitReader {
    limits: Limits,
    /// The start of a line whose end is still to come.
    line: Vec<u8>,
    /// How many bytes were taken; at most `limits.tar_split`.
    taken: u64,
    /// The number of the next record.
    record: u64,
    raw: Raw,
    /// The last raw bytes, out of base64.
    decoded: Vec<u8>,
    names: Vec<u8>,
    rows: Vec<Row>,
    failed: Option<RecordError>,
    /// Records that were passed over, where that is wanted.
    faulty: Option<Vec<Faulty>>,
    /// Where in `raw` each record of raw bytes ends since the last file.
    tail: Vec<usize>,
    /// What the position of the next record may be as well, after one that was wrong.
    or_else: Option<u64>,
}

/// A record that was passed over, or read though something about it is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    pub(crate) error: RecordError,
    /// Before which file it stands, or which it is.
    pub(crate) file: usize,
}

/// What a tolerant reader read.
#[derive(Debug)]
pub(crate) struct Tolerated {
    /// With one row for each record of a file.
    pub(crate) split: TarSplit,
    /// All raw bytes, joined.
    pub(crate) raw: Vec<u8>,
    pub(crate) faulty: Vec<Faulty>,
    /// Where in the raw bytes each record of them ends that comes after the last file.
    pub(crate) tail: Vec<usize>,
}

/// How many faulty records are worth knowing.
const FAULTY: usize = 1000;

impl TarSplitReader {
    /// Starts a reader that passes over what is faulty and tells all of it in the end.
    pub(crate) fn tolerant(limits: &Limits) -> Self {
        Self { faulty: Some(Vec::new()), ..Self::new(limits) }
    }

    /// Takes the end of what a [tolerant](Self::tolerant) reader read: sizes are those of the records, and no header is
    /// read.
    pub(crate) fn finish_tolerant(mut self) -> Tolerated {
        if let Err(error) = self.receive(b"\n") {
            self.faulty.get_or_insert_default().push(Faulty { error, file: self.rows.len() });
        }
        let Self { limits, raw, names, rows, faulty, tail, .. } = self;
        let joined = raw.joined();
        let split = TarSplit { raw, names, rows, tar_len: 0, limits };
        Tolerated { split, raw: joined, faulty: faulty.unwrap_or_default(), tail }
    }

    /// Starts before the first byte.
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            line: Vec::new(),
            taken: 0,
            record: 0,
            raw: Raw::default(),
            decoded: Vec::new(),
            names: Vec::new(),
            rows: Vec::new(),
            failed: None,
            faulty: None,
            tail: Vec::new(),
            or_else: None,
        }
    }

    /// Takes the next bytes, however few.
    ///
    /// # Errors
    /// A line is no record, or the records are above a limit. A reader that failed repeats its error.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.lines(bytes).inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// Takes the end: reads all tar headers and returns the tar-split if they agree with the records.
    ///
    /// # Errors
    /// They do not agree, or the records are cut short or broken.
    pub fn finish(mut self) -> Result<TarSplit, TarSplitReadError> {
        // The last line feed may be missing.
        self.receive(b"\n")?;
        let Self { limits, mut raw, names, rows, line, decoded, .. } = self;
        drop((line, decoded));
        raw.shrink();
        Ok(headers(raw, &names, &rows, &limits)?)
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> &[u8] {
        &self.names
    }

    fn lines(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        self.taken = self.taken.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.taken > self.limits.tar_split {
            return Err(RecordError::TooLong { limit: self.limits.tar_split });
        }
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, more) = rest.split_at_checked(end.saturating_add(1)).unwrap_or_default();
            rest = more;
            if self.line.is_empty() {
                self.take_line(line)?;
                continue;
            }
            self.line.extend_from_slice(line);
            let mut line = core::mem::take(&mut self.line);
            self.take_line(&line)?;
            line.clear();
            self.line = line;
        }
        self.line.extend_from_slice(rest);
        Ok(())
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), RecordError> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let taken = self.take_record(line);
        let taken = taken.or_else(|error| self.pass_over(error));
        self.record = self.record.saturating_add(1);
        taken
    }

    fn take_record(&mut self, line: &[u8]) -> Result<(), RecordError> {
        let record = self.record;
        let line = Line::parse(line)
            .map_err(|error| RecordError::Malformed { record, reason: error.to_string() })?;
        let (position, or_else) = (line.position.map(u64::try_from), self.or_else.take());
        match (position, line.position) {
            (Some(Ok(position)), _) if position == record => {}
            (Some(Ok(position)), _) if Some(position) == or_else => self.record = position,
            (Some(position), Some(actual)) => {
                self.pass_over(RecordError::Position { record, actual })?;
                // One that is missing is one fault, not one for each that follows.
                self.or_else = position.ok().and_then(|position| position.checked_add(1));
            }
            // The number may be left out.
            (None, _) | (_, None) => {}
        }
        match line.kind {
            1 => self.take_file(&line),
            2 => self.take_segment(&line),
            actual => Err(RecordError::Kind { record, actual }),
        }
    }

    /// Notes what is wrong with a record, if that is wanted; a limit is a limit.
    fn pass_over(&mut self, error: RecordError) -> Result<(), RecordError> {
        let file = self.rows.len();
        match &mut self.faulty {
            Some(faulty) if faulty.len() < FAULTY && !error.is_limit() => {
                faulty.push(Faulty { error, file });
                Ok(())
            }
            _ => Err(error),
        }
    }

    fn take_segment(&mut self, line: &Line<'_>) -> Result<(), RecordError> {
        let record = self.record;
        let Some(payload) = &line.payload else { return Ok(()) };
        self.decoded.clear();
        STANDARD.decode_vec(&payload.0, &mut self.decoded).map_err(|_why| RecordError::Base64 { record })?;
        self.raw.push(&self.decoded);
        if self.faulty.is_some() {
            self.tail.push(self.raw.len());
        }
        Ok(())
    }

    fn take_file(&mut self, line: &Line<'_>) -> Result<(), RecordError> {
        let record = self.record;
        if self.rows.len() >= self.limits.entries {
            return Err(RecordError::TooMany { record, limit: self.limits.entries });
        }
        let size = u64::try_from(line.size).ok().filter(|size| *size <= self.limits.file);
        let size = match size {
            Some(size) => size,
            None => {
                self.pass_over(RecordError::Size { record, limit: self.limits.file, actual: line.size })?;
                0
            }
        };
        let crc = match &line.payload {
            None if size == 0 => 0,
            payload => {
                let payload = payload.as_ref().map_or(&[][..], |payload| &payload.0);
                let mut sum = [0; 9];
                if STANDARD.decode_slice(payload, &mut sum) != Ok(8) {
                    self.pass_over(RecordError::Checksum { record, actual: excerpt(payload) })?;
                }
                let [sum @ .., _] = sum;
                u64::from_be_bytes(sum)
            }
        };
        if line.name_raw.0.is_empty() {
            self.names.extend_from_slice(&line.name.0);
        } else {
            let before = self.names.len();
            if STANDARD.decode_vec(&line.name_raw.0, &mut self.names).is_err() {
                self.names.truncate(before);
                self.pass_over(RecordError::Base64 { record })?;
            }
        }
        self.tail.clear();
        self.rows.push(Row { raw_end: self.raw.len(), name_end: self.names.len(), size, crc });
        Ok(())
    }
}

/// A tar-split that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum TarSplitReadError {
    /// Its lines are not what they should be.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Its lines and the tar headers in them do not agree.
    #[error(transparent)]
    Split(#[from] TarSplitError),
}

/// A line of a tar-split that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum RecordError {
    /// A payload or a raw name is not base64.
    #[error("tar-split record {record} holds text that is not base64")]
    Base64 {
        /// Which record, counted from 0.
        record: u64,
    },
    /// A file's payload is not a checksum of eight bytes.
    #[error("tar-split record {record} has {actual:?} for a checksum, expected 8 bytes in base64")]
    Checksum {
        /// Which record, counted from 0.
        record: u64,
        /// The payload, cut to 100 characters.
        actual: String,
    },
    /// Neither a file nor a segment.
    #[error("tar-split record {record} is of type {actual}, expected 1 or 2")]
    Kind {
        /// Which record, counted from 0.
        record: u64,
        /// The type.
        actual: u64,
    },
    /// Not a JSON object with the right keys.
    #[error("tar-split record {record} is malformed: {reason}")]
    Malformed {
        /// Which record, counted from 0.
        record: u64,
        /// What the JSON parser says.
        reason: String,
    },
    /// Positions do not count up from 0: a record is missing or was moved.
    #[error("tar-split record {record} is at position {actual}, expected {record}")]
    Position {
        /// Which record, counted from 0: the position expected.
        record: u64,
        /// The position it claims.
        actual: i64,
    },
    /// A size below 0 or above the limit.
    #[error("tar-split record {record} has a size of {actual} bytes, the limit is {limit}")]
    Size {
        /// Which record, counted from 0.
        record: u64,
        /// The limit.
        limit: u64,
        /// The size.
        actual: i64,
    },
    /// All lines together are longer than the limit.
    #[error("the tar-split is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: u64,
    },
    /// More files than the limit.
    #[error("tar-split record {record} is one file more than {limit}")]
    TooMany {
        /// Which record, counted from 0.
        record: u64,
        /// The limit.
        limit: usize,
    },
}

impl RecordError {
    /// Whether this is a limit, beyond which nothing is read.
    const fn is_limit(&self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::TooMany { .. })
    }

    /// Whether the record could not be read at all, so that what it says of the tar is not known.
    pub(crate) const fn is_lost(&self) -> bool {
        !matches!(self, Self::Position { .. })
    }

    /// Returns which record.
    pub(crate) const fn record(&self) -> Option<u64> {
        match self {
            Self::Base64 { record }
            | Self::Checksum { record, .. }
            | Self::Kind { record, .. }
            | Self::Malformed { record, .. }
            | Self::Position { record, .. }
            | Self::Size { record, .. }
            | Self::TooMany { record, .. } => Some(*record),
            Self::TooLong { .. } => None,
        }
    }
}

fn excerpt(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(100).collect()
}
