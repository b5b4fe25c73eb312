//! What our own writer makes of any tar is right, and so is what it leaves plain.

use alloc::vec::Vec;

use super::{claims, codes, lines, verify};
use crate::Digest;
use crate::testing::{ZOO_TAR, fixture_bytes};
use crate::verify::{LayerForm, Verified, Weight};
use crate::writer::{BatchEncoder, WriteOptions, start};

const TARS: [(&str, &[u8]); 15] = [
    ("zoo", ZOO_TAR),
    ("base256", fixture_bytes!("tar/base256.tar")),
    ("global", fixture_bytes!("tar/global.tar")),
    ("gnu", fixture_bytes!("tar/gnu.tar")),
    ("gnu-times", fixture_bytes!("tar/gnu-times.tar")),
    ("link-size", fixture_bytes!("tar/link-size.tar")),
    ("lone-zero", fixture_bytes!("tar/lone-zero.tar")),
    ("long", fixture_bytes!("tar/long.tar")),
    ("no-end", fixture_bytes!("tar/no-end.tar")),
    ("not-utf8", fixture_bytes!("tar/not-utf8.tar")),
    ("pax", fixture_bytes!("tar/pax.tar")),
    ("sparse-1.0", fixture_bytes!("tar/sparse-1.0.tar")),
    ("trailing", fixture_bytes!("tar/trailing.tar")),
    ("types", fixture_bytes!("tar/types.tar")),
    ("v7", fixture_bytes!("tar/v7.tar")),
];

fn written(tar: &[u8]) -> Verified {
    let options = WriteOptions::default();
    let (mut splitter, mut assembler) = start(&options);
    splitter.receive(tar);
    let mut batches = Vec::new();
    while let Some(batch) = splitter.next_batch() {
        batches.push(batch);
    }
    let (last, end) = splitter.finish().unwrap();
    batches.extend(last);
    let (mut encoder, mut blob) = (BatchEncoder::new(&options), Vec::new());
    for batch in batches {
        blob.extend(assembler.accept(batch.compress(&mut encoder)).unwrap());
    }
    let (tail, layer) = assembler.finish(end).unwrap();
    blob.extend(tail);
    let verified = verify(&blob, claims(&blob, layer.annotations, Digest::of(tar)), 10_000);
    let plain = matches!(verified.form, LayerForm::Plain(_));
    assert_eq!(plain, layer.plain.is_some());
    verified
}

#[test]
fn what_our_writer_writes_is_right() {
    let mut chunked = 0;
    for (name, tar) in TARS {
        let verified = written(tar);
        assert_eq!(codes(&verified, Weight::Wrong), [""; 0], "{name}: {:#?}", lines(&verified));
        assert_eq!(codes(&verified, Weight::Note), [""; 0], "{name}: {:#?}", lines(&verified));
        chunked += usize::from(verified.form == LayerForm::ZstdChunked);
    }
    assert!(chunked > TARS.len() / 2, "{chunked}");
}
