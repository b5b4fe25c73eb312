//! `tar-errors`. `None` stands for a case that is newer than the WIT.

use shingle_core::tar::{EntryError, HeaderError, PaxError, SparseError, TarError};
use shingle_core::{RecordError, TarSplitError};

use super::bindings::tar_errors as wit;
use super::types::{name, wide};

pub(super) fn tar(error: TarError) -> Option<wit::TarError> {
    Some(match error {
        TarError::Abandoned { offset } => wit::TarError::Abandoned(offset),
        TarError::Entry { offset, name: of, source } => wit::TarError::Entry(wit::BadEntry {
            offset,
            name: of.as_ref().map(name),
            source: entry(source)?,
        }),
        TarError::Truncated { offset, name: of, expected, actual } => {
            let name = of.as_ref().map(name);
            wit::TarError::Truncated(wit::TarCut { offset, name, expected, actual })
        }
        _ => return None,
    })
}

fn entry(error: EntryError) -> Option<wit::EntryError> {
    Some(match error {
        EntryError::Continued => wit::EntryError::Continued,
        EntryError::Header(error) => wit::EntryError::Header(header(error)?),
        EntryError::Pax(error) => wit::EntryError::Pax(pax(error)?),
        EntryError::Sparse(error) => wit::EntryError::Sparse(sparse(error)?),
        EntryError::TooLong { what, limit, actual } => wit::EntryError::TooLong(over(what, actual, limit)),
        EntryError::TooMany { limit } => wit::EntryError::TooMany(wide(limit)),
        _ => return None,
    })
}

pub(super) fn over(what: &str, len: u64, limit: u64) -> wit::OverLimit {
    wit::OverLimit { what: what.into(), len, limit }
}

fn header(error: HeaderError) -> Option<wit::HeaderError> {
    Some(match error {
        HeaderError::Checksum { expected, actual } => {
            wit::HeaderError::Checksum(wit::Checksums { expected, actual })
        }
        HeaderError::Number { field, value } => {
            wit::HeaderError::Number(wit::BadNumber { field: field.into(), value })
        }
        _ => return None,
    })
}

fn pax(error: PaxError) -> Option<wit::PaxError> {
    Some(match error {
        PaxError::Malformed { record, text } => {
            wit::PaxError::Malformed(wit::BadText { record: wide(record), text })
        }
        PaxError::Sparse { record, source } => {
            wit::PaxError::Sparse(wit::PaxSparse { record: wide(record), source: sparse(source)? })
        }
        PaxError::Value { record, key, value } => {
            wit::PaxError::Value(wit::PaxValue { record: wide(record), key, value })
        }
        _ => return None,
    })
}

fn sparse(error: SparseError) -> Option<wit::SparseError> {
    Some(match error {
        SparseError::Cut { stored } => wit::SparseError::Cut(stored),
        SparseError::Number => wit::SparseError::Number,
        SparseError::Odd => wit::SparseError::Odd,
        SparseError::Payload { expected, actual } => {
            wit::SparseError::Payload(wit::Lengths { expected, actual })
        }
        SparseError::Place { offset, length, after, size } => {
            wit::SparseError::Place(wit::FragmentPlace { offset, length, after, size })
        }
        SparseError::TooMany { limit } => wit::SparseError::TooMany(wide(limit)),
        _ => return None,
    })
}

pub(super) fn record(error: RecordError) -> Option<wit::RecordError> {
    Some(match error {
        RecordError::Base64 { record } => wit::RecordError::Base64(record),
        RecordError::Checksum { record, actual } => {
            wit::RecordError::Checksum(wit::BadText { record, text: actual })
        }
        RecordError::Kind { record, actual } => wit::RecordError::Kind(wit::RecordKind { record, actual }),
        RecordError::Malformed { record, reason } => {
            wit::RecordError::Malformed(wit::BadText { record, text: reason })
        }
        RecordError::Position { record, actual } => {
            wit::RecordError::Position(wit::RecordPosition { record, actual })
        }
        RecordError::Size { record, limit, actual } => {
            wit::RecordError::Size(wit::RecordSize { record, limit, actual })
        }
        RecordError::TooLong { limit } => wit::RecordError::TooLong(limit),
        RecordError::TooMany { record, limit } => {
            wit::RecordError::TooMany(wit::RecordCount { record, limit: wide(limit) })
        }
        _ => return None,
    })
}

pub(super) fn tar_split(error: TarSplitError) -> Option<wit::TarSplitError> {
    let split_file = |file, of: &_| wit::SplitFile { file: wide(file), name: name(of) };
    Some(match error {
        TarSplitError::LooseContent { file, name: of, actual } => {
            let (file, actual) = (wide(file), wide(actual));
            wit::TarSplitError::LooseContent(wit::LooseContent { file, name: name(&of), actual })
        }
        TarSplitError::Name { file, expected, actual } => wit::TarSplitError::Name(wit::SplitName {
            file: wide(file),
            expected: name(&expected),
            actual: name(&actual),
        }),
        TarSplitError::NoHeader { file, name } => wit::TarSplitError::NoHeader(split_file(file, &name)),
        TarSplitError::NoRecord { file, name } => wit::TarSplitError::NoRecord(split_file(file, &name)),
        TarSplitError::Size { file, name: of, expected, actual } => {
            let (file, name) = (wide(file), name(&of));
            wit::TarSplitError::Size(wit::SplitSize { file, name, expected, actual })
        }
        TarSplitError::Sparse { file, name } => wit::TarSplitError::Sparse(split_file(file, &name)),
        TarSplitError::Tar { file, source } => {
            wit::TarSplitError::Tar(wit::SplitTar { file: wide(file), source: tar(source)? })
        }
        _ => return None,
    })
}
