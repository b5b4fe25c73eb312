//! What a pull would fetch, and what it would not need to.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use wasmtime::component::ResourceAny;

use crate::bindings::exports::shingle::core::pull::{Decision, PlannedFile};
use crate::bindings::exports::shingle::core::types::{Policy, Trust};
use crate::engine::Core;
use crate::image::{Image, Source, open};
use crate::json::{Full, LayerReport, Planned, Report};
use crate::look::{At, Looked, policy, words};
use crate::pull::read_whole;

/// How many files or entries are asked of the component at once.
pub(crate) const BATCH: u32 = 4096;

/// Plans the pull of an image by someone who has the images `given`. With `full`, the report holds the plans
/// themselves.
///
/// # Errors
/// An image cannot be read, somebody lies, or the component was stopped.
pub fn plan(core: &mut Core, reference: &str, given: &[String], trust: Trust, full: bool) -> Result<Report> {
    let policy = policy(core, trust)?;
    let inventory = core
        .call("inventory", |store, reader| reader.shingle_core_pull().inventory().call_constructor(store))?;
    let mut present = BTreeSet::new();
    for reference in given {
        let (image, mut source) = open(core, reference)?;
        add_image(core, &image, source.as_mut(), policy, inventory)
            .with_context(|| format!("cannot read what {reference} holds"))?;
        present.extend(image.layers.into_iter().map(|layer| layer.diff_id));
    }
    let (image, mut source) = open(core, reference)?;
    let mut layers = Vec::new();
    for layer in &image.layers {
        if !present.insert(layer.diff_id.clone()) {
            layers.push(LayerReport::present(layer));
            continue;
        }
        let mut at = At { layer, source: source.as_mut() };
        let planned = plan_layer(core, &mut at, policy, inventory, full);
        layers.push(planned.with_context(|| format!("layer {}", layer.blob))?);
    }
    core.drop(inventory)?;
    Ok(Report::new(&image, layers))
}

fn plan_layer(
    core: &mut Core,
    at: &mut At<'_>,
    policy: Policy,
    inventory: ResourceAny,
    full: bool,
) -> Result<LayerReport> {
    let (looked, cost) = at.look(core, policy)?;
    let basis = match looked {
        Looked::Found(basis) => basis,
        Looked::Whole(why, _) => return Ok(LayerReport::whole(at.layer, why, cost.bytes, cost.requests)),
    };
    let decision = core.call("decide", |store, reader| {
        reader.shingle_core_pull().call_decide(store, basis, inventory, policy)
    })?;
    core.drop(basis)?;
    let plan = match decision {
        Decision::Partial(plan) => plan,
        Decision::Whole(why) => {
            return Ok(LayerReport::whole(at.layer, words(why), cost.bytes, cost.requests));
        }
    };
    let summary = core
        .call("plan.summary", |store, reader| reader.shingle_core_pull().plan().call_summary(store, plan))?;
    let full = if full { Some(all_of(core, plan)?) } else { None };
    core.drop(plan)?;
    Ok(LayerReport::partial(at.layer, cost.bytes, cost.requests, &summary, full))
}

fn all_of(core: &mut Core, plan: ResourceAny) -> Result<Full> {
    let ranges = core.call("plan.requests", |store, reader| {
        reader.shingle_core_pull().plan().call_requests(store, plan)
    })?;
    Ok(Full {
        ranges: ranges.into_iter().map(|range| (range.start, range.end)).collect(),
        sources: files(core, plan)?.into_iter().map(Planned::from).collect(),
    })
}

/// Returns every file of a plan.
pub(crate) fn files(core: &mut Core, plan: ResourceAny) -> Result<Vec<PlannedFile>> {
    let mut files = Vec::new();
    loop {
        let first = u32::try_from(files.len())?;
        let batch = core.call("plan.files", |store, reader| {
            reader.shingle_core_pull().plan().call_files(store, plan, first, BATCH)
        })?;
        if batch.is_empty() {
            return Ok(files);
        }
        files.extend(batch);
    }
}

/// Adds to an inventory what an image holds.
fn add_image(
    core: &mut Core,
    image: &Image,
    source: &mut dyn Source,
    policy: Policy,
    inventory: ResourceAny,
) -> Result<()> {
    for layer in &image.layers {
        let mut at = At { layer, source: &mut *source };
        let (looked, _) = at.look(core, policy)?;
        let (toc, holder) = match looked {
            Looked::Found(basis) => {
                let toc = core.call("basis.toc", |store, reader| {
                    reader.shingle_core_pull().basis().call_toc(store, basis)
                })?;
                (toc, basis)
            }
            Looked::Whole(_, body) => {
                // Nothing is kept of it but its TOC.
                let verified = read_whole(core, &mut at, policy, body, |_| Ok(()))?;
                let toc = core.call("verified-layer.toc", |store, reader| {
                    reader.shingle_core_pull().verified_layer().call_toc(store, verified)
                })?;
                (toc, verified)
            }
        };
        core.call("inventory.add-toc", |store, reader| {
            reader.shingle_core_pull().inventory().call_add_toc(store, inventory, toc)
        })?;
        core.drop(toc)?;
        core.drop(holder)?;
    }
    Ok(())
}
