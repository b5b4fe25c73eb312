//! One call, or a few that belong together, on resources drawn from the pool.

use wasmtime::Result;
use wasmtime::component::ResourceAny;

use super::{Case, take};
use crate::bindings::{http, overlap, pull, types, whole, write};
use crate::corpus::Layer;

impl Case<'_> {
    pub(super) fn look(&mut self, layer: &Layer) -> Result<()> {
        let policy = self.policy()?;
        let size = u64::try_from(layer.blob.len())?;
        let said = pull::Layer {
            media_type: "application/vnd.oci.image.layer.v1.tar+zstd".into(),
            size: if self.random.once_in(10) { self.random.number() } else { size },
            annotations: layer.annotations.clone(),
        };
        match self.machine.call(|store, world| world.shingle_core_pull().call_look(store, &said, policy))? {
            pull::Looked::Toc(fetch) => self.pool.toc_fetches.push(fetch),
            pull::Looked::Tail(fetch) => self.pool.tails.push(fetch),
            pull::Looked::Whole(_) => {}
        }
        Ok(())
    }

    pub(super) fn open(&mut self, layer: &Layer) -> Result<()> {
        if let Some(tail) = take(&mut self.random, &mut self.pool.tails) {
            let owed = self
                .machine
                .call(|store, world| world.shingle_core_pull().tail_fetch().call_remaining(store, tail))?;
            let bytes = self.piece(layer, owed.start, owed.end);
            self.machine.call(|store, world| {
                world.shingle_core_pull().tail_fetch().call_receive(store, tail, &bytes)
            })?;
            if self.random.once_in(3) {
                self.pool.tails.push(tail);
                return Ok(());
            }
            match self
                .machine
                .call(|store, world| world.shingle_core_pull().tail_fetch().call_finish(store, tail))?
            {
                pull::TailFound::Here(fetch) => self.pool.toc_fetches.push(fetch),
                pull::TailFound::Elsewhere(external) => self.pool.externals.push(external),
                pull::TailFound::Whole(_) => {}
            }
        }
        if let Some(external) = take(&mut self.random, &mut self.pool.externals) {
            let len = self.random.number();
            let fetch = self.machine.call(|store, world| {
                world.shingle_core_pull().external_toc().call_fetch(store, external, len)
            })?;
            self.pool.toc_fetches.extend(fetch.ok());
        }
        if let Some(fetch) = take(&mut self.random, &mut self.pool.toc_fetches) {
            let owed = self
                .machine
                .call(|store, world| world.shingle_core_pull().toc_fetch().call_remaining(store, fetch))?;
            let bytes = self.piece(layer, owed.start, owed.end);
            self.machine.call(|store, world| {
                world.shingle_core_pull().toc_fetch().call_receive(store, fetch, &bytes)
            })?;
            if self.random.once_in(3) {
                self.pool.toc_fetches.push(fetch);
                return Ok(());
            }
            let opened = self
                .machine
                .call(|store, world| world.shingle_core_pull().toc_fetch().call_finish(store, fetch))?;
            if let Ok(pull::Opened::Found(basis)) = opened {
                self.pool.bases.push(basis);
            }
        }
        Ok(())
    }

    pub(super) fn plan(&mut self) -> Result<()> {
        let policy = self.policy()?;
        let inventory = self.inventory()?;
        let Some(basis) = self.random.pick(&self.pool.bases).copied() else { return Ok(()) };
        let decision = self
            .machine
            .call(|store, world| world.shingle_core_pull().call_decide(store, basis, inventory, policy))?;
        if let pull::Decision::Partial(plan) = decision {
            let (first, count) = (self.random.index(), self.random.index());
            self.machine.call(|store, world| {
                let plans = world.shingle_core_pull().plan();
                plans.call_summary(&mut *store, plan)?;
                plans.call_requests(&mut *store, plan)?;
                plans.call_files(store, plan, first, count)
            })?;
            self.pool.plans.push(plan);
        }
        Ok(())
    }

    pub(super) fn inventory(&mut self) -> Result<ResourceAny> {
        if let (Some(inventory), false) =
            (self.random.pick(&self.pool.inventories).copied(), self.random.once_in(3))
        {
            return Ok(inventory);
        }
        let inventory = self
            .machine
            .call(|store, world| world.shingle_core_pull().inventory().call_constructor(store))?;
        self.pool.inventories.push(inventory);
        let toc = self.random.pick(&self.pool.tocs).copied().filter(|_| self.random.once_in(2));
        let (one, two) = (self.digest(None), self.digest(None));
        let (offset, len) = (self.random.number(), self.random.number());
        let class = if self.random.once_in(2) { "0".repeat(32) } else { "€".repeat(self.random.below(40)) };
        self.machine.call(|store, world| {
            let inventories = world.shingle_core_pull().inventory();
            drop(inventories.call_add_file(&mut *store, inventory, &one, len, &class)?);
            drop(inventories.call_add_chunk(&mut *store, inventory, &two, &one, offset, len)?);
            if let Some(toc) = toc {
                inventories.call_add_toc(&mut *store, inventory, toc)?;
            }
            drop(inventories.call_strike(store, inventory, &two)?);
            Ok(())
        })?;
        Ok(inventory)
    }

    pub(super) fn fetch(&mut self, layer: &Layer) -> Result<()> {
        if self.pool.fetches.is_empty() {
            let Some(plan) = self.random.pick(&self.pool.plans).copied() else { return Ok(()) };
            let (ledger, fetches) =
                self.machine.call(|store, world| world.shingle_core_pull().plan().call_start(store, plan))?;
            self.pool.ledgers.push(ledger);
            self.pool.fetches.extend(fetches);
        }
        let Some(fetch) = take(&mut self.random, &mut self.pool.fetches) else { return Ok(()) };
        for _ in 0..=self.random.below(3) {
            let owed = self
                .machine
                .call(|store, world| world.shingle_core_pull().fetch().call_remaining(store, fetch))?;
            let bytes = self.piece(layer, owed.start, owed.end);
            drop(self.machine.call(|store, world| {
                let fetches = world.shingle_core_pull().fetch();
                fetches.call_pending(&mut *store, fetch)?;
                fetches.call_receive(store, fetch, &bytes)
            })?);
        }
        if self.random.once_in(4) {
            self.pool.fetches.push(fetch);
            return Ok(());
        }
        let receipt =
            self.machine.call(|store, world| world.shingle_core_pull().fetch().call_finish(store, fetch))?;
        self.pool.receipts.extend(receipt.ok());
        Ok(())
    }

    pub(super) fn prove(&mut self, layer: &Layer) -> Result<()> {
        while let (Some(ledger), Some(receipt)) =
            (self.random.pick(&self.pool.ledgers).copied(), take(&mut self.random, &mut self.pool.receipts))
        {
            self.machine.call(|store, world| {
                world.shingle_core_pull().ledger().call_credit(store, ledger, receipt)
            })?;
        }
        if let (Some(basis), Some(plan)) =
            (self.random.pick(&self.pool.bases).copied(), self.random.pick(&self.pool.plans).copied())
        {
            let check = self
                .machine
                .call(|store, world| world.shingle_core_pull().basis().call_check(store, basis, plan))?;
            self.pool.checks.push(check);
        }
        if let Some(check) = self.random.pick(&self.pool.checks).copied() {
            let len = self.random.below(3_000);
            let bytes = self.random.bytes(len);
            drop(self.machine.call(|store, world| {
                let checks = world.shingle_core_pull().layer_check();
                drop(checks.call_wants(&mut *store, check)?);
                checks.call_receive(store, check, &bytes)
            })?);
        }
        if let Some(ledger) = take(&mut self.random, &mut self.pool.ledgers) {
            let complete = self
                .machine
                .call(|store, world| world.shingle_core_pull().ledger().call_close(store, ledger))?;
            self.pool.completes.extend(complete.ok());
        }
        if let Some(complete) = take(&mut self.random, &mut self.pool.completes) {
            let Some(check) = take(&mut self.random, &mut self.pool.checks) else { return Ok(()) };
            let diff_id = self.digest(Some(layer));
            let verified = self.machine.call(|store, world| {
                world.shingle_core_pull().layer_check().call_finish(store, check, complete, &diff_id)
            })?;
            self.pool.verified.extend(verified.ok());
        }
        Ok(())
    }

    pub(super) fn toc(&mut self) -> Result<()> {
        if let Some(basis) = self.random.pick(&self.pool.bases).copied() {
            let toc = self.machine.call(|store, world| {
                let bases = world.shingle_core_pull().basis();
                bases.call_trust(&mut *store, basis)?;
                bases.call_tar_split(&mut *store, basis)?;
                bases.call_toc(store, basis)
            })?;
            self.pool.tocs.push(toc);
        }
        if let Some(layer) = self.random.pick(&self.pool.verified).copied() {
            let toc = self
                .machine
                .call(|store, world| world.shingle_core_pull().verified_layer().call_toc(store, layer))?;
            self.pool.tocs.push(toc);
        }
        let Some(toc) = self.random.pick(&self.pool.tocs).copied() else { return Ok(()) };
        let (first, count, file) = (self.random.index(), self.random.index(), self.random.index());
        let mut stored = self.machine.call(|store, world| {
            let tocs = world.shingle_core_pull().toc();
            tocs.call_len(&mut *store, toc)?;
            tocs.call_entries(&mut *store, toc, first, count)?;
            tocs.call_chunks(&mut *store, toc, file)?;
            tocs.call_wanted(&mut *store, toc)?;
            tocs.call_vouched(&mut *store, toc)?;
            tocs.call_to_stored(store, toc)
        })?;
        if self.random.once_in(2) {
            self.random.mutate(&mut stored);
        }
        let limits = self.policy()?.limits;
        let toc = self
            .machine
            .call(|store, world| world.shingle_core_pull().toc().call_from_stored(store, &stored, limits))?;
        self.pool.tocs.extend(toc.ok());
        Ok(())
    }

    pub(super) fn whole(&mut self, layer: &Layer) -> Result<()> {
        let limits = self.policy()?.limits;
        let chunks = self.random.once_in(2);
        let fetch = match take(&mut self.random, &mut self.pool.wholes) {
            Some(fetch) => fetch,
            None => self.machine.call(|store, world| {
                world.shingle_core_whole().whole_fetch().call_constructor(store, limits, chunks)
            })?,
        };
        let mut from = 0;
        while from < layer.blob.len() {
            let to = (from + 1 + self.random.below(100_000)).min(layer.blob.len());
            let (pieces, pending) = self.machine.call(|store, world| {
                let wholes = world.shingle_core_whole().whole_fetch();
                let pieces = wholes.call_receive(&mut *store, fetch, &layer.blob[from..to])?;
                Ok((pieces, wholes.call_pending(store, fetch)?))
            })?;
            from = to;
            if pieces.is_err() || pending && self.random.once_in(2) {
                break;
            }
        }
        if self.random.once_in(4) {
            self.pool.wholes.push(fetch);
            return Ok(());
        }
        let (blob, diff_id) = (crate::support::digest(&layer.blob), self.digest(Some(layer)));
        let done = self.machine.call(|store, world| {
            world.shingle_core_whole().whole_fetch().call_finish(store, fetch, &blob, &diff_id)
        })?;
        if let Ok(whole::WholeLayer { verified, .. }) = done {
            self.pool.verified.push(verified);
        }
        Ok(())
    }

    pub(super) fn write(&mut self, tar: &[u8]) -> Result<()> {
        let format = *self
            .random
            .pick(&[write::Format::ZstdChunked, write::Format::Zstd, write::Format::Gzip])
            .unwrap();
        let level = self.random.once_in(2).then(|| i32::try_from(self.random.below(8)).unwrap() - 2);
        let limits = self.policy()?.limits;
        let from = self.random.below(tar.len());
        let mut tar = tar[from / 512 * 512..(from + 60_000).min(tar.len())].to_vec();
        if self.random.once_in(2) {
            self.random.mutate(&mut tar);
        }
        let options = write::WriteOptions { format, level, limits };
        let writer = self
            .machine
            .call(|store, world| world.shingle_core_write().writer().call_constructor(store, options))?;
        drop(self.machine.call(|store, world| {
            drop(world.shingle_core_write().writer().call_receive(&mut *store, writer, &tar)?);
            world.shingle_core_write().writer().call_finish(store, writer)
        })?);
        Ok(())
    }

    pub(super) fn overlap(&mut self) -> Result<()> {
        let overlap = match self.random.pick(&self.pool.overlaps).copied() {
            Some(overlap) => overlap,
            None => {
                let overlap = self
                    .machine
                    .call(|store, world| world.shingle_core_overlap().overlap().call_constructor(store))?;
                self.pool.overlaps.push(overlap);
                overlap
            }
        };
        let limits = self.policy()?.limits;
        let mut layers = Vec::new();
        for _ in 0..self.random.below(4) {
            let Some(toc) = self.random.pick(&self.pool.tocs).copied() else { break };
            layers.push(overlap::Layer {
                toc,
                blob: self.random.once_in(2).then(|| self.digest(None)),
                diff_id: self.random.once_in(2).then(|| self.digest(None)),
                blob_len: self.random.number(),
                pulled: if self.random.once_in(2) { overlap::Pulled::ByFile } else { overlap::Pulled::Whole },
            });
        }
        let (one, two, node, limit) = (
            self.random.index().min(self.random.index()),
            self.random.index(),
            self.random.index(),
            self.random.index(),
        );
        let digest = self.digest(None);
        let path = self.random.bytes(12);
        self.machine.call(|store, world| {
            let overlaps = world.shingle_core_overlap().overlap();
            drop(overlaps.call_add_image(&mut *store, overlap, "image", &layers, limits)?);
            overlaps.call_len(&mut *store, overlap)?;
            overlaps.call_summary(&mut *store, overlap)?;
            overlaps.call_matrix(&mut *store, overlap)?;
            overlaps.call_view(&mut *store, overlap, one, overlap::Measure::Compressed)?;
            overlaps.call_path(&mut *store, overlap, one, node)?;
            overlaps.call_find(&mut *store, overlap, one, &path)?;
            overlaps.call_details(&mut *store, overlap, one, node)?;
            overlaps.call_diff(&mut *store, overlap, one, two)?;
            drop(overlaps.call_holders(&mut *store, overlap, &digest)?);
            overlaps.call_duplicates(&mut *store, overlap, one, limit)?;
            overlaps.call_shared_contents(&mut *store, overlap, limit)?;
            overlaps.call_pull_order(&mut *store, overlap)?;
            overlaps.call_pull_cost(store, overlap, &[one, two])
        })?;
        Ok(())
    }

    pub(super) fn http(&mut self) -> Result<()> {
        let random = &mut self.random;
        let asked = types::Range { start: random.number(), end: random.number() };
        let mut range = b"bytes 0-9/100".to_vec();
        random.mutate(&mut range);
        let reply = http::Reply {
            status: *random.pick(&[200, 206, 400, 403, 404, 416, 500, 65_535]).unwrap(),
            content_range: random.once_in(2).then(|| String::from_utf8_lossy(&range).into_owned()),
            content_length: random.once_in(2).then(|| random.number()),
            content_type: random.once_in(2).then(|| "multipärt/byteranges".into()),
            content_encoding: random.once_in(4).then(|| "gzip".into()),
        };
        let size = random.once_in(2).then(|| random.number());
        self.machine.call(|store, world| {
            let http = world.shingle_core_http();
            http.call_range_header(&mut *store, asked)?;
            http.call_accept(&mut *store, &reply, asked, size)?;
            http.call_accept_whole(store, &reply, size)
        })?;
        Ok(())
    }
}
