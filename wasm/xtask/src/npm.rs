//! The npm package `@shingle/core`: the face for browsers, bound to JavaScript.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::Zstd;
use crate::cargo::Workspace;
use crate::sizes::Artefact;

/// The entry points: the folder, and the features.
const ENTRIES: [(&str, &[&str]); 3] =
    [("inspector", &["browser", "overlap"]), ("reader", &["browser"]), ("full", &["browser", "writer"])];

/// What stands in `wasm/npm/package.json` in place of the version.
const VERSION: &str = "\"version\": \"0.0.0\"";

/// Builds the npm package into `npm/core` of the results (`npm/core.ruzstd` with the decoder in Rust).
pub(crate) fn build(workspace: &Workspace, zstd: Zstd) -> anyhow::Result<Vec<Artefact>> {
    let package = format!("npm/core{}", zstd.suffix());
    let mut made = Vec::new();
    for (entry, features) in ENTRIES {
        let module = workspace.module(features, zstd)?;
        let folder = format!("{package}/{entry}");
        workspace.clear(&folder)?;
        let (wasm, js) = bind(workspace, &folder, module).with_context(|| folder.clone())?;
        made.push(Artefact::weigh(format!("{folder}/shingle_bg.wasm"), &wasm)?);
        made.push(Artefact::weigh(format!("{folder}/shingle.js"), &js)?);
    }
    let from = |path: &str| {
        let path = workspace.root().join(path);
        fs::read_to_string(&path).with_context(|| format!("{}", path.display()))
    };
    let json = from("wasm/npm/package.json")?;
    if !json.contains(VERSION) {
        bail!("wasm/npm/package.json does not say {VERSION}");
    }
    let json = json.replace(VERSION, &format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION")));
    workspace.write(&format!("{package}/package.json"), json.as_bytes())?;
    workspace.write(&format!("{package}/README.md"), from("wasm/npm/README.md")?.as_bytes())?;
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        workspace.write(&format!("{package}/{name}"), from(name)?.as_bytes())?;
    }
    for (entry, _) in ENTRIES {
        workspace.write(&format!("{package}/{entry}/node.js"), from("wasm/npm/node.js")?.as_bytes())?;
    }
    Ok(made)
}

/// Writes the module, its JavaScript and its types into `folder`, and returns the first two.
fn bind(workspace: &Workspace, folder: &str, module: Vec<u8>) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes("shingle", module).web(true)?.typescript(true).omit_default_module_path(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    let out = workspace.out().join(folder);
    bindgen.generate(&out)?;
    let read = |name: &str| {
        let path = out.join(name);
        fs::read(&path).with_context(|| format!("{}", path.display()))
    };
    let (wasm, js) = (read("shingle_bg.wasm")?, read("shingle.js")?);
    only_bindgen(&wasm)?;
    Ok((wasm, js))
}

/// Checks that nothing is asked of the page but what wasm-bindgen's own JavaScript gives.
fn only_bindgen(wasm: &[u8]) -> anyhow::Result<()> {
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let wasmparser::Payload::ImportSection(section) = payload? else { continue };
        for import in section.into_imports() {
            let import = import?;
            if !Path::new(import.module).starts_with("./shingle_bg.js") {
                bail!("it imports {}/{}", import.module, import.name);
            }
        }
    }
    Ok(())
}
