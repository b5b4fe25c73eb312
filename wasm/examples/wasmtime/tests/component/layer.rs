//! Layers that the component writes, plans and fetches.

use wasmtime::Result;
use wasmtime::component::{Component, ResourceAny};

use crate::bindings::{pull, types, write};
use crate::machine::Machine;

/// How much a host hands over at once, in bytes.
const PIECE: usize = 256 << 10;

/// A blob, and the annotations that lead to its TOC.
pub(crate) type Written = (Vec<u8>, Vec<(String, String)>);

/// Writes a layer with the component; its tar comes in pieces.
pub(crate) fn write_layer(component: &Component, tar: impl Iterator<Item = Vec<u8>>) -> Result<Written> {
    let mut machine = Machine::start(component, 1 << 30);
    let limits = machine.call(|store, world| world.shingle_core_types().call_default_policy(store))?.limits;
    let options = write::WriteOptions { format: write::Format::ZstdChunked, level: Some(1), limits };
    let writer =
        machine.call(|store, world| world.shingle_core_write().writer().call_constructor(store, options))?;
    let (mut blob, mut held) = (Vec::new(), Vec::new());
    let mut tar = tar.peekable();
    while let Some(piece) = tar.next() {
        held.extend(piece);
        if held.len() > 1 << 20 || tar.peek().is_none() {
            let bytes = machine.call(|store, world| {
                world.shingle_core_write().writer().call_receive(store, writer, &held)
            })?;
            blob.extend(bytes.map_err(|error| wasmtime::Error::msg(error.message))?);
            held.clear();
        }
    }
    let (tail, layer) = machine
        .call(|store, world| world.shingle_core_write().writer().call_finish(store, writer))?
        .map_err(|error| wasmtime::Error::msg(error.message))?;
    blob.extend(tail);
    assert!(layer.plain.is_none(), "{:?}", layer.plain);
    Ok((blob, layer.annotations))
}

/// A ustar header, a content, and padding.
pub(crate) fn put_file(tar: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut header = [0_u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
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
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// Opens a layer's TOC and plans for a host that holds nothing. Says how much memory there was after each step.
pub(crate) fn plan(
    machine: &mut Machine,
    blob: &[u8],
    mut annotations: Vec<(String, String)>,
    trust: types::Trust,
) -> Result<ResourceAny> {
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
        let piece = &blob[start..end.min(start + PIECE)];
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
    println!("{trust:?}: read {read}, opened {opened}, decided {} bytes", machine.store.data().used);
    Ok(plan)
}

/// Fetches what a plan wants, and hands over everything that comes.
pub(crate) fn fetch(
    machine: &mut Machine,
    blob: &[u8],
    plan: ResourceAny,
    mut take: impl FnMut(pull::Lent),
) -> Result<()> {
    let (ledger, fetches) =
        machine.call(|store, world| world.shingle_core_pull().plan().call_start(store, plan))?;
    for fetch in fetches {
        let owed =
            machine.call(|store, world| world.shingle_core_pull().fetch().call_remaining(store, fetch))?;
        for piece in blob[usize::try_from(owed.start)?..usize::try_from(owed.end)?].chunks(PIECE) {
            receive(machine, fetch, piece, &mut take)?;
        }
        let receipt =
            machine.call(|store, world| world.shingle_core_pull().fetch().call_finish(store, fetch))?;
        let receipt = receipt.map_err(|error| wasmtime::Error::msg(error.message))?;
        machine
            .call(|store, world| world.shingle_core_pull().ledger().call_credit(store, ledger, receipt))?;
    }
    let complete =
        machine.call(|store, world| world.shingle_core_pull().ledger().call_close(store, ledger))?;
    complete.map_err(|error| wasmtime::Error::msg(error.message))?;
    Ok(())
}

/// Hands bytes to a fetch and takes everything that they complete.
fn receive(
    machine: &mut Machine,
    fetch: ResourceAny,
    mut bytes: &[u8],
    take: &mut impl FnMut(pull::Lent),
) -> Result<()> {
    loop {
        let answer = machine
            .call(|store, world| world.shingle_core_pull().fetch().call_receive(store, fetch, bytes))?;
        answer.map_err(|error| wasmtime::Error::msg(error.message))?.into_iter().for_each(&mut *take);
        bytes = &[];
        if !machine.call(|store, world| world.shingle_core_pull().fetch().call_pending(store, fetch))? {
            return Ok(());
        }
    }
}
