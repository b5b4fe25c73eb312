//! Whether a layer can stay as it is.

use shingle_core::{Form, Limits, Locator, TocFetch};

use crate::look;
use crate::transport::{Descriptor, Source, TransferError};
use shingle_core::writer::Format;

/// Whether a layer is what it should become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goodness {
    /// It is, for this reason.
    Good(String),
    /// It is not, for this reason.
    Bad(String),
}

/// Looks at a blob: at its media type, and where a TOC is wanted, at the TOC.
pub(super) fn judge(
    source: &dyn Source,
    layer: &Descriptor,
    format: Format,
    limits: &Limits,
) -> Result<Goodness, TransferError> {
    let is = compression(&layer.media_type);
    let bad = |why: String| Ok(Goodness::Bad(why));
    match (format, is) {
        (Format::Gzip, "gzip") | (Format::Zstd, "zstd") => Ok(Goodness::Good(format!("it is {is} already"))),
        (Format::ZstdChunked, "zstd") => {
            let none = std::collections::BTreeMap::new();
            let annotations = layer.annotations.as_ref().unwrap_or(&none);
            let locator = match Locator::from_annotations(annotations, layer.size, limits) {
                Ok(Some(locator)) => locator,
                Ok(None) => return bad("it is zstd without a table of contents".to_owned()),
                Err(error) => return bad(error.to_string()),
            };
            if locator.form() != Form::Today || locator.tar_split().is_none() {
                return bad("its table of contents is of an old form, without a tar-split".to_owned());
            }
            let range = locator.range();
            let bytes = match source.read_range(layer.digest, layer.size, range) {
                Ok(bytes) => bytes,
                // A registry that gives no ranges says nothing against the layer, nor for it.
                Err(TransferError::Registry(error)) if error.leaves_whole() => {
                    return bad(format!("its table of contents cannot be looked at: {error}"));
                }
                Err(error) => return Err(error),
            };
            let mut fetch = TocFetch::new(locator, *limits);
            fetch.receive(&bytes);
            drop(bytes);
            match look::read(fetch, limits) {
                Ok((toc, Some(tar_split))) => match tar_split.records {
                    Err(error) => bad(error.to_string()),
                    Ok(records) => match shingle_core::Agreed::new(toc, records) {
                        Ok(_) => Ok(Goodness::Good("it is zstd:chunked already".to_owned())),
                        Err(error) => bad(error.to_string()),
                    },
                },
                Ok((_, None)) => bad("its table of contents does not name its tar-split".to_owned()),
                Err(error) => bad(error.to_string()),
            }
        }
        _ => bad(format!("it was {is}")),
    }
}

/// Says how a layer's media type says that it is compressed.
pub(super) fn compression(media_type: &str) -> &'static str {
    match media_type.rsplit(['+', '.']).next() {
        Some("gzip") => "gzip",
        Some("zstd") => "zstd",
        _ => "an uncompressed tar",
    }
}
