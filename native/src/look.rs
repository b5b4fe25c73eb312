//! Finding a layer's TOC, and what ties it to the image: the same whether the layer is then pulled or only planned.

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

use shingle_core::{
    Basis, Digest, ExternalToc, Followed, Identity, LayerSaid, Limits, Look, OpenError, Opened,
    ProvenTarSplit, Reason, TailFetch, Toc, TocError, TocFetch, Trust,
};

use crate::registry::{Blob, Client, Reference, RegistryError};

/// How looking for a usable TOC ended.
pub(crate) enum Looked<W> {
    /// With a TOC, and with what the layer can be proven by.
    Found(Basis),
    /// The layer is here, proven by that TOC.
    Present(Identity),
    /// With none; the blob may already be on its way.
    Whole(Reason, Option<W>),
}

/// Where a layer is looked at: it gives ranges of the layer's blob, and of the one blob that may hold its TOC instead.
pub(crate) trait Ranges {
    /// What can go wrong, lies included.
    type Error: From<OpenError>;
    /// A whole blob that is on its way because a range of it was asked for.
    type Whole;

    /// Reads a range, never an empty one, and hands on what comes.
    fn read(
        &mut self,
        from: Which,
        range: Range<u64>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Got<Self::Whole>, Self::Error>;

    /// Finds the blob of another image that holds the TOC, and returns its length.
    fn find_beside(&mut self) -> Result<Result<u64, NotBeside>, Self::Error>;
}

/// Which blob is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one that [`Ranges::find_beside`] found.
    Beside,
    /// The layer's own.
    Own,
}

/// What was given where a range was asked for.
pub(crate) enum Got<W> {
    /// The range.
    Range,
    /// Not the range, perhaps the whole blob instead.
    Whole(Option<W>),
}

/// Why there is no blob of another image that holds a TOC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, made by sources")]
pub struct NotBeside {
    /// The image that should have it.
    pub image: String,
    /// What is wrong with that.
    pub problem: &'static str,
}

/// Finds, fetches and checks a layer's TOC, and the tar-split if there is one. `has` says which layers are here.
pub(crate) fn look<R: Ranges>(
    ranges: &mut R,
    said: &LayerSaid<'_>,
    policy: &shingle_core::Policy,
    has: impl FnOnce(&Identity) -> bool,
) -> Result<Looked<R::Whole>, R::Error> {
    let look = Look::new(said, policy);
    if let (Trust::Toc, Some(toc)) = (policy.trust, look.vouched())
        && has(&Identity::Toc(*toc))
    {
        return Ok(Looked::Present(Identity::Toc(*toc)));
    }
    let fetched = match look {
        Look::Toc(fetch) => fetch_toc(ranges, Which::Own, fetch)?,
        Look::Tail(tail) => follow(ranges, tail)?,
        Look::Whole(reason) => return Ok(Looked::Whole(reason, None)),
    };
    let fetch = match fetched {
        Ok(fetch) => fetch,
        Err(looked) => return Ok(looked),
    };
    // What the layer can be proven by.
    Ok(match Basis::read(read(fetch, &policy.limits), policy.trust)? {
        Opened::Found(basis) => Looked::Found(basis),
        Opened::Whole(reason) => Looked::Whole(reason, None),
    })
}

/// Either what was looked for, or how the looking ended without it.
type Step<T, R> = Result<Result<T, Looked<<R as Ranges>::Whole>>, <R as Ranges>::Error>;

/// Fetches the end of the blob, and the TOC from where that says.
fn follow<R: Ranges>(ranges: &mut R, mut tail: TailFetch) -> Step<TocFetch, R> {
    if let Err(looked) = receive(ranges, Which::Own, tail.remaining(), &mut |bytes| tail.receive(bytes))? {
        return Ok(Err(looked));
    }
    let toc = match Followed::from(tail.finish()) {
        Followed::Toc(fetch) => return fetch_toc(ranges, Which::Own, fetch),
        Followed::Whole(reason) => return Ok(Err(Looked::Whole(reason, None))),
        Followed::External(toc) => toc,
    };
    let len = match ranges.find_beside()? {
        Ok(len) => len,
        Err(NotBeside { image, problem }) => {
            return Ok(Err(Looked::Whole(Reason::ExternalToc { image, problem }, None)));
        }
    };
    match toc.fetch(len) {
        Ok(fetch) => fetch_toc(ranges, Which::Beside, fetch),
        Err(error) => Ok(Err(Looked::Whole(Reason::Locate(error), None))),
    }
}

/// Fetches what is owed of a TOC.
fn fetch_toc<R: Ranges>(ranges: &mut R, from: Which, mut fetch: TocFetch) -> Step<TocFetch, R> {
    let received = receive(ranges, from, fetch.remaining(), &mut |bytes| fetch.receive(bytes))?;
    Ok(received.map(|()| fetch))
}

fn receive<R: Ranges>(
    ranges: &mut R,
    from: Which,
    range: Range<u64>,
    take: &mut dyn FnMut(&[u8]),
) -> Step<(), R> {
    if range.is_empty() {
        return Ok(Ok(()));
    }
    Ok(match ranges.read(from, range, take)? {
        Got::Range => Ok(()),
        Got::Whole(whole) => Err(Looked::Whole(Reason::NoRanges, whole)),
    })
}

/// Reads TOC and tar-split side by side: each takes tens of milliseconds in a layer of ten thousand files.
///
/// # Errors
/// Either is not what vouches for it says, or cannot be read; what the tar-split's records are worth is told in it.
pub(crate) fn read(fetch: TocFetch, limits: &Limits) -> Result<(Toc, Option<ProvenTarSplit>), TocError> {
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

/// Finds a layer's TOC in the image beside its own, whose tag has a suffix.
pub(crate) fn find_beside(
    client: &Client,
    reference: &Reference,
    layer: &Digest,
) -> Result<Result<Blob, NotBeside>, RegistryError> {
    let name = format!("{}{}", reference.tag().unwrap_or_default(), ExternalToc::TAG_SUFFIX);
    let not = |image: String, problem| Ok(Err(NotBeside { image, problem }));
    let beside = match reference.tag() {
        Some(_) => reference.with_tag(&name),
        None => return not(name, "cannot be named without a tag"),
    };
    let Some(beside) = beside else { return not(name, "has too long a tag") };
    let blobs = match client.fetch_blobs_of(&beside) {
        Ok(blobs) => blobs,
        Err(error) if error.is_gone() => return not(beside.to_string(), "is not there"),
        Err(error) if error.is_refusal() => return not(beside.to_string(), "is none"),
        Err(error) => return Err(error),
    };
    let layer = layer.to_string();
    let ours = blobs.iter().find(|blob| blob.annotations.get(ExternalToc::LAYER_KEY) == Some(&layer));
    let Some(ours) = ours else { return not(beside.to_string(), "has none for it") };
    Ok(Ok(client.blob(reference, ours.digest, ours.size)))
}

/// Returns how many bytes a range has.
pub(crate) const fn span(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}
