//! Reading, writing and refusing tar-splits.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use crate::crc64::Crc64;
#[cfg(feature = "c-zstd")]
use crate::digest::Digest;
use crate::limits::Limits;

#[cfg(feature = "c-zstd")]
use super::fixture::{ZOO, zoo_lines};
use super::fixture::{read, write, write_lean};
use super::*;

fn rebuild(split: &TarSplit, contents: &[Vec<u8>]) -> Vec<u8> {
    let mut tar = Vec::new();
    let mut pieces = split.pieces();
    while let Some(piece) = pieces.next_piece() {
        match piece {
            TarPiece::Raw(bytes) => {
                assert!(!bytes.is_empty());
                tar.extend_from_slice(bytes);
            }
            TarPiece::File(file) => {
                let content = &contents[file.index];
                assert_eq!((file.size, file.crc), (content.len() as u64, Crc64::of(content)));
                tar.extend_from_slice(content);
            }
        }
    }
    assert_eq!(split.tar_len(), tar.len() as u64);
    tar
}

fn lines_of(tar: &[u8]) -> Vec<String> {
    let (lines, _) = write(tar).unwrap();
    String::from_utf8(lines).unwrap().lines().map(Into::into).collect()
}

fn read_lines(lines: &[String]) -> Result<TarSplit, TarSplitReadError> {
    read([lines.join("\n").as_bytes()])
}

fn segment(bytes: &[u8], position: usize) -> String {
    let (mut writer, mut out) = (TarSplitWriter::at(position), Vec::new());
    writer.raw(bytes, &mut out);
    writer.finish(&mut out);
    String::from_utf8(out).unwrap().trim_end().into()
}

macro_rules! tar {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/tar/", $name, ".tar")).as_slice()
    };
}

const TARS: [&[u8]; 10] = [
    tar!("global"),
    tar!("gnu"),
    tar!("link-size"),
    tar!("lone-zero"),
    tar!("no-end"),
    tar!("not-utf8"),
    tar!("pax"),
    tar!("pax-x"),
    tar!("trailing"),
    tar!("types"),
];

#[cfg(feature = "c-zstd")]
#[test]
fn podmans_tar_split_of_the_zoo_is_the_zoo() {
    let (lines, contents) = write(ZOO).unwrap();
    let (theirs, ours) = (read([&zoo_lines()[..]]).unwrap(), read([&lines[..]]).unwrap());
    assert_eq!(theirs, ours);
    assert_eq!(
        Digest::of(&rebuild(&theirs, &contents)).to_hex(),
        "a2527a3ac3fbbc68cb94bf7a9614dba688de48aca5878827259a73910a7b7eb2"
    );

    let mut reader = crate::tar::TarReader::new(&Limits::default());
    let mut events = reader.receive(ZOO);
    let mut members = theirs.members();
    while let Some(event) = events.next_event().unwrap() {
        if let crate::tar::TarEvent::Member(entry) = event {
            assert_eq!(members.next(), Some(Ok(entry)));
        }
    }
    assert_eq!(members.next(), None);
}

#[cfg(feature = "c-zstd")]
#[test]
fn our_lines_of_the_zoo_are_podmans_but_for_the_cuts_of_the_end() {
    let (ours, theirs) = (write(ZOO).unwrap().0, zoo_lines());
    let lines = |text: &[u8]| text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (ours, theirs) = (lines(&ours), lines(&theirs));
    let files = ours.iter().rposition(|line| line.starts_with(b"{\"type\":1")).unwrap();
    assert_eq!(ours[..=files], theirs[..=files]);
}

#[test]
fn what_is_written_is_read_and_builds_the_same_tar() {
    for tar in TARS {
        let (lines, contents) = write(tar).unwrap();
        assert_eq!(rebuild(&read([&lines[..]]).unwrap(), &contents), tar);
    }
}

#[test]
fn the_trimmed_form_says_the_same() {
    for tar in TARS {
        let (full, lean) = (write(tar).unwrap().0, write_lean(tar));
        assert!(lean.len() < full.len());
        assert_eq!(read([&lean[..]]).unwrap(), read([&full[..]]).unwrap());
    }
}

#[test]
fn a_trimmed_end_is_cut_where_zero_blocks_begin() {
    for end in [1024, (1 << 20) + 1023, (1 << 20) + 1024, (3 << 20) + 77] {
        let tar = [tar!("no-end"), &vec![0; end][..]].concat();
        let lean = write_lean(&tar);
        let lines = lean.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).skip(3);
        let lens = lines.map(|line| line.len() - r#"{"type":2,"payload":""}"#.len()).collect::<Vec<_>>();
        assert!(lens.iter().all(|len| *len >= 1024 * 4 / 3), "{end}: {lens:?}");
        assert_eq!(rebuild(&read([&lean[..]]).unwrap(), &[b"a".to_vec()]), tar);
    }
}

#[test]
fn a_content_needs_its_record_wherever_it_stands() {
    // Of the members of a trimmed tar-split, all that have a record need it.
    let lean = write_lean(tar!("gnu"));
    let lines = lean.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>();
    let records =
        (0..lines.len()).filter(|line| lines[*line].starts_with(br#"{"type":1"#)).collect::<Vec<_>>();
    assert!(!records.is_empty());
    for record in records {
        let kept = lines.iter().enumerate().filter(|(line, _)| *line != record).map(|(_, line)| *line);
        let error = read(kept);
        assert!(
            matches!(
                error,
                Err(TarSplitReadError::Split(
                    TarSplitError::NoRecord { .. } | TarSplitError::LooseContent { .. }
                ))
            ),
            "{error:?}"
        );
    }
}

#[test]
fn segments_are_at_most_one_mebibyte() {
    let tar = [tar!("no-end"), &vec![0; 3 << 20][..]].concat();
    let lines = lines_of(&tar);
    assert_eq!(lines.len(), 2 + 4);
    assert!(lines.iter().all(|line| line.len() < (1 << 20) * 4 / 3 + 60));
    assert_eq!(rebuild(&read_lines(&lines).unwrap(), &[b"a".to_vec()]), tar);
}

proptest! {
    #[test]
    fn any_split_of_the_lines_reads_the_same(which in 0..TARS.len(), len in 1_usize..3000) {
        let (lines, _) = write(TARS[which]).unwrap();
        prop_assert_eq!(read(lines.chunks(len)), read([&lines[..]]));
    }

    #[test]
    fn no_altered_byte_of_the_trimmed_form_gives_other_lengths(
        which in 0..TARS.len(), place: prop::sample::Index, byte: u8,
    ) {
        let mut lean = write_lean(TARS[which]);
        let place = place.index(lean.len());
        lean[place] ^= byte;
        if let Ok(split) = read([&lean[..]]) {
            let stored = split.members().map(|member| member.unwrap().stored).collect::<Vec<_>>();
            let sizes = (0..split.len()).map(|file| split.file(file).unwrap().size).collect::<Vec<_>>();
            prop_assert_eq!(stored, sizes);
        }
    }

    #[test]
    fn no_altered_byte_panics(which in 0..TARS.len(), place: prop::sample::Index, byte: u8) {
        let (mut lines, contents) = write(TARS[which]).unwrap();
        let place = place.index(lines.len());
        lines[place] ^= byte;
        if let Ok(split) = read([&lines[..]]) {
            prop_assert!(split.len() <= contents.len());
        }
    }

    #[test]
    fn segments_may_be_cut_anywhere(which in 0..TARS.len(), len in 1_usize..1500) {
        let (lines, _) = write(TARS[which]).unwrap();
        let split = read([&lines[..]]).unwrap();
        let mut cut = Vec::<String>::new();
        let mut pieces = split.pieces();
        while let Some(piece) = pieces.next_piece() {
            match piece {
                TarPiece::Raw(bytes) => {
                    for bytes in bytes.chunks(len) {
                        let position = cut.len();
                        cut.push(segment(bytes, position));
                    }
                }
                TarPiece::File(file) => {
                    let mut writer = TarSplitWriter::at(cut.len());
                    let mut out = Vec::new();
                    writer.file(file.name, file.size, file.crc, &mut out);
                    cut.push(String::from_utf8(out).unwrap());
                }
            }
        }
        prop_assert_eq!(read_lines(&cut).unwrap(), split);
    }

    #[test]
    fn names_are_written_so_that_they_can_be_read(name: Vec<u8>, text: String) {
        for name in [&name[..], text.as_bytes()] {
            let mut out = Vec::new();
            TarSplitWriter::new().file(name, 0, 0, &mut out);
            let mut reader = TarSplitReader::new(&Limits::default());
            reader.receive(&out).unwrap();
            prop_assert_eq!(reader.names(), name);
        }
    }
}

#[test]
fn writes_the_reference_form() {
    let (mut writer, mut out) = (TarSplitWriter::new(), Vec::new());
    writer.raw(b"\0", &mut out);
    writer.file(b"<a&\"\n>", 5000, 0x58ee_a605_abbe_8860, &mut out);
    writer.file(b"\xff", 0, 0, &mut out);
    writer.finish(&mut out);
    let lines = r#"{"type":2,"payload":"AA==","position":0}
{"type":1,"name":"\u003ca\u0026\"\n\u003e","size":5000,"payload":"WO6mBau+iGA=","position":1}
{"type":1,"name_raw":"/w==","payload":null,"position":2}
"#;
    assert_eq!(String::from_utf8(out).unwrap(), lines);
}

#[test]
fn nothing_is_an_empty_tar() {
    let split = read([&b""[..]]).unwrap();
    assert!(split.is_empty() && split.tar_len() == 0 && split.pieces().next_piece().is_none());
}

#[test]
fn unknown_keys_and_blank_lines_are_passed_over() {
    let mut lines = lines_of(tar!("no-end"));
    lines[0] = lines[0].replacen('{', r#"{ "later":{"a":[1]}, "#, 1);
    lines.insert(1, String::new());
    assert_eq!(read_lines(&lines).unwrap().len(), 1);
}

#[test]
fn a_link_that_claims_a_size_has_no_content() {
    let mut lines = lines_of(tar!("link-size"));
    lines[3] = lines[3].replace(r#""payload":null"#, r#""size":5,"payload":"AAAAAAAAAAA=""#);
    let split = read_lines(&lines).unwrap();
    assert_eq!(split.file(1).map(|file| (file.name, file.size)), Some((&b"hard"[..], 0)));
    assert_eq!(split.tar_len(), tar!("link-size").len() as u64);
    assert_eq!(split.members().filter(Result::is_ok).count(), 3);
}

#[test]
fn refuses_malformed_lines() {
    for line in
        ["{", "[]", "{}", r#"{"type":2,"position":0} x"#, r#"{"type":2,"payload":1,"position":0}"#, "\u{0}"]
    {
        let error = read([line.as_bytes()]);
        assert!(
            matches!(error, Err(TarSplitReadError::Record(RecordError::Malformed { record: 0, .. }))),
            "{line}"
        );
    }
}

fn refused(line: &str) -> RecordError {
    match read([segment(b"a", 0).as_bytes(), b"\n", line.as_bytes()]) {
        Err(TarSplitReadError::Record(error)) => error,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn refuses_positions_that_do_not_count_up() {
    for (position, actual) in [("0", 0), ("2", 2), ("-1", -1)] {
        let line = format!(r#"{{"type":2,"payload":null,"position":{position}}}"#);
        assert_eq!(refused(&line), RecordError::Position { record: 1, actual });
    }
}

#[test]
fn refuses_types_that_it_does_not_know() {
    assert_eq!(refused(r#"{"type":3,"position":1}"#), RecordError::Kind { record: 1, actual: 3 });
}

#[test]
fn refuses_what_is_not_base64() {
    for line in [r#"{"type":2,"payload":"A","position":1}"#, r#"{"type":1,"name_raw":"?","position":1}"#] {
        assert_eq!(refused(line), RecordError::Base64 { record: 1 });
    }
}

#[test]
fn refuses_sizes_that_cannot_be() {
    let error = refused(r#"{"type":1,"name":"a","size":-1,"position":1}"#);
    assert_eq!(error, RecordError::Size { record: 1, limit: Limits::default().file, actual: -1 });
}

#[test]
fn refuses_checksums_that_are_not_eight_bytes() {
    for payload in ["null", r#""""#, r#""AAAA""#, r#""AAAAAAAAAAAA""#, r#""AAAAAAAAAAAAAAAAAAAA""#, r#""?""#]
    {
        let error = refused(&format!(r#"{{"type":1,"name":"a","size":1,"payload":{payload},"position":1}}"#));
        assert!(matches!(error, RecordError::Checksum { record: 1, .. }), "{payload}: {error:?}");
    }
}

#[test]
fn refuses_more_than_the_limits() {
    let limits = Limits { tar_split: 10, ..Limits::default() };
    let mut reader = TarSplitReader::new(&limits);
    let error = Err(RecordError::TooLong { limit: 10 });
    assert_eq!(reader.receive(&[b' '; 11]), error);
    assert_eq!(reader.receive(b""), error, "a failed reader repeats its error");
    let limits = Limits { entries: 0, ..Limits::default() };
    let error = TarSplitReader::new(&limits).receive(&write(tar!("no-end")).unwrap().0);
    assert_eq!(error, Err(RecordError::TooMany { record: 1, limit: 0 }));
}

fn disagrees(lines: &[String]) -> TarSplitError {
    match read_lines(lines) {
        Err(TarSplitReadError::Split(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn refuses_a_file_under_another_name() {
    let mut lines = lines_of(tar!("no-end"));
    lines[1] = lines[1].replace(r#""name":"a""#, r#""name":"b""#);
    let error = disagrees(&lines);
    assert_eq!(error, TarSplitError::Name { file: 0, expected: "a".into(), actual: "b".into() });
    assert_eq!(error.to_string(), r#"tar-split: file 0 is called "b", but its header says "a""#);
}

#[test]
fn refuses_a_file_of_another_length() {
    let mut lines = lines_of(tar!("no-end"));
    lines[1] = lines[1].replace(r#""size":1"#, r#""size":2"#);
    let error = TarSplitError::Size { file: 0, name: "a".into(), expected: 1, actual: 2 };
    assert_eq!(disagrees(&lines), error);
}

#[test]
fn refuses_a_header_without_a_file_and_a_file_without_a_header() {
    let lines = lines_of(tar!("no-end"));
    let no_record = TarSplitError::NoRecord { file: 0, name: "a".into() };
    assert_eq!(disagrees(&lines[..1]), no_record);
    let file = r#"{"type":1,"name":"b","payload":null,"position":3}"#.to_string();
    let no_header = TarSplitError::NoHeader { file: 1, name: "b".into() };
    assert_eq!(disagrees(&[&lines[..], &[file]].concat()), no_header);
}

#[test]
fn refuses_content_among_the_headers() {
    let error = disagrees(&[segment(tar!("no-end"), 0)]);
    assert!(matches!(error, TarSplitError::NoRecord { .. }), "{error:?}");
    let file = r#"{"type":1,"name":"a","size":1,"payload":"AAAAAAAAAAA=","position":1}"#.to_string();
    let error = disagrees(&[segment(tar!("no-end"), 0), file]);
    assert_eq!(error, TarSplitError::LooseContent { file: 0, name: "a".into(), actual: 1 });
}

#[test]
fn refuses_a_content_that_nobody_would_read() {
    // `dump/` is a directory with a payload, which the reference would take for a file's.
    let split = read_lines(&lines_of(tar!("types"))).unwrap();
    let mut before = split.pieces();
    let mut lines = Vec::new();
    let mut writer = TarSplitWriter::new();
    while let Some(piece) = before.next_piece() {
        match piece {
            TarPiece::File(file) if file.name == b"dump/" => break,
            TarPiece::Raw(bytes) => writer.raw(bytes, &mut lines),
            TarPiece::File(file) => writer.file(file.name, file.size, file.crc, &mut lines),
        }
    }
    writer.file(b"dump/", 7, 1, &mut lines);
    let error = read([&lines[..]]);
    let size = TarSplitError::Size { file: 3, name: "dump/".into(), expected: 0, actual: 7 };
    assert_eq!(error, Err(TarSplitReadError::Split(size)));
}

#[test]
fn refuses_sparse_files() {
    let error = disagrees(&lines_of(tar!("sparse-1.0")));
    assert_eq!(error, TarSplitError::Sparse { file: 0, name: "holes".into() });
}

#[test]
fn refuses_headers_that_cannot_be_read() {
    let error = disagrees(&[segment(&[1; 512], 0)]);
    assert!(matches!(error, TarSplitError::Tar { file: 0, .. }), "{error:?}");
    let error = disagrees(&[segment(&[1; 100], 0)]);
    let ends = crate::tar::TarError::Truncated { offset: 100, name: None, expected: 512, actual: 100 };
    assert_eq!(error, TarSplitError::Tar { file: 0, source: ends });
}
