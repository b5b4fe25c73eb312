//! A layer of 200,000 files is planned and fetched in 200 MB; answers that end early lose nothing.

use wasmtime::Result;
use wasmtime::component::Component;

use crate::bindings::types;
use crate::layer::{Written, fetch, plan, put_file, write_layer};
use crate::machine::{Machine, load};

const FILES: usize = 200_000;
const BOUND: usize = 200_000_000;

#[test]
fn a_large_toc_takes_no_more_than_200_mb() {
    let Some(component) = load("shingle_core.wasm") else { return };
    let (blob, annotations) = written(&component).unwrap();
    for trust in [types::Trust::Toc, types::Trust::DiffId] {
        let mut machine = Machine::start(&component, 2 << 30);
        let plan = plan(&mut machine, &blob, annotations.clone(), trust).unwrap();
        let mut chunks = 0;
        fetch(&mut machine, &blob, plan, |lent| chunks += usize::from(lent.ends_chunk)).unwrap();
        let used = machine.store.data().used;
        println!("{trust:?}: {used} of {BOUND} bytes");
        assert_eq!(chunks, FILES);
        assert!(used <= BOUND, "{trust:?} took {used} bytes");
    }
}

/// The decoder has all bytes of such a file long before it has lent its content.
#[test]
fn answers_that_end_early_lose_nothing() {
    const LEN: usize = 20 << 20;
    let Some(component) = load("shingle_core.wasm") else { return };
    let content: Vec<u8> = (0..LEN).map(|at| u8::try_from(at / 4096 % 251).unwrap()).collect();
    let mut tar = Vec::new();
    put_file(&mut tar, "long", &content);
    tar.resize(tar.len() + 1024, 0);
    let (blob, annotations) = write_layer(&component, [tar].into_iter()).unwrap();
    let mut machine = Machine::start(&component, 1 << 30);
    let plan = plan(&mut machine, &blob, annotations, types::Trust::DiffId).unwrap();
    let mut came = vec![0; LEN];
    fetch(&mut machine, &blob, plan, |lent| {
        let at = usize::try_from(lent.offset).unwrap();
        came[at..at + lent.bytes.len()].copy_from_slice(&lent.bytes);
    })
    .unwrap();
    assert!(came == content, "the content is another");
}

/// A layer of many small files, each with a content of its own, written by the component.
fn written(component: &Component) -> Result<Written> {
    let members = (0..=FILES).map(|file| {
        let mut tar = Vec::new();
        if file == FILES {
            tar.resize(1024, 0);
        } else {
            member(&mut tar, file);
        }
        tar
    });
    write_layer(component, members)
}

/// One of the many files.
fn member(tar: &mut Vec<u8>, file: usize) {
    let name = format!("usr/share/package-{:04}/some/directory/file-{file:06}.txt", file / 100);
    put_file(tar, &name, format!("the content of file {file}\n").as_bytes());
}
