//! What things weigh, and what they may.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::{Context as _, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use wasmparser::{Parser, Payload};

/// The most that each file may weigh after `gzip -9`, in bytes. A file that is not listed is shown and not held.
///
/// Whoever raises one says why in the commit.
const BUDGET: [(&str, usize); 12] = [
    ("shingle_core.wasm", 485_000),
    ("shingle_core.inspector.wasm", 365_000),
    ("shingle_core.reader.wasm", 290_000),
    ("shingle_core.ruzstd.wasm", 420_000),
    ("shingle_core.inspector.ruzstd.wasm", 357_000),
    ("shingle_core.reader.ruzstd.wasm", 283_000),
    ("npm/core/inspector/shingle_bg.wasm", 340_000),
    ("npm/core/reader/shingle_bg.wasm", 250_000),
    ("npm/core/full/shingle_bg.wasm", 465_000),
    ("npm/core.ruzstd/inspector/shingle_bg.wasm", 330_000),
    ("npm/core.ruzstd/reader/shingle_bg.wasm", 240_000),
    ("npm/core.ruzstd/full/shingle_bg.wasm", 378_000),
];

/// A file that was built.
#[derive(Debug)]
pub(crate) struct Artefact {
    name: String,
    raw: usize,
    stripped: usize,
    gzip: usize,
    brotli: usize,
}

impl Artefact {
    /// Weighs a file of wasm, or any other.
    pub(crate) fn weigh(name: impl Into<String>, bytes: &[u8]) -> anyhow::Result<Self> {
        let name = name.into();
        let stripped = bytes.len().saturating_sub(custom(bytes).with_context(|| name.clone())?);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(bytes)?;
        let gzip = gzip.finish()?.len();
        let mut brotli = Vec::new();
        let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
        brotli::BrotliCompress(&mut &bytes[..], &mut brotli, &params)?;
        Ok(Self { name, raw: bytes.len(), stripped, gzip, brotli: brotli.len() })
    }
}

/// Returns a table of the files and what they weigh.
pub(crate) fn table(made: &[Artefact]) -> String {
    let width = made.iter().map(|artefact| artefact.name.len()).max().unwrap_or_default();
    let mut table = format!(
        "{:width$} {:>10} {:>10} {:>10} {:>10} {:>10}\n",
        "bytes", "raw", "stripped", "gzip -9", "brotli -11", "budget"
    );
    for Artefact { name, raw, stripped, gzip, brotli } in made {
        let budget = budget(name).map_or_else(|| "-".into(), |budget| budget.to_string());
        // Writing to a string does not fail.
        let _ =
            writeln!(table, "{name:width$} {raw:>10} {stripped:>10} {gzip:>10} {brotli:>10} {budget:>10}");
    }
    table
}

/// Holds every file to its budget.
///
/// # Errors
/// One is over it.
pub(crate) fn hold(made: &[Artefact]) -> anyhow::Result<()> {
    let over = made.iter().filter(|made| budget(&made.name).is_some_and(|budget| made.gzip > budget));
    let over: Vec<_> = over.map(|made| format!("{} is {} bytes gzipped", made.name, made.gzip)).collect();
    if over.is_empty() {
        return Ok(());
    }
    bail!("{}; the budget is in wasm/xtask/src/sizes.rs", over.join(", "))
}

fn budget(name: &str) -> Option<usize> {
    BUDGET.iter().find(|(of, _)| *of == name).map(|(_, budget)| *budget)
}

/// Returns how many bytes of a module or component are custom sections: names, documentation, producers.
fn custom(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut len = 0;
    if !bytes.starts_with(b"\0asm") {
        return Ok(len);
    }
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::CustomSection(section) = payload? {
            len += section.range().len();
        }
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty module with a custom section of 5 bytes named "x".
    const MODULE: &[u8] = b"\0asm\x01\0\0\0\0\x07\x01xhello";

    #[test]
    fn what_is_stripped_is_the_custom_sections() {
        let made = Artefact::weigh("x", MODULE).expect("it is a module");
        assert_eq!(made.raw, 17);
        assert!((8..=11).contains(&made.stripped), "{made:?}");
    }

    #[test]
    fn a_file_over_its_budget_is_refused() {
        let (name, budget) = BUDGET[0];
        let made = |gzip| [Artefact { name: name.into(), raw: 0, stripped: 0, gzip, brotli: 0 }];
        assert!(hold(&made(budget)).is_ok());
        let error = hold(&made(budget + 1)).expect_err("it is over").to_string();
        assert!(error.contains(name), "{error}");
    }
}
