//! A machine that is thought of, and what pulling to it would cost.

use alloc::collections::BTreeSet;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::Known;
use super::figures::{ImageForecast, LayerForecast, Planned};
use crate::plan::decide_trusting;
use crate::{Class, Decision, Digest, Identity, Inventory, LinkMode, Policy, Tree, TreeError, Trust};

/// A machine, and what it has: nothing, or what pulls of some layers leave behind.
///
/// ```
/// use shingle_core::forecast::Machine;
/// use shingle_core::{LinkMode, Policy};
///
/// let machine = Machine::new();
/// let forecast = machine.forecast(&[], LinkMode::Auto, &Policy::default()).unwrap();
/// assert_eq!(forecast.total().fetched_bytes, 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub(super) inventory: Inventory,
    pub(super) layers: BTreeSet<Identity>,
}

impl Machine {
    /// A machine that has nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a layer as a pull leaves it: its files, each under its own metadata, and the chunks that its TOC names, if it
    /// is taken by file. What is taken whole has no chunks afterwards.
    pub fn add(&mut self, layer: &Known) {
        self.layers.insert(layer.identity());
        if layer.why().is_none() {
            return self.inventory.add_toc(layer.toc());
        }
        for (_, entry) in layer.toc().files() {
            if let Some(digest) = entry.digest() {
                self.inventory.add_file(*digest, entry.member().size, Class::of(entry.member()));
            }
        }
    }

    /// Whether it has a layer, proven as far as a pull would take it.
    pub fn has(&self, layer: &Known) -> bool {
        self.present(layer, Trust::Toc)
    }

    /// Returns what a pull of an image with these layers, lowest first, would do. Each is planned against what the machine
    /// has alone, not against those below it; one that repeats an earlier one costs nothing.
    ///
    /// What was read for a TOC is counted as it was read; how much of a blob's end a pull reads at once depends on
    /// `policy`, too, where only the end says where the TOC lies.
    ///
    /// # Errors
    /// A member has no place in a tree, which a pull refuses before it fetches anything.
    pub fn forecast(
        &self,
        layers: &[&Known],
        link: LinkMode,
        policy: &Policy,
    ) -> Result<ImageForecast, ForecastError> {
        let mut seen = BTreeSet::new();
        let mut planned = Vec::with_capacity(layers.len());
        for (index, known) in layers.iter().enumerate() {
            let repeated = !seen.insert(key(known, policy.trust));
            let layer = if repeated || self.present(known, policy.trust) {
                Planned { known: (*known).clone(), forecast: LayerForecast::present(known), plan: None }
            } else {
                self.layer(known, link, policy)
                    .map_err(|error| ForecastError::Tree { layer: index, error })?
            };
            planned.push(layer);
        }
        Ok(ImageForecast::new(planned, policy.cost))
    }

    fn present(&self, known: &Known, wants: Trust) -> bool {
        let by_toc = known.vouched().filter(|_| wants == Trust::Toc);
        self.layers.contains(&Identity::DiffId(known.layer().diff_id))
            || by_toc.is_some_and(|toc| self.layers.contains(&Identity::Toc(*toc)))
    }

    fn layer(&self, known: &Known, link: LinkMode, policy: &Policy) -> Result<Planned, TreeError> {
        let whole = |(why, bytes, requests)| Planned {
            known: known.clone(),
            forecast: LayerForecast::whole(known, why, bytes, requests),
            plan: None,
        };
        if let Some(found) = known.whole(policy.trust) {
            return Ok(whole(found));
        }
        drop(Tree::build(known.toc(), &policy.limits)?);
        Ok(match decide_trusting(known.toc(), &self.inventory, policy) {
            Decision::Whole(reason) => whole((reason.to_string(), known.toc_bytes(), known.toc_requests())),
            Decision::Partial(plan) => {
                let forecast = LayerForecast::partial(known, &plan, link);
                Planned { known: known.clone(), forecast, plan: Some(plan) }
            }
        })
    }
}

/// Two layers with the same are one: by their DiffID, and where that need not be proven, by their blob too.
fn key(known: &Known, wants: Trust) -> (Digest, Option<Digest>) {
    let blob = match wants {
        Trust::DiffId => None,
        Trust::Toc => Some(known.layer().blob),
    };
    (known.layer().diff_id, blob)
}

/// An image whose pull would be refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum ForecastError {
    /// A layer that could not be unpacked.
    #[error("layer {}: {error}", layer.saturating_add(1))]
    Tree {
        /// Which one, from 0 at the bottom.
        layer: usize,
        /// What has no place in it.
        error: TreeError,
    },
}
