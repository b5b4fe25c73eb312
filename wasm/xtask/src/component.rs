//! The component `shingle:core`, for wasm hosts.

use anyhow::{Context as _, bail};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use crate::Zstd;
use crate::cargo::Workspace;
use crate::sizes::Artefact;

/// The builds: what stands in the file's name, and the features.
const WORLDS: [(&str, &[&str]); 2] = [("", &["component", "writer"]), (".reader", &["component"])];

/// Builds the component of each world, and returns what they weigh.
pub(crate) fn build(workspace: &Workspace, zstd: Zstd) -> anyhow::Result<Vec<Artefact>> {
    let mut made = Vec::new();
    for (world, features) in WORLDS {
        let name = format!("shingle_core{world}{}.wasm", zstd.suffix());
        let module = workspace.module(features, zstd)?;
        let component = encode(&module).with_context(|| name.clone())?;
        workspace.write(&name, &component)?;
        made.push(Artefact::weigh(name, &component)?);
    }
    Ok(made)
}

/// Makes a component of a module that wit-bindgen had a hand in.
///
/// # Errors
/// Either imports anything.
fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    no_imports(module).context("the module")?;
    let component = ComponentEncoder::default().validate(true).module(module)?.encode()?;
    no_imports(&component).context("the component")?;
    Ok(component)
}

/// Checks that nothing is asked of the host: no clock, no files, no sockets, no randomness.
///
/// Only what stands at the outermost level counts: inside a component, its parts import from each other.
fn no_imports(wasm: &[u8]) -> anyhow::Result<()> {
    let mut depth = 0_usize;
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ImportSection(section) if depth == 0 => {
                for import in section.into_imports() {
                    let import = import?;
                    imports.push(format!("{}/{}", import.module, import.name));
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(format!("{:?}", import?.name));
                }
            }
            _ => {}
        }
    }
    if !imports.is_empty() {
        bail!("it must import nothing, and imports {}", imports.join(", "));
    }
    Ok(())
}
