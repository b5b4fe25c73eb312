//! A layer, as `shingle inspect` tells of it.

use std::path::PathBuf;

use serde::Serialize;
use shingle::contents::{self, LayerContents, PulledAs};
use shingle::store::Store;
use shingle_core::{Digest, Form, Identity, LayerSaid, Located, Locator, Look, Policy, Trust};

use super::members::Members;
use crate::progress::short;
use crate::words::Bytes;

#[derive(Serialize)]
pub(super) struct Layer {
    pub(super) blob: Digest,
    pub(super) diff_id: Digest,
    pub(super) media_type: String,
    pub(super) size: u64,
    /// Where the TOC lies, if the annotations say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) toc: Option<TocPlace>,
    /// The digest that the annotations name the TOC by, wherever it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    toc_digest: Option<Digest>,
    /// Why the annotations lead to no TOC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) toc_problem: Option<String>,
    here: bool,
    /// The rung that it was proven on, if it is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    trust: Option<Trust>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tree: Option<PathBuf>,
    /// `by-file` or `whole`.
    pulled: &'static str,
    /// Why a pull would take it whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    /// What it holds, if somebody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) members: Option<Members>,
}

#[derive(Serialize)]
pub(super) struct TocPlace {
    /// `today`, `old` or `stargz-zstd`.
    form: &'static str,
    digest: Option<Digest>,
    offset: u64,
    /// In the blob, compressed.
    pub(super) bytes: u64,
    pub(super) plain_bytes: u64,
    /// The same of the tar-split; 0 without one.
    pub(super) tar_split_bytes: u64,
    pub(super) tar_split_plain_bytes: u64,
}

impl Layer {
    /// What the columns of [`row`](Self::row) are called.
    pub(super) const HEAD: [&str; 7] = ["LAYER", "SIZE", "TYPE", "TOC", "PULLED", "DIFFID", "HERE"];

    /// `held` is what the layer holds, if that was read.
    pub(super) fn new(
        layer: &contents::Layer,
        held: Option<&LayerContents>,
        store: Option<&Store>,
        policy: &Policy,
    ) -> Self {
        let located = Located::from_annotations(&layer.annotations, layer.size, &Policy::default());
        let (located, toc_problem) = match located {
            Ok(located) => (located, None),
            Err(problem) => (None, Some(problem.to_string())),
        };
        let toc = match &located {
            Some(Located::Annotated(locator)) => Some(TocPlace::new(locator)),
            Some(Located::Tail(_)) | None => None,
        };
        let toc_digest = located.as_ref().and_then(Located::vouched).copied();
        let names = [Some(Identity::DiffId(layer.diff_id)), toc_digest.map(Identity::Toc)];
        let here = store.and_then(|store| {
            let identity = names.into_iter().flatten().find(|identity| store.has_layer(identity))?;
            Some((identity.trust(), store.tree_path(&identity.id())))
        });
        let (trust, tree) = here.unzip();
        let (media_type, size) = (&*layer.media_type, layer.size);
        let said = LayerSaid { media_type, size, annotations: &layer.annotations };
        let why = match (held.map(|held| &held.pulled), Look::new(&said, policy)) {
            (Some(PulledAs::Whole(why)), _) => Some(why.to_string()),
            (None, Look::Whole(why)) => Some(why.to_string()),
            (Some(PulledAs::ByFile) | None, _) => None,
        };
        Self {
            blob: layer.digest,
            diff_id: layer.diff_id,
            media_type: layer.media_type.clone(),
            size: layer.size,
            toc,
            toc_digest,
            toc_problem,
            here: tree.is_some(),
            trust,
            tree,
            pulled: if why.is_none() { "by-file" } else { "whole" },
            why,
            members: held.map(Members::of),
        }
    }

    pub(super) fn row(&self) -> [String; 7] {
        let toc = match (&self.toc, &self.toc_problem) {
            (Some(toc), _) => {
                let old = if toc.form == "today" { "" } else { " (old form)" };
                format!("{}{old}", Bytes(toc.bytes.saturating_add(toc.tar_split_bytes)))
            }
            (None, Some(_)) => "unusable".to_owned(),
            // How long it is, only the blob's end says.
            (None, None) if self.toc_digest.is_some() => "eStargz".to_owned(),
            (None, None) => "no".to_owned(),
        };
        // What all layer types begin with says nothing.
        let kind = self.media_type.rsplit_once(".tar").map_or(&*self.media_type, |(_, rest)| rest);
        let here = match self.trust {
            Some(Trust::DiffId) => "yes",
            Some(Trust::Toc) => "by TOC",
            None => "no",
        };
        [
            short(&self.blob),
            Bytes(self.size).to_string(),
            format!("tar{kind}"),
            toc,
            if self.why.is_none() { "by file" } else { "whole" }.to_owned(),
            short(&self.diff_id),
            here.to_owned(),
        ]
    }
}

impl TocPlace {
    fn new(locator: &Locator) -> Self {
        let toc = locator.toc();
        let split = locator.tar_split();
        let form = match locator.form() {
            Form::Old => "old",
            Form::StargzZstd => "stargz-zstd",
            Form::Today => "today",
            _ => "unknown",
        };
        Self {
            form,
            digest: locator.vouched().copied(),
            offset: toc.range.start,
            bytes: toc.range.end.saturating_sub(toc.range.start),
            plain_bytes: toc.plain_len,
            tar_split_bytes: split.map_or(0, |split| split.range.end.saturating_sub(split.range.start)),
            tar_split_plain_bytes: split.map_or(0, |split| split.plain_len),
        }
    }
}
