//! A layer of 200,000 files is planned in 200 MB.

use wasmtime::Result;
use wasmtime::component::Component;

use crate::bindings::{pull, types, write};
use crate::machine::{Machine, load};

const FILES: usize = 200_000;
const BOUND: usize = 200 << 20;

#[test]
fn a_large_toc_is_planned_in_200_mb() {
    let Some(component) = load("shingle_core.wasm") else { return };
    let (blob, annotations) = written(&component).unwrap();
    for trust in [types::Trust::DiffId, types::Trust::Toc] {
        let used = planned(&component, &blob, &annotations, trust).unwrap();
        println!("{trust:?}: {} of {BOUND} bytes", used);
        assert!(used <= BOUND, "{trust:?} took {used} bytes");
    }
}

/// A layer of many small files, each with a content of its own, written by the component.
fn written(component: &Component) -> Result<(Vec<u8>, Vec<(String, String)>)> {
    let mut machine = Machine::start(component, 1 << 30);
    let limits = machine.call(|store, world| world.shingle_core_types().call_default_policy(store))?.limits;
    let options = write::WriteOptions { format: write::Format::ZstdChunked, level: Some(1), limits };
    let writer =
        machine.call(|store, world| world.shingle_core_write().writer().call_constructor(store, options))?;
    let (mut blob, mut tar) = (Vec::new(), Vec::new());
    for file in 0..=FILES {
        if file == FILES {
            tar.resize(tar.len() + 1024, 0);
        } else {
            member(&mut tar, file);
        }
        if tar.len() > 1 << 20 || file == FILES {
            let bytes = machine
                .call(|store, world| world.shingle_core_write().writer().call_receive(store, writer, &tar))?;
            blob.extend(bytes.map_err(|error| wasmtime::Error::msg(error.message))?);
            tar.clear();
        }
    }
    let (tail, layer) = machine
        .call(|store, world| world.shingle_core_write().writer().call_finish(store, writer))?
        .map_err(|error| wasmtime::Error::msg(error.message))?;
    blob.extend(tail);
    assert!(layer.plain.is_none(), "{:?}", layer.plain);
    Ok((blob, layer.annotations))
}

/// A ustar header, a line of content, and padding.
fn member(tar: &mut Vec<u8>, file: usize) {
    let mut header = [0_u8; 512];
    let content = format!("the content of file {file}\n");
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, &format!("usr/share/package-{:04}/some/directory/file-{file:06}.txt", file / 100));
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", content.len()));
    put(136, "14500000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content.as_bytes());
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// Plans a layer and returns how much memory that took.
fn planned(
    component: &Component,
    blob: &[u8],
    annotations: &[(String, String)],
    trust: types::Trust,
) -> Result<usize> {
    let mut machine = Machine::start(component, 2 << 30);
    let mut annotations = annotations.to_vec();
    if trust == types::Trust::Toc {
        // Without the tar-split, as an old layer.
        annotations.retain(|(key, _)| !key.contains("tarsplit"));
    }
    let mut policy = machine.call(|store, world| world.shingle_core_types().call_default_policy(store))?;
    policy.trust = trust;
    let said = pull::Layer {
        media_type: "application/vnd.oci.image.layer.v1.tar+zstd".into(),
        size: u64::try_from(blob.len())?,
        annotations,
    };
    let looked = machine.call(|store, world| world.shingle_core_pull().call_look(store, &said, policy))?;
    let pull::Looked::Toc(fetch) = looked else { panic!("it has a TOC: {looked:?}") };
    loop {
        let owed = machine
            .call(|store, world| world.shingle_core_pull().toc_fetch().call_remaining(store, fetch))?;
        let (start, end) = (usize::try_from(owed.start)?, usize::try_from(owed.end)?);
        if start == end {
            break;
        }
        let piece = &blob[start..end.min(start + (256 << 10))];
        machine
            .call(|store, world| world.shingle_core_pull().toc_fetch().call_receive(store, fetch, piece))?;
    }
    let read = machine.store.data().used;
    let opened =
        machine.call(|store, world| world.shingle_core_pull().toc_fetch().call_finish(store, fetch))?;
    let Ok(pull::Opened::Found(basis)) = opened else { panic!("it is good: {opened:?}") };
    let opened = machine.store.data().used;
    let decision = machine.call(|store, world| {
        let inventory = world.shingle_core_pull().inventory().call_constructor(&mut *store)?;
        world.shingle_core_pull().call_decide(store, basis, inventory, policy)
    })?;
    let pull::Decision::Partial(plan) = decision else { panic!("it is planned: {decision:?}") };
    let decided = machine.store.data().used;
    let summary = machine.call(|store, world| world.shingle_core_pull().plan().call_summary(store, plan))?;
    assert_eq!(summary.files, u64::try_from(FILES)?);
    println!("{trust:?}: read {read}, opened {opened}, decided {decided} bytes");
    Ok(machine.store.data().used)
}
