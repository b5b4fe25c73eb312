//! In place of `split.rs` where the feature `writer` is off: nothing to write a tar-split with.

use crate::Member;
use crate::toc::CompressedTarSplit;

/// A writer of which there is none.
#[derive(Debug)]
pub(super) enum SplitWriter {}

impl SplitWriter {
    pub(super) const fn new() -> Option<Self> {
        None
    }

    pub(super) const fn plain_len(&self) -> u64 {
        match *self {}
    }

    pub(super) const fn raw(&mut self, _bytes: &[u8]) {
        match *self {}
    }

    pub(super) const fn begin(&mut self, _member: &Member, _stored: u64) {
        match *self {}
    }

    pub(super) const fn data(&mut self, _bytes: &[u8]) {
        match *self {}
    }

    pub(super) const fn end(&mut self) {
        match *self {}
    }

    pub(super) const fn finish(self) -> CompressedTarSplit {
        match self {}
    }
}
