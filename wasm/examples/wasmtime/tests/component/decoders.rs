//! The component with C zstd and the one with ruzstd say the same of every layer, of those that lie too.

use wasmtime::Result;
use wasmtime::component::Component;

use crate::bindings::{pull, types, whole};
use crate::corpus::{Layer, layers, mutated};
use crate::machine::{Machine, load};
use crate::random::Random;

const MEMORY: usize = 1 << 30;
const MUTATED: u64 = 150;

#[test]
fn both_decoders_say_the_same() {
    let (Some(c), Some(rust)) = (load("shingle_core.wasm"), load("shingle_core.ruzstd.wasm")) else { return };
    let originals = layers();
    let mut all = originals.clone();
    all.extend((0..MUTATED).map(|seed| mutated(&mut Random::new(seed), &originals)));
    let said = |component: &Component| -> Vec<Vec<String>> {
        let mut machine = Machine::start(component, MEMORY);
        all.iter().map(|layer| transcript(&mut machine, layer).unwrap()).collect()
    };
    let (c, rust) = (said(&c), said(&rust));
    for (index, (c, rust)) in c.iter().zip(&rust).enumerate() {
        assert_eq!(c, rust, "layer {index}");
    }
    let read =
        c[..originals.len()].iter().filter(|said| said.last().is_some_and(|last| last == "whole")).count();
    assert_eq!(read, originals.len(), "the fixtures are read: {:?}", c[..originals.len()].to_vec());
}

/// What the component makes of a layer, without the words of its decoder.
fn transcript(machine: &mut Machine, layer: &Layer) -> Result<Vec<String>> {
    let mut said = Vec::new();
    let mut policy = machine.call(|store, world| world.shingle_core_types().call_default_policy(store))?;
    policy.trust = types::Trust::Toc;
    let layer_said = pull::Layer {
        media_type: "application/vnd.oci.image.layer.v1.tar+zstd".into(),
        size: u64::try_from(layer.blob.len())?,
        annotations: layer.annotations.clone(),
    };
    if let pull::Looked::Toc(fetch) =
        machine.call(|store, world| world.shingle_core_pull().call_look(store, &layer_said, policy))?
    {
        let opened = machine.call(|store, world| {
            let fetches = world.shingle_core_pull().toc_fetch();
            let owed = fetches.call_remaining(&mut *store, fetch)?;
            let place = |offset: u64| usize::try_from(offset).unwrap().min(layer.blob.len());
            fetches.call_receive(&mut *store, fetch, &layer.blob[place(owed.start)..place(owed.end)])?;
            fetches.call_finish(store, fetch)
        })?;
        said.push(match opened {
            Ok(pull::Opened::Found(basis)) => files(machine, layer, basis, policy)?,
            Ok(pull::Opened::Whole(_)) => "whole".into(),
            Err(error) => format!("lie: {}", error.lie),
        });
    }
    read(machine, layer, policy, &mut said)?;
    Ok(said)
}

/// Fetches all that a TOC lists.
fn files(
    machine: &mut Machine,
    layer: &Layer,
    basis: wasmtime::component::ResourceAny,
    policy: types::Policy,
) -> Result<String> {
    machine.call(|store, world| {
        let pull = world.shingle_core_pull();
        let inventory = pull.inventory().call_constructor(&mut *store)?;
        let pull::Decision::Partial(plan) = pull.call_decide(&mut *store, basis, inventory, policy)? else {
            return Ok("whole".into());
        };
        let mut said = format!("{:?}", pull.plan().call_summary(&mut *store, plan)?);
        let (_, fetches) = pull.plan().call_start(&mut *store, plan)?;
        for fetch in fetches {
            let owed = pull.fetch().call_remaining(&mut *store, fetch)?;
            let place = |offset: u64| usize::try_from(offset).unwrap().min(layer.blob.len());
            for piece in layer.blob[place(owed.start)..place(owed.end)].chunks(10_000) {
                match pull.fetch().call_receive(&mut *store, fetch, piece)? {
                    Ok(lent) => {
                        for lent in lent {
                            said += &format!(" {}@{}+{}", lent.file, lent.offset, lent.bytes.len());
                        }
                    }
                    Err(_) => {
                        said += " refused";
                        break;
                    }
                }
            }
            said += if pull.fetch().call_finish(&mut *store, fetch)?.is_ok() { " done" } else { " not done" };
        }
        Ok(said)
    })
}

/// Reads the layer front to back.
fn read(machine: &mut Machine, layer: &Layer, policy: types::Policy, said: &mut Vec<String>) -> Result<()> {
    let fetch = machine.call(|store, world| {
        world.shingle_core_whole().whole_fetch().call_constructor(store, policy.limits, true)
    })?;
    let mut rest = layer.blob.as_slice();
    loop {
        let (piece, after) = rest.split_at(rest.len().min(30_000));
        let (pieces, pending) = machine.call(|store, world| {
            let wholes = world.shingle_core_whole().whole_fetch();
            let pieces = wholes.call_receive(&mut *store, fetch, piece)?;
            Ok((pieces, wholes.call_pending(store, fetch)?))
        })?;
        let Ok(pieces) = pieces else { break };
        for piece in pieces {
            if let whole::Piece::End(end) = piece {
                said.push(format!("{} {}", end.file, end.digest));
            }
        }
        rest = after;
        if rest.is_empty() && !pending {
            break;
        }
    }
    let blob = crate::support::digest(&layer.blob);
    let done = machine.call(|store, world| {
        world.shingle_core_whole().whole_fetch().call_finish(store, fetch, &blob, &layer.diff_id)
    })?;
    said.push(if done.is_ok() { "whole".into() } else { "refused".into() });
    Ok(())
}
