//! `shingle verify`

use std::collections::BTreeMap;

use serde::Serialize;
use shingle::transport::open_source;
use shingle::verify::{Image, images, layer};
use shingle_core::verify::{Claims, Finding, Verified, Weight};
use shingle_core::{Digest, Limits};

use super::client;
use crate::cli::VerifyArgs;
use crate::failure::Failure;
use crate::printer::{Printer, Unwritten};
use crate::progress::{Meter, short};
use crate::words::Count;

/// What came of all layers.
#[derive(Serialize)]
struct Report {
    image: String,
    layers: Vec<Layer>,
    /// Of all layers.
    wrong: usize,
}

#[derive(Serialize)]
struct Layer {
    /// Counted from 1, the lowest one first.
    layer: usize,
    manifest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    blob: Digest,
    diff_id: Option<Digest>,
    form: String,
    checked: Vec<&'static str>,
    unchecked: Vec<Unchecked>,
    frames: u64,
    members: usize,
    wrong: usize,
    findings: Vec<Found>,
    /// How many more there are of a code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    more: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
struct Unchecked {
    what: &'static str,
    why: &'static str,
}

#[derive(Serialize)]
struct Found {
    severity: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chunk_offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tar_offset: Option<u64>,
    expected: String,
    actual: String,
    message: String,
}

pub(super) fn run(args: &VerifyArgs, printer: &Printer) -> Result<(), Failure> {
    let client = client(args.tls_verify, None)?;
    let opened = open_source(&args.source, &client);
    let read = opened.and_then(|source| Ok((images(&*source, args.platform.as_ref())?, source)));
    let (images, source) =
        read.map_err(|error| Failure::from(error).while_trying(format!("cannot verify {}", args.source)))?;
    let chosen = chosen(&images, &args.layers)?;
    let mut seen: BTreeMap<Digest, (Claims, Verified)> = BTreeMap::new();
    let mut report = Report { image: args.source.to_string(), layers: Vec::new(), wrong: 0 };
    for (image, number, claims) in chosen {
        // Images of an index share layers.
        let known =
            seen.get(&claims.blob).filter(|(before, _)| before == claims).map(|(_, known)| known.clone());
        let verified = match known {
            Some(verified) => verified,
            None => {
                let meter = Meter::new(printer, "Verifying", &short(&claims.blob), claims.size);
                let verified = layer(&*source, claims.clone(), &Limits::default(), &|bytes| meter.add(bytes));
                drop(meter);
                verified.map_err(|error| {
                    Failure::from(error).while_trying(format!(
                        "cannot verify layer {number} of {} ({})",
                        args.source, claims.blob
                    ))
                })?
            }
        };
        seen.insert(claims.blob, (claims.clone(), verified.clone()));
        report.wrong += verified.findings.wrong();
        let layer = Layer::new(image, number, claims, &verified);
        if !printer.json() {
            layer.print(&verified, printer)?;
        }
        report.layers.push(layer);
    }
    if printer.json() {
        printer.object(&report)?;
    }
    let count = |count: usize| count.try_into().unwrap_or(u64::MAX);
    let bad = count(report.layers.iter().filter(|layer| layer.wrong > 0).count());
    let layers = Count(count(report.layers.len()), "layer");
    if report.wrong > 0 {
        let wrong = Count(count(report.wrong), "difference");
        return Err(Failure::refusal(anyhow::anyhow!("{}: {wrong} in {bad} of {layers}", report.image)));
    }
    printer.say(format_args!("Verified {layers}: nothing is wrong."));
    Ok(())
}

/// Picks layers by number, or takes all.
fn chosen<'a>(images: &'a [Image], wanted: &[usize]) -> Result<Vec<(&'a Image, usize, &'a Claims)>, Failure> {
    let all = images
        .iter()
        .flat_map(|image| image.layers.iter().enumerate().map(move |(at, claims)| (image, at + 1, claims)));
    let most = images.iter().map(|image| image.layers.len()).max().unwrap_or(0);
    if let Some(beyond) = wanted.iter().find(|number| !(1..=most).contains(*number)) {
        let count = Count(most.try_into().unwrap_or(u64::MAX), "layer");
        let failure = Failure::new(anyhow::anyhow!("there is no layer {beyond}: the image has {count}"));
        return Err(failure.hint("layers count from 1, the lowest one, in the order of `shingle inspect`"));
    }
    Ok(all.filter(|(_, number, _)| wanted.is_empty() || wanted.contains(number)).collect())
}

impl Layer {
    fn new(image: &Image, number: usize, claims: &Claims, verified: &Verified) -> Self {
        Self {
            layer: number,
            manifest: image.manifest,
            platform: image.platform.as_ref().map(ToString::to_string),
            blob: claims.blob,
            diff_id: claims.diff_id,
            form: verified.form.to_string(),
            checked: verified.checked.clone(),
            unchecked: verified.unchecked.iter().map(|(what, why)| Unchecked { what, why }).collect(),
            frames: verified.frames,
            members: verified.members,
            wrong: verified.findings.wrong(),
            findings: verified.findings.list().iter().map(Found::new).collect(),
            more: verified.findings.more().map(|(code, _, more)| (code.as_str(), more)).collect(),
        }
    }

    fn print(&self, verified: &Verified, printer: &Printer) -> Result<(), Unwritten> {
        let count = |count: usize| count.try_into().unwrap_or(u64::MAX);
        let outcome = match self.wrong {
            0 => "ok".to_owned(),
            wrong => Count(count(wrong), "difference").to_string(),
        };
        let platform = self.platform.as_ref().map(|platform| format!("  {platform}")).unwrap_or_default();
        let (members, frames) = (Count(count(self.members), "member"), Count(self.frames, "frame"));
        printer.result(format_args!(
            "Layer {} {}{platform}  {}  {members} in {frames}: {outcome}",
            self.layer,
            short(&self.blob),
            self.form
        ))?;
        let findings = &verified.findings;
        let more = |wanted: &Finding| {
            let mut more =
                findings.more().filter(|(code, weight, _)| (*code, *weight) == (wanted.code, wanted.weight));
            more.next().map_or(0, |(_, _, more)| more)
        };
        for (at, finding) in findings.list().iter().enumerate() {
            let note = if finding.weight == Weight::Note { "note: " } else { "" };
            printer.result(format_args!("  {note}{}", line(&finding.to_string())))?;
            // They stand together: after the last of a kind comes how many there are more.
            let next = findings.list().get(at + 1);
            let is_last = next.is_none_or(|next| (next.code, next.weight) != (finding.code, finding.weight));
            if is_last && more(finding) > 0 {
                printer.result(format_args!("  {note}and {} more of the kind", more(finding)))?;
            }
        }
        let mut reasons = BTreeMap::<_, Vec<_>>::new();
        for (what, why) in &verified.unchecked {
            reasons.entry(why).or_default().push(*what);
        }
        for (why, what) in reasons {
            printer.result(format_args!("  not compared: {} ({why})", what.join(", ")))?;
        }
        if printer.verbose() {
            printer.result(format_args!("  compared: {}", self.checked.join(", ")))?;
            printer.result(format_args!("  blob    {}", self.blob))?;
            if let Some(diff_id) = self.diff_id {
                printer.result(format_args!("  DiffID  {diff_id}"))?;
            }
        }
        Ok(())
    }
}

impl Found {
    fn new(finding: &Finding) -> Self {
        let place = &finding.place;
        Self {
            severity: match finding.weight {
                Weight::Wrong => "wrong",
                Weight::Note => "note",
            },
            code: finding.code.as_str(),
            entry: place.entry,
            name: place.name.as_ref().map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned()),
            record: place.record,
            field: place.field,
            chunk_offset: place.within,
            blob_offset: place.offset,
            tar_offset: place.tar_offset,
            expected: finding.expected.clone(),
            actual: finding.actual.clone(),
            message: finding.to_string(),
        }
    }
}

/// One finding is one line, whatever it quotes.
fn line(text: &str) -> String {
    text.replace('\n', "\\n")
}
