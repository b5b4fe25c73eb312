//! What is no file's content, as numbers: symbolic links' texts, devices, extended attributes.

use alloc::collections::BTreeMap;

use super::bytes::number;
use super::contents::NONE;
use crate::{Digest, Hasher, Kind, Member, Xattrs};

/// Equal texts have equal numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts(BTreeMap<Digest, u32>);

impl Texts {
    /// Returns the number of what a member that is no regular file holds; [`NONE`] for what holds nothing.
    pub(super) fn of(&mut self, member: &Member) -> u32 {
        match member.kind {
            Kind::Symlink => self.number(Digest::of(member.link.as_bytes())),
            Kind::Block | Kind::Char => {
                let mut hasher = Hasher::new();
                hasher.update(b"device");
                hasher.update(&member.dev_major.to_le_bytes());
                hasher.update(&member.dev_minor.to_le_bytes());
                self.number(hasher.finish())
            }
            Kind::Directory | Kind::Fifo | Kind::Hardlink | Kind::Regular => NONE,
        }
    }

    /// Returns the number of a set of attributes; [`NONE`] for none.
    pub(super) fn of_xattrs(&mut self, xattrs: &Xattrs) -> u32 {
        if xattrs.is_empty() {
            return NONE;
        }
        let mut hasher = Hasher::new();
        for part in xattrs.iter().flat_map(|(key, value)| [key, value]) {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hasher.update(part);
        }
        self.number(hasher.finish())
    }

    fn number(&mut self, digest: Digest) -> u32 {
        let next = number(self.0.len());
        *self.0.entry(digest).or_insert(next)
    }
}
