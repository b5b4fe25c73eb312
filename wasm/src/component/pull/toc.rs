//! A TOC, and what ties it to its image.

use std::sync::Arc;

use shingle_core::{Body, Class, FileId};

use crate::component::bindings::errors::Error;
use crate::component::bindings::{pull as wit, types};
use crate::component::pull::check::LayerCheck;
use crate::component::pull::plan::Plan;
use crate::component::types::{count, range};

/// The resource `basis`.
#[derive(Debug)]
pub(in crate::component) struct Basis(shingle_core::Basis);

impl Basis {
    pub(super) const fn new(basis: shingle_core::Basis) -> Self {
        Self(basis)
    }

    pub(super) const fn toc(&self) -> &Arc<shingle_core::Toc> {
        self.0.toc()
    }
}

impl wit::GuestBasis for Basis {
    fn trust(&self) -> types::Trust {
        self.0.trust().into()
    }

    fn toc(&self) -> wit::Toc {
        wit::Toc::new(Toc::new(Arc::clone(self.0.toc())))
    }

    fn tar_split(&self) -> Option<Vec<u8>> {
        self.0.tar_split().map(|tar_split| tar_split.as_bytes().to_vec())
    }

    fn check(&self, plan: wit::PlanBorrow<'_>) -> wit::LayerCheck {
        wit::LayerCheck::new(LayerCheck::new(self.0.check(plan.get::<Plan>().get())))
    }
}

/// The resource `toc`.
#[derive(Debug)]
pub(in crate::component) struct Toc(Arc<shingle_core::Toc>);

impl Toc {
    pub(in crate::component) const fn new(toc: Arc<shingle_core::Toc>) -> Self {
        Self(toc)
    }

    pub(in crate::component) const fn get(&self) -> &Arc<shingle_core::Toc> {
        &self.0
    }
}

impl wit::GuestToc for Toc {
    fn len(&self) -> u32 {
        crate::component::types::index(self.0.entries().len())
    }

    fn entries(&self, first: u32, count_: u32) -> Vec<wit::Entry> {
        self.0.entries().iter().skip(count(first)).take(count(count_)).map(entry).collect()
    }

    fn chunks(&self, file: u32) -> Vec<wit::Chunk> {
        let entry = self.0.entries().get(count(file));
        entry.map(|entry| self.0.chunks(entry).iter().map(chunk).collect()).unwrap_or_default()
    }

    fn wanted(&self) -> Vec<types::Digest> {
        self.0.wanted().iter().map(ToString::to_string).collect()
    }

    fn vouched(&self) -> Option<types::Digest> {
        self.0.vouched().map(ToString::to_string)
    }

    fn to_stored(&self) -> Vec<u8> {
        self.0.to_stored()
    }

    fn from_stored(bytes: Vec<u8>, limits: types::Limits) -> Result<wit::Toc, Error> {
        let toc = shingle_core::Toc::from_stored(&bytes, &limits.into())?;
        Ok(wit::Toc::new(Self::new(Arc::new(toc))))
    }
}

fn entry(entry: &shingle_core::Entry) -> wit::Entry {
    let member = entry.member();
    wit::Entry {
        member: member.into(),
        digest: entry.digest().map(ToString::to_string),
        class: Class::of(member).to_string(),
    }
}

fn chunk(chunk: &shingle_core::Chunk) -> wit::Chunk {
    wit::Chunk {
        offset: chunk.offset,
        len: chunk.len,
        digest: chunk.digest.to_string(),
        body: match &chunk.body {
            Body::Frames(frames) => wit::Body::Frames(range(frames.clone())),
            Body::Unlocated => wit::Body::Unlocated,
            Body::Zeros => wit::Body::Zeros,
        },
        skip: chunk.skip,
    }
}

/// The index of a file's entry.
pub(in crate::component) fn file(file: FileId) -> u32 {
    crate::component::types::index(file.index())
}
