//! A layer front to back: one thread decompresses, this one reads the tar and writes contents; the tree follows.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use shingle_core::{
    Class, Digest, FileId, FileRow, Kind, Reason, Toc, Tree, Unwrap, WholeBlob, WholeFetch, WholeLayer,
    WholePiece,
};

use super::error::LayerError;
use super::layer::{Job, Made, Pulled};
use super::report::{LayerMode, Phase};
use crate::length;
use crate::registry::BlobReader;
use crate::store::{
    Contents, Donors, Form, Layout, PlaceOutcome, Placer, Sites, Staging, TreeRoot, WriteCache,
};

/// Decompressed pieces that may wait for the tar reader; 256 KiB each at most.
const PIECES: usize = 16;

/// Pulls a layer whole; `reader` may already be reading the blob from its beginning.
pub(super) fn pull(
    job: &Job<'_>,
    reason: &Reason,
    reader: Option<Box<BlobReader>>,
) -> Result<Pulled, LayerError> {
    let context = job.context;
    context.reporter.planned(job.index, job.descriptor.size, 0);
    context.reporter.phase(job.index, Phase::Fetching);
    let staging = Staging::new(context.store)?;
    let root = TreeRoot::new(context.store, staging.open("tree")?, Form::Overlay);
    let spare = staging.open("spare")?;

    let layer = receive(job, reader, &spare)?;
    let toc = layer.verified.toc();
    let tree = Tree::build(toc, job.limits())?;
    let layout = Layout::new(&tree, &[Arc::clone(toc)]);
    root.make_dirs(&layout)?;
    root.make_others(&layout, &[Arc::clone(toc)])?;
    let sites = Sites::new(&layout, toc.entries().len());
    let donors = context.store.donors(toc)?;
    let contents = Contents { root: &root, spare: &spare, sites: &sites, toc, staging: &staging };
    let placer = Placer::new(context.options.link_mode, context.options.strict);
    let mut settler =
        Settler { job, contents, placer: &placer, donors: &donors, rows: Vec::new(), added: 0, written: 0 };
    let reused_bytes = settler.settle(toc)?;
    let (rows, added, written) = (settler.rows, settler.added, settler.written);
    root.make_links(&layout)?;
    root.finish(&layout, &[Arc::clone(toc)])?;

    context.reporter.phase(job.index, Phase::Publishing);
    let mut files = placer.placed();
    files.written = written;
    files.total = layout.regular_files(toc);
    let bytes_added = placer.bytes_added.load(Ordering::Relaxed) + added;
    let made = Made { files, reused_bytes, bytes_added };
    let mut why = reason.to_string();
    if layer.padding > 0 {
        why.push_str("; the padding that its writer dropped was put back");
    }
    let mut record = job.record(LayerMode::Whole, Some(why), &made, &root.withheld);
    record.content_bytes = toc.files().map(|(_, entry)| entry.member().size).sum();
    record.tar_split_bytes = layer.tar_split.as_ref().map_or(0, shingle_core::CompressedTarSplit::plain_len);
    // Whatever chunks there are were found here, in contents that were read from beginning to end.
    let segment = crate::store::segment_of(toc, rows, &toc.files().map(|(file, _)| file).collect());
    record.chunks_indexed = context.options.convert.then(|| crate::store::chunk_count(&segment));
    staging.write_layer(toc, layer.tar_split.as_ref(), &record, &segment)?;
    staging.publish(layer.verified)?;
    Ok(job.pulled(LayerMode::Whole, &record, &made))
}

/// Reads blob and tar to their ends; every content lands in the spare directory under its entry's number.
fn receive(
    job: &Job<'_>,
    reader: Option<Box<BlobReader>>,
    spare: &std::os::fd::OwnedFd,
) -> Result<WholeLayer, LayerError> {
    let (send, pieces) = sync_channel(PIECES);
    std::thread::scope(|scope| {
        let blob = scope.spawn(move || decompress(job, reader, &send));
        let fetch = write_contents(job, &pieces, spare);
        // A sender that nobody listens to any more ends by itself.
        drop(pieces);
        let blob = blob.join().unwrap_or(Err(LayerError::Stopped));
        // What is wrong with the blob explains what is wrong with the tar in it; a stop explains nothing.
        match (blob, fetch) {
            (Ok(blob), Ok(fetch)) => Ok(fetch.finish(blob, &job.descriptor.diff_id)?),
            (Err(LayerError::Stopped), Err(error)) | (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        }
    })
}

/// Fetches the blob and sends on what it decompresses to.
fn decompress(
    job: &Job<'_>,
    reader: Option<Box<BlobReader>>,
    send: &SyncSender<Vec<u8>>,
) -> Result<WholeBlob, LayerError> {
    let mut reader = match reader {
        Some(reader) => reader,
        None => Box::new(job.blob.read_range(0..job.descriptor.size, crate::registry::OnWhole::Keep)?),
    };
    let mut unwrap = Unwrap::new(job.limits());
    while let Some(bytes) = reader.next_bytes()? {
        if job.is_stopped() {
            return Err(LayerError::Stopped);
        }
        job.context.reporter.received(job.index, length(&bytes));
        let mut plain = unwrap.receive(&bytes);
        while let Some(piece) = plain.next_piece()? {
            if send.send(piece.to_vec()).is_err() {
                return Err(LayerError::Stopped);
            }
        }
    }
    Ok(unwrap.finish(&job.descriptor.digest)?)
}

fn write_contents(
    job: &Job<'_>,
    pieces: &Receiver<Vec<u8>>,
    spare: &std::os::fd::OwnedFd,
) -> Result<WholeFetch, LayerError> {
    let start = if job.context.options.convert { WholeFetch::with_chunks } else { WholeFetch::new };
    let mut fetch = start(job.limits());
    let mut open = None;
    while let Ok(bytes) = pieces.recv() {
        let mut events = fetch.receive(&bytes);
        while let Some(piece) = events.next_piece()? {
            match piece {
                WholePiece::Begin { file, size } => {
                    open = Some((crate::store::create_spare(spare.as_fd(), file)?, size));
                }
                WholePiece::Data { offset, bytes } => {
                    if let Some((file, _)) = &open {
                        crate::store::write_spare(file, bytes, offset)?;
                    }
                }
                WholePiece::End { .. } => {
                    if let Some((file, size)) = open.take() {
                        crate::store::size_spare(&file, size)?;
                    }
                }
            }
        }
    }
    Ok(fetch)
}

/// Brings contents from the spare directory, or from donors, to their places.
struct Settler<'a> {
    job: &'a Job<'a>,
    contents: Contents<'a>,
    placer: &'a Placer,
    donors: &'a Donors,
    rows: Vec<FileRow>,
    added: u64,
    written: u64,
}

impl Settler<'_> {
    /// Returns how many bytes were here already.
    fn settle(&mut self, toc: &Toc) -> Result<u64, LayerError> {
        let mut cache = WriteCache::default();
        let mut first: BTreeMap<Digest, (FileId, Class)> = BTreeMap::new();
        let mut reused = 0;
        for (file, entry) in toc.files() {
            let member = entry.member();
            let Some(digest) = entry.digest().copied().filter(|_| member.kind == Kind::Regular) else {
                continue;
            };
            let class = Class::of(member);
            if self.take_held(&mut cache, file, &digest, class, member.size)? {
                reused += member.size;
                continue;
            }
            if let Some((of, of_class)) = first.get(&digest).copied() {
                if !self.contents.is_in_tree(file) {
                    reused += member.size;
                    continue;
                }
                let (dir, path) = self.contents.place_of(of);
                let outcome =
                    self.contents.place(&mut cache, self.placer, file, dir, &path, of_class == class)?;
                if let PlaceOutcome::Placed(_) = outcome {
                    reused += member.size;
                    if of_class != class {
                        self.adopt(&mut cache, file, digest, class, member.size)?;
                    }
                    continue;
                }
            }
            first.insert(digest, (file, class));
            self.contents.move_in(&mut cache, file)?;
            self.adopt(&mut cache, file, digest, class, member.size)?;
            self.added += member.size;
            self.written += 1;
        }
        Ok(reused)
    }

    /// Takes a file from what the store holds, if it does. A donor's content was not read back here, so it must be the
    /// content that was just read and proven: they are compared.
    fn take_held(
        &mut self,
        cache: &mut WriteCache,
        file: FileId,
        digest: &Digest,
        class: Class,
        size: u64,
    ) -> Result<bool, LayerError> {
        if self.donors.inventory.file(digest, size).is_none() {
            return Ok(false);
        }
        let Some(held) = self.donors.object(digest, &class) else { return Ok(false) };
        let store = self.job.context.store;
        let name = held.path(digest);
        if !self.contents.same_as_spare(store, &name, file)? {
            store.quarantine(&name)?;
            return Ok(false);
        }
        if !self.contents.is_in_tree(file) {
            // Its name was taken by a later member. The layer needs the object all the same, to make its tar again.
            self.rows.push(FileRow { digest: *digest, class: held.class, size, classed: held.classed });
            return Ok(true);
        }
        let same_class = held.class == class;
        let outcome =
            self.contents.place(cache, self.placer, file, store.fd(), name.as_bytes(), same_class)?;
        let PlaceOutcome::Placed(method) = outcome else { return Ok(false) };
        self.rows.push(FileRow { digest: *digest, class: held.class, size, classed: held.classed });
        if method != shingle_core::Method::Hardlink && !same_class {
            self.adopt(cache, file, *digest, class, size)?;
        }
        Ok(true)
    }

    fn adopt(
        &mut self,
        cache: &mut WriteCache,
        file: FileId,
        digest: Digest,
        class: Class,
        size: u64,
    ) -> Result<(), LayerError> {
        if let Some(classed) = self.contents.adopt(cache, file, &digest, &class)? {
            self.rows.push(FileRow { digest, class, size, classed });
        }
        Ok(())
    }
}
