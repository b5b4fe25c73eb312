//! `shingle diff`

use std::process::ExitCode;

use serde::Serialize;
use shingle::contents::Contents;
use shingle_core::overlap::{Bytes, Change, Changed, Fields, ImageId, Measure, NodeId, Overlap};
use shingle_core::{Digest, Kind};

use super::looking::{Read, compare, ids, look_at};
use crate::cli::{DiffArgs, Global};
use crate::failure::Failure;
use crate::printer::{Printer, Unwritten};
use crate::words::{self, Thousands, columns};

/// What differs between two images, for programs.
#[derive(Serialize)]
struct Report {
    old: Side,
    new: Side,
    changes: Vec<Row>,
    summary: Summary,
    read: Read,
}

#[derive(Serialize)]
struct Side {
    image: String,
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
}

/// A path that differs, or two for what was renamed.
#[derive(Serialize)]
struct Row {
    status: Status,
    /// Of the new path, of the old one where it was removed.
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<&'static str>,
    bytes: Bytes,
    /// What the old image lacks of it.
    fresh: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Added,
    Content,
    Properties,
    Removed,
    Renamed,
}

/// What the changes that are shown come to.
#[derive(Default, Serialize)]
struct Summary {
    added: Sum,
    removed: Sum,
    content: Sum,
    properties: Sum,
    renamed: Sum,
    /// Paths that are the same in all, of the whole image.
    same: u64,
    /// All that the new image has and the old one lacks, each content once, hidden files included: whole files.
    new_files: Bytes,
    /// The same by chunks.
    new_chunks: Bytes,
}

#[derive(Clone, Copy, Default, Serialize)]
struct Sum {
    count: u64,
    bytes: Bytes,
    fresh: Bytes,
}

pub(super) fn run(global: &Global, args: &DiffArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let images = look_at(global, &[args.old.clone(), args.new.clone()], &args.look, printer)?;
    let overlap = compare(&images)?;
    let report = report(&overlap, &images, args)?;
    let differs = !report.changes.is_empty();
    if printer.json() {
        printer.object(&report)?;
    } else {
        print(&report, args, printer)?;
    }
    Ok(if differs && args.exit_code { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn report(overlap: &Overlap, images: &[Contents], args: &DiffArgs) -> Result<Report, Failure> {
    let mut ids = ids(overlap);
    let both = ids.next().zip(ids.next());
    let compared = both.and_then(|(a, b)| Some(((a, b), overlap.diff(a, b)?)));
    let (Some(((a, b), diff)), [old, new]) = (compared, images) else {
        return Err(Failure::new(anyhow::anyhow!("not two images")));
    };
    let path = args.path.as_deref().map(|path| path.trim_matches('/'));
    if let Some(path) = path
        && [a, b].iter().all(|image| overlap.find(*image, path.as_bytes()).is_none())
    {
        return Err(Failure::new(anyhow::anyhow!("neither image has {path}")));
    }
    let [old_kinds, new_kinds] =
        [a, b].map(|image| overlap.view(image, Measure::Logical).map(|view| view.kinds).unwrap_or_default());
    let mut summary = Summary {
        same: diff.summary.same.count,
        new_files: diff.summary.new_files,
        new_chunks: diff.summary.new_chunks,
        ..Summary::default()
    };
    let mut changes = Vec::new();
    for change in &diff.changes {
        if args.ignore_mtime && change.changed == Changed::Metadata && only_mtime(change.fields) {
            continue;
        }
        let old_path = change.old.and_then(|node| name(overlap, a, node));
        let new_path = change.new.and_then(|node| name(overlap, b, node));
        let below = |name: &Option<String>| {
            let (Some(name), Some(path)) = (name, path) else { return path.is_none() };
            name.strip_prefix(path)
                .is_some_and(|rest| path.is_empty() || rest.is_empty() || rest.starts_with('/'))
        };
        if !below(&old_path) && !below(&new_path) {
            continue;
        }
        let kind = match (change.new, change.old) {
            (Some(node), _) => new_kinds.get(node.index()),
            (None, Some(node)) => old_kinds.get(node.index()),
            (None, None) => None,
        };
        summary.add(change);
        changes.push(Row {
            status: change.changed.into(),
            kind: kind.copied().unwrap_or(Kind::Regular).as_str(),
            old: old_path,
            new: new_path,
            properties: properties(change.fields),
            bytes: change.bytes,
            fresh: change.fresh,
        });
    }
    Ok(Report { old: Side::new(old), new: Side::new(new), changes, summary, read: Read::of(images) })
}

fn print(report: &Report, args: &DiffArgs, printer: &Printer) -> Result<(), Unwritten> {
    if !args.stat && !report.changes.is_empty() {
        let head = ["", "BYTES", "FETCH", "PROPERTIES", "PATH"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(head).chain(report.changes.iter().map(Row::cells)).collect();
        for line in columns(&rows) {
            printer.result(line)?;
        }
        printer.say("A added, D removed, M other content, P other properties only, R renamed");
        printer.result("")?;
    }
    let summary = &report.summary;
    let head = ["CHANGE", "PATHS", "BYTES", "FETCH"].map(str::to_owned);
    let sums = [
        ("added", summary.added),
        ("removed", summary.removed),
        ("content", summary.content),
        ("properties", summary.properties),
        ("renamed", summary.renamed),
    ];
    let row = |(name, sum): (&str, Sum)| {
        [name.to_owned(), Thousands(sum.count).to_string(), bytes(sum.bytes.logical), fetch(sum.fresh)]
    };
    for line in columns(&std::iter::once(head).chain(sums.map(row)).collect::<Vec<_>>()) {
        printer.result(line)?;
    }
    printer.result("")?;
    if args.path.is_none() {
        printer.result(format_args!(
            "Of {}, {} lacks {} in whole files, {} in chunks: {} compressed.",
            report.new.image,
            report.old.image,
            bytes(summary.new_files.logical),
            bytes(summary.new_chunks.logical),
            fetch(summary.new_chunks)
        ))?;
    }
    printer.result(report.read.sentence())
}

impl Row {
    fn cells(&self) -> [String; 5] {
        let slash = if self.kind == Kind::Directory.as_str() { "/" } else { "" };
        let path = match (&self.old, &self.new) {
            (Some(old), Some(new)) if old != new => renamed(old, new),
            (_, Some(path)) | (Some(path), None) => format!("{path}{slash}"),
            (None, None) => String::new(),
        };
        let is_file = self.kind == Kind::Regular.as_str();
        let of_file = |text: String| if is_file { text } else { "-".to_owned() };
        [
            self.status.letter().to_owned(),
            of_file(bytes(self.bytes.logical)),
            if self.status == Status::Removed { "-".to_owned() } else { of_file(fetch(self.fresh)) },
            if self.properties.is_empty() { "-".to_owned() } else { self.properties.join(",") },
            path,
        ]
    }
}

impl Summary {
    fn add(&mut self, change: &Change) {
        let sum = match change.changed {
            Changed::Added => &mut self.added,
            Changed::Content => &mut self.content,
            Changed::Metadata => &mut self.properties,
            Changed::Removed => &mut self.removed,
            Changed::Renamed => &mut self.renamed,
        };
        sum.count = sum.count.saturating_add(1);
        add(&mut sum.bytes, change.bytes);
        add(&mut sum.fresh, change.fresh);
    }
}

impl Side {
    fn new(image: &Contents) -> Self {
        Self {
            image: image.name.clone(),
            digest: image.digest,
            platform: image.platform.as_ref().map(ToString::to_string),
        }
    }
}

impl Status {
    const fn letter(self) -> &'static str {
        match self {
            Self::Added => "A",
            Self::Content => "M",
            Self::Properties => "P",
            Self::Removed => "D",
            Self::Renamed => "R",
        }
    }
}

impl From<Changed> for Status {
    fn from(changed: Changed) -> Self {
        match changed {
            Changed::Added => Self::Added,
            Changed::Content => Self::Content,
            Changed::Metadata => Self::Properties,
            Changed::Removed => Self::Removed,
            Changed::Renamed => Self::Renamed,
        }
    }
}

const fn add(to: &mut Bytes, more: Bytes) {
    to.logical = to.logical.saturating_add(more.logical);
    to.compressed = to.compressed.saturating_add(more.compressed);
    to.unlocated = to.unlocated.saturating_add(more.unlocated);
}

const fn only_mtime(fields: Fields) -> bool {
    !(fields.mode || fields.owner || fields.xattrs)
}

fn properties(fields: Fields) -> Vec<&'static str> {
    let all =
        [(fields.mode, "mode"), (fields.owner, "owner"), (fields.mtime, "mtime"), (fields.xattrs, "xattrs")];
    all.into_iter().filter(|(differs, _)| *differs).map(|(_, name)| name).collect()
}

/// A path, relative to the root, whose own is empty.
fn name(overlap: &Overlap, image: ImageId, node: NodeId) -> Option<String> {
    let path = overlap.path(image, node)?;
    Some(String::from_utf8_lossy(path.as_bytes()).into_owned())
}

fn bytes(bytes: u64) -> String {
    words::Bytes(bytes).to_string()
}

/// Both paths of what was renamed, what they have in common once: `opt/{tool-1 => tool-2}/bin/tool`.
fn renamed(old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (old.split('/').collect(), new.split('/').collect());
    let shorter = old.len().min(new.len());
    let first = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let last = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let last = last.min(shorter.saturating_sub(first));
    let middle = |parts: &[&str]| parts.get(first..parts.len() - last).unwrap_or_default().join("/");
    let (before, after) = old.split_at(first.min(old.len()));
    let after = after.get(after.len().saturating_sub(last)..).unwrap_or_default();
    let mut text = before.iter().map(|part| format!("{part}/")).collect::<String>();
    match (before.is_empty(), after.is_empty()) {
        (true, true) => text += &format!("{} => {}", middle(&old), middle(&new)),
        _ => text += &format!("{{{} => {}}}", middle(&old), middle(&new)),
    }
    after.iter().for_each(|part| {
        text += "/";
        text += part;
    });
    text
}

/// Compressed bytes, if they are known of all.
fn fetch(fresh: Bytes) -> String {
    fresh.all_compressed().map_or_else(|| "?".to_owned(), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_paths_have_in_common_is_said_once() {
        for (old, new, said) in [
            ("a", "b", "a => b"),
            ("a/x", "b/x", "{a => b}/x"),
            ("a/x", "a/y", "a/{x => y}"),
            ("opt/tool-1/bin/tool", "opt/tool-2/bin/tool", "opt/{tool-1 => tool-2}/bin/tool"),
            ("a/b/c", "a/c", "a/{b => }/c"),
            ("a/c", "a/b/c", "a/{ => b}/c"),
            ("a/a", "a/a/a", "a/a/{ => a}"),
            ("a", "b/a", "{ => b}/a"),
        ] {
            assert_eq!(renamed(old, new), said);
        }
    }
}
