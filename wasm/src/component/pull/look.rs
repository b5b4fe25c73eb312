//! Where the TOC lies, and its bytes.

use std::cell::RefCell;

use shingle_core::{Followed, Opened, Policy};

use crate::component::bindings::errors::Error;
use crate::component::bindings::{pull as wit, types};
use crate::component::pull::toc::Basis;
use crate::component::types::range;

/// The resource `tail-fetch`. What comes of it is fetched and read under the same policy.
#[derive(Debug)]
pub(in crate::component) struct TailFetch {
    fetch: RefCell<shingle_core::TailFetch>,
    policy: Policy,
}

impl TailFetch {
    pub(super) fn new(fetch: shingle_core::TailFetch, policy: Policy) -> wit::TailFetch {
        wit::TailFetch::new(Self { fetch: fetch.into(), policy })
    }
}

impl wit::GuestTailFetch for TailFetch {
    fn remaining(&self) -> types::Range {
        range(self.fetch.borrow().remaining())
    }

    fn receive(&self, bytes: Vec<u8>) {
        self.fetch.borrow_mut().receive(&bytes);
    }

    fn finish(this: wit::TailFetch) -> wit::TailFound {
        let Self { fetch, policy } = this.into_inner();
        match Followed::from(fetch.into_inner().finish()) {
            Followed::External(toc) => {
                wit::TailFound::Elsewhere(wit::ExternalToc::new(ExternalToc { toc, policy }))
            }
            Followed::Toc(fetch) => wit::TailFound::Here(TocFetch::new(fetch, policy)),
            Followed::Whole(reason) => wit::TailFound::Whole(reason.into()),
        }
    }
}

/// The resource `external-toc`.
#[derive(Debug)]
pub(in crate::component) struct ExternalToc {
    toc: shingle_core::ExternalToc,
    policy: Policy,
}

impl wit::GuestExternalToc for ExternalToc {
    fn fetch(this: wit::ExternalToc, toc_blob_len: u64) -> Result<wit::TocFetch, Error> {
        let Self { toc, policy } = this.into_inner();
        Ok(TocFetch::new(toc.fetch(toc_blob_len)?, policy))
    }
}

/// The resource `toc-fetch`.
#[derive(Debug)]
pub(in crate::component) struct TocFetch {
    fetch: RefCell<shingle_core::TocFetch>,
    policy: Policy,
}

impl TocFetch {
    pub(super) fn new(fetch: shingle_core::TocFetch, policy: Policy) -> wit::TocFetch {
        wit::TocFetch::new(Self { fetch: fetch.into(), policy })
    }
}

impl wit::GuestTocFetch for TocFetch {
    fn remaining(&self) -> types::Range {
        range(self.fetch.borrow().remaining())
    }

    fn receive(&self, bytes: Vec<u8>) {
        self.fetch.borrow_mut().receive(&bytes);
    }

    fn finish(this: wit::TocFetch) -> Result<wit::Opened, Error> {
        let Self { fetch, policy } = this.into_inner();
        Ok(match fetch.into_inner().open(&policy)? {
            Opened::Found(basis) => wit::Opened::Found(wit::Basis::new(Basis::new(basis))),
            Opened::Whole(reason) => wit::Opened::Whole(reason.into()),
        })
    }
}
