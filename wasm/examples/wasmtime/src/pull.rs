//! Pulls an image into a store: donors first, then ranges; then everything is read back and proven.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, Result, bail};
use wasmtime::component::ResourceAny;

use crate::bindings::exports::shingle::core::pull::{Decision, Lent, PlannedFile, Source as From};
use crate::bindings::exports::shingle::core::types::{Policy, Trust};
use crate::bindings::exports::shingle::core::whole::Piece;
use crate::engine::Core;
use crate::image::open;
use crate::json::{LayerReport, Report};
use crate::look::{At, Fed, Identity, Looked, Machine, PIECE, feed, policy, refused, words};
use crate::plan::{BATCH, files};
use crate::store::{Objects, Staging, copy};

/// How often a layer is begun anew because of bad donors.
const ATTEMPTS: usize = 3;

/// Pulls an image.
///
/// # Errors
/// The image or the store cannot be read, somebody lies, or the component was stopped. Layers before the one that
/// failed stay.
pub fn pull(core: &mut Core, reference: &str, objects: &Objects, trust: Trust) -> Result<Report> {
    let policy = policy(core, trust)?;
    let (image, mut source) = open(core, reference)?;
    let mut layers = Vec::new();
    for layer in &image.layers {
        let mut at = At { layer, source: source.as_mut() };
        let pulled = pull_layer(core, &mut at, policy, objects);
        layers.push(pulled.with_context(|| format!("layer {}", layer.blob))?);
    }
    Ok(Report::new(&image, layers))
}

fn pull_layer(core: &mut Core, at: &mut At<'_>, policy: Policy, objects: &Objects) -> Result<LayerReport> {
    if objects.has_layer(&Identity::DiffId(at.layer.diff_id.clone()))? {
        return Ok(LayerReport::present(at.layer));
    }
    let (looked, cost) = at.look(core, policy)?;
    let basis = match looked {
        Looked::Found(basis) => basis,
        Looked::Whole(why, body) => {
            pull_whole(core, at, policy, objects, body)?;
            return Ok(LayerReport::whole(at.layer, why, cost.bytes, cost.requests));
        }
    };
    if objects.has_layer(&Identity::of(core, basis, at.layer)?)? {
        core.drop(basis)?;
        return Ok(LayerReport::present(at.layer));
    }
    let inventory = inventory(core, policy, objects)?;
    for _ in 0..ATTEMPTS {
        let decision = core.call("decide", |store, reader| {
            reader.shingle_core_pull().call_decide(store, basis, inventory, policy)
        })?;
        let plan = match decision {
            Decision::Partial(plan) => plan,
            Decision::Whole(why) => {
                pull_whole(core, at, policy, objects, None)?;
                return Ok(LayerReport::whole(at.layer, words(why), cost.bytes, cost.requests));
            }
        };
        let summary = core.call("plan.summary", |store, reader| {
            reader.shingle_core_pull().plan().call_summary(store, plan)
        })?;
        let bad = Job { at: &mut *at, objects, basis, plan }.carry_out(core)?;
        core.drop(plan)?;
        if bad.is_empty() {
            core.drop(inventory)?;
            core.drop(basis)?;
            return Ok(LayerReport::partial(at.layer, cost.bytes, cost.requests, &summary, None));
        }
        for donor in bad {
            core.call("inventory.strike", |store, reader| {
                reader.shingle_core_pull().inventory().call_strike(store, inventory, &donor)
            })?
            .map_err(refused)?;
        }
    }
    bail!("what is in the store is not what it is called")
}

/// Says what the store holds.
fn inventory(core: &mut Core, policy: Policy, objects: &Objects) -> Result<ResourceAny> {
    let inventory = core
        .call("inventory", |store, reader| reader.shingle_core_pull().inventory().call_constructor(store))?;
    for stored in objects.tocs()? {
        let toc = core.call("toc.from-stored", |store, reader| {
            reader.shingle_core_pull().toc().call_from_stored(store, &stored, policy.limits)
        })?;
        let toc = toc.map_err(refused).context("a layer of the store cannot be read")?;
        core.call("inventory.add-toc", |store, reader| {
            reader.shingle_core_pull().inventory().call_add_toc(store, inventory, toc)
        })?;
        core.drop(toc)?;
    }
    Ok(inventory)
}

/// One plan, to be carried out.
struct Job<'a, 'b> {
    at: &'a mut At<'b>,
    objects: &'a Objects,
    basis: ResourceAny,
    plan: ResourceAny,
}

impl Job<'_, '_> {
    /// Does what the plan says, and proves the layer. Returns the donors that are not what they are called.
    fn carry_out(&mut self, core: &mut Core) -> Result<BTreeSet<String>> {
        let toc = core.call("basis.toc", |store, reader| {
            reader.shingle_core_pull().basis().call_toc(store, self.basis)
        })?;
        let contents = contents(core, toc)?;
        core.drop(toc)?;
        let planned: BTreeMap<u32, From> =
            files(core, self.plan)?.into_iter().map(|PlannedFile { file, source }| (file, source)).collect();
        let staging = self.objects.staging()?;
        for (file, source) in &planned {
            let From::Assembled(assembled) = source else { continue };
            let size = contents.get(file).map_or(0, |(_, size)| *size);
            let made = staging.make(*file, size)?;
            for donated in &assembled.donated {
                let donor = self.objects.object(&donated.object)?;
                if copy(&donor, donated.object_offset, donated.len, &made, donated.offset).is_err() {
                    return Ok(BTreeSet::from([donated.object.clone()]));
                }
            }
        }
        let complete = self.fetch(core, &staging)?;
        let check = core.call("basis.check", |store, reader| {
            reader.shingle_core_pull().basis().call_check(store, self.basis, self.plan)
        })?;
        if let Some(file) = self.read_back(core, check, &staging, &planned)? {
            core.drop(complete)?;
            core.drop(check)?;
            return Ok(donors(&planned, file));
        }
        let verified = core.call("layer-check.finish", |store, reader| {
            reader.shingle_core_pull().layer_check().call_finish(
                store,
                check,
                complete,
                &self.at.layer.diff_id,
            )
        })?;
        let verified = verified.map_err(refused)?;
        for (file, source) in &planned {
            if let (From::Assembled(_), Some((digest, _))) = (source, contents.get(file)) {
                staging.keep(*file, digest)?;
            }
        }
        keep_layer(core, &staging, verified)?;
        Ok(BTreeSet::new())
    }

    /// Asks for each range of the plan, and writes what it holds.
    fn fetch(&mut self, core: &mut Core, staging: &Staging<'_>) -> Result<ResourceAny> {
        let (ledger, fetches) = core.call("plan.start", |store, reader| {
            reader.shingle_core_pull().plan().call_start(store, self.plan)
        })?;
        let mut last: Option<(u32, File)> = None;
        for fetch in fetches {
            let (blob, size) = (&self.at.layer.blob, self.at.layer.size);
            let write = |lent: Vec<Lent>| {
                for lent in lent {
                    if last.as_ref().is_none_or(|(file, _)| *file != lent.file) {
                        last = Some((lent.file, staging.open(lent.file)?));
                    }
                    if let Some((_, file)) = &last {
                        file.write_all_at(&lent.bytes, lent.offset)?;
                    }
                }
                Ok(())
            };
            let Fed::All = feed(core, self.at.source, &Machine::Fetch(fetch), blob, size, write)? else {
                bail!("the registry serves ranges of this blob no more");
            };
            let receipt = core.call("fetch.finish", |store, reader| {
                reader.shingle_core_pull().fetch().call_finish(store, fetch)
            })?;
            let receipt = receipt.map_err(refused)?;
            core.call("ledger.credit", |store, reader| {
                reader.shingle_core_pull().ledger().call_credit(store, ledger, receipt)
            })?;
        }
        let complete = core.call("ledger.close", |store, reader| {
            reader.shingle_core_pull().ledger().call_close(store, ledger)
        })?;
        complete.map_err(refused)
    }

    /// Reads every file back from where it really is. Returns one that is not what the TOC says, if its content came
    /// from a donor.
    fn read_back(
        &self,
        core: &mut Core,
        check: ResourceAny,
        staging: &Staging<'_>,
        planned: &BTreeMap<u32, From>,
    ) -> Result<Option<u32>> {
        let mut last = None;
        let mut piece = vec![0; PIECE];
        loop {
            let wanted = core.call("layer-check.wants", |store, reader| {
                reader.shingle_core_pull().layer_check().call_wants(store, check)
            })?;
            let file = match (wanted, last) {
                (Ok(None), _) => return Ok(None),
                (Ok(Some(file)), last) if Some(file) != last => file,
                // What was read last is wrong, or too short.
                (Ok(_), Some(file)) => return self.blame(file, planned, "it is too short"),
                (Err(error), Some(file)) => return self.blame(file, planned, &error.message),
                (Err(error), None) => return Err(refused(error)),
                (Ok(Some(file)), None) => file,
            };
            last = Some(file);
            let path = match planned.get(&content_of(planned, file)) {
                Some(From::Held(held)) => self.objects.object(&held.digest)?,
                _ => staging.path(content_of(planned, file)),
            };
            let Ok(mut content) = File::open(&path) else { return self.blame(file, planned, "it is gone") };
            loop {
                let read = content.read(&mut piece)?;
                if read == 0 {
                    break;
                }
                let received = core.call("layer-check.receive", |store, reader| {
                    reader.shingle_core_pull().layer_check().call_receive(store, check, &piece[..read])
                })?;
                if let Err(error) = received {
                    return self.blame(file, planned, &error.message);
                }
            }
        }
    }

    /// A file is wrong: its donors' fault if it has any, and else the layer's.
    fn blame(&self, file: u32, planned: &BTreeMap<u32, From>, problem: &str) -> Result<Option<u32>> {
        if donors(planned, file).is_empty() {
            bail!("file {file} of the layer is not what its TOC says: {problem}");
        }
        Ok(Some(file))
    }
}

/// Returns the file whose content a file has: an earlier one, for a twin.
fn content_of(planned: &BTreeMap<u32, From>, file: u32) -> u32 {
    match planned.get(&file) {
        Some(From::Twin(twin)) => twin.of,
        _ => file,
    }
}

/// Returns the contents that a file was taken from.
fn donors(planned: &BTreeMap<u32, From>, file: u32) -> BTreeSet<String> {
    match planned.get(&content_of(planned, file)) {
        Some(From::Held(held)) => BTreeSet::from([held.digest.clone()]),
        Some(From::Assembled(assembled)) => {
            assembled.donated.iter().map(|part| part.object.clone()).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// Returns digest and length of every file with content, by the index of its entry.
pub(crate) fn contents(core: &mut Core, toc: ResourceAny) -> Result<BTreeMap<u32, (String, u64)>> {
    let len = core.call("toc.len", |store, reader| reader.shingle_core_pull().toc().call_len(store, toc))?;
    let mut contents = BTreeMap::new();
    let mut first = 0;
    while first < len {
        let entries = core.call("toc.entries", |store, reader| {
            reader.shingle_core_pull().toc().call_entries(store, toc, first, BATCH)
        })?;
        for (index, entry) in (first..).zip(entries) {
            if let Some(digest) = entry.digest {
                contents.insert(index, (digest, entry.member.size));
            }
        }
        first = first.saturating_add(BATCH);
    }
    Ok(contents)
}

/// Keeps the TOC of a proven layer under what it was proven by.
fn keep_layer(core: &mut Core, staging: &Staging<'_>, verified: ResourceAny) -> Result<()> {
    let (trust, digest, toc) = core.call("verified-layer", |store, reader| {
        let layer = reader.shingle_core_pull().verified_layer();
        let (trust, digest) =
            (layer.call_trust(&mut *store, verified)?, layer.call_digest(&mut *store, verified)?);
        Ok((trust, digest, layer.call_toc(store, verified)?))
    })?;
    let stored = core
        .call("toc.to-stored", |store, reader| reader.shingle_core_pull().toc().call_to_stored(store, toc))?;
    core.drop(toc)?;
    core.drop(verified)?;
    let identity = match trust {
        Trust::DiffId => Identity::DiffId(digest),
        Trust::Toc => Identity::Toc(digest),
    };
    staging.keep_layer(&identity, &stored)
}

/// Pulls a layer front to back.
fn pull_whole(
    core: &mut Core,
    at: &mut At<'_>,
    policy: Policy,
    objects: &Objects,
    body: Option<Box<dyn Read>>,
) -> Result<()> {
    let staging = objects.staging()?;
    let mut open: Option<File> = None;
    let mut ended = Vec::new();
    let verified = read_whole(core, at, policy, body, |piece| {
        match piece {
            Piece::Begin(begun) => open = Some(staging.make(begun.file, begun.size)?),
            Piece::Data(data) => {
                let file = open.as_ref().context("data without a file")?;
                file.write_all_at(&data.bytes, data.offset)?;
            }
            Piece::End(end) => ended.push((end.file, end.digest)),
        }
        Ok(())
    })?;
    for (file, digest) in ended {
        staging.keep(file, &digest)?;
    }
    keep_layer(core, &staging, verified)
}

/// Reads a layer front to back, and proves it. What it holds goes to `take`.
pub(crate) fn read_whole(
    core: &mut Core,
    at: &mut At<'_>,
    policy: Policy,
    body: Option<Box<dyn Read>>,
    mut take: impl FnMut(Piece) -> Result<()>,
) -> Result<ResourceAny> {
    let layer = at.layer;
    let body = body.map_or_else(|| at.source.whole(core, &layer.blob, layer.size), Ok)?;
    // One byte more than it may have is enough to see that it is another blob.
    let mut body = body.take(layer.size.saturating_add(1));
    let fetch = core.call("whole-fetch", |store, reader| {
        reader.shingle_core_whole().whole_fetch().call_constructor(store, policy.limits, false)
    })?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = body.read(&mut piece)?;
        if read == 0 {
            break;
        }
        let mut bytes = &piece[..read];
        loop {
            let pieces = core.call("whole-fetch.receive", |store, reader| {
                reader.shingle_core_whole().whole_fetch().call_receive(store, fetch, bytes)
            })?;
            pieces.map_err(refused)?.into_iter().try_for_each(&mut take)?;
            // A few bytes may hold gigabytes: those come bit by bit.
            let pending = core.call("whole-fetch.pending", |store, reader| {
                reader.shingle_core_whole().whole_fetch().call_pending(store, fetch)
            })?;
            if !pending {
                break;
            }
            bytes = &[];
        }
    }
    let whole = core.call("whole-fetch.finish", |store, reader| {
        reader.shingle_core_whole().whole_fetch().call_finish(store, fetch, &layer.blob, &layer.diff_id)
    })?;
    Ok(whole.map_err(refused)?.verified)
}
