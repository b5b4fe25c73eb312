//! Holds a tar-split's records against the headers in it.

use alloc::vec::Vec;

use crate::limits::Limits;
use crate::tar::{Entry, TarEvent, TarReader};

use super::raw::Raw;
use super::{RawCursor, Row, TarSplit, TarSplitError};

/// Reads the headers, and returns one row for each member.
///
/// Every content must have its record, after its header, with its name and length. A member without content may have
/// none: our own writer leaves it out. Its row then says what its header does.
pub(super) fn headers(
    raw: Raw,
    names: &[u8],
    records: &[Row],
    limits: &Limits,
) -> Result<TarSplit, TarSplitError> {
    let mut walk = Walk::new(&raw, limits);
    walk.names.reserve(names.len());
    walk.rows.reserve(records.len());
    let mut name_start = 0;
    for record in records {
        let name = names.get(name_start..record.name_end).unwrap_or_default();
        walk.record(name, record)?;
        name_start = record.name_end;
    }
    let last = walk.members(raw.len(), false)?;
    let Walk { tar, mut names, mut rows, .. } = walk;
    if let Some((entry, end)) = last {
        push(&mut rows, &mut names, &entry, end, 0);
    }
    tar.finish().map_err(|source| TarSplitError::Tar { file: rows.len(), source })?;
    let raw_len = u64::try_from(raw.len()).unwrap_or(u64::MAX);
    let tar_len = rows.iter().fold(raw_len, |sum, row| sum.saturating_add(row.size));
    Ok(TarSplit { raw, names, rows, tar_len, limits: *limits })
}

struct Walk<'a> {
    raw: &'a Raw,
    cursor: RawCursor,
    tar: TarReader,
    /// How many raw bytes were read.
    at: usize,
    names: Vec<u8>,
    rows: Vec<Row>,
}

impl<'a> Walk<'a> {
    fn new(raw: &'a Raw, limits: &Limits) -> Self {
        let (cursor, tar) = (RawCursor::default(), TarReader::new(limits));
        Self { raw, cursor, tar, at: 0, names: Vec::new(), rows: Vec::new() }
    }

    /// Takes a record and the raw bytes before it.
    fn record(&mut self, name: &[u8], record: &Row) -> Result<(), TarSplitError> {
        let found = self.members(record.raw_end, true)?;
        let file = self.rows.len();
        let Some((entry, _)) = found else {
            return Err(TarSplitError::NoHeader { file, name: name.into() });
        };
        if entry.member.name.as_bytes() != name {
            return Err(TarSplitError::Name { file, expected: entry.member.name, actual: name.into() });
        }
        // The reference writes down the size that a link claims, though no content follows.
        let claim = entry.stored == 0 && entry.member.size == record.size && !self.tar.ignores_payload();
        if !claim && !self.tar.pass_content(record.size) {
            let (expected, actual) = (entry.stored, record.size);
            return Err(TarSplitError::Size { file, name: entry.member.name, expected, actual });
        }
        push(&mut self.rows, &mut self.names, &entry, record.raw_end, record.crc);
        Ok(())
    }

    /// Reads the members before this offset, and returns the last with the end of its header: a record may follow.
    ///
    /// Those before it have none, and so no content; nor may the last have any, if `record` says that none follows.
    fn members(&mut self, raw_end: usize, record: bool) -> Result<Option<(Entry, usize)>, TarSplitError> {
        let Self { raw, cursor, tar, at, names, rows } = self;
        let mut last = None::<(Entry, usize)>;
        while let Some(bytes) = cursor.next(raw, raw_end) {
            let mut events = tar.receive(bytes);
            loop {
                let file = rows.len();
                let event = events.next_event().map_err(|source| TarSplitError::Tar { file, source })?;
                match event {
                    None => break,
                    Some(TarEvent::Raw(bytes)) => *at = at.saturating_add(bytes.len()),
                    Some(TarEvent::Member(entry)) => {
                        if entry.is_sparse() {
                            return Err(TarSplitError::Sparse { file, name: entry.member.name });
                        }
                        if entry.stored > 0 && !record {
                            return Err(TarSplitError::NoRecord { file, name: entry.member.name });
                        }
                        if let Some((entry, end)) = last.replace((entry, *at)) {
                            push(rows, names, &entry, end, 0);
                        }
                    }
                    Some(TarEvent::Data { bytes, .. }) => {
                        let name = last.map(|(entry, _)| entry.member.name).unwrap_or_default();
                        return Err(TarSplitError::LooseContent { file, name, actual: bytes.len() });
                    }
                    Some(TarEvent::EndMember) => {}
                }
            }
        }
        Ok(last)
    }
}

/// Adds a member's row.
fn push(rows: &mut Vec<Row>, names: &mut Vec<u8>, entry: &Entry, raw_end: usize, crc: u64) {
    names.extend_from_slice(entry.member.name.as_bytes());
    rows.push(Row { raw_end, name_end: names.len(), size: entry.stored, crc });
}
