//! The proof at the end.

use std::cell::RefCell;
use std::sync::Arc;

use shingle_core::Identity;

use crate::component::bindings::errors::Error;
use crate::component::bindings::{pull as wit, types};
use crate::component::pull::fetch::Complete;
use crate::component::pull::toc::{Toc, file};
use crate::component::types::digest;

/// The resource `layer-check`.
#[derive(Debug)]
pub(in crate::component) struct LayerCheck(RefCell<shingle_core::LayerCheck>);

impl LayerCheck {
    pub(super) fn new(check: shingle_core::LayerCheck) -> Self {
        Self(check.into())
    }
}

impl wit::GuestLayerCheck for LayerCheck {
    fn wants(&self) -> Result<Option<u32>, Error> {
        Ok(self.0.borrow_mut().wants()?.map(file))
    }

    fn receive(&self, bytes: Vec<u8>) -> Result<(), Error> {
        Ok(self.0.borrow_mut().receive(&bytes)?)
    }

    fn finish(
        this: wit::LayerCheck,
        complete: wit::Complete,
        diff_id: types::Digest,
    ) -> Result<wit::VerifiedLayer, Error> {
        let check = this.into_inner::<Self>().0.into_inner();
        let Complete(complete) = complete.into_inner();
        Ok(VerifiedLayer::new(check.finish(complete, &digest(&diff_id)?)?))
    }
}

/// The resource `verified-layer`.
#[derive(Debug)]
pub(in crate::component) struct VerifiedLayer(shingle_core::VerifiedLayer);

impl VerifiedLayer {
    pub(in crate::component) fn new(verified: shingle_core::VerifiedLayer) -> wit::VerifiedLayer {
        wit::VerifiedLayer::new(Self(verified))
    }
}

impl wit::GuestVerifiedLayer for VerifiedLayer {
    fn trust(&self) -> types::Trust {
        self.0.identity().trust().into()
    }

    fn digest(&self) -> types::Digest {
        match self.0.identity() {
            Identity::DiffId(digest) | Identity::Toc(digest) => digest.to_string(),
        }
    }

    fn toc(&self) -> wit::Toc {
        wit::Toc::new(Toc::new(Arc::clone(self.0.toc())))
    }
}
