//! No call whatever breaks the component: mutated layers, wrong digests, absurd limits, any order of calls on every
//! resource. A trap fails the test with its seed.
//!
//! `SHINGLE_FUZZ_SECONDS` makes it run so long, `SHINGLE_FUZZ_SEED` begins with that seed.

mod calls;

use std::time::{Duration, Instant};

use wasmtime::Result;
use wasmtime::component::ResourceAny;

use crate::bindings::{pull, types};
use crate::corpus::{Layer, fixture, layers, mutated};
use crate::machine::{Machine, load};
use crate::random::Random;

/// Memory that a case may take, in bytes. A case with absurd limits may claim much; what it cannot get is an error value
/// of the decoder, or a trap that would be found here.
const MEMORY: usize = 3 << 30;
/// Cases for each instance: memory is never given back.
const CASES: u64 = 40;
const STEPS: usize = 25;

#[test]
fn no_call_whatever_breaks_the_component() {
    let Some(component) = load("shingle_core.wasm") else { return };
    let said = |key: &str| std::env::var(key).ok().and_then(|text| text.parse::<u64>().ok());
    let long = said("SHINGLE_FUZZ_SECONDS").map(Duration::from_secs);
    let first = said("SHINGLE_FUZZ_SEED").unwrap_or(1);
    let (layers, tar) = (layers(), fixture("zoo/zoo.tar"));
    let begun = Instant::now();
    let (mut seed, mut proven) = (first, 0_u64);
    loop {
        let mut machine = Machine::start(&component, MEMORY);
        for _ in 0..CASES {
            let mut case =
                Case { random: Random::new(seed), machine: &mut machine, pool: Pool::default(), proven: 0 };
            if let Err(trap) = case.run(&layers, &tar) {
                panic!("seed {seed} breaks it: {trap:?}");
            }
            proven += case.proven;
            seed += 1;
        }
        let time = begun.elapsed();
        if long.map_or_else(|| seed - first >= 2_000 || time > Duration::from_secs(15), |long| time > long) {
            break;
        }
    }
    println!("{} cases in {:?}, {proven} layers proven", seed - first, begun.elapsed());
    assert!(proven > 0, "not one case came to its end: nothing was tested");
}

/// All resources that there are.
#[derive(Debug, Default)]
struct Pool {
    tails: Vec<ResourceAny>,
    externals: Vec<ResourceAny>,
    toc_fetches: Vec<ResourceAny>,
    bases: Vec<ResourceAny>,
    tocs: Vec<ResourceAny>,
    inventories: Vec<ResourceAny>,
    plans: Vec<ResourceAny>,
    fetches: Vec<ResourceAny>,
    receipts: Vec<ResourceAny>,
    ledgers: Vec<ResourceAny>,
    completes: Vec<ResourceAny>,
    checks: Vec<ResourceAny>,
    verified: Vec<ResourceAny>,
    wholes: Vec<ResourceAny>,
    writers: Vec<ResourceAny>,
    overlaps: Vec<ResourceAny>,
}

impl Pool {
    fn all(self) -> impl Iterator<Item = ResourceAny> {
        let lists = [
            self.tails,
            self.externals,
            self.toc_fetches,
            self.bases,
            self.tocs,
            self.inventories,
            self.plans,
            self.fetches,
            self.receipts,
            self.ledgers,
            self.completes,
            self.checks,
            self.verified,
            self.wholes,
            self.writers,
            self.overlaps,
        ];
        lists.into_iter().flatten()
    }
}

struct Case<'a> {
    random: Random,
    machine: &'a mut Machine,
    pool: Pool,
    proven: u64,
}

/// Takes a resource out of a list, to be consumed.
fn take(random: &mut Random, list: &mut Vec<ResourceAny>) -> Option<ResourceAny> {
    if list.is_empty() { None } else { Some(list.swap_remove(random.below(list.len()))) }
}

impl Case<'_> {
    fn run(&mut self, layers: &[Layer], tar: &[u8]) -> Result<()> {
        let layer = mutated(&mut self.random, layers);
        if self.random.once_in(3) {
            self.chain(&layer)?;
        }
        for _ in 0..STEPS {
            match self.random.below(24) {
                0 | 1 => self.look(&layer)?,
                2..=5 => self.open(&layer)?,
                6..=8 => self.plan()?,
                9..=12 => self.fetch(&layer)?,
                13..=15 => self.prove(&layer)?,
                16 | 17 => self.toc()?,
                18 | 19 => self.whole(&layer)?,
                20 => self.write(tar)?,
                21 | 22 => self.overlap()?,
                _ => self.http()?,
            }
        }
        for resource in std::mem::take(&mut self.pool).all() {
            self.machine.drop(resource)?;
        }
        Ok(())
    }

    /// The chain as it should be driven, on a layer that may lie. What it proves is what it is said to be.
    fn chain(&mut self, layer: &Layer) -> Result<()> {
        self.look(layer)?;
        for _ in 0..4 {
            self.open(layer)?;
        }
        self.plan()?;
        let Some(plan) = self.pool.plans.pop() else { return Ok(()) };
        let Some(basis) = self.pool.bases.last().copied() else { return Ok(()) };
        let (check, (ledger, fetches)) = self.machine.call(|store, world| {
            let pull = world.shingle_core_pull();
            Ok((pull.basis().call_check(&mut *store, basis, plan)?, pull.plan().call_start(store, plan)?))
        })?;
        let mut files: Vec<Vec<u8>> = Vec::new();
        for fetch in fetches {
            let Some(receipt) = self.drain(layer, fetch, &mut files)? else {
                self.pool.ledgers.push(ledger);
                self.pool.checks.push(check);
                return Ok(());
            };
            self.machine.call(|store, world| {
                world.shingle_core_pull().ledger().call_credit(store, ledger, receipt)
            })?;
        }
        let complete =
            self.machine.call(|store, world| world.shingle_core_pull().ledger().call_close(store, ledger))?;
        let Ok(complete) = complete else { return Ok(()) };
        while let Ok(Some(file)) = self
            .machine
            .call(|store, world| world.shingle_core_pull().layer_check().call_wants(store, check))?
        {
            let file = usize::try_from(file).unwrap();
            let content = files.get(file).cloned().unwrap_or_default();
            // Holes at the end were not lent: what is missing is said by `finish`.
            drop(self.machine.call(|store, world| {
                world.shingle_core_pull().layer_check().call_receive(store, check, &content)
            })?);
        }
        let verified = self.machine.call(|store, world| {
            world.shingle_core_pull().layer_check().call_finish(store, check, complete, &layer.diff_id)
        })?;
        if let Ok(verified) = verified {
            self.proven += 1;
            let (trust, digest) = self.machine.call(|store, world| {
                let layer = world.shingle_core_pull().verified_layer();
                Ok((layer.call_trust(&mut *store, verified)?, layer.call_digest(store, verified)?))
            })?;
            assert!(trust == types::Trust::Toc || digest == layer.diff_id, "proven to be another layer");
            self.pool.verified.push(verified);
        }
        Ok(())
    }

    /// Feeds a fetch until it owes nothing; `None` when it was refused.
    fn drain(
        &mut self,
        layer: &Layer,
        fetch: ResourceAny,
        files: &mut Vec<Vec<u8>>,
    ) -> Result<Option<ResourceAny>> {
        loop {
            let types::Range { start, end } = self
                .machine
                .call(|store, world| world.shingle_core_pull().fetch().call_remaining(store, fetch))?;
            let pending = self
                .machine
                .call(|store, world| world.shingle_core_pull().fetch().call_pending(store, fetch))?;
            let (start, end) = (usize::try_from(start)?, usize::try_from(end)?.min(layer.blob.len()));
            if start >= end && !pending {
                break;
            }
            let end = end.min(start + 1 + self.random.below(40_000));
            let bytes = if pending { &[][..] } else { layer.blob.get(start..end).unwrap_or_default() };
            let lent = self
                .machine
                .call(|store, world| world.shingle_core_pull().fetch().call_receive(store, fetch, bytes))?;
            let Ok(lent) = lent else {
                self.pool.fetches.push(fetch);
                return Ok(None);
            };
            for pull::Lent { file, offset, bytes, .. } in lent {
                let (file, offset) = (usize::try_from(file)?, usize::try_from(offset)?);
                if files.len() <= file {
                    files.resize(file + 1, Vec::new());
                }
                if files[file].len() < offset + bytes.len() {
                    files[file].resize(offset + bytes.len(), 0);
                }
                files[file][offset..offset + bytes.len()].copy_from_slice(&bytes);
            }
        }
        let receipt =
            self.machine.call(|store, world| world.shingle_core_pull().fetch().call_finish(store, fetch))?;
        Ok(receipt.ok())
    }

    fn policy(&mut self) -> Result<types::Policy> {
        let mut policy =
            self.machine.call(|store, world| world.shingle_core_types().call_default_policy(store))?;
        let random = &mut self.random;
        if random.once_in(2) {
            policy.trust = types::Trust::Toc;
        }
        if random.once_in(3) {
            policy.cost.round_trip_us = random.number();
            policy.cost.bytes_per_second = random.number();
            policy.cost.in_flight = random.index();
            policy.request_len = random.number();
        }
        if random.once_in(4) {
            policy.limits = self.limits(policy.limits);
        }
        Ok(policy)
    }

    fn limits(&mut self, mut limits: types::Limits) -> types::Limits {
        let random = &mut self.random;
        for limit in [
            &mut limits.toc_compressed,
            &mut limits.toc,
            &mut limits.tar_split_compressed,
            &mut limits.tar_split,
            &mut limits.entries,
            &mut limits.tar_metadata,
            &mut limits.tar_metadata_total,
            &mut limits.sparse_fragments,
            &mut limits.path,
            &mut limits.depth,
            &mut limits.file,
            &mut limits.content,
            &mut limits.held_chunk,
        ] {
            if random.once_in(6) {
                *limit = random.number();
            }
        }
        if random.once_in(3) {
            limits.window_log = random.index();
        }
        limits
    }

    fn digest(&mut self, layer: Option<&Layer>) -> String {
        match (self.random.below(6), layer) {
            (0, _) => String::from_utf8_lossy(&self.random.bytes(20)).into_owned(),
            (1, _) => "sha512:00".into(),
            (2, _) => format!("sha256:{}", "0".repeat(64)),
            (_, Some(layer)) => layer.diff_id.clone(),
            _ => "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into(),
        }
    }

    /// Some bytes of the blob from an offset on, or others.
    fn piece(&mut self, layer: &Layer, start: u64, end: u64) -> Vec<u8> {
        if self.random.once_in(8) {
            let len = self.random.below(2_000);
            return self.random.bytes(len);
        }
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(layer.blob.len());
        let (start, end) = (place(start), place(end));
        let end =
            if self.random.once_in(3) { start + self.random.below(end.saturating_sub(start)) } else { end };
        layer.blob.get(start..end).unwrap_or_default().to_vec()
    }
}
