use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::testing::{Layer, ZOO_TAR, fixture_bytes, plan, pull};
use crate::{Body, DiffIdCheck, Digest, FOOTER_LEN, Inventory, Limits, Locator, decompress};

mod generated;
mod podman;
mod refused;

/// Writes a tar that comes in pieces of `step` bytes; `order` says which of the batches is compressed next.
fn write_with(
    tar: &[u8],
    options: &WriteOptions,
    step: usize,
    mut order: impl FnMut(usize) -> usize,
) -> Result<(Vec<u8>, WrittenLayer), WriteError> {
    let (mut splitter, mut assembler) = start(options);
    let mut batches = Vec::new();
    for piece in tar.chunks(step) {
        splitter.receive(piece);
        while let Some(batch) = splitter.next_batch() {
            batches.push(batch);
        }
    }
    let (last, end) = splitter.finish()?;
    batches.extend(last);
    let mut encoders = [BatchEncoder::new(options), BatchEncoder::new(options)];
    let mut packed = BTreeMap::new();
    let mut todo = batches.into_iter().enumerate().collect::<Vec<_>>();
    while !todo.is_empty() {
        let (number, batch) = todo.remove(order(todo.len()));
        packed.insert(number, batch.compress(&mut encoders[number % 2]));
    }
    let mut blob = Vec::new();
    for packed in packed.into_values() {
        blob.extend(assembler.accept(packed)?);
    }
    let (tail, layer) = assembler.finish(end)?;
    blob.extend(tail);
    assert_eq!((layer.blob, layer.blob_len), (Digest::of(&blob), blob.len() as u64));
    assert_eq!((layer.diff_id, layer.tar_len), (Digest::of(tar), tar.len() as u64));
    Ok((blob, layer))
}

fn write(tar: &[u8]) -> (Vec<u8>, WrittenLayer) {
    write_with(tar, &WriteOptions::default(), 100_000, |_| 0).unwrap()
}

/// The layer as readers find it.
fn as_layer(tar: &[u8], (blob, written): &(Vec<u8>, WrittenLayer)) -> Layer {
    assert_eq!(written.plain, None);
    let annotations = written.annotations.clone();
    let locator = Locator::from_annotations(&annotations, blob.len() as u64, &Limits::default());
    let data_end = locator.unwrap().unwrap().data_end() as usize;
    Layer { blob: blob.clone(), annotations, tar: tar.to_vec(), data_end }
}

/// Reads a layer as a pull does, by its annotations and by its footer, and holds everything against the tar.
fn reads_back(tar: &[u8], written: &(Vec<u8>, WrittenLayer)) {
    let layer = as_layer(tar, written);
    let (blob, limits) = (&layer.blob, Limits::default());
    assert_eq!(decompress(blob, 1 << 30).unwrap(), tar, "the blob decompresses to the tar");

    let tail = &blob[blob.len() - FOOTER_LEN..];
    let by_footer = Locator::from_footer(tail, blob.len() as u64, &limits).unwrap().unwrap();
    let by_annotations = layer.locator();
    assert_eq!((by_footer.toc(), by_footer.tar_split()), (by_annotations.toc(), by_annotations.tar_split()));
    assert_eq!(by_annotations.vouched(), Some(&toc_digest(&layer)));

    let agreed = layer.agreed();
    let toc = agreed.toc().clone();
    frames_are_whole(&layer);
    let plan = plan(&toc, &Inventory::default());
    let (files, complete) = pull(blob, &plan, &BTreeMap::new(), || 10_000).unwrap();
    assert_eq!(files, layer.contents());
    let mut check = DiffIdCheck::new(agreed, &plan);
    while let Some(file) = check.wants().unwrap() {
        check.receive(&files[&file]).unwrap();
    }
    check.finish(complete, &Digest::of(tar)).unwrap();
}

fn toc_digest(layer: &Layer) -> Digest {
    let range = layer.locator().toc().range.clone();
    Digest::of(&layer.blob[range.start as usize..range.end as usize])
}

/// Every chunk lies in frames of its own, which say how long they are and what they hold, and none is empty.
fn frames_are_whole(layer: &Layer) {
    let (toc, contents) = (layer.toc(), layer.contents());
    for (file, entry) in toc.files() {
        for chunk in toc.chunks(entry) {
            let content = &contents[&file][chunk.offset as usize..][..chunk.len as usize];
            assert_eq!(chunk.digest, Digest::of(content));
            if let Body::Frames(frames) = &chunk.body {
                let frames = &layer.blob[frames.start as usize..frames.end as usize];
                assert_eq!(decompress(frames, 1 << 30).unwrap(), content);
            }
        }
    }
    #[cfg(feature = "c-zstd")]
    {
        let mut rest = &layer.blob[..layer.data_end];
        while !rest.is_empty() {
            let len = zstd_safe::find_frame_compressed_size(rest).unwrap();
            let plain = zstd_safe::get_frame_content_size(rest).unwrap().unwrap();
            assert!(plain > 0 && plain <= LONGEST_FRAME as u64, "{plain}");
            assert_eq!(rest[4] & 0b111, 0b100, "a checksum, and no dictionary");
            rest = &rest[len..];
        }
    }
}

/// The text of the TOC and of the tar-split.
fn texts((blob, written): &(Vec<u8>, WrittenLayer)) -> [String; 2] {
    let locator = Locator::from_annotations(&written.annotations, blob.len() as u64, &Limits::default());
    let locator = locator.unwrap().unwrap();
    [locator.toc(), locator.tar_split().unwrap()].map(|span| {
        let bytes = &blob[span.range.start as usize..span.range.end as usize];
        let text = decompress(bytes, span.plain_len).unwrap();
        assert_eq!(text.len() as u64, span.plain_len);
        String::from_utf8(text).unwrap()
    })
}

#[test]
fn the_zoo_is_read_back() {
    reads_back(ZOO_TAR, &write(ZOO_TAR));
}
