//! `shingle demo`: two versions of a small image, from a registry inside this process.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::Deserialize;
use shingle::loopback::{Content, Loopback};
use shingle::pull::{PullOptions, PullReport, pull};
use shingle::registry::{Reference, ReferenceError};
use shingle::store::Store;
use shingle_core::Digest;

use super::pull::say_report;
use crate::cli::DemoArgs;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::words::{Bytes, Percent};

/// The layout that `tests/fixtures/demo/make` wrote.
const INDEX: &[u8] = include_bytes!("../../../tests/fixtures/demo/index.json");
const BLOBS: &[&[u8]] = &include!("../../../tests/fixtures/demo/layout.rs");

pub(super) fn run(args: &DemoArgs, printer: &Printer) -> Result<(), Failure> {
    let registry = Loopback::start(content()?).context("cannot open a port on this machine")?;
    if args.serve {
        return serve(&registry, printer);
    }
    let home = match &args.keep {
        Some(directory) => empty(directory)?,
        None => {
            let temporary = tempfile::Builder::new().prefix("shingle-demo-").tempdir();
            temporary.context("cannot make a temporary directory")?.keep()
        }
    };
    let store = Store::open(home.join("store"))?;
    let client = super::client(false, None)?;
    let pull = |tag: &str| -> Result<PullReport, Failure> {
        let reference = reference(&registry, tag)?;
        let progress = Progress::new(printer, reference.to_string());
        let report = pull(&store, &client, &reference, &PullOptions::default(), &progress)?;
        drop(progress);
        if printer.json() {
            printer.object(&report)?;
        } else {
            say_report(&store, &report, printer);
        }
        Ok(report)
    };
    printer.say_of("1. Version 1 of an image, into an empty store:", "");
    pull("v1")?;
    printer.say("");
    printer.say_of("2. Version 2, rebuilt:", " one file changed, one grown, one new, its directory renamed.");
    let second = pull("v2")?;
    let (fetched, size) = second
        .layers
        .iter()
        .fold((0, 0), |(fetched, size), layer| (fetched + layer.fetched_bytes, size + layer.blob_bytes));
    let skipped = u64::saturating_sub(size, fetched);
    printer.say("");
    printer.say_of(
        format_args!("The second pull skipped {}", Percent { part: skipped, whole: size }),
        format_args!(": {} of {} never crossed the network.", Bytes(skipped), Bytes(size)),
    );
    say_commands(&home, &second, printer);
    Ok(())
}

/// Says how to look at what there is now, and how to do it again by hand.
fn say_commands(home: &Path, report: &PullReport, printer: &Printer) {
    let (me, home, image) = (me(), quoted(&home.display().to_string()), &report.image);
    let steps = [
        (
            "The images, and how they overlap on disk",
            vec![
                format!("{me} --root {home}/store images"),
                format!("du -sh {home}/store/trees/*    # counts a file once, however many names it has"),
            ],
        ),
        (
            "The new layer's directory, and the whole image as one",
            vec![
                format!(
                    "ls -l {home}/store/trees/{}/opt/tiler/",
                    report.layers.last().map_or_else(String::new, |layer| layer.diff_id.to_hex())
                ),
                format!("{me} --root {home}/store unpack {image} {home}/rootfs"),
            ],
        ),
        (
            "The same by hand: serve the two versions, and pull them from another terminal",
            vec![format!("{me} demo --serve")],
        ),
        ("Leave no trace", vec![format!("rm -r {home}")]),
    ];
    for (purpose, commands) in steps {
        printer.say("");
        printer.say(format_args!("{purpose}:"));
        for command in commands {
            printer.say(format_args!("  {command}"));
        }
    }
}

fn serve(registry: &Loopback, printer: &Printer) -> Result<(), Failure> {
    let (old, new) = (reference(registry, "v1")?, reference(registry, "v2")?);
    if printer.json() {
        printer.object(&serde_json::json!({ "images": [old.to_string(), new.to_string()] }))?;
    } else {
        let me = me();
        printer.say("Serving two versions of a small image until Ctrl-C. In another terminal:");
        printer.result(format_args!("  {me} inspect --tls-verify=false {new}"))?;
        printer.result(format_args!("  {me} --root ./demo pull --tls-verify=false {old}"))?;
        printer.result(format_args!("  {me} --root ./demo pull --tls-verify=false {new}"))?;
        printer.result(format_args!("  {me} --root ./demo unpack {new} ./demo-rootfs"))?;
    }
    loop {
        std::thread::park();
    }
}

fn reference(registry: &Loopback, tag: &str) -> Result<Reference, Failure> {
    let name = registry.reference(&format!("demo:{tag}"));
    name.parse().map_err(|error: ReferenceError| Failure::new(error))
}

/// Returns what the registry serves.
fn content() -> Result<Content, Failure> {
    #[derive(Deserialize)]
    struct Index {
        manifests: Vec<Entry>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        media_type: String,
        digest: Digest,
        annotations: Annotations,
    }
    #[derive(Deserialize)]
    struct Annotations {
        #[serde(rename = "org.opencontainers.image.ref.name")]
        tag: String,
    }
    let index: Index = serde_json::from_slice(INDEX).context("the image inside this program is damaged")?;
    let mut content = Content::default();
    for blob in BLOBS {
        let digest = content.add_blob(*blob);
        for entry in index.manifests.iter().filter(|entry| entry.digest == digest) {
            content.add_manifest(Some(&entry.annotations.tag), &entry.media_type, *blob);
        }
    }
    Ok(content)
}

/// Makes a directory, or makes sure that it is empty.
fn empty(path: &Path) -> Result<PathBuf, Failure> {
    let authority = ambient_authority();
    Dir::create_ambient_dir_all(path, authority)
        .with_context(|| format!("cannot create {}", path.display()))?;
    let entries = Dir::open_ambient_dir(path, authority).and_then(|dir| dir.entries());
    let first = entries.with_context(|| format!("cannot read {}", path.display()))?.next();
    match first {
        None => Ok(path.to_owned()),
        Some(_) => Err(Failure::new(anyhow::anyhow!("{} is not empty", path.display()))
            .hint("name a directory that is empty or not there yet")),
    }
}

/// Returns how this program was called, for commands to copy.
fn me() -> String {
    std::env::args_os().next().map_or_else(|| "shingle".to_owned(), |name| quoted(&name.to_string_lossy()))
}

/// Quotes a word for a shell, if it needs to be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
