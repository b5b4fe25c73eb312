//! What a pull would cost, without pulling: the tables of contents are read, and nothing else.
//!
//! A forecast is what [`pull`](crate::pull::pull) would then do from the same store, because both look at a layer with the
//! same code and decide with [`shingle_core::decide`]. Two things it cannot know: requests that a registry redirects or
//! has repeated, and files that one layer of the image takes from another whose pull was over sooner.
//!
//! ```
//! use shingle::contents::Quiet;
//! use shingle::plan::{Given, PlanOptions, plan};
//! use shingle::registry::{Client, ClientOptions};
//! use shingle::transport::open_source;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let layout = concat!("oci:", env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo");
//! let (old, new) = (format!("{layout}:v1"), format!("{layout}:v2"));
//! let client = Client::new(ClientOptions::default())?;
//! let options = PlanOptions::default();
//! let mut given = Given::nothing();
//! given.add_image(&old, &*open_source(&old.parse()?, &client)?, &options, &Quiet)?;
//! let report = plan(&new, &*open_source(&new.parse()?, &client)?, &given, &options)?;
//! assert!(report.total.fetched_bytes < report.total.blob_bytes);
//! # Ok(())
//! # }
//! ```

mod error;
mod given;
mod report;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use shingle_core::{Cost, Decision, Digest, Identity, Policy, Reason, Tree, Trust, decide};

pub use error::PlanError;
pub use given::Given;
pub use report::{
    Compared, DonatedPiece, Files, Forecast, LayerPlan, Partial, PlanReport, PlannedSource, Present,
    SourceOf, Total, Whole,
};

pub use crate::contents::{LayerFault, Spent};

use crate::contents::{Described, Layer, Reading};
use crate::look::{Looked, look};
use crate::registry::Platform;
use crate::transfer::in_parallel;
use crate::transport::Source;

/// How to plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlanOptions {
    /// Which image of an index.
    pub platform: Platform,
    /// What requests cost, how far a layer must be proven, and what a blob may claim: as for the pull.
    pub policy: Policy,
    /// How many layers are looked at at once.
    pub parallel_layers: usize,
    /// Whether the report lists every range and every file's source, too.
    pub full: bool,
    /// Other links that the same pull is also reckoned for, see [`PlanReport::compared`].
    pub compare: Vec<Cost>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            platform: Platform::host(),
            policy: Policy::default(),
            parallel_layers: 3,
            full: false,
            compare: Vec::new(),
        }
    }
}

/// Forecasts the pull of an image by a machine that has what is `given`. `name` is what the report calls the image.
///
/// Reads manifest, config and tables of contents from `source`, each checked as a pull checks it; no content.
///
/// # Errors
/// [`PlanError::is_refusal`] tells what a pull would refuse, too, such as a table of contents that lies, from everything
/// else.
pub fn plan(
    name: &str,
    source: &dyn Source,
    given: &Given<'_>,
    options: &PlanOptions,
) -> Result<PlanReport, PlanError> {
    let Described { digest, layers, .. } = Described::find(source, &options.platform)?;
    // What a layer is that an earlier one repeats, a pull finds out by the same rule.
    let mut seen = BTreeSet::new();
    let repeated: Vec<_> = layers.iter().map(|layer| !seen.insert(layer.key(options.policy.trust))).collect();
    let results: Vec<_> = layers.iter().map(|_| Mutex::new(None)).collect();
    in_parallel(options.parallel_layers, layers.len(), &AtomicBool::new(false), |number| {
        let (Some(layer), Some(result)) = (layers.get(number), results.get(number)) else { return Ok(()) };
        let planned = match repeated.get(number) {
            Some(true) => (layer.plan(Forecast::Present(Present::default())), Vec::new()),
            _ => layer.forecast(source, given, options).map_err(|fault| PlanError::Layer {
                index: number,
                blob: layer.digest,
                source: Box::new(fault),
            })?,
        };
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(planned);
        Ok::<_, PlanError>(())
    })?;
    let planned =
        results.into_iter().filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner));
    let (layers, compared): (Vec<_>, Vec<_>) = planned.unzip();
    Ok(PlanReport::new(name, digest, layers, &options.compare, &compared))
}

/// Bytes and requests of one layer over one link.
type Price = (u64, u64);

impl Layer {
    /// Two layers with the same are one: by their DiffID, and where that need not be proven, by their blob too.
    const fn key(&self, trust: Trust) -> (Digest, Option<Digest>) {
        let blob = match trust {
            Trust::DiffId => None,
            Trust::Toc => Some(self.digest),
        };
        (self.diff_id, blob)
    }

    fn plan(&self, forecast: Forecast) -> LayerPlan {
        let (blob, diff_id, media_type) = (self.digest, self.diff_id, self.media_type.clone());
        LayerPlan { blob, diff_id, media_type, blob_bytes: self.size, forecast }
    }

    /// Looks at the layer and decides, for the link that is asked about and for those it is compared with.
    fn forecast(
        &self,
        source: &dyn Source,
        given: &Given<'_>,
        options: &PlanOptions,
    ) -> Result<(LayerPlan, Vec<Price>), LayerFault> {
        let policy = &options.policy;
        let present = || Ok((self.plan(Forecast::Present(Present::default())), Vec::new()));
        if given.has(&Identity::DiffId(self.diff_id)) {
            return present();
        }
        let mut reading = Reading::new(source, self.digest, self.size);
        let basis = match look(&mut reading, &self.said(), policy, |identity| given.has(identity))? {
            Looked::Found(basis) => basis,
            Looked::Present(_) => return present(),
            Looked::Whole(reason, _) => return Ok(self.whole(&reason, &reading, options)),
        };
        let toc = basis.toc();
        // A pull refuses a member that has no place in a tree before it fetches anything.
        drop(Tree::build(toc, &policy.limits)?);
        let inventory = given.inventory(toc)?;
        let plan = match decide(toc, &inventory, policy) {
            Decision::Partial(plan) => plan,
            Decision::Whole(reason) => return Ok(self.whole(&reason, &reading, options)),
        };
        let price = |cost: &Cost| {
            let mut policy = *policy;
            policy.cost = *cost;
            let Decision::Partial(plan) = decide(toc, &inventory, &policy) else { return (0, 0) };
            let summary = plan.summary();
            (
                reading.bytes.saturating_add(summary.request_bytes),
                reading.requests.saturating_add(summary.requests),
            )
        };
        let prices = options.compare.iter().map(price).collect();
        Ok((self.plan(Forecast::partial(&plan, &reading, options.full)), prices))
    }

    fn whole(
        &self,
        reason: &Reason,
        reading: &Reading<'_>,
        options: &PlanOptions,
    ) -> (LayerPlan, Vec<Price>) {
        let fetched = reading.bytes.saturating_add(self.size);
        let requests = reading.requests.saturating_add(1);
        let whole = Forecast::Whole(Whole {
            why: reason.to_string(),
            toc_bytes: reading.bytes,
            fetched_bytes: fetched,
            requests,
        });
        (self.plan(whole), options.compare.iter().map(|_| (fetched, requests)).collect())
    }
}

#[cfg(test)]
mod tests;
