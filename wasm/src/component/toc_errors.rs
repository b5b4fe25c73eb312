//! `toc-errors`. `None` stands for a case that is newer than the WIT.

use shingle_core::{
    BadTarSplit, Digest, Disagreement, Field, LocateError, Name, TarSplitReadError, TocError,
};

use super::bindings::toc_errors as wit;
use super::tar_errors::{over, record, tar_split};
use super::types::{name, range, wide};

pub(super) fn locate(error: LocateError) -> Option<wit::LocateError> {
    Some(match error {
        LocateError::FooterPosition { offset, len } => {
            wit::LocateError::FooterPosition(wit::FooterPosition { offset, len })
        }
        LocateError::FooterType { actual } => wit::LocateError::FooterType(actual),
        LocateError::Malformed { key, value } => {
            wit::LocateError::Malformed(wit::Annotation { key: key.into(), value })
        }
        LocateError::Missing { key } => wit::LocateError::Missing(key.into()),
        LocateError::NoFooter => wit::LocateError::NoFooter,
        LocateError::Overlap { toc, tar_split } => {
            wit::LocateError::Overlap(wit::Overlapping { toc: range(toc), tar_split: range(tar_split) })
        }
        LocateError::PastEnd { what, end, blob_len } => {
            wit::LocateError::PastEnd(wit::PastEnd { what: what.into(), end, blob_len })
        }
        LocateError::TailCut { at, blob_len } => wit::LocateError::TailCut(wit::TailCut { at, blob_len }),
        LocateError::TooLarge { what, len, limit } => wit::LocateError::TooLarge(over(what, len, limit)),
        LocateError::TwoTocs => wit::LocateError::TwoTocs,
        _ => return None,
    })
}

pub(super) fn digests(expected: Digest, actual: Digest) -> wit::Digests {
    wit::Digests { expected: expected.to_string(), actual: actual.to_string() }
}

pub(super) fn toc(error: TocError) -> Option<wit::TocError> {
    Some(match error {
        TocError::Digest { expected, actual } => wit::TocError::Digest(digests(expected, actual)),
        TocError::EmptyDigest { entry, name: of, actual } => wit::TocError::EmptyDigest(wit::EmptyDigest {
            entry: wide(entry),
            name: name(&of),
            actual: actual.to_string(),
        }),
        TocError::Field { entry, name: of, field, value } => wit::TocError::Field(wit::BadField {
            entry: wide(entry),
            name: name(&of),
            field: field.into(),
            value,
        }),
        TocError::Gzip { message } => wit::TocError::Gzip(message),
        TocError::InnerOffset { entry, name: of, inner_offset, after } => {
            let (entry, name) = (wide(entry), name(&of));
            wit::TocError::InnerOffset(wit::InnerOffset { entry, name, inner_offset, after })
        }
        TocError::Json { line, column, message } => {
            wit::TocError::Json(wit::BadJson { line: wide(line), column: wide(column), message })
        }
        TocError::Name { entry, name: of, problem, limit } => wit::TocError::Name(wit::BadName {
            entry: wide(entry),
            name: name(&of),
            problem: problem.into(),
            limit: wide(limit),
        }),
        TocError::Offset { entry, name: of, offset, after, data_end } => {
            let (entry, name) = (wide(entry), name(&of));
            wit::TocError::Offset(wit::BadOffset { entry, name, offset, after, data_end })
        }
        TocError::OneChunk { entry, name: of, expected, actual } => wit::TocError::OneChunk(wit::OneChunk {
            entry: wide(entry),
            name: name(&of),
            expected: expected.to_string(),
            actual: actual.to_string(),
        }),
        TocError::OrphanChunk { entry, name } => wit::TocError::OrphanChunk(toc_entry(entry, &name)),
        TocError::Sizes { entry, name: of, size, expected, chunk_offset, chunk_size } => {
            let (entry, name) = (wide(entry), name(&of));
            wit::TocError::Sizes(wit::BadSizes { entry, name, size, expected, chunk_offset, chunk_size })
        }
        TocError::PlainLen { expected } => wit::TocError::PlainLen(expected),
        TocError::Tar { message } => wit::TocError::Tar(message),
        TocError::TarSplitDigest { expected, actual } => {
            wit::TocError::TarSplitDigest(digests(expected, actual))
        }
        TocError::TooLarge { what, len, limit } => wit::TocError::TooLarge(over(what, len, limit)),
        TocError::TooMany { limit } => wit::TocError::TooMany(wide(limit)),
        TocError::Truncated { expected, actual } => {
            wit::TocError::Truncated(wit::CutShort { expected, actual })
        }
        TocError::Version { actual } => wit::TocError::Version(actual),
        TocError::Zstd { message } => wit::TocError::Zstd(message),
        _ => return None,
    })
}

fn toc_entry(entry: usize, of: &Name) -> wit::TocEntry {
    wit::TocEntry { entry: wide(entry), name: name(of) }
}

pub(super) fn bad_tar_split(error: BadTarSplit) -> Option<wit::BadTarSplit> {
    Some(match error {
        BadTarSplit::PlainLen { expected } => wit::BadTarSplit::PlainLen(expected),
        BadTarSplit::Records(TarSplitReadError::Record(error)) => wit::BadTarSplit::Record(record(error)?),
        BadTarSplit::Records(TarSplitReadError::Split(error)) => wit::BadTarSplit::Split(tar_split(error)?),
        BadTarSplit::Zstd { message } => wit::BadTarSplit::Zstd(message),
        _ => return None,
    })
}

pub(super) fn disagreement(error: Disagreement) -> Option<wit::Disagreement> {
    Some(match error {
        Disagreement::Field { entry, name: of, field: which, toc, tar } => {
            let (entry, name, field) = (wide(entry), name(&of), field(which)?);
            wit::Disagreement::Field(wit::Differing { entry, name, field, toc, tar })
        }
        Disagreement::NotInTar { entry, name } => wit::Disagreement::NotInTar(toc_entry(entry, &name)),
        Disagreement::NotInToc { entry, name } => wit::Disagreement::NotInToc(toc_entry(entry, &name)),
        Disagreement::Order { entry, toc, tar } => {
            let (toc, tar) = (name(&toc), name(&tar));
            wit::Disagreement::Order(wit::OtherOrder { entry: wide(entry), toc, tar })
        }
        Disagreement::Split(error) => wit::Disagreement::Split(tar_split(error)?),
        _ => return None,
    })
}

const fn field(field: Field) -> Option<wit::Field> {
    Some(match field {
        Field::Atime => wit::Field::Atime,
        Field::Ctime => wit::Field::Ctime,
        Field::Device => wit::Field::Device,
        Field::Gid => wit::Field::Gid,
        Field::Kind => wit::Field::Kind,
        Field::Link => wit::Field::Link,
        Field::Mode => wit::Field::Mode,
        Field::Mtime => wit::Field::Mtime,
        Field::Name => wit::Field::Name,
        Field::Size => wit::Field::Size,
        Field::Uid => wit::Field::Uid,
        Field::Xattrs => wit::Field::Xattrs,
        _ => return None,
    })
}
