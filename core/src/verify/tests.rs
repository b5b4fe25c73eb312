//! Real blobs, and planted defects.

mod hostile;
mod ours;
mod planted;
mod stargz;
mod vectors;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::*;
use crate::testing::{GZIP_BLOB, Layer, OLD_BLOB, ZOO_TAR, fixture_bytes, zoo_annotations};

const STARGZ: &[u8] = fixture_bytes!("zoo/zoo.stargz-zstd");
const ESTARGZ: &[u8] = fixture_bytes!("zoo/zoo.estargz");
const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

fn claims(blob: &[u8], annotations: BTreeMap<String, String>, diff_id: Digest) -> Claims {
    Claims {
        blob: Digest::of(blob),
        size: blob.len() as u64,
        media_type: ZSTD.to_string(),
        annotations,
        diff_id: Some(diff_id),
    }
}

fn verify(blob: &[u8], claims: Claims, step: usize) -> Verified {
    verify_both(blob, blob, claims, step)
}

/// Verifies a blob whose source gives `by_range` by range.
fn verify_both(blob: &[u8], by_range: &[u8], claims: Claims, step: usize) -> Verified {
    let mut verify = Verify::of_len(claims, blob.len() as u64, &Limits::default());
    while let Some(range) = verify.wants() {
        match by_range.get(range.start as usize..range.end as usize) {
            Some(bytes) => verify.offer(bytes),
            None => verify.withhold("there are no such bytes"),
        }
    }
    for piece in blob.chunks(step) {
        verify.receive(piece);
    }
    verify.finish()
}

fn lines(verified: &Verified) -> Vec<String> {
    verified
        .findings
        .list()
        .iter()
        .map(|finding| std::format!("{:?} {} {finding}", finding.weight, finding.code))
        .collect()
}

fn codes(verified: &Verified, weight: Weight) -> Vec<&'static str> {
    let list = verified.findings.list().iter();
    list.filter(|finding| finding.weight == weight).map(|finding| finding.code.as_str()).collect()
}

fn old_annotations(checksum: &str, position: &str) -> BTreeMap<String, String> {
    let key = |end: &str| std::format!("io.containers.zstd-chunked.manifest-{end}");
    BTreeMap::from([(key("checksum"), checksum.to_string()), (key("position"), position.to_string())])
}

#[test]
fn the_zoo_of_podman_5_8() {
    let zoo = Layer::zoo();
    let verified = verify(&zoo.blob, claims(&zoo.blob, zoo_annotations(), zoo.diff_id()), 1 << 20);
    assert_eq!(codes(&verified, Weight::Wrong), [""; 0]);
    assert_eq!(codes(&verified, Weight::Note), ["frame.empty"]);
    assert_eq!((verified.form, verified.members), (LayerForm::ZstdChunked, 33));
    assert_eq!((verified.unchecked, verified.diff_id), (Vec::new(), Some(zoo.diff_id())));
}

#[test]
fn the_zoo_of_podman_4_3() {
    let sum = "sha256:45abde6c759ab7799b953e088378176070fdf1e4923052291b8dbb484e810a27";
    let annotations = old_annotations(sum, "224514:1732:8287:1");
    let verified = verify(OLD_BLOB, claims(OLD_BLOB, annotations, Layer::zoo().diff_id()), 1000);
    // It left the padding out of the tar, and an xattr without a value out of the TOC.
    assert_eq!(codes(&verified, Weight::Wrong), ["entry.field", "diff_id.padding"]);
}

#[test]
fn the_zoo_of_stargz_snapshotter() {
    let sum = "sha256:81a522471bc737ef69a9c26dd7b2e67a35ae15b06b4dbb845335a74a728110bb";
    let mut annotations = old_annotations(sum, "282435:2299:10816:1");
    let digest = "sha256:f55996efdc74c96d9ea1fde26ef15b2202729d4b7de6c4bcdf5219fa8ced538b";
    annotations.insert("containerd.io/snapshot/stargz/toc.digest".into(), digest.into());
    let diff_id = "sha256:d82d70a08358ef43d54d74ba052f251752cdf080303c25ba9ee622f75282481d".parse().unwrap();
    let verified = verify(STARGZ, claims(STARGZ, annotations, diff_id), 1);
    assert_eq!(codes(&verified, Weight::Wrong), [""; 0]);
    assert_eq!(codes(&verified, Weight::Note), ["tar_split.none", "entry.whole_seconds"]);
    assert_eq!(verified.form, LayerForm::StargzZstdChunked);
    // A registry kept one annotation.
    let annotations = BTreeMap::from([("containerd.io/snapshot/stargz/toc.digest".into(), digest.into())]);
    let verified = verify(STARGZ, claims(STARGZ, annotations, diff_id), 1000);
    assert_eq!(codes(&verified, Weight::Wrong), [""; 0], "{:#?}", lines(&verified));
    assert_eq!(verified.form, LayerForm::StargzZstdChunked);
}

#[test]
fn the_zoo_of_estargz() {
    let digest = "sha256:bd5800ce15760a09d962b8c4a664d3c5f90dd8a4f8cf416b586098d88fc28551";
    let annotations = BTreeMap::from([("containerd.io/snapshot/stargz/toc.digest".into(), digest.into())]);
    let diff_id = "sha256:976037823d3953a5150030024281243885d66a28746ebf2701ed9254b7d7ec61".parse().unwrap();
    let media_type = ZSTD.replace("zstd", "gzip");
    let claims = Claims { media_type, ..claims(ESTARGZ, annotations, diff_id) };
    for step in [1, 100_000] {
        let verified = verify(ESTARGZ, claims.clone(), step);
        assert_eq!(codes(&verified, Weight::Wrong), [""; 0], "{:#?}", lines(&verified));
        assert_eq!(codes(&verified, Weight::Note), ["tar_split.none", "entry.whole_seconds"]);
        assert_eq!(verified.form, LayerForm::Estargz);
        assert_eq!(verified.unchecked, [("tar-split = tar", "the layer has no tar-split")]);
    }
}

#[test]
fn layers_without_a_table_of_contents() {
    for (blob, kind) in [(GZIP_BLOB, "gzip"), (ZOO_TAR, ""), (&crate::compress(ZOO_TAR), "zstd")] {
        let media_type = std::format!("application/vnd.oci.image.layer.v1.tar+{kind}");
        let media_type = media_type.trim_end_matches('+').to_string();
        let claims = Claims { media_type, ..claims(blob, BTreeMap::new(), Layer::zoo().diff_id()) };
        let verified = verify(blob, claims, 777);
        assert_eq!(lines(&verified), [""; 0], "{kind}");
        assert_eq!(verified.checked, ["blob digest and size", "media type", "frames", "DiffID"], "{kind}");
        assert_eq!(verified.unchecked.len(), 6, "{kind}");
    }
}
