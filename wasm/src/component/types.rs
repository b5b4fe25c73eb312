//! `types`: plain values.

use std::ops::Range;

use shingle_core::{Cost, Digest, Kind, Limits, Member, Name, Policy, Timestamp, Trust};

use super::Component;
use super::bindings::{errors, types};

impl types::Guest for Component {
    fn default_policy() -> types::Policy {
        let Policy { cost, request_len, trust, limits, .. } = Policy::default();
        let Cost { round_trip_us, bytes_per_second, in_flight } = cost;
        types::Policy {
            cost: types::Cost { round_trip_us, bytes_per_second, in_flight },
            request_len,
            trust: trust.into(),
            limits: limits.into(),
        }
    }
}

/// Reads a digest that the host gives.
pub(super) fn digest(text: &str) -> Result<Digest, errors::Error> {
    Ok(text.parse::<Digest>()?)
}

pub(super) fn range(range: Range<u64>) -> types::Range {
    types::Range { start: range.start, end: range.end }
}

/// A length or an index, as wide as it can be.
pub(super) fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A count that a host gives: what does not fit is as good as no end.
pub(super) fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The index of an entry. There are fewer than 2^32: `Limits::entries` sees to it.
pub(super) fn index(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

pub(super) fn name(name: &Name) -> Vec<u8> {
    name.as_bytes().to_vec()
}

impl From<types::Range> for Range<u64> {
    fn from(range: types::Range) -> Self {
        range.start..range.end
    }
}

impl From<types::Policy> for Policy {
    fn from(policy: types::Policy) -> Self {
        let types::Policy { cost, request_len, trust, limits } = policy;
        let types::Cost { round_trip_us, bytes_per_second, in_flight } = cost;
        let mut policy = Self::default();
        policy.cost = Cost { round_trip_us, bytes_per_second, in_flight };
        policy.request_len = request_len;
        policy.trust = trust.into();
        policy.limits = limits.into();
        policy
    }
}

impl From<types::Limits> for Limits {
    /// Counts beyond what memory can hold are brought within it; so are the two that are allocated at once.
    fn from(limits: types::Limits) -> Self {
        let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let mut to = Self::default();
        to.toc_compressed = limits.toc_compressed;
        to.toc = limits.toc;
        to.tar_split_compressed = limits.tar_split_compressed;
        to.tar_split = limits.tar_split;
        to.entries = count(limits.entries);
        to.tar_metadata = count(limits.tar_metadata);
        to.tar_metadata_total = limits.tar_metadata_total;
        to.sparse_fragments = count(limits.sparse_fragments);
        to.path = count(limits.path);
        to.depth = count(limits.depth);
        to.file = limits.file;
        to.content = limits.content;
        to.held_chunk = limits.held_chunk.min(64 << 20);
        to.window_log = limits.window_log.clamp(10, 30);
        to
    }
}

impl From<Limits> for types::Limits {
    fn from(limits: Limits) -> Self {
        Self {
            toc_compressed: limits.toc_compressed,
            toc: limits.toc,
            tar_split_compressed: limits.tar_split_compressed,
            tar_split: limits.tar_split,
            entries: wide(limits.entries),
            tar_metadata: wide(limits.tar_metadata),
            tar_metadata_total: limits.tar_metadata_total,
            sparse_fragments: wide(limits.sparse_fragments),
            path: wide(limits.path),
            depth: wide(limits.depth),
            file: limits.file,
            content: limits.content,
            held_chunk: limits.held_chunk,
            window_log: limits.window_log,
        }
    }
}

impl From<types::Trust> for Trust {
    fn from(trust: types::Trust) -> Self {
        match trust {
            types::Trust::DiffId => Self::DiffId,
            types::Trust::Toc => Self::Toc,
        }
    }
}

impl From<Trust> for types::Trust {
    fn from(trust: Trust) -> Self {
        match trust {
            Trust::DiffId => Self::DiffId,
            Trust::Toc => Self::Toc,
        }
    }
}

impl From<Timestamp> for types::Timestamp {
    fn from(Timestamp { seconds, nanoseconds }: Timestamp) -> Self {
        Self { seconds, nanoseconds }
    }
}

impl From<&Member> for types::Member {
    fn from(member: &Member) -> Self {
        Self {
            kind: kind(member.kind),
            name: name(&member.name),
            link: name(&member.link),
            mode: member.mode,
            size: member.size,
            uid: member.uid,
            gid: member.gid,
            mtime: member.mtime.map(Into::into),
            atime: member.atime.map(Into::into),
            ctime: member.ctime.map(Into::into),
            dev_major: member.dev_major,
            dev_minor: member.dev_minor,
            xattrs: member.xattrs.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
        }
    }
}

pub(super) const fn kind(kind: Kind) -> types::Kind {
    match kind {
        Kind::Block => types::Kind::Block,
        Kind::Char => types::Kind::Char,
        Kind::Directory => types::Kind::Directory,
        Kind::Fifo => types::Kind::Fifo,
        Kind::Hardlink => types::Kind::Hardlink,
        Kind::Regular => types::Kind::Regular,
        Kind::Symlink => types::Kind::Symlink,
    }
}
