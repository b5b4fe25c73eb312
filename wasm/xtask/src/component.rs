//! The component `shingle:core`, for wasm hosts.

use anyhow::{Context as _, bail};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use crate::Zstd;
use crate::cargo::Workspace;
use crate::sizes::Artefact;

/// The builds: what stands in the file's name, and the features.
const WORLDS: [(&str, &[&str]); 3] =
    [("", &["component", "writer"]), (".inspector", &["component", "overlap"]), (".reader", &["component"])];

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
/// It imports anything, or the module does that only a host could give it.
fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    // Handles of its own resources are kept for it by the component model.
    no_imports(module, "[export]shingle:core/").context("the module")?;
    let component = ComponentEncoder::default().validate(true).module(module)?.encode()?;
    no_imports(&component, "\0").context("the component")?;
    Ok(component)
}

/// Checks that nothing is asked of the host: no clock, no files, no sockets, no randomness. Modules whose name begins
/// with `granted` may be imported from.
///
/// Only what stands at the outermost level counts: inside a component, its parts import from each other.
fn no_imports(wasm: &[u8], granted: &str) -> anyhow::Result<()> {
    let mut depth = 0_usize;
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ImportSection(section) if depth == 0 => {
                for import in section.into_imports() {
                    let import = import?;
                    if !import.module.starts_with(granted) {
                        imports.push(format!("{}/{}", import.module, import.name));
                    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_refused_and_named() {
        // (module (import "env" "now" (func)))
        let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0b\x01\x03env\x03now\0\0";
        let error = no_imports(module, "[export]").expect_err("it imports").to_string();
        assert!(error.contains("env/now"), "{error}");
        no_imports(module, "env").expect("granted");
        no_imports(b"\0asm\x01\0\0\0", "[export]").expect("an empty module");
    }
}
