//! Times the component on one layer that is held in memory, as `core/examples/speed.rs` times the core as native code.

use std::ops::Range;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;

use crate::bindings::exports::shingle::core::pull::{self, Decision, Looked, Opened, PlannedFile, Source};
use crate::bindings::exports::shingle::core::types::{Policy, Trust};
use crate::engine::Core;
use crate::image::{Layer, open, read_up_to};
use crate::look::{Machine, policy, refused, words};
use crate::plan::files;
use crate::pull::contents;

/// How much is handed over at once, in bytes.
const PIECE: usize = 1 << 20;

/// The best times of some runs, in milliseconds, and the sizes of what was done.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct Times {
    /// Entries of the TOC.
    pub entries: u32,
    /// Bytes of contents.
    pub content_bytes: u64,
    /// The blob's length.
    pub blob_bytes: u64,
    /// TOC and tar-split decoded, proven and held against each other.
    pub open_ms: f64,
    /// The decision.
    pub plan_ms: f64,
    /// Every frame decoded, every chunk hashed.
    pub decode_ms: f64,
    /// The tar rebuilt and hashed.
    pub check_ms: f64,
    /// The component's memory after the first decision, in bytes.
    pub wasm_bytes_open: usize,
    /// The component's memory after the first run.
    pub wasm_bytes: usize,
}

/// Times the first layer of an image, `runs` times; nothing is held, so every file is fetched.
///
/// # Errors
/// The image cannot be read, its layer cannot be pulled by file, or the component was stopped.
pub fn bench(core: &mut Core, reference: &str, runs: u32) -> Result<Times> {
    let policy = policy(core, Trust::DiffId)?;
    let (image, mut source) = open(core, reference)?;
    let layer = image.layers.first().context("the image has no layer")?;
    let blob = read_up_to(source.whole(core, &layer.blob, layer.size)?, layer.size)?;
    let mut run = Run { core, policy, layer, blob: &blob };
    let mut best = run.time()?;
    for _ in 1..runs {
        let times = run.time()?;
        best.open_ms = best.open_ms.min(times.open_ms);
        best.plan_ms = best.plan_ms.min(times.plan_ms);
        best.decode_ms = best.decode_ms.min(times.decode_ms);
        best.check_ms = best.check_ms.min(times.check_ms);
    }
    Ok(best)
}

struct Run<'a> {
    core: &'a mut Core,
    policy: Policy,
    layer: &'a Layer,
    blob: &'a [u8],
}

impl Run<'_> {
    /// Does everything once.
    fn time(&mut self) -> Result<Times> {
        let mut clock = Clock(Instant::now());
        let basis = match self.open()? {
            Opened::Found(basis) => basis,
            Opened::Whole(why) => bail!("{}", words(why)),
        };
        let open_ms = clock.lap();
        let inventory = self.core.call("inventory", |store, reader| {
            reader.shingle_core_pull().inventory().call_constructor(store)
        })?;
        let decision = self.core.call("decide", |store, reader| {
            reader.shingle_core_pull().call_decide(store, basis, inventory, self.policy)
        })?;
        let plan_ms = clock.lap();
        let plan = match decision {
            Decision::Partial(plan) => plan,
            Decision::Whole(why) => bail!("{}", words(why)),
        };
        let wasm_bytes_open = self.core.spent().memory;

        let toc = self
            .core
            .call("basis.toc", |store, reader| reader.shingle_core_pull().basis().call_toc(store, basis))?;
        let entries = self
            .core
            .call("toc.len", |store, reader| reader.shingle_core_pull().toc().call_len(store, toc))?;
        let mut made: Vec<Vec<u8>> = vec![Vec::new(); usize::try_from(entries)?];
        for (file, (_, size)) in contents(self.core, toc)? {
            *at(&mut made, file)? = vec![0; usize::try_from(size)?];
        }
        let planned = files(self.core, plan)?;
        let summary = self.core.call("plan.summary", |store, reader| {
            reader.shingle_core_pull().plan().call_summary(store, plan)
        })?;
        let (ledger, fetches) = self
            .core
            .call("plan.start", |store, reader| reader.shingle_core_pull().plan().call_start(store, plan))?;
        clock.lap();
        for fetch in fetches {
            self.fetch(&Machine::Fetch(fetch), &mut made)?;
            let receipt = self.core.call("fetch.finish", |store, reader| {
                reader.shingle_core_pull().fetch().call_finish(store, fetch)
            })?;
            let receipt = receipt.map_err(refused)?;
            self.core.call("ledger.credit", |store, reader| {
                reader.shingle_core_pull().ledger().call_credit(store, ledger, receipt)
            })?;
        }
        let complete = self.core.call("ledger.close", |store, reader| {
            reader.shingle_core_pull().ledger().call_close(store, ledger)
        })?;
        let complete = complete.map_err(refused)?;
        let decode_ms = clock.lap();
        for PlannedFile { file, source } in planned {
            if let Source::Twin(twin) = source {
                *at(&mut made, file)? = at(&mut made, twin.of)?.clone();
            }
        }

        clock.lap();
        let check = self.core.call("basis.check", |store, reader| {
            reader.shingle_core_pull().basis().call_check(store, basis, plan)
        })?;
        while let Some(file) = self
            .core
            .call("layer-check.wants", |store, reader| {
                reader.shingle_core_pull().layer_check().call_wants(store, check)
            })?
            .map_err(refused)?
        {
            for piece in at(&mut made, file)?.chunks(PIECE) {
                let received = self.core.call("layer-check.receive", |store, reader| {
                    reader.shingle_core_pull().layer_check().call_receive(store, check, piece)
                })?;
                received.map_err(refused)?;
            }
        }
        let verified = self.core.call("layer-check.finish", |store, reader| {
            reader.shingle_core_pull().layer_check().call_finish(store, check, complete, &self.layer.diff_id)
        })?;
        let verified = verified.map_err(refused)?;
        let check_ms = clock.lap();
        for resource in [verified, toc, plan, inventory, basis] {
            self.core.drop(resource)?;
        }
        Ok(Times {
            entries,
            content_bytes: summary.content_bytes,
            blob_bytes: self.layer.size,
            open_ms,
            plan_ms,
            decode_ms,
            check_ms,
            wasm_bytes_open,
            wasm_bytes: self.core.spent().memory,
        })
    }

    /// Looks for the TOC, and takes it in.
    fn open(&mut self) -> Result<Opened> {
        let Layer { size, media_type, annotations, .. } = self.layer;
        let said =
            pull::Layer { media_type: media_type.clone(), size: *size, annotations: annotations.clone() };
        let looked = self
            .core
            .call("look", |store, reader| reader.shingle_core_pull().call_look(store, &said, self.policy))?;
        let Looked::Toc(toc) = looked else { bail!("no annotation says where a TOC is") };
        let machine = Machine::Toc(toc);
        let owed = machine.remaining(self.core)?;
        for piece in cut(self.blob, owed)?.chunks(PIECE) {
            machine.receive(self.core, piece)?;
        }
        let opened = self.core.call("toc-fetch.finish", |store, reader| {
            reader.shingle_core_pull().toc_fetch().call_finish(store, toc)
        })?;
        opened.map_err(refused)
    }

    /// Decodes one request's bytes into the contents of files.
    fn fetch(&mut self, fetch: &Machine, made: &mut [Vec<u8>]) -> Result<()> {
        let owed = fetch.remaining(self.core)?;
        for mut piece in cut(self.blob, owed)?.chunks(PIECE) {
            loop {
                for lent in fetch.receive(self.core, piece)? {
                    let start = usize::try_from(lent.offset)?;
                    let place = at(made, lent.file)?.get_mut(start..start.saturating_add(lent.bytes.len()));
                    place.context("a chunk does not fit into its file")?.copy_from_slice(&lent.bytes);
                }
                if !fetch.is_pending(self.core)? {
                    break;
                }
                piece = &[];
            }
        }
        ensure!(fetch.remaining(self.core)?.is_empty(), "bytes are missing");
        Ok(())
    }
}

/// Returns a range of a blob.
fn cut(blob: &[u8], range: Range<u64>) -> Result<&[u8]> {
    let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
    blob.get(range).context("the blob ends early")
}

fn at(made: &mut [Vec<u8>], file: u32) -> Result<&mut Vec<u8>> {
    made.get_mut(usize::try_from(file)?).context("a file is not in the TOC")
}

struct Clock(Instant);

impl Clock {
    /// Returns the milliseconds since the last lap, to a hundredth.
    fn lap(&mut self) -> f64 {
        let took = self.0.elapsed().as_secs_f64() * 1000.0;
        self.0 = Instant::now();
        (took * 100.0).round() / 100.0
    }
}
