//! Counting that everything that was asked for has come.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::fetch::Receipt;
use crate::plan::Parts;

/// Waits for the receipts of one plan.
#[derive(Debug)]
pub struct Ledger {
    parts: Arc<Parts>,
    credited: Vec<bool>,
}

/// Proof that every request of a plan was fetched.
#[derive(Debug)]
pub struct Complete {
    parts: Arc<Parts>,
}

impl Complete {
    /// Whether this is of the plan with these parts.
    pub(crate) fn is_of(&self, parts: &Arc<Parts>) -> bool {
        Arc::ptr_eq(&self.parts, parts)
    }
}

/// Receipts are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{missing} of {requests} requests were not fetched")]
#[non_exhaustive]
pub struct Unfinished {
    /// Requests without a receipt.
    pub missing: usize,
    /// All requests.
    pub requests: usize,
}

impl Ledger {
    pub(crate) fn new(parts: &Arc<Parts>, requests: usize) -> Self {
        Self { parts: Arc::clone(parts), credited: alloc::vec![false; requests] }
    }

    /// Takes a receipt; one from another plan counts for nothing.
    #[expect(clippy::needless_pass_by_value, reason = "a receipt is spent")]
    pub fn credit(&mut self, receipt: Receipt) {
        if !Arc::ptr_eq(&self.parts, &receipt.parts) {
            return;
        }
        if let Some(credited) = self.credited.get_mut(receipt.index) {
            *credited = true;
        }
    }

    /// Closes the ledger.
    ///
    /// # Errors
    /// A receipt is missing.
    pub fn close(self) -> Result<Complete, Unfinished> {
        let missing = self.credited.iter().filter(|credited| !**credited).count();
        if missing > 0 {
            return Err(Unfinished { missing, requests: self.credited.len() });
        }
        Ok(Complete { parts: self.parts })
    }
}
