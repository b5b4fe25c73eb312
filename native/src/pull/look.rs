//! Finding a layer's TOC, and what ties it to the image.

use std::panic::resume_unwind;
use std::thread;

use shingle_core::{
    Basis, ExternalToc, Followed, Identity, LayerSaid, Limits, Look, Opened, ProvenTarSplit, Reason,
    TailFetch, Toc, TocError, TocFetch, Trust,
};

use super::error::LayerError;
use super::layer::Job;
use super::report::Phase;
use crate::length;
use crate::registry::{Blob, BlobReader, Coverage, OnWhole};

/// How looking for a usable TOC ended.
pub(super) enum Looked {
    /// With a TOC, and with what the layer can be proven by.
    Found(Basis),
    /// The layer is in the store, proven by that TOC.
    Present(Identity),
    /// With none; the blob may already be on its way.
    Whole(Reason, Option<Box<BlobReader>>),
}

/// Either what was looked for, or how the looking ended without it.
type Step<T> = Result<Result<T, Looked>, LayerError>;

impl Job<'_> {
    /// Finds, fetches and checks a TOC, and the tar-split if there is one.
    pub(super) fn look(&mut self) -> Result<Looked, LayerError> {
        let descriptor = self.descriptor;
        let policy = self.context.options.policy;
        let said = LayerSaid {
            media_type: &descriptor.media_type,
            size: descriptor.size,
            annotations: &descriptor.annotations,
        };
        let look = Look::new(&said, &policy);
        if let (Trust::Toc, Some(toc)) = (policy.trust, look.vouched())
            && self.context.store.has_layer(&Identity::Toc(*toc))
        {
            return Ok(Looked::Present(Identity::Toc(*toc)));
        }
        self.context.reporter.phase(self.index, Phase::Toc);
        let fetched = match look {
            Look::Toc(fetch) => {
                let blob = self.blob.clone();
                self.fetch_toc(&blob, fetch)?
            }
            Look::Tail(tail) => self.follow(tail)?,
            Look::Whole(reason) => return Ok(Looked::Whole(reason, None)),
        };
        match fetched {
            Ok(fetch) => self.tie(fetch),
            Err(looked) => Ok(looked),
        }
    }

    /// Fetches the end of the blob, and the TOC from where that says.
    fn follow(&mut self, mut tail: TailFetch) -> Step<TocFetch> {
        let blob = self.blob.clone();
        self.toc_bytes += span(&tail.remaining());
        if let Err(looked) = self.receive(&blob, tail.remaining(), |bytes| tail.receive(bytes))? {
            return Ok(Err(looked));
        }
        match Followed::from(tail.finish()) {
            Followed::Toc(fetch) => self.fetch_toc(&blob, fetch),
            Followed::External(toc) => self.fetch_external(toc),
            Followed::Whole(reason) => Ok(Err(Looked::Whole(reason, None))),
        }
    }

    /// Fetches a TOC from the image beside this one, whose tag has a suffix.
    fn fetch_external(&mut self, toc: ExternalToc) -> Step<TocFetch> {
        let reference = self.context.reference;
        let name = format!("{}{}", reference.tag().unwrap_or_default(), ExternalToc::TAG_SUFFIX);
        let whole =
            |image: String, problem| Ok(Err(Looked::Whole(Reason::ExternalToc { image, problem }, None)));
        let beside = match reference.tag() {
            Some(_) => reference.with_tag(&name),
            None => return whole(name, "cannot be named without a tag"),
        };
        let Some(beside) = beside else { return whole(name, "has too long a tag") };
        let blobs = match self.context.client.fetch_blobs_of(&beside) {
            Ok(blobs) => blobs,
            Err(error) if error.is_gone() => return whole(beside.to_string(), "is not there"),
            Err(error) if error.is_refusal() => return whole(beside.to_string(), "is none"),
            Err(error) => return Err(error.into()),
        };
        let layer = self.descriptor.digest.to_string();
        let ours = blobs.iter().find(|blob| blob.annotations.get(ExternalToc::LAYER_KEY) == Some(&layer));
        let Some(ours) = ours else { return whole(beside.to_string(), "has none for it") };
        let fetch = match toc.fetch(ours.size) {
            Ok(fetch) => fetch,
            Err(error) => return Ok(Err(Looked::Whole(Reason::Locate(error), None))),
        };
        let blob = self.context.client.blob(reference, ours.digest, ours.size);
        self.beside = Some(blob.clone());
        self.fetch_toc(&blob, fetch)
    }

    /// Fetches what is owed of a TOC.
    fn fetch_toc(&mut self, blob: &Blob, mut fetch: TocFetch) -> Step<TocFetch> {
        self.toc_bytes += span(&fetch.remaining());
        let received = self.receive(blob, fetch.remaining(), |bytes| fetch.receive(bytes))?;
        Ok(received.map(|()| fetch))
    }

    fn receive(&self, blob: &Blob, range: std::ops::Range<u64>, mut take: impl FnMut(&[u8])) -> Step<()> {
        if range.is_empty() {
            return Ok(Ok(()));
        }
        // A whole blob that is another than the layer's own is no way to pull the layer.
        let own = blob.digest() == self.blob.digest();
        let on_whole = if own { OnWhole::Keep } else { OnWhole::Cut };
        let mut reader = match blob.read_range(range.clone(), on_whole) {
            Ok(reader) if own && reader.coverage() == Coverage::Whole && span(&range) < blob.size() => {
                return Ok(Err(Looked::Whole(Reason::NoRanges, Some(Box::new(reader)))));
            }
            Ok(reader) => reader,
            Err(error) if error.leaves_whole() => return Ok(Err(Looked::Whole(Reason::NoRanges, None))),
            Err(error) => return Err(error.into()),
        };
        while let Some(bytes) = reader.next_bytes()? {
            self.context.reporter.received(self.index, length(&bytes));
            take(&bytes);
        }
        Ok(Ok(()))
    }

    /// Checks TOC and tar-split against each other, and settles what the layer can be proven by.
    fn tie(&self, fetch: TocFetch) -> Result<Looked, LayerError> {
        let policy = &self.context.options.policy;
        Ok(match Basis::read(read(fetch, &policy.limits), policy.trust)? {
            Opened::Found(basis) => Looked::Found(basis),
            Opened::Whole(reason) => Looked::Whole(reason, None),
        })
    }
}

/// Reads TOC and tar-split side by side: each takes tens of milliseconds in a layer of ten thousand files.
fn read(fetch: TocFetch, limits: &Limits) -> Result<(Toc, Option<ProvenTarSplit>), TocError> {
    let (toc, tar_split) = fetch.split()?;
    let (toc, tar_split) = thread::scope(|scope| {
        let tar_split = tar_split.map(|bytes| scope.spawn(move || bytes.read(limits)));
        let toc = toc.read();
        let tar_split = tar_split.map(|reader| reader.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (toc, tar_split)
    });
    let toc = toc?;
    let tar_split = tar_split.map(|tar_split| tar_split.prove(&toc)).transpose()?.flatten();
    Ok((toc, tar_split))
}

const fn span(range: &std::ops::Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}
