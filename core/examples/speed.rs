//! Times the core alone on one layer that is held in memory: `speed oci:DIR[:TAG] [RUNS]`.
//!
//! The hosts under `wasm/examples` do the same with the core as wasm, and `tests/bench/wasm` compares them. Nothing is
//! held, so every file is fetched. Prints milliseconds, the best of the runs:
//!
//! - `open_ms`: TOC and tar-split decoded, proven and held against each other;
//! - `plan_ms`: the decision;
//! - `decode_ms`: every frame decoded, every chunk hashed;
//! - `check_ms`: the tar rebuilt and hashed.

#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench that goes wrong should panic"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use shingle_core::{Decision, Digest, Inventory, LayerSaid, Look, Opened, Policy, decide};

/// How much the shell hands over at once, in bytes.
const PIECE: usize = 1 << 20;
const STEPS: [&str; 4] = ["open_ms", "plan_ms", "decode_ms", "check_ms"];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let layout = arguments.next().expect("an OCI layout");
    let runs: usize = arguments.next().map_or(3, |runs| runs.parse().unwrap());
    let layer = Layer::read(&layout);
    let mut best = [f64::INFINITY; 4];
    let mut sizes = (0, 0);
    for _ in 0..runs {
        let (times, entries, content) = layer.time();
        best.iter_mut().zip(times).for_each(|(best, time)| *best = best.min(time));
        sizes = (entries, content);
    }
    let mut report =
        serde_json::json!({ "entries": sizes.0, "content_bytes": sizes.1, "blob_bytes": layer.blob.len() });
    for (step, time) in STEPS.iter().zip(best) {
        report[step] = (time * 100.0).round().into();
        report[step] = (report[step].as_f64().unwrap() / 100.0).into();
    }
    println!("{report}");
}

struct Layer {
    media_type: String,
    annotations: BTreeMap<String, String>,
    diff_id: Digest,
    blob: Vec<u8>,
}

impl Layer {
    /// Reads the only layer of an image in an OCI layout.
    fn read(layout: &str) -> Self {
        let layout = layout.strip_prefix("oci:").unwrap_or(layout);
        let (directory, tag) = layout.rsplit_once(':').unwrap_or((layout, ""));
        let json = |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
        let blob = |digest: &Value| {
            Path::new(directory).join("blobs/sha256").join(&digest.as_str().unwrap()["sha256:".len()..])
        };
        let index = json(&Path::new(directory).join("index.json"));
        let named = |manifest: &&Value| {
            tag.is_empty() || manifest["annotations"]["org.opencontainers.image.ref.name"] == tag
        };
        let manifest = index["manifests"].as_array().unwrap().iter().find(named).expect("the tag");
        let manifest = json(&blob(&manifest["digest"]));
        let config = json(&blob(&manifest["config"]["digest"]));
        let layer = &manifest["layers"][0];
        Self {
            media_type: layer["mediaType"].as_str().unwrap().into(),
            annotations: serde_json::from_value(layer["annotations"].clone()).unwrap(),
            diff_id: config["rootfs"]["diff_ids"][0].as_str().unwrap().parse().unwrap(),
            blob: std::fs::read(blob(&layer["digest"])).unwrap(),
        }
    }

    fn bytes(&self, range: std::ops::Range<u64>) -> &[u8] {
        &self.blob[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
    }

    /// Does everything once; returns milliseconds for each step, entries, and bytes of content.
    fn time(&self) -> ([f64; 4], usize, u64) {
        let policy = Policy::default();
        let said = LayerSaid {
            media_type: &self.media_type,
            size: self.blob.len() as u64,
            annotations: &self.annotations,
        };
        let mut clock = Clock::new();
        let Look::Toc(mut toc) = Look::new(&said, &policy) else { panic!("no TOC") };
        toc.receive(self.bytes(toc.remaining()));
        let Opened::Found(basis) = toc.open(&policy).unwrap() else { panic!("no basis") };
        let open = clock.lap();
        let decision = decide(basis.toc(), &Inventory::new(), &policy);
        let plan_ms = clock.lap();
        let Decision::Partial(plan) = decision else { panic!("whole") };

        let (mut ledger, fetches) = plan.start();
        let mut contents: Vec<Vec<u8>> = Vec::new();
        for entry in basis.toc().entries() {
            contents.push(vec![
                0;
                usize::try_from(if entry.is_file() { entry.member().size } else { 0 })
                    .unwrap()
            ]);
        }
        clock.lap();
        for mut fetch in fetches {
            for piece in self.bytes(fetch.remaining()).chunks(PIECE) {
                let mut chunks = fetch.receive(piece);
                while let Some(chunk) = chunks.next_chunk().unwrap() {
                    let at = usize::try_from(chunk.offset).unwrap();
                    contents[chunk.file.index()][at..at + chunk.bytes.len()].copy_from_slice(chunk.bytes);
                }
            }
            ledger.credit(fetch.finish().unwrap());
        }
        let complete = ledger.close().unwrap();
        let decode = clock.lap();
        for planned in plan.files() {
            if let shingle_core::Source::Twin { of, .. } = planned.source {
                contents[planned.file.index()] = contents[of.index()].clone();
            }
        }
        clock.lap();
        let mut check = basis.check(&plan);
        while let Some(file) = check.wants().unwrap() {
            for piece in contents[file.index()].chunks(PIECE) {
                check.receive(piece).unwrap();
            }
        }
        check.finish(complete, &self.diff_id).unwrap();
        let check_ms = clock.lap();
        ([open, plan_ms, decode, check_ms], basis.toc().entries().len(), plan.summary().content_bytes)
    }
}

struct Clock(Instant);

impl Clock {
    fn new() -> Self {
        Self(Instant::now())
    }

    /// Returns the milliseconds since the last lap.
    fn lap(&mut self) -> f64 {
        let took = self.0.elapsed().as_secs_f64() * 1000.0;
        self.0 = Instant::now();
        took
    }
}
