//! Where to begin with a layer.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::locate::{Located, TailFetch};
use crate::plan::Reason;
use crate::policy::{Policy, Trust};
use crate::toc::TocFetch;
use crate::{Digest, ExternalToc, LocateError, TailFound};

/// What a manifest says about a layer, as far as it leads to a TOC.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "plain data, filled in by every shell")]
pub struct LayerSaid<'a> {
    /// The media type of its descriptor.
    pub media_type: &'a str,
    /// The length of its blob in bytes.
    pub size: u64,
    /// The annotations of its descriptor.
    pub annotations: &'a BTreeMap<String, String>,
}

/// Where to begin with a layer.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a shell must follow each")]
pub enum Look {
    /// The end of its blob says where its TOC lies.
    Tail(TailFetch),
    /// Its annotations do.
    Toc(TocFetch),
    /// It has no TOC that is of use.
    Whole(Reason),
}

impl Look {
    /// Decides where to begin. Pure.
    ///
    /// Where only the DiffID is trusted, a TOC that no tar-split could tie to it is not even fetched.
    pub fn new(layer: &LayerSaid<'_>, policy: &Policy) -> Self {
        let located = match Located::from_annotations(layer.annotations, layer.size, policy) {
            Ok(Some(located)) => located,
            Ok(None) => return Self::Whole(Reason::NoToc { media_type: layer.media_type.into() }),
            Err(error) => return Self::Whole(Reason::Locate(error)),
        };
        if policy.trust == Trust::DiffId && !located.may_have_tar_split() {
            return Self::Whole(Reason::NoTarSplit);
        }
        match located {
            Located::Annotated(locator) => Self::Toc(TocFetch::new(locator, policy.limits)),
            Located::Tail(tail) => Self::Tail(tail),
        }
    }

    /// Returns the digest that the manifest names the TOC by: what the layer is known by if no more is proven.
    pub fn vouched(&self) -> Option<&Digest> {
        match self {
            Self::Tail(tail) => tail.vouched(),
            Self::Toc(fetch) => fetch.vouched(),
            Self::Whole(_) => None,
        }
    }
}

/// Where the end of a blob leads.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a shell must follow each")]
pub enum Followed {
    /// To a TOC in another image.
    External(ExternalToc),
    /// To the TOC, which may have come already.
    Toc(TocFetch),
    /// Nowhere.
    Whole(Reason),
}

impl From<Result<TailFound, LocateError>> for Followed {
    fn from(found: Result<TailFound, LocateError>) -> Self {
        match found {
            Ok(TailFound::External(toc)) => Self::External(toc),
            Ok(TailFound::Here(fetch)) => Self::Toc(fetch),
            Err(error) => Self::Whole(Reason::Locate(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn look(annotations: &[(&str, &str)], trust: Trust) -> Look {
        let annotations =
            annotations.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let policy = Policy { trust, ..Policy::default() };
        Look::new(&LayerSaid { media_type: "some type", size: 10_000, annotations: &annotations }, &policy)
    }

    #[test]
    fn says_where_to_begin() {
        let digest = Digest::of(b"toc").to_string();
        let checksum = ("io.github.containers.zstd-chunked.manifest-checksum", digest.as_str());
        let position = ("io.github.containers.zstd-chunked.manifest-position", "1000:200:3000:1");
        let split = ("io.github.containers.zstd-chunked.tarsplit-position", "1208:100:900");
        let stargz = ("containerd.io/snapshot/stargz/toc.digest", digest.as_str());

        let none = look(&[], Trust::DiffId);
        assert!(matches!(&none, Look::Whole(Reason::NoToc { media_type }) if media_type == "some type"));
        assert_eq!(none.vouched(), None);
        for trust in [Trust::DiffId, Trust::Toc] {
            let Look::Toc(fetch) = look(&[checksum, position, split], trust) else { panic!("a TOC") };
            assert_eq!((fetch.remaining(), fetch.vouched()), (1000..1308, Some(&Digest::of(b"toc"))));
            assert!(matches!(look(&[checksum], trust), Look::Whole(Reason::Locate(_))));
        }
        assert!(matches!(look(&[checksum, position], Trust::DiffId), Look::Whole(Reason::NoTarSplit)));
        assert!(matches!(look(&[checksum, position], Trust::Toc), Look::Toc(_)));
        assert!(matches!(look(&[stargz], Trust::DiffId), Look::Whole(Reason::NoTarSplit)));
        let tail = look(&[stargz], Trust::Toc);
        assert!(
            matches!((&tail, tail.vouched()), (Look::Tail(_), Some(vouched)) if *vouched == Digest::of(b"toc"))
        );
        let Look::Tail(mut tail) = tail else { panic!("a tail") };
        tail.receive(&[0; 10_000]);
        assert!(matches!(
            Followed::from(tail.finish()),
            Followed::Whole(Reason::Locate(LocateError::NoFooter))
        ));
    }
}
