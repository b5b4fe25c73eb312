//! What images share, for people.

use shingle_core::Digest;
use shingle_core::overlap::{ImageId, Measure};

use super::{Report, Shown};
use crate::cli::OverlapArgs;
use crate::printer::{Printer, Unwritten};
use crate::progress::short;
use crate::words::{Bytes, Count, Percent, Share, Thousands, columns, total};

/// Columns are told apart by so much.
const GAP: usize = 2;

pub(super) fn print(
    report: &Report,
    shown: Shown,
    args: &OverlapArgs,
    printer: &Printer,
) -> Result<(), Unwritten> {
    if shown.measure == Measure::Logical && !args.logical {
        printer.say(
            "Some layers were read whole, so nobody knows what their files take compressed: bytes are uncompressed.",
        );
    }
    let table = |rows: &[Vec<String>]| columns(rows).iter().try_for_each(|line| printer.result(line));
    let section = |title: &str, rows: &[Vec<String>]| {
        if rows.len() < 2 {
            return Ok(());
        }
        printer.result("")?;
        printer.result(title)?;
        table(rows)
    };
    table(&images(report, shown))?;
    if report.images.len() > 1 {
        printer.result("")?;
        printer.result(format_args!("What each column's image has of each row's ({}):", shown.unit()))?;
        for block in matrix(report, shown, printer.width()) {
            table(&block)?;
        }
        section(&format!("How many images have it ({}):", shown.unit()), &shared_by(report, shown))?;
        section("Layers that several images have:", &layers(report))?;
    }
    section(&format!("What the store has of each image ({}):", shown.unit()), &held(report, shown))?;
    let biggest = format!("Files that several images have, those first that save most ({}):", unit(shown));
    section(&biggest, &shared_files(report, shown))?;
    let duplicates = format!("Files that an image has more than once ({}):", unit(shown));
    section(&duplicates, &duplicate_files(report, shown, args.top))?;
    section(&format!("Directories ({}):", unit(shown)), &directories(report))?;
    if report.images.len() > 1 || !report.store.is_empty() {
        section("Order of pulls that fetches least:", &order(report))?;
    }
    printer.result("")?;
    printer.result(report.read.sentence())
}

fn unit(shown: Shown) -> &'static str {
    match shown.measure {
        Measure::Compressed => "compressed",
        Measure::Logical => "uncompressed",
    }
}

fn head<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).into()
}

/// The number that an image has in all tables.
fn number(image: ImageId) -> String {
    (image.index() + 1).to_string()
}

fn bytes(bytes: u64) -> String {
    Bytes(bytes).to_string()
}

fn images(report: &Report, shown: Shown) -> Vec<Vec<String>> {
    let mut rows =
        vec![head(["#", "BLOBS", "FILES", "BYTES", "UNIQUE", "SHARED", "TWICE", "WASTED", "IMAGE"])];
    for (number, image) in (1..).zip(&report.images) {
        let [all, unique, shared] = [
            (image.distinct, image.distinct_chunks),
            (image.unique, image.unique_chunks),
            (image.shared, image.shared_chunks),
        ]
        .map(|(files, chunks)| bytes(shown.choose(files, chunks)));
        rows.push(vec![
            format!("{number}"),
            bytes(image.blob_bytes),
            Thousands(image.files.count).to_string(),
            all,
            unique,
            shared,
            bytes(shown.bytes(image.duplicates.bytes)),
            bytes(shown.bytes(image.wasted.bytes)),
            image.image.clone(),
        ]);
    }
    rows
}

/// The matrix, in as many blocks as the width needs.
fn matrix(report: &Report, shown: Shown, width: Option<usize>) -> Vec<Vec<Vec<String>>> {
    let cells = if shown.files { &report.matrix.files } else { &report.matrix.chunks };
    let cell = |row: usize, column: usize| {
        let at = |column: usize| {
            let bytes = cells.get(row).and_then(|row| row.get(column)).copied().unwrap_or_default();
            shown.bytes(bytes)
        };
        if row == column {
            return "-".to_owned();
        }
        let (part, whole) = (at(column), at(row));
        format!("{:>9} {:>4}", Bytes(part), Share(Percent { part, whole }))
    };
    let count = report.images.len();
    let first = count.to_string().len();
    let of_cell = GAP + 14;
    let fit = width.map_or(count, |width| (width.saturating_sub(first) / of_cell).max(1));
    let all: Vec<usize> = (0..count).collect();
    let block = |some: &[usize]| {
        let name = |column: &usize| format!("{:>14}", column + 1);
        let mut rows = vec![std::iter::once("#".to_owned()).chain(some.iter().map(name)).collect::<Vec<_>>()];
        for row in &all {
            let cells = some.iter().map(|column| format!("{:>14}", cell(*row, *column)));
            rows.push(std::iter::once((row + 1).to_string()).chain(cells).collect());
        }
        rows
    };
    all.chunks(fit).map(block).collect()
}

fn held(report: &Report, shown: Shown) -> Vec<Vec<String>> {
    let mut rows = vec![head(["#", "BYTES", "SHARE", "LAYERS", "IMAGE"])];
    for (held, image) in report.store.iter().zip(&report.images) {
        let part = shown.bytes(if shown.files { held.files } else { held.chunks });
        let whole = shown.choose(image.distinct, image.distinct_chunks);
        rows.push(vec![
            number(held.image),
            bytes(part),
            Share(Percent { part, whole }).to_string(),
            format!("{} of {}", held.layers, image.layers.len()),
            image.image.clone(),
        ]);
    }
    rows
}

fn shared_by(report: &Report, shown: Shown) -> Vec<Vec<String>> {
    let of = |row: &shingle_core::overlap::SharedBy| if shown.files { row.files } else { row.chunks };
    let all = total(report.shared_by.iter().map(|row| shown.bytes(of(row).bytes)));
    let mut rows = vec![head(["IMAGES", if shown.files { "FILES" } else { "CHUNKS" }, "BYTES", "SHARE"])];
    for row in &report.shared_by {
        let (amount, part) = (of(row), shown.bytes(of(row).bytes));
        rows.push(vec![
            row.images.to_string(),
            Thousands(amount.count).to_string(),
            bytes(part),
            Share(Percent { part, whole: all }).to_string(),
        ]);
    }
    rows
}

fn layers(report: &Report) -> Vec<Vec<String>> {
    let mut seen: Vec<Digest> = Vec::new();
    let mut rows = vec![head(["LAYER", "BLOB", "FILES", "IMAGES"])];
    for (at, image) in report.images.iter().enumerate() {
        for layer in image.layers.iter().filter(|layer| !layer.also_in.is_empty()) {
            if seen.contains(&layer.diff_id) {
                continue;
            }
            seen.push(layer.diff_id);
            let mut images: Vec<_> = layer.also_in.iter().map(|image| image.index()).collect();
            images.push(at);
            images.sort_unstable();
            let images: Vec<_> = images.iter().map(|image| (image + 1).to_string()).collect();
            rows.push(vec![
                short(&layer.blob),
                bytes(layer.blob_bytes),
                Thousands(layer.files.count).to_string(),
                images.join(" "),
            ]);
        }
    }
    rows
}

fn shared_files(report: &Report, shown: Shown) -> Vec<Vec<String>> {
    let mut rows = vec![head(["BYTES", "IMAGES", "PATH"])];
    for shared in &report.shared_contents {
        let place = shared.holders.iter().find_map(|holder| Some((holder.image, holder.path.as_ref()?)));
        let place = place.map_or_else(
            || format!("hidden, {}", short(&shared.digest)),
            |(image, path)| format!("{}: {path}", number(image)),
        );
        rows.push(vec![bytes(shown.bytes(shared.bytes)), shared.images.to_string(), place]);
    }
    rows
}

fn duplicate_files(report: &Report, shown: Shown, top: usize) -> Vec<Vec<String>> {
    let of_image = |(number, image): (usize, &super::Image)| {
        let row = move |doubled: &super::Doubled| {
            let more = shown.bytes(doubled.more.bytes);
            let place = match doubled.paths.as_slice() {
                [] => format!("hidden, {}", short(&doubled.digest)),
                [path] => format!("{number}: {path}"),
                [path, others @ ..] => {
                    let others = Count(others.len().try_into().unwrap_or(u64::MAX), "path");
                    format!("{number}: {path} and {others} more")
                }
            };
            (more, vec![bytes(more), Thousands(doubled.more.count.saturating_add(1)).to_string(), place])
        };
        image.duplicate_contents.iter().map(row).collect::<Vec<_>>()
    };
    let mut found: Vec<_> = (1..).zip(&report.images).flat_map(of_image).collect();
    found.sort_by_key(|(more, _)| std::cmp::Reverse(*more));
    let rows = found.into_iter().take(top).map(|(_, row)| row);
    std::iter::once(head(["BYTES MORE", "COPIES", "PATH"])).chain(rows).collect()
}

fn directories(report: &Report) -> Vec<Vec<String>> {
    let mut rows = vec![head(["DIRECTORY", "FILES", "BYTES", "SHARED", "PARTLY", "UNIQUE", "WASTED"])];
    for directory in &report.directories {
        let sums =
            [directory.total(), directory.shared, directory.partly, directory.unique, directory.wasted];
        let name = format!("{}: {}", number(directory.image), directory.path);
        let mut row = vec![name, Thousands(u64::from(directory.files)).to_string()];
        row.extend(sums.map(bytes));
        rows.push(row);
    }
    rows
}

fn order(report: &Report) -> Vec<Vec<String>> {
    let mut rows = vec![head(["PULL", "FETCHES", "WHOLE", "TOGETHER", "IMAGE"])];
    let mut together = 0_u64;
    for (place, step) in (1..).zip(&report.order.steps) {
        together = together.saturating_add(step.bytes);
        let image = report.images.get(step.image.index());
        let name = image.map(|image| image.image.as_str()).unwrap_or_default();
        rows.push(vec![
            format!("{place}"),
            bytes(step.bytes),
            bytes(step.whole_bytes),
            bytes(together),
            format!("{}: {name}", number(step.image)),
        ]);
    }
    rows
}
