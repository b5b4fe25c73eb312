//! Byte ranges, from one thread and from many.

use shingle::loopback::{Cut, Faults, RangeFault};
use shingle::registry::{Blob, BlobBody, BlobReader, Client, Coverage, Fault, OnWhole, RegistryError};

use crate::{Scene, drain, message};

#[test]
fn a_range_is_its_bytes() {
    let scene = Scene::zoo();
    let (blob, bytes) = scene.layer();
    for range in [0..1, 0..228_888, 1000..2000, 100_000..228_888, 228_887..228_888] {
        let mut body = blob.open_range(range.clone(), OnWhole::Cut).unwrap();
        assert_eq!((body.offset(), body.end()), (range.start, range.end));
        let within = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        assert_eq!(drain(&mut body).unwrap(), bytes[within]);
        assert_eq!(body.offset(), range.end);
        assert_eq!(body.next_bytes().unwrap(), None);
    }
    let traffic = blob.traffic();
    assert_eq!((traffic.requests, traffic.bytes), (5, 1 + 228_888 + 1000 + 128_888 + 1));
    let sent: u64 = scene.registry.log().iter().filter(|l| l.path.contains("sha256")).map(|l| l.bytes).sum();
    assert_eq!(sent, traffic.bytes);
}

#[test]
fn no_request_is_made_for_nothing_or_beyond_the_end() {
    let scene = Scene::zoo();
    let (blob, _) = scene.layer();
    assert!(drain(&mut blob.open_range(5..5, OnWhole::Keep).unwrap()).unwrap().is_empty());
    #[expect(clippy::reversed_empty_ranges, reason = "the mistake under test")]
    for range in [0..228_889, 9..8] {
        let error = blob.open_range(range, OnWhole::Cut).expect_err("no such bytes");
        message(&error, |fault| matches!(fault, Fault::OutsideBlob { .. }));
    }
    assert_eq!(scene.registry.log(), []);
}

#[test]
fn the_whole_blob_needs_no_range() {
    let scene = Scene::zoo();
    let (blob, bytes) = scene.layer();
    let mut body = blob.open_whole().unwrap();
    assert_eq!(body.coverage(), Coverage::Whole);
    assert_eq!(drain(&mut body).unwrap(), bytes);
    assert!(scene.registry.log().iter().all(|line| line.range.is_none()));
}

#[test]
fn answers_with_other_bytes_are_cut_to_what_was_asked() {
    for ranges in
        [RangeFault::Before(500), RangeFault::Ignored, RangeFault::Mislabelled, RangeFault::Unlabelled]
    {
        let scene = Scene::misbehaving(Faults { ranges, ..Faults::default() });
        let (blob, bytes) = scene.layer();
        let mut body = blob.open_range(100_000..150_000, OnWhole::Cut).unwrap();
        assert_eq!(body.offset(), 100_000);
        assert_eq!(drain(&mut body).unwrap(), bytes[100_000..150_000], "{ranges:?}");
        let coverage = if ranges == RangeFault::Ignored { Coverage::Whole } else { Coverage::Range };
        assert_eq!(body.coverage(), coverage);
    }
}

#[test]
fn a_whole_blob_sent_for_a_range_can_be_kept() {
    let scene = Scene::misbehaving(Faults { ranges: RangeFault::Ignored, ..Faults::default() });
    let (blob, bytes) = scene.layer();
    let mut body = blob.open_range(100_000..150_000, OnWhole::Keep).unwrap();
    assert_eq!((body.coverage(), body.offset(), body.end()), (Coverage::Whole, 0, 228_888));
    assert_eq!(drain(&mut body).unwrap(), bytes);
    assert_eq!(blob.traffic().requests, 1);
    assert_eq!(blob.traffic().bytes, 228_888);
}

#[test]
fn a_body_that_ends_early_says_where() {
    for faults in [
        Faults { ranges: RangeFault::Short(1000), ..Faults::default() },
        Faults { cut: Some(Cut { after: 1000, times: 1 }), ..Faults::default() },
        Faults { stall: Some(Cut { after: 1000, times: 1 }), ..Faults::default() },
    ] {
        let scene = Scene::misbehaving(faults);
        let (blob, bytes) = scene.layer();
        let mut body = blob.open_range(5000..9000, OnWhole::Cut).unwrap();
        let first = body.next_bytes().unwrap().unwrap();
        let rest = drain(&mut body).expect_err("3000 bytes are owed");
        message(&rest, |fault| matches!(fault, Fault::BodyCut { .. } | Fault::Stalled { .. }));
        assert!(rest.is_transient());
        assert_eq!((body.offset(), first.len()), (6000, 1000));
        drain(&mut body).expect_err("the error stays");
        let mut rest = blob.open_range(body.offset()..9000, OnWhole::Cut).unwrap();
        let mut end = Vec::new();
        while let Ok(Some(bytes)) = rest.next_bytes() {
            end.extend_from_slice(&bytes);
        }
        assert!(bytes[6000..9000].starts_with(&end) && !end.is_empty());
    }
}

#[test]
fn a_reader_goes_on_where_it_was_cut() {
    for faults in [
        Faults { ranges: RangeFault::Short(70_000), ..Faults::default() },
        Faults { cut: Some(Cut { after: 50_000, times: 4 }), ..Faults::default() },
        Faults { stall: Some(Cut { after: 50_000, times: 1 }), ..Faults::default() },
        Faults {
            ranges: RangeFault::Ignored,
            cut: Some(Cut { after: 120_000, times: 2 }),
            ..Faults::default()
        },
    ] {
        let scene = Scene::misbehaving(faults.clone());
        let (blob, bytes) = scene.layer();
        for (range, on_whole) in [(100_000..200_000, OnWhole::Cut), (1..228_887, OnWhole::Keep)] {
            scene.registry.misbehave(faults.clone());
            let mut reader = blob.read_range(range, on_whole).unwrap();
            let start = usize::try_from(reader.offset()).unwrap();
            let mut all = Vec::new();
            while let Some(bytes) = reader.next_bytes().unwrap() {
                all.extend_from_slice(&bytes);
                assert_eq!(reader.offset(), u64::try_from(start + all.len()).unwrap());
            }
            assert_eq!(reader.offset(), reader.end());
            assert!(all == bytes[start..start + all.len()], "{faults:?}");
        }
    }
}

#[test]
fn a_reader_gives_up_where_nothing_moves() {
    let scene =
        Scene::misbehaving(Faults { cut: Some(Cut { after: 10, times: u32::MAX }), ..Faults::default() });
    let (blob, _) = scene.layer();
    let mut reader = blob.read_range(0..100_000, OnWhole::Cut).unwrap();
    let error = loop {
        match reader.next_bytes() {
            Ok(bytes) => assert!(bytes.is_some()),
            Err(error) => break error,
        }
    };
    message(&error, |fault| matches!(fault, Fault::BodyCut { .. }));
    assert_eq!((reader.offset(), blob.traffic().requests), (50, 5));
}

#[test]
fn a_flipped_byte_is_handed_on_for_others_to_find() {
    let scene = Scene::zoo();
    let (blob, bytes) = scene.layer();
    scene.registry.misbehave(Faults { flip: Some((blob.digest(), 70_000)), ..Faults::default() });
    let all = drain(&mut blob.open_whole().unwrap()).unwrap();
    let different: Vec<_> = (0..bytes.len()).filter(|&at| all[at] != bytes[at]).collect();
    assert_eq!(different, [70_000]);
}

#[test]
fn many_threads_read_at_once() {
    let scene = Scene::zoo();
    let (blob, bytes) = scene.layer();
    std::thread::scope(|scope| {
        for thread in 0..24_u64 {
            let (blob, bytes) = (blob.clone(), &bytes);
            scope.spawn(move || {
                for step in 0..20 {
                    let start = thread * 5000 + step * 100;
                    let mut body = blob.open_range(start..start + 4000, OnWhole::Cut).unwrap();
                    let from = usize::try_from(start).unwrap();
                    assert!(drain(&mut body).unwrap() == bytes[from..from + 4000]);
                }
            });
        }
    });
    assert_eq!(blob.traffic().requests, 24 * 20);
    assert_eq!(blob.traffic().bytes, 24 * 20 * 4000);
}

#[test]
fn everything_may_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    fn moves<T: Send>() {}
    crosses::<(Client, Blob, RegistryError)>();
    moves::<(BlobBody, BlobReader)>();
}
