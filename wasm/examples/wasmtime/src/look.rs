//! What is done for every layer first: finding its TOC, and settling what the layer can be proven by.

use std::io::Read;
use std::ops::Range;

use anyhow::{Context as _, Result, anyhow, bail};
use wasmtime::component::ResourceAny;

use crate::bindings::exports::shingle::core::errors::{Error, Reason};
use crate::bindings::exports::shingle::core::pull::{self, Looked as Look, Opened, TailFound};
use crate::bindings::exports::shingle::core::types::{self, Policy, Trust};
use crate::engine::{Core, Stopped};
use crate::image::{Answer, Layer, Source, manifest};

/// How many bytes are given to the component at once.
pub(crate) const PIECE: usize = 256 << 10;
/// How often a range is asked for again after its body broke off.
const ATTEMPTS: u32 = 3;
/// The suffix of the tag of an image that holds other images' TOCs, and the annotation there that says whose.
const EXTERNAL: (&str, &str) = ("-esgztoc", "containerd.io/snapshot/stargz/layer.digest");

/// How looking for a usable TOC ended.
pub(crate) enum Looked {
    /// With a `basis`.
    Found(ResourceAny),
    /// With none, and why; the blob may already be on its way.
    Whole(String, Option<Box<dyn Read>>),
}

/// What looking cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) bytes: u64,
    pub(crate) requests: u64,
}

/// Returns the default policy with another rung of trust.
///
/// # Errors
/// The component was stopped.
pub fn policy(core: &mut Core, trust: Trust) -> Result<Policy, Stopped> {
    let policy =
        core.call("default-policy", |store, reader| reader.shingle_core_types().call_default_policy(store))?;
    Ok(Policy { trust, ..policy })
}

/// What a layer is known by: only where its DiffID is proven is it the one that an image names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Identity {
    DiffId(String),
    /// The digest that the manifest names its TOC by.
    Toc(String),
}

impl Identity {
    /// Returns what a layer made from a `basis` will be known by.
    pub(crate) fn of(core: &mut Core, basis: ResourceAny, layer: &Layer) -> Result<Self, Stopped> {
        let trust = core.call("basis.trust", |store, reader| {
            reader.shingle_core_pull().basis().call_trust(store, basis)
        })?;
        let proven = Self::DiffId(layer.diff_id.clone());
        if trust == Trust::DiffId {
            return Ok(proven);
        }
        let toc = core
            .call("basis.toc", |store, reader| reader.shingle_core_pull().basis().call_toc(store, basis))?;
        let vouched = core
            .call("toc.vouched", |store, reader| reader.shingle_core_pull().toc().call_vouched(store, toc))?;
        core.drop(toc)?;
        Ok(vouched.map_or(proven, Self::Toc))
    }
}

/// A layer, and the place that it comes from.
pub(crate) struct At<'a> {
    pub(crate) layer: &'a Layer,
    pub(crate) source: &'a mut dyn Source,
}

impl At<'_> {
    /// Finds, fetches and checks the TOC, and the tar-split if there is one.
    pub(crate) fn look(&mut self, core: &mut Core, policy: Policy) -> Result<(Looked, Cost)> {
        let mut cost = Cost::default();
        let looked = self.look_at(core, policy, &mut cost)?;
        Ok((looked, cost))
    }

    fn look_at(&mut self, core: &mut Core, policy: Policy, cost: &mut Cost) -> Result<Looked> {
        let Layer { blob, size, media_type, annotations, .. } = self.layer;
        let said =
            pull::Layer { media_type: media_type.clone(), size: *size, annotations: annotations.clone() };
        let look =
            core.call("look", |store, reader| reader.shingle_core_pull().call_look(store, &said, policy))?;
        let (fetch, blob, size) = match look {
            Look::Whole(reason) => return Ok(Looked::Whole(words(reason), None)),
            Look::Toc(fetch) => (fetch, blob.clone(), *size),
            Look::Tail(tail) => {
                if let Some(whole) = self.feed(core, &Machine::Tail(tail), blob, *size, cost)? {
                    return Ok(whole);
                }
                let found = core.call("tail-fetch.finish", |store, reader| {
                    reader.shingle_core_pull().tail_fetch().call_finish(store, tail)
                })?;
                match found {
                    TailFound::Here(fetch) => (fetch, blob.clone(), *size),
                    TailFound::Whole(reason) => return Ok(Looked::Whole(words(reason), None)),
                    TailFound::Elsewhere(toc) => match self.elsewhere(core, toc)? {
                        Ok(found) => found,
                        Err(whole) => return Ok(whole),
                    },
                }
            }
        };
        if let Some(whole) = self.feed(core, &Machine::Toc(fetch), &blob, size, cost)? {
            return Ok(whole);
        }
        let opened = core.call("toc-fetch.finish", |store, reader| {
            reader.shingle_core_pull().toc_fetch().call_finish(store, fetch)
        })?;
        Ok(match opened.map_err(refused)? {
            Opened::Found(basis) => Looked::Found(basis),
            Opened::Whole(reason) => Looked::Whole(words(reason), None),
        })
    }

    /// Finds the blob that holds the TOC, in the image beside this one.
    fn elsewhere(
        &mut self,
        core: &mut Core,
        toc: ResourceAny,
    ) -> Result<Result<(ResourceAny, String, u64), Looked>> {
        let whole = |image: &str, problem: &str| {
            let why = format!("its table of contents should be in the image {image}, which {problem}");
            Ok(Err(Looked::Whole(why, None)))
        };
        let (tag, beside) = match self.source.beside(EXTERNAL.0) {
            Ok(beside) => beside,
            Err((image, problem)) => return whole(&image, problem),
        };
        let Some((_, manifest)) = manifest(core, self.source, Some(&tag))? else {
            return whole(&beside, "is not there");
        };
        let ours = manifest.layers.into_iter().find(|layer| {
            layer.annotations.as_ref().and_then(|all| all.get(EXTERNAL.1)) == Some(&self.layer.blob)
        });
        let Some(ours) = ours else { return whole(&beside, "has none for it") };
        let fetch = core.call("external-toc.fetch", |store, reader| {
            reader.shingle_core_pull().external_toc().call_fetch(store, toc, ours.size)
        })?;
        Ok(match fetch {
            Ok(fetch) => Ok((fetch, ours.digest, ours.size)),
            Err(error) => Err(Looked::Whole(error.message, None)),
        })
    }

    /// Gives a machine the bytes that it waits for.
    fn feed(
        &mut self,
        core: &mut Core,
        machine: &Machine,
        blob: &str,
        size: u64,
        cost: &mut Cost,
    ) -> Result<Option<Looked>> {
        let owed = machine.remaining(core)?;
        let whole = |body| Looked::Whole("the registry does not serve ranges of this blob".to_owned(), body);
        Ok(match feed(core, self.source, machine, blob, size, |_| Ok(()))? {
            Fed::All => {
                cost.bytes += owed.end - owed.start;
                cost.requests += u64::from(!owed.is_empty());
                None
            }
            Fed::Refused => {
                cost.requests += 1;
                Some(whole(None))
            }
            // A whole blob that is another than the layer's own is no way to pull the layer.
            Fed::Whole(body) => Some(whole((blob == self.layer.blob).then_some(body))),
        })
    }
}

/// One of the component's machines that take a range of a blob.
pub(crate) enum Machine {
    Fetch(ResourceAny),
    Tail(ResourceAny),
    Toc(ResourceAny),
}

impl Machine {
    /// Returns the bytes of the blob that it still waits for.
    pub(crate) fn remaining(&self, core: &mut Core) -> Result<Range<u64>, Stopped> {
        let types::Range { start, end } = core.call("remaining", |store, reader| {
            let pull = reader.shingle_core_pull();
            match self {
                Self::Fetch(fetch) => pull.fetch().call_remaining(store, *fetch),
                Self::Tail(tail) => pull.tail_fetch().call_remaining(store, *tail),
                Self::Toc(toc) => pull.toc_fetch().call_remaining(store, *toc),
            }
        })?;
        Ok(start..end)
    }

    /// Whether the bytes that it was given hold more than it handed back.
    pub(crate) fn is_pending(&self, core: &mut Core) -> Result<bool, Stopped> {
        match self {
            Self::Fetch(fetch) => core.call("fetch.pending", |store, reader| {
                reader.shingle_core_pull().fetch().call_pending(store, *fetch)
            }),
            Self::Tail(_) | Self::Toc(_) => Ok(false),
        }
    }

    /// Gives it bytes; what it hands back belongs in files.
    pub(crate) fn receive(&self, core: &mut Core, bytes: &[u8]) -> Result<Vec<pull::Lent>> {
        core.call("receive", |store, reader| {
            let pull = reader.shingle_core_pull();
            Ok(match self {
                Self::Fetch(fetch) => pull.fetch().call_receive(store, *fetch, bytes)?.map_err(refused),
                Self::Tail(tail) => {
                    pull.tail_fetch().call_receive(store, *tail, bytes)?;
                    Ok(Vec::new())
                }
                Self::Toc(toc) => {
                    pull.toc_fetch().call_receive(store, *toc, bytes)?;
                    Ok(Vec::new())
                }
            })
        })?
    }
}

/// What came of asking for ranges.
pub(crate) enum Fed {
    All,
    Refused,
    Whole(Box<dyn Read>),
}

/// Asks for what a machine waits for, and again for the rest when a body breaks off. What the component lends goes to
/// `take`.
pub(crate) fn feed(
    core: &mut Core,
    source: &mut dyn Source,
    machine: &Machine,
    blob: &str,
    size: u64,
    mut take: impl FnMut(Vec<pull::Lent>) -> Result<()>,
) -> Result<Fed> {
    let mut piece = vec![0; PIECE];
    let mut attempts = 0;
    loop {
        let owed = machine.remaining(core)?;
        if owed.is_empty() {
            return Ok(Fed::All);
        }
        attempts += 1;
        if attempts > ATTEMPTS {
            bail!("blob {blob} breaks off at byte {}, {ATTEMPTS} times", owed.start);
        }
        let mut body = match source.range(core, blob, size, owed.clone())? {
            Answer::Part(body) => body.take(owed.end - owed.start),
            Answer::Refused => return Ok(Fed::Refused),
            // All of a blob that was asked for whole is the range.
            Answer::Whole(body) if owed == (0..size) => body.take(size),
            Answer::Whole(body) => return Ok(Fed::Whole(body)),
        };
        loop {
            let read = match body.read(&mut piece) {
                Ok(read) => read,
                Err(error) if attempts < ATTEMPTS && error.kind() != std::io::ErrorKind::TimedOut => 0,
                Err(error) => return Err(error).with_context(|| format!("cannot read blob {blob}")),
            };
            if read == 0 {
                break;
            }
            take(machine.receive(core, &piece[..read])?)?;
            // A few bytes may hold gigabytes of zeros: those come bit by bit.
            while machine.is_pending(core)? {
                take(machine.receive(core, &[])?)?;
            }
        }
    }
}

/// The words for why a layer is read whole.
pub(crate) fn words(reason: Reason) -> String {
    reason.message
}

/// An error value of the component: somebody lies, and the layer must not be pulled.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
pub(crate) fn refused(error: Error) -> anyhow::Error {
    anyhow!("{}", error.message)
}
