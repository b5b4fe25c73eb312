//! `pull`: the chain of a pull by file. Each resource is one type of the core.
//!
//! Methods take `&self` and a module has one thread, so what changes lies in a cell that nobody else has borrowed.

mod check;
mod fetch;
mod inventory;
mod look;
mod plan;
mod toc;

use std::collections::BTreeMap;

use shingle_core::{Decision, LayerSaid, Look, Policy, decide};

use super::Component;
use super::bindings::pull as wit;
use super::bindings::types;

pub(super) use check::VerifiedLayer;
pub(super) use toc::{Toc, file};

impl wit::Guest for Component {
    type Basis = toc::Basis;
    type Complete = fetch::Complete;
    type ExternalToc = look::ExternalToc;
    type Fetch = fetch::Fetch;
    type Inventory = inventory::Inventory;
    type LayerCheck = check::LayerCheck;
    type Ledger = fetch::Ledger;
    type Plan = plan::Plan;
    type Receipt = fetch::Receipt;
    type TailFetch = look::TailFetch;
    type Toc = Toc;
    type TocFetch = look::TocFetch;
    type VerifiedLayer = VerifiedLayer;

    fn look(layer: wit::Layer, policy: types::Policy) -> wit::Looked {
        let wit::Layer { media_type, size, annotations } = layer;
        let annotations: BTreeMap<_, _> = annotations.into_iter().collect();
        let policy = Policy::from(policy);
        let said = LayerSaid { media_type: &media_type, size, annotations: &annotations };
        match Look::new(&said, &policy) {
            Look::Tail(fetch) => wit::Looked::Tail(look::TailFetch::new(fetch, policy)),
            Look::Toc(fetch) => wit::Looked::Toc(look::TocFetch::new(fetch, policy)),
            Look::Whole(reason) => wit::Looked::Whole(reason.into()),
        }
    }

    fn decide(
        basis: wit::BasisBorrow<'_>,
        inventory: wit::InventoryBorrow<'_>,
        policy: types::Policy,
    ) -> wit::Decision {
        let toc = basis.get::<toc::Basis>().toc();
        let inventory = inventory.get::<inventory::Inventory>().borrow();
        match decide(toc, &inventory, &policy.into()) {
            Decision::Partial(plan) => wit::Decision::Partial(plan::Plan::new(plan)),
            Decision::Whole(reason) => wit::Decision::Whole(reason.into()),
        }
    }
}
