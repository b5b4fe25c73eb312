//! Reading what images hold, for the commands that only look.

use shingle::contents::{Contents, ReadOptions, Spent, read_all};
use shingle::transport::{Source, open_source};
use shingle_core::overlap::{ImageId, Overlap};

use super::{cache, client, existing_store, looking_policy};
use crate::cli::{Global, LookArgs, Place};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::ReadProgress;
use crate::words::{Bytes, Count, Percent, total};

/// Reads what images hold, without pulling them.
pub(super) fn look_at(
    global: &Global,
    images: &[Place],
    args: &LookArgs,
    printer: &Printer,
) -> Result<Vec<Contents>, Failure> {
    let policy = looking_policy(args)?;
    let client = client(args.source.tls_verify, None)?;
    let mut sources = Vec::new();
    for image in images {
        let trying = |failure: Failure| failure.while_trying(format!("cannot look at {}", image.typed));
        sources.push(open_source(&image.location, &client).map_err(|error| trying(error.into()))?);
    }
    let named: Vec<(&str, &dyn Source)> =
        images.iter().zip(&sources).map(|(image, source)| (&*image.typed, &**source)).collect();
    let (cache, store) = (cache(&args.cache), existing_store(global)?);
    let mut options = ReadOptions::default();
    options.policy = policy;
    if let Some(platform) = &args.source.platform {
        options.platform = platform.clone();
    }
    options.cache = cache.as_ref();
    options.store = store.as_ref().filter(|_| !args.cache.no_cache);
    read_all(&named, &options, &ReadProgress::new(printer)).map_err(|error| {
        let image = error.image().and_then(|image| images.get(image));
        let failure = Failure::from(error);
        match image {
            Some(image) => failure.while_trying(format!("cannot look at {}", image.typed)),
            None => failure,
        }
    })
}

/// Compares images by what they hold.
pub(super) fn compare(images: &[Contents]) -> Result<Overlap, Failure> {
    let mut overlap = Overlap::new();
    for image in images {
        let limits = shingle_core::Limits::default();
        let added = overlap.add_image(image.name.as_str(), &image.overlap_layers(), &limits);
        added.map_err(|error| {
            Failure::refusal(error).while_trying(format!("cannot compare {}", image.name))
        })?;
    }
    Ok(overlap)
}

/// What looking at images took.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(super) struct Read {
    /// Bytes of blobs.
    pub(super) bytes: u64,
    /// Requests for them.
    pub(super) requests: u64,
    /// The blobs' own lengths, each layer once.
    pub(super) blob_bytes: u64,
    /// How many layers were known from another time, each as often as an image has it.
    pub(super) cached_layers: u64,
}

impl Read {
    pub(super) fn of(images: &[Contents]) -> Self {
        let sum = |of: fn(&Spent) -> u64| total(images.iter().map(|image| of(&image.spent())));
        let layers = images.iter().flat_map(|image| &image.layers);
        let blobs: std::collections::BTreeMap<_, _> =
            layers.map(|layer| (layer.blob, layer.blob_bytes)).collect();
        Self {
            bytes: sum(|spent| spent.bytes),
            requests: sum(|spent| spent.requests),
            blob_bytes: total(blobs.into_values()),
            cached_layers: sum(|spent| spent.cached_layers),
        }
    }

    /// Says it in one sentence.
    pub(super) fn sentence(&self) -> String {
        let cached = match self.cached_layers {
            0 => String::new(),
            layers => format!("; {} known from before", Count(layers, "layer")),
        };
        format!(
            "Read {} of {} ({}) in {}{cached}.",
            Bytes(self.bytes),
            Bytes(self.blob_bytes),
            Percent { part: self.bytes, whole: self.blob_bytes },
            Count(self.requests, "request")
        )
    }
}

/// Returns the numbers of all images of an overlap.
pub(super) fn ids(overlap: &Overlap) -> impl Iterator<Item = ImageId> {
    (0..overlap.len()).filter_map(|number| overlap.image(number))
}
