//! A clang that compiles C zstd to wasm.

use std::env;
use std::process::{Command, Stdio};

use anyhow::bail;

const CC: &str = "CC_wasm32_unknown_unknown";
const AR: &str = "AR_wasm32_unknown_unknown";
const FLAGS: &str = "CFLAGS_wasm32_unknown_unknown";

/// One of each of zstd's decoding loops instead of two: 10 kB less.
const SMALL: &str = "-msimd128 -DHUF_FORCE_DECOMPRESS_X1 -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT";

/// Debian and Ubuntu name clang by its version; others do not. The one that CI has comes first.
const SUFFIXES: [&str; 10] = ["-19", "-18", "-17", "-16", "-15", "-14", "", "-22", "-21", "-20"];

/// Tells cargo, which runs zstd-sys's build script, which compiler to take; one that the caller named stays.
pub(crate) fn set(cargo: &mut Command) -> anyhow::Result<()> {
    if env::var_os(FLAGS).is_none() {
        cargo.env(FLAGS, SMALL);
    }
    if env::var_os(CC).is_some() {
        return Ok(());
    }
    for suffix in SUFFIXES {
        let (clang, ar) = (format!("clang{suffix}"), format!("llvm-ar{suffix}"));
        if knows_wasm(&clang) {
            cargo.env(CC, clang);
            // Other archivers do not know objects of wasm, and make archives without an index.
            if runs(&ar) && env::var_os(AR).is_none() {
                cargo.env(AR, ar);
            }
            return Ok(());
        }
    }
    bail!(
        "no clang that compiles for wasm32 was found (clang-19 to clang-14, clang): C zstd needs one.\n\
         Debian and Ubuntu: apt-get install clang-19 llvm-19; Fedora: dnf install clang llvm; \
         macOS: brew install llvm, and its bin folder in PATH.\n\
         Or name one in {CC} and its llvm-ar in {AR}.\n\
         `cargo xtask wasm --zstd rust` needs none: it decodes with ruzstd, at a fifth of the speed."
    )
}

/// Apple's clang, for one, has no wasm in it.
fn knows_wasm(clang: &str) -> bool {
    let mut command = Command::new(clang);
    command.args(["--target=wasm32-unknown-unknown", "-c", "-x", "c", "-", "-o", "-"]);
    succeeds(command)
}

fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version");
    succeeds(command)
}

fn succeeds(mut command: Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
