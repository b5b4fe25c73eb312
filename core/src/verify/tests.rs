//! Real blobs, and planted defects.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::*;
use crate::testing::{GZIP_BLOB, Layer, OLD_BLOB, ZOO_TAR, zoo_annotations};

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
    let mut verify = Verify::new(claims, &Limits::default());
    while let Some(range) = verify.wants() {
        match blob.get(range.start as usize..range.end as usize) {
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
    verified.findings.list().iter().map(|finding| std::format!("{:?} {} {finding}", finding.weight, finding.code)).collect()
}

#[test]
fn the_zoo_of_podman_5_8() {
    let zoo = Layer::zoo();
    let verified = verify(&zoo.blob, claims(&zoo.blob, zoo_annotations(), zoo.diff_id()), 1 << 20);
    std::println!("{verified:#?}");
    std::println!("{:#?}", lines(&verified));
    assert_eq!(verified.findings.wrong(), 0);
}
