//! A layer by file: links and fetches side by side, the proof close behind.
//!
//! ```text
//! this thread      directories, links, devices ── donors ── twins, hard links, directory metadata ── layer record
//! second thread    donors: hard link, reflink, copy; only where there are many
//! fetch threads    range ── decode ── digest ── write ── metadata ── object's name
//! proof thread     wait for the next file of the tar ── read it back ── DiffID, or the TOC's digests alone
//! ```

mod donors;
mod fetch;
mod proof;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use shingle_core::{
    Basis, Body, Chunk, Class, CompressedTarSplit, Digest, FileId, FileRow, Member, Plan, PlannedFile,
    Source, Toc, Trust, VerifiedLayer,
};

use super::error::LayerError;
use super::files::Files;
use super::layer::{Job, Made, Pulled};
use super::report::{LayerMode, Phase};
use crate::store::{
    Changed, Contents, Donors, Form, LayerRecord, Layout, Placer, Sites, Staging, TreeRoot, WriteCache,
    segment_of,
};

/// How many threads fetch one layer: enough to hide round trips, few enough to bound windows and buffers.
const FETCHERS: usize = 4;
/// How many threads take from donors.
const REUSERS: usize = 2;

/// How a pull by file ended.
pub(super) enum Outcome {
    /// Donors are gone, or not what the index says.
    BadDonors {
        /// Their contents, or chunks; they are out of the way.
        bad: Vec<Digest>,
        /// The objects that were fetched and proven all the same, for the next attempt.
        fetched: Vec<FileRow>,
    },
    /// Well.
    Pulled(Box<Pulled>),
}

/// What all threads of a layer share.
struct Work<'a> {
    job: &'a Job<'a>,
    toc: &'a Toc,
    plan: &'a Plan,
    donors: &'a Donors,
    contents: Contents<'a>,
    placer: Placer,
    files: Files,
    /// The donors of files that are clones of them: object and time of its last change.
    clones: Mutex<BTreeMap<FileId, (String, Changed)>>,
    rows: Mutex<Vec<FileRow>>,
    /// Those whose content is proven already: a fetch held their only chunk against its digest.
    proven: Mutex<Vec<FileRow>>,
    /// Content bytes written by fetches so far.
    written: AtomicU64,
    bad: Mutex<BTreeSet<Digest>>,
}

/// Why a thread stopped.
enum Stop {
    /// Somebody else did, or bad donors were noted.
    GivenUp,
    Error(LayerError),
}

impl<E: Into<LayerError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Carries out a plan and publishes the layer. `kept` are objects of an attempt before, which now belong to this one.
pub(super) fn pull(
    job: &Job<'_>,
    basis: &Basis,
    layout: &Layout,
    donors: &Donors,
    plan: &Plan,
    kept: &[FileRow],
) -> Result<Outcome, LayerError> {
    let context = job.context;
    let toc = plan.toc();
    let summary = plan.summary();
    let fetch_bytes = summary.request_bytes;
    let skipped = job.descriptor.size.saturating_sub(fetch_bytes).saturating_sub(job.toc_bytes);
    context.reporter.planned(job.index, fetch_bytes, skipped);
    context.reporter.phase(job.index, Phase::Fetching);

    let staging = Staging::new(context.store)?;
    staging.take_over(kept);
    let root = TreeRoot::new(context.store, staging.open("tree")?, Form::Overlay);
    let spare = staging.open("spare")?;
    root.make_dirs(layout)?;
    let sites = Sites::new(layout, toc.entries().len());
    let work = Work {
        job,
        toc,
        plan,
        donors,
        contents: Contents { root: &root, spare: &spare, sites: &sites, toc, staging: &staging },
        placer: Placer::new(context.options.link_mode, context.options.strict),
        files: Files::new(plan),
        clones: Mutex::default(),
        rows: Mutex::default(),
        proven: Mutex::default(),
        written: AtomicU64::new(0),
        bad: Mutex::default(),
    };
    match work.run(basis, layout, || work.prepare(&staging, layout, basis)) {
        Ok((verified, (record, made))) => {
            context.reporter.phase(job.index, Phase::Publishing);
            staging.publish(verified)?;
            Ok(Outcome::Pulled(Box::new(job.pulled(LayerMode::Partial, &record, &made))))
        }
        Err(Stop::Error(error)) => Err(error),
        Err(Stop::GivenUp) => {
            let bad = work.bad.into_inner().unwrap_or_else(PoisonError::into_inner);
            if bad.is_empty() {
                Err(LayerError::Stopped)
            } else {
                let fetched = work.proven.into_inner().unwrap_or_else(PoisonError::into_inner);
                staging.hand_over(&fetched);
                Ok(Outcome::BadDonors { bad: bad.into_iter().collect(), fetched })
            }
        }
    }
}

impl Work<'_> {
    /// Runs all threads to their ends; `prepare` runs when everything is in place, while the proof catches up.
    fn run<T>(
        &self,
        basis: &Basis,
        layout: &Layout,
        prepare: impl FnOnce() -> Result<T, Stop>,
    ) -> Result<(VerifiedLayer, T), Stop> {
        let (ledger, fetches) = self.plan.start();
        let workers = fetches.len().min(FETCHERS);
        let (ledger, fetches) = (Mutex::new(ledger), Mutex::new(fetches));
        let tocs = [Arc::clone(self.plan.toc())];
        let planned = Mutex::new(self.plan.files().iter());
        let (checked, prepared) = std::thread::scope(|scope| {
            let proof = scope.spawn(|| self.guard(|| self.check(basis)));
            let fetchers: Vec<_> =
                (0..workers).map(|_| scope.spawn(|| self.guard(|| self.fetch(&fetches, &ledger)))).collect();
            let more = (self.plan.files().len() > REUSERS * donors::BATCH)
                .then(|| scope.spawn(|| self.guard(|| self.reuse(&planned))));
            let mut made = self.guard(|| {
                self.contents.root.make_others(layout, &tocs)?;
                self.reuse(&planned)
            });
            for fetcher in fetchers.into_iter().chain(more) {
                made = worse(made, fetcher.join().unwrap_or(Err(Stop::GivenUp)));
            }
            // Whoever still waits for a file waits in vain.
            self.files.all_came();
            // Reading back what is there does not move directory times, so the tree is finished meanwhile.
            let prepared = made.and_then(|()| {
                self.guard(|| {
                    self.job.context.reporter.phase(self.job.index, Phase::Verifying);
                    self.place_twins()?;
                    self.contents.root.make_links(layout)?;
                    self.contents.root.finish(layout, &tocs)?;
                    prepare()
                })
            });
            let checked = proof.join().unwrap_or(Err(Stop::GivenUp));
            match (checked, prepared) {
                (Ok(checked), Ok(prepared)) => Ok((checked, prepared)),
                (Err(stop), Ok(_)) | (Ok(_), Err(stop)) => Err(stop),
                (Err(Stop::GivenUp), Err(stop)) | (Err(stop), Err(_)) => Err(stop),
            }
        })?;
        let ledger = ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
        let verified = self.settle(checked, ledger.close()?)?;
        Ok((verified, prepared))
    }

    /// Writes what the store keeps of the layer beside its tree.
    fn prepare(
        &self,
        staging: &Staging<'_>,
        layout: &Layout,
        basis: &Basis,
    ) -> Result<(LayerRecord, Made), Stop> {
        let summary = self.plan.summary();
        let mut files = self.placer.placed();
        files.written = summary.fetched + summary.assembled;
        files.total = layout.regular_files(self.toc);
        let donated: u64 = self.plan.files().iter().map(donated_bytes).sum();
        let bytes_added =
            self.placer.bytes_added.load(Ordering::Relaxed) + self.plan.written_bytes() + donated;
        let made = Made { files, reused_bytes: summary.reused_bytes, bytes_added };
        let mut record = self.job.record(LayerMode::Partial, None, &made, &self.contents.root.withheld);
        record.content_bytes = summary.content_bytes;
        let tar_split = basis.tar_split();
        record.tar_split_bytes = tar_split.map_or(0, CompressedTarSplit::plain_len);
        if let Basis::Toc(vouched) = basis {
            record.trust = Trust::Toc;
            record.toc_digest = vouched.toc().vouched().copied();
        }
        let rows = std::mem::take(&mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner));
        staging.write_layer(self.toc, tar_split, &record, &segment_of(self.toc, rows, &self.assembled()))?;
        Ok((record, made))
    }

    /// Returns the files that were put together here, so that each of their chunks was proven.
    fn assembled(&self) -> BTreeSet<FileId> {
        let assembled =
            self.plan.files().iter().filter(|planned| matches!(planned.source, Source::Assembled { .. }));
        assembled.map(|planned| planned.file).collect()
    }

    /// Stops everybody when one fails.
    fn guard<T>(&self, run: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
        let result = run();
        if result.is_err() {
            self.files.stop();
        }
        result
    }

    fn stopped(&self) -> bool {
        self.job.is_stopped() || self.files.is_stopped()
    }

    fn member(&self, file: FileId) -> Result<(&Member, &Digest), Stop> {
        let entry = self.toc.file(file).and_then(|entry| Some((entry.member(), entry.digest()?)));
        entry.ok_or(Stop::GivenUp)
    }

    /// Gives a file that has all its bytes its metadata and its object's name.
    fn complete(&self, cache: &mut WriteCache, file: FileId, shared: bool) -> Result<(), Stop> {
        let entry = self.toc.file(file).ok_or(Stop::GivenUp)?;
        let ends_in_hole = self.toc.chunks(entry).last().is_some_and(|chunk| chunk.body == Body::Zeros);
        self.contents.finish(cache, file, shared, ends_in_hole)?;
        let (member, digest) = self.member(file)?;
        let digest = *digest;
        let object = self.adopt(cache, file, &digest, Class::of(member), member.size)?;
        if let (Some(row), [Chunk { body: Body::Frames(_), .. }]) = (object, self.toc.chunks(entry)) {
            self.proven.lock().unwrap_or_else(PoisonError::into_inner).push(row);
        }
        self.files.ready(file);
        Ok(())
    }

    /// Makes a finished file an object, unless there is one.
    fn adopt(
        &self,
        cache: &mut WriteCache,
        file: FileId,
        digest: &Digest,
        class: Class,
        size: u64,
    ) -> Result<Option<FileRow>, Stop> {
        let adopted = self.contents.adopt(cache, file, digest, &class)?;
        let row = adopted.map(|classed| FileRow { digest: *digest, class, size, classed });
        if let Some(row) = row {
            self.row(row);
        }
        Ok(row)
    }

    fn row(&self, row: FileRow) {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }
}

/// Of two results the one to report: a real error before one that it caused.
fn worse(one: Result<(), Stop>, other: Result<(), Stop>) -> Result<(), Stop> {
    match (one, other) {
        (Err(Stop::Error(error)), _) | (_, Err(Stop::Error(error))) => Err(Stop::Error(error)),
        (Err(Stop::GivenUp), _) | (_, Err(Stop::GivenUp)) => Err(Stop::GivenUp),
        (Ok(()), Ok(())) => Ok(()),
    }
}

/// Bytes that a file takes from parts of donors, which are copied.
fn donated_bytes(planned: &PlannedFile) -> u64 {
    match &planned.source {
        Source::Assembled { donated, .. } => donated.iter().map(|donated| donated.chunk.len).sum(),
        Source::Held { .. } | Source::Twin { .. } => 0,
    }
}
