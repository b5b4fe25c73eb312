//! Layers that are sent while they are being written.

use std::io::{self, Read};
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use shingle::loopback::{Content, Cut, Faults, Loopback, UploadFaults};
use shingle::registry::Client;
use shingle::transfer::{
    BlobOutcome, ConvertError, ConvertOptions, ConvertReport, LayerFault, Quiet, convert,
};
use shingle::transport::{Descriptor, Document, Source, TransferError, open_destination};
use shingle_core::Digest;

use crate::conversions::{add_image, assert_whole, gzip, source, tar};
use crate::{client_options, fixture};

/// An image whose long layers stop coming, three quarters through, until the destination is sent a piece of what they become.
struct Halting {
    source: Box<dyn Source>,
    to: Arc<Loopback>,
}

impl Source for Halting {
    fn top(&self) -> Result<Document, TransferError> {
        self.source.top()
    }

    fn manifest(&self, wanted: &Descriptor) -> Result<Document, TransferError> {
        self.source.manifest(wanted)
    }

    fn open_blob(&self, blob: Digest, size: u64) -> Result<Box<dyn Read + Send>, TransferError> {
        let reader = self.source.open_blob(blob, size)?;
        Ok(Box::new(Halt {
            reader,
            halt: (size > 1 << 20).then_some(size / 4 * 3),
            to: Arc::clone(&self.to),
        }))
    }

    fn read_range(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Vec<u8>, TransferError> {
        self.source.read_range(blob, size, range)
    }
}

struct Halt {
    reader: Box<dyn Read + Send>,
    /// How much comes before the halt.
    halt: Option<u64>,
    to: Arc<Loopback>,
}

impl Read for Halt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.halt = self.halt.and_then(|left| left.checked_sub(u64::try_from(count).unwrap()));
        if self.halt.is_some_and(|left| left < 300_000) {
            self.halt = None;
            let start = Instant::now();
            while pieces(&self.to).is_empty() {
                assert!(start.elapsed() < Duration::from_secs(60), "nothing is sent ahead");
                std::thread::yield_now();
            }
        }
        Ok(count)
    }
}

/// The lengths of the pieces that were sent, also in vain; small blobs do not count.
fn pieces(to: &Loopback) -> Vec<u64> {
    let log = to.log();
    log.iter().filter(|line| line.method == "PATCH" && line.sent > 100_000).map(|line| line.sent).collect()
}

fn requests(to: &Loopback, method: &str) -> usize {
    to.log().iter().filter(|line| line.method == method).count()
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// The image `x:x`, of one layer of three megabytes; and `x:lie`, whose config names another tar, and `x:cut`, whose blob is cut
/// short.
fn image() -> Loopback {
    let tar = tar(&[("noise", &noise(3_000_000))]);
    let blob = gzip(&tar, 1);
    let mut cut = blob.clone();
    cut.truncate(blob.len() - 100_000);
    let mut content = Content::default();
    add_image(&mut content, Some("lie"), "amd64", &[(gzip(&tar, 0), Digest::of(b"other"))], &json!({}));
    add_image(&mut content, Some("cut"), "amd64", &[(cut, Digest::of(&tar))], &json!({}));
    add_image(&mut content, Some("x"), "amd64", &[(blob, Digest::of(&tar))], &json!({}));
    Loopback::start(content).unwrap()
}

/// Converts an image that halts.
fn try_ahead(from: &str, to: &Arc<Loopback>, name: &str) -> Result<ConvertReport, ConvertError> {
    let mut options = client_options();
    options.upload_ahead = NonZero::new(500_000);
    let client = Client::new(options).unwrap();
    let destination = open_destination(&to.reference(name).parse().unwrap(), &client)?;
    let source = Halting { source: source(from), to: Arc::clone(to) };
    convert(&source, destination, &ConvertOptions::default(), &Quiet)
}

#[test]
fn what_is_written_is_sent_before_the_rest_is_and_whole_whatever_befalls_it() {
    let from = image();
    let cut = |after, times| UploadFaults { cut: Some(Cut { after, times }), ..UploadFaults::default() };
    let uploads = UploadFaults::default();
    let cases = [
        ("nothing", uploads.clone()),
        ("absolute", UploadFaults { absolute: true, ..uploads.clone() }),
        ("cut early", cut(0, 2)),
        ("cut", cut(300_000, 3)),
        ("forgotten", UploadFaults { forget: 2, ..uploads.clone() }),
        ("lagging", UploadFaults { lag: 3, ..uploads.clone() }),
        ("answers lost", UploadFaults { lose_answers: 1, ..uploads.clone() }),
        ("no pieces", UploadFaults { no_pieces: true, ..uploads.clone() }),
        ("spoilt", UploadFaults { spoil: 1, ..uploads.clone() }),
        ("small", UploadFaults { limit: Some(400_000), ..uploads.clone() }),
        ("large pieces", UploadFaults { least_piece: Some(1 << 20), ..uploads }),
    ];
    let mut digests = Vec::new();
    for (what, uploads) in cases {
        let to = Arc::new(Loopback::start(Content::default()).unwrap());
        to.misbehave(Faults { uploads, ..Faults::default() });
        let report = try_ahead(&from.reference("x:x"), &to, "y:y")
            .unwrap_or_else(|error| panic!("{what}: {error:?}: {:#?}", to.log()));
        assert_eq!(report.layers[0].sent, BlobOutcome::Copied);
        let there = source(&to.reference("y:y"));
        assert_whole(&*there, &there.top().unwrap());
        digests.push(report.digest);
        if what == "nothing" {
            assert!(pieces(&to).len() > 1, "{:#?}", to.log());
            let sent: u64 = to.log().iter().filter(|line| line.method == "PATCH").map(|line| line.sent).sum();
            assert_eq!(sent, report.layers[0].to_size + report.others[0].size, "nothing is sent twice");
            assert_eq!((requests(&to, "POST"), requests(&to, "DELETE"), to.open_uploads()), (2, 0, 0));
        }
    }
    digests.dedup();
    assert_eq!(digests.len(), 1);
}

#[test]
fn an_upload_that_nobody_needs_is_cancelled() {
    let (from, to) = (image(), Arc::new(Loopback::start(Content::default()).unwrap()));
    try_ahead(&from.reference("x:x"), &to, "y:y").unwrap();
    to.clear_log();
    let report = try_ahead(&from.reference("x:x"), &to, "y:again").unwrap();
    assert_eq!(report.layers[0].sent, BlobOutcome::Present);
    assert!(!pieces(&to).is_empty());
    assert_eq!((requests(&to, "DELETE"), to.open_uploads()), (1, 0));
}

#[test]
fn of_a_layer_that_is_refused_nothing_stays() {
    let (from, to) = (image(), Arc::new(Loopback::start(Content::default()).unwrap()));
    for (count, name) in ["lie", "cut"].into_iter().enumerate() {
        to.clear_log();
        let error = try_ahead(&from.reference(&format!("x:{name}")), &to, "y:y").unwrap_err();
        let ConvertError::Layer { source, .. } = &error else { panic!("{error:?}") };
        match &**source {
            LayerFault::DiffId { .. } => assert_eq!(count, 0),
            LayerFault::Unwrap(_) => assert_eq!(count, 1),
            fault => panic!("{name}: {fault:?}"),
        }
        assert!(!pieces(&to).is_empty());
        assert!(requests(&to, "DELETE") > 0, "{:#?}", to.log());
        assert_eq!(to.open_uploads(), 0, "{name}");
        assert!(to.pushed("y").len() <= 2, "configs at most");
    }
}

#[test]
fn padding_that_is_put_back_begins_anew() {
    let to = Loopback::start(Content::default()).unwrap();
    let mut options = client_options();
    options.upload_ahead = NonZero::new(1);
    let client = Client::new(options).unwrap();
    let destination = open_destination(&to.reference("zoo:x").parse().unwrap(), &client).unwrap();
    let zoo = source(&format!("oci:{}", fixture("zoo/podman-4.3").display()));
    let report = convert(&*zoo, destination, &ConvertOptions::default(), &Quiet).unwrap();
    assert!(report.layers[0].why.contains("padding"), "{report:?}");
    let there = source(&to.reference("zoo:x"));
    assert_whole(&*there, &there.top().unwrap());
    assert_eq!(to.open_uploads(), 0);
}
