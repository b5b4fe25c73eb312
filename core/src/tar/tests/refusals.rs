//! What is no tar, or not one that can be read.

use crate::tar::header::HeaderError;
use crate::tar::pax::PaxError;
use crate::tar::{EntryError, SparseError};

use super::*;

#[test]
fn refuses_a_stream_that_ends_within_a_payload() {
    let error = TarError::Truncated { offset: 900, name: Some("a".into()), expected: 1000, actual: 388 };
    assert_eq!(error.to_string(), "the tar ends at 900 of \"a\", 388 bytes into 1000");
    assert_eq!(read(tar!("truncated")), Err(error));
}

#[test]
fn refuses_a_stream_that_ends_within_its_first_header_or_an_extension() {
    let error = TarError::Truncated { offset: 100, name: None, expected: 512, actual: 100 };
    assert_eq!(read(&tar!("no-end")[..100]), Err(error));
    let tar = pax(&[("path", b"a")]);
    let error = TarError::Truncated { offset: 515, name: None, expected: 9, actual: 3 };
    assert_eq!(read(&tar[..515]), Err(error));
    // What GNU tar takes for the end.
    let whole = tar!("no-end");
    let next = [whole, &whole[..100]].concat();
    assert!(read(&next).is_ok());
    // But not where a long name waits for its member.
    assert!(read(&[&tar[..1024], &whole[..100]].concat()).is_err());
}

#[test]
fn refuses_a_wrong_checksum() {
    let error = read(tar!("damaged"));
    let Err(TarError::Entry { offset: 1536, name: None, source: EntryError::Header(source) }) = error else {
        panic!("{error:?}");
    };
    assert!(matches!(source, HeaderError::Checksum { .. }));
}

#[test]
fn refuses_the_rest_of_a_file_from_another_volume() {
    let error = read(tar!("continued"));
    assert!(matches!(error, Err(TarError::Entry { source: EntryError::Continued, .. })), "{error:?}");
}

#[test]
fn refuses_numbers_that_are_none() {
    for (name, place) in [("mode", 100), ("uid", 108), ("gid", 116), ("size", 124), ("mtime", 136)] {
        let error = read(&header("a", b'0', 0, &[(place, b"z")]));
        let Err(TarError::Entry { source: EntryError::Header(HeaderError::Number { field, .. }), .. }) =
            error
        else {
            panic!("{name}: {error:?}");
        };
        assert_eq!(field, name);
    }
    let negative = read(&header("a", b'0', 0, &[(124, &[0xff; 12])]));
    assert!(matches!(negative, Err(TarError::Entry { .. })), "{negative:?}");
    let device = read(&header("a", b'3', 0, &[(329, b"z")]));
    assert!(matches!(device, Err(TarError::Entry { .. })), "{device:?}");
    assert!(read(&header("a", b'0', 0, &[(329, b"z")])).is_ok(), "a file's device numbers mean nothing");
}

#[test]
fn refuses_malformed_records_and_names_the_place() {
    let tar = [member("a", b'0', b""), member("pax", b'x', b"99 path=b\n")].concat();
    let error = read(&tar);
    let Err(TarError::Entry {
        offset, source: EntryError::Pax(PaxError::Malformed { record: 0, .. }), ..
    }) = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(offset, 512 + 512 + 10);
}

#[test]
fn refuses_maps_that_the_payload_does_not_hold() {
    let sparse = |map: &[u8], size: &[u8], body: &[u8]| {
        read(&[pax(&[("GNU.sparse.map", map), ("GNU.sparse.size", size)]), member("a", b'0', body)].concat())
    };
    assert!(sparse(b"0,5", b"10", b"hello").is_ok());
    let error = sparse(b"0,5", b"10", b"hell");
    let source = EntryError::Sparse(SparseError::Payload { expected: 5, actual: 4 });
    assert_eq!(error, Err(TarError::Entry { offset: 1536, name: Some("a".into()), source }));
    let error = sparse(b"0,5", b"4", b"hello");
    assert!(matches!(
        error,
        Err(TarError::Entry { source: EntryError::Sparse(SparseError::Place { .. }), .. })
    ));
}

#[test]
fn refuses_a_map_longer_than_its_payload() {
    let version =
        pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.realsize", b"9")]);
    let error = read(&[version, member("a", b'0', b"1\n0\n"), vec![b'0'; 512]].concat());
    let cut = EntryError::Sparse(SparseError::Cut { stored: 4 });
    assert!(matches!(&error, Err(TarError::Entry { source, .. }) if *source == cut), "{error:?}");
}

#[test]
fn refuses_what_is_above_a_limit_before_reading_it() {
    let limits = Limits { tar_metadata: 20, ..Limits::default() };
    let tar = header("", b'L', 21, &[]);
    let too_long = EntryError::TooLong { what: "extension header", limit: 20, actual: 21 };
    let error = TarError::Entry { offset: 512, name: None, source: too_long };
    assert_eq!(read_with(&limits, [&tar[..]]), Err(error));
    // Headers that replace one another count together.
    let tar = [member("", b'L', b"0123456789"), header("", b'L', 11, &[])].concat();
    assert!(matches!(read_with(&limits, [&tar[..]]), Err(TarError::Entry { .. })));

    let limits = Limits { path: 3, ..Limits::default() };
    assert!(matches!(read_with(&limits, [&member("long", b'0', b"")[..]]), Err(TarError::Entry { .. })));
    let limits = Limits { file: 4, ..Limits::default() };
    assert!(matches!(read_with(&limits, [&header("a", b'0', 5, &[])[..]]), Err(TarError::Entry { .. })));
    let limits = Limits { entries: 1, ..Limits::default() };
    let tar = member("a", b'0', b"").repeat(2);
    let error = read_with(&limits, [&tar[..]]);
    assert!(
        matches!(error, Err(TarError::Entry { source: EntryError::TooMany { limit: 1 }, .. })),
        "{error:?}"
    );
}

#[test]
fn what_a_global_header_says_counts_for_each_member() {
    let record = |key| [(key, &[b'x'; 1000][..])];
    for key in ["SCHILY.xattr.user.a", "path", "linkpath"] {
        let tar = [member("", b'g', &records(&record(key))), member("a", b'2', b"").repeat(50)].concat();
        assert!(read(&tar).is_ok());
        let limits = Limits { tar_metadata_total: 40_000, ..Limits::default() };
        let error = read_with(&limits, [&tar[..]]);
        let Err(TarError::Entry { source: EntryError::TooLong { limit: 40_000, actual, .. }, .. }) = error
        else {
            panic!("{key}: {error:?}");
        };
        assert!((40_000..42_000).contains(&actual), "{actual}");
    }
    // Each attribute takes room beside its bytes.
    let keys = (0..100).map(|key| format!("SCHILY.xattr.{key}")).collect::<Vec<_>>();
    let pairs = keys.iter().map(|key| (key.as_str(), &b""[..])).collect::<Vec<_>>();
    let limits = Limits { tar_metadata_total: 5_000, ..Limits::default() };
    assert!(read_with(&limits, [&[pax(&pairs), member("a", b'0', b"")].concat()[..]]).is_err());
}

#[test]
fn a_reader_that_failed_repeats_its_error() {
    let mut reader = TarReader::new(&Limits::default());
    let mut events = reader.receive(&[1; 512]);
    assert!(matches!(events.next_event(), Ok(Some(TarEvent::Raw(_)))));
    let error = events.next_event().unwrap_err();
    drop(events);
    assert_eq!(reader.receive(&[0; 512]).next_event(), Err(error.clone()));
    assert_eq!(reader.finish(), Err(error));
}

#[test]
fn events_dropped_before_their_end_are_an_error() {
    let mut reader = TarReader::new(&Limits::default());
    drop(reader.receive(&[0; 10]));
    assert_eq!(reader.finish(), Err(TarError::Abandoned { offset: 0 }));
}
