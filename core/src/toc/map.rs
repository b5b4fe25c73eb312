//! Where in its blob a TOC lay, and what else lies there that is no file.

use core::ops::Range;

use serde::{Deserialize, Serialize};

use crate::codec::Codec;
use crate::locate::{Form, Led, Locator, Span};

/// What of a blob is no data frame, as annotations and footer place it. A claim, like they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlobMap {
    /// Whether the frames are members of gzip.
    #[serde(default)]
    pub(crate) gzip: bool,
    /// Where the data frames end.
    pub(crate) data_end: u64,
    /// The compressed TOC; `None` where it is a blob of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    toc: Option<(u64, u64)>,
    /// The compressed tar-split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tar_split: Option<(u64, u64)>,
    /// Whether the annotations speak of a tar-split, without which nobody who wants the DiffID reads the TOC.
    #[serde(default)]
    pub(crate) tied: bool,
}

impl BlobMap {
    pub(super) fn of(locator: &Locator) -> Self {
        let pair = |span: &Span| (span.range.start, span.range.end);
        let here = locator.led() != Led::Beside;
        let annotated = locator.led() == Led::Annotations && locator.form() == Form::Today;
        Self {
            gzip: locator.form().codec() == Codec::Gzip,
            data_end: locator.data_end(),
            toc: here.then(|| pair(locator.toc())),
            tar_split: locator.tar_split().map(pair),
            tied: annotated && locator.tar_split().is_some(),
        }
    }

    /// Where the compressed TOC lies, if in this blob.
    pub(crate) fn toc(&self) -> Option<Range<u64>> {
        self.toc.map(|(start, end)| start..end)
    }

    /// Where the compressed tar-split lies, if there is one.
    pub(crate) fn tar_split(&self) -> Option<Range<u64>> {
        self.tar_split.map(|(start, end)| start..end)
    }

    /// Where the last of all ends: the blob is at least this long.
    pub(crate) fn end(&self) -> u64 {
        let ends = [self.toc, self.tar_split].into_iter().flatten().map(|(_, end)| end);
        ends.fold(self.data_end, u64::max)
    }
}
