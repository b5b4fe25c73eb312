//! What cannot be chunked becomes plain zstd, with a reason; what is cut short is an error.

use super::generated::{Made, tar};
use super::*;

/// Writes a tar that cannot be chunked, and returns why not.
fn plain(tar: &[u8]) -> Unchunkable {
    plain_with(tar, &WriteOptions::default())
}

fn plain_with(tar: &[u8], options: &WriteOptions) -> Unchunkable {
    let whole = write_with(tar, options, usize::MAX, |_| 0).unwrap();
    // Byte by byte only what is short.
    for step in [if tar.len() < 50_000 { 1 } else { 100 }, 511, 4096] {
        assert_eq!(write_with(tar, options, step, |left| left - 1).unwrap(), whole, "pieces of {step}");
    }
    let (blob, layer) = whole;
    assert_eq!(decompress(&blob, 1 << 30).unwrap(), tar);
    assert!(layer.annotations.is_empty() && layer.toc_len == 0 && layer.tar_split_len == 0);
    assert_eq!(layer.format, Format::Zstd);
    let tail = &blob[blob.len().saturating_sub(FOOTER_LEN)..];
    assert_eq!(Locator::from_footer(tail, blob.len() as u64, &Limits::default()), Ok(None));
    layer.plain.unwrap()
}

/// A file before and one behind, each of several chunks.
fn between(member: Made) -> Vec<u8> {
    let content = crate::testing::noise(5, 200_000);
    let made = [Made::file("before", &content), member, Made::file("behind", &content)];
    [tar(&made), vec![0; 1024]].concat()
}

#[test]
fn what_the_reference_reads_otherwise() {
    for (member, reason) in [
        (Made::file("a", b"x").with_flag(b'7'), "\"a\": it is of type \"7\""),
        (Made::file("a", b"x").with_flag(b'!'), "\"a\": it is of type \"!\""),
        (Made::file("a", b"x").with_flag(b'D'), "\"a\": it is of type \"D\""),
        (Made::file("a", b"x").with_flag(b'V'), "\"behind\": it is of type \"V\""),
        (Made::file("a", b"").with_flag(b'X'), "\"behind\": it is of type \"X\""),
        (Made::file("a", b"").with_flag(b'g'), "\"behind\": a PAX global header comes before it"),
        (Made::file("a/", b"x"), "\"a/\": it is a regular file whose name ends in a slash"),
        (Made::file("a", b"x").with_flag(b'5'), "\"a\": it has a size but can have no content"),
        (
            Made::file("a", b"").with_flag(b'1').with_link("behind"),
            "\"a\" is a hard link to \"behind\", which is no file before it",
        ),
        (Made::file("a", b"x").with_link("b"), "\"a\": it leads somewhere but is no link"),
        (Made::file("a", b"x").with_record("linkpath", b"b"), "\"a\": it leads somewhere but is no link"),
        (Made::file("a", b"b\0").with_flag(b'K'), "\"behind\": it leads somewhere but is no link"),
        (Made::file("a", b"x").with_record("GNU.sparse.realsize", b"1"), "\"a\": it is sparse"),
        (
            Made::file("a", b"x").with_record("uid", b"9223372036854775808"),
            "\"a\": a number in its header is written in a way that Go refuses",
        ),
        (
            Made::file("a", b"x").with_record("gname", b"a\0b"),
            "\"a\": its PAX records are written in a way that Go refuses",
        ),
        (Made::file("a", b"x").with_record("path", b"caf\xe9"), "\"caf\\xe9\": its name is not UTF-8"),
        (
            Made::file("a", b"").with_flag(b'2').with_record("linkpath", b"\xff"),
            "\"a\": its link is not UTF-8",
        ),
        (
            Made::file("a", b"x").with_record("mtime", b"253402300800"),
            "\"a\": a time before year 0 or after year 9999",
        ),
        (
            Made::file("a", b"x").with_record("atime", b"-62167219200.5"),
            "\"a\": a time before year 0 or after year 9999",
        ),
        (Made::file("", b"x"), "a member has no name"),
        (
            Made::file("./before", b"x"),
            "\"./before\" stands for the same path as an earlier member, or leads through one that is no directory",
        ),
        (
            Made::file("before/a", b"x"),
            "\"before/a\" stands for the same path as an earlier member, or leads through one that is no directory",
        ),
    ] {
        // A payload that is none of these would be read as a member.
        let flag = member.flag;
        let tar =
            if flag == b'5' { between(Made { content: b"x".to_vec(), ..member }) } else { between(member) };
        let tar = if flag == b'5' { without_payload_of_a(&tar) } else { tar };
        assert_eq!(plain(&tar).to_string(), reason);
    }
    let xattr = between(Made::file("a", b"x").with_record("SCHILY.xattr.user.b", b"y"));
    let at = xattr.windows(6).position(|window| window == b"user.b").unwrap();
    let mut bad = xattr;
    bad[at + 5] = 0xff;
    assert_eq!(plain(&bad).to_string(), "\"a\": its extended attributes' names is not UTF-8");
}

/// Puts bytes into the first header of a tar, and its sum right again.
fn with_field(tar: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    tar[at..at + bytes.len()].copy_from_slice(bytes);
    tar[148..156].copy_from_slice(b"        ");
    let sum = tar[..512].iter().map(|byte| u32::from(*byte)).sum::<u32>();
    tar[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    tar
}

#[test]
fn numbers_that_go_reads_otherwise() {
    let gnu = Made { gnu: true, ..Made::file("a", b"x") };
    let odd = |tar: &[u8]| match plain(tar) {
        Unchunkable::Odd { oddity, .. } => oddity,
        other => panic!("{other}"),
    };
    let gnu = [tar(&[gnu]), vec![0; 1024]].concat();
    let timed = with_field(&gnu, 345, b"00000000005\0");
    reads_back(&timed, &write(&timed));
    for at in [345, 357] {
        // Go leaves out both times, and takes a prefix for set.
        assert_eq!(odd(&with_field(&gnu, at, b"12345 67\0")), crate::tar::Oddity::Number);
    }
    let ustar = [tar(&[Made::file("a", b"x")]), vec![0; 1024]].concat();
    let star = with_field(&ustar, 508, b"tar\0");
    reads_back(&star, &write(&star));
    for at in [476, 488] {
        assert_eq!(odd(&with_field(&star, at, b"12345 67\0")), crate::tar::Oddity::Number);
    }
    // What a record replaces is read by Go all the same.
    for (key, value, at) in [("size", "1", 124), ("uid", "5", 108), ("gid", "5", 116), ("mtime", "5", 136)] {
        let with_record = tar(&[Made::file("a", b"x").with_record(key, value.as_bytes())]);
        let with_record = [with_record, vec![0; 1024]].concat();
        let (records, member) = with_record.split_at(1024);
        let bad = [records, &with_field(member, at, b"zzz")[..]].concat();
        assert_eq!(odd(&bad), crate::tar::Oddity::Number, "{key}");
        // Nor does it pass over the numbers of the record's own header.
        let bad = with_field(&with_record, if at == 124 { 329 } else { at }, b"1 1");
        assert_eq!(odd(&bad), crate::tar::Oddity::Number, "{key}");
    }
}

#[test]
fn long_names_of_no_length_are_none() {
    let link = Made::file("a", b"").with_flag(b'2').with_link("b");
    for flag in [b'K', b'L'] {
        let tar = [tar(&[Made::file("", b"\0").with_flag(flag), link.clone()]), vec![0; 1024]].concat();
        let [toc, _] = texts(&write(&tar));
        assert!(toc.contains(r#""name":"a","linkName":"b""#), "{toc}");
    }
}

/// A directory has no payload, whatever it claims.
fn without_payload_of_a(tar: &[u8]) -> Vec<u8> {
    let header = tar.chunks(512).position(|block| block.starts_with(b"a\0")).unwrap();
    let payload = (header + 1) * 512;
    [&tar[..payload], &tar[payload + 512..]].concat()
}

#[test]
fn the_ends_that_the_reference_cannot_read() {
    let file = tar(&[Made::file("a", b"x")]);
    for (end, reason) in [
        (vec![0; 511], "the end of the archive is cut short"),
        (vec![0; 700], "the end of the archive is cut short"),
        (vec![7; 100], "the end of the archive is cut short"),
        ([vec![0; 512], vec![7; 512]].concat(), "there is something behind the end of the archive, at 1536"),
        ([vec![0; 1024], vec![7; 1]].concat(), "there is something behind the end of the archive, at 2048"),
        (
            [vec![0; 3 << 20], vec![7; 1]].concat(),
            "there is something behind the end of the archive, at 3146752",
        ),
    ] {
        let why =
            plain_with(&[&file[..], &end].concat(), &WriteOptions { level: 1, ..WriteOptions::default() });
        assert!(why.to_string().starts_with(reason), "{why}");
    }
    // All of the padding may be missing, but not half of it.
    reads_back(&file[..513], &write(&file[..513]));
    assert_eq!(plain(&file[..600]), Unchunkable::CutEnd);
}

#[test]
fn tars_that_nobody_reads_are_passed_on() {
    let damaged = fixture_bytes!("tar/damaged.tar");
    assert!(matches!(plain(damaged), Unchunkable::Tar(_)));
    assert!(matches!(plain(fixture_bytes!("tar/continued.tar")), Unchunkable::Tar(_)));
    assert!(matches!(plain(&crate::testing::noise(3, 300_000)), Unchunkable::Tar(_)));
}

#[test]
fn more_than_readers_take() {
    let mut options = WriteOptions { level: 1, ..WriteOptions::default() };
    options.limits.entries = 4;
    // Two members of several chunks each.
    let content = crate::testing::noise(5, 400_000);
    let tar = [tar(&[Made::file("a", &content), Made::file("b", &content)]), vec![0; 1024]].concat();
    assert!(matches!(plain_with(&tar, &options), Unchunkable::TooLarge { unit: "entries", limit: 4, .. }));
    for limits in [
        Limits { toc: 100, ..Limits::default() },
        Limits { toc_compressed: 100, ..Limits::default() },
        Limits { tar_split: 100, ..Limits::default() },
        Limits { tar_split_compressed: 20, ..Limits::default() },
    ] {
        options.limits = limits;
        assert!(matches!(plain_with(&tar, &options), Unchunkable::TooLarge { unit: "bytes", .. }));
    }
}

#[test]
fn a_table_of_contents_is_written_up_to_the_limit_and_no_further() {
    let tar = [tar(&[Made::file("a", b"x")]), vec![0; 1024]].concat();
    let len = texts(&write(&tar))[0].len() as u64;
    let with = |toc| WriteOptions { limits: Limits { toc, ..Limits::default() }, ..WriteOptions::default() };
    assert!(write_with(&tar, &with(len), 1000, |_| 0).unwrap().1.plain.is_none());
    assert!(matches!(plain_with(&tar, &with(len - 1)), Unchunkable::TooLarge { .. }));
}

#[test]
fn headers_without_end_are_not_held() {
    let tar = tar(&[Made::file("x", b"").with_flag(b'x')]).repeat(10_000);
    let (_, layer) = write_with(&tar, &WriteOptions::default(), 10_000, |_| 0).unwrap();
    assert!(matches!(layer.plain, Some(Unchunkable::TooLarge { unit: "bytes", .. })), "{:?}", layer.plain);
}

#[test]
fn the_fixtures_are_chunked_or_plain_but_never_broken() {
    let mut chunked = Vec::new();
    for (name, tar) in FIXTURES {
        let written = match write_with(tar, &WriteOptions::default(), 1000, |_| 0) {
            Ok(written) => written,
            Err(WriteError::Tar(_)) if *name == "truncated" => continue,
            Err(error) => panic!("{name}: {error}"),
        };
        if written.1.plain.is_none() {
            reads_back(tar, &written);
            chunked.push(*name);
        } else {
            plain(tar);
        }
    }
    let expected = ["base256", "gnu", "gnu-times", "long", "no-end", "oldgnu", "pax", "star", "ustar", "v7"];
    assert_eq!(chunked, expected);
}

macro_rules! fixtures {
    ($($name:literal),*) => {
        &[$(($name, include_bytes!(concat!("../../../../tests/fixtures/tar/", $name, ".tar")).as_slice())),*]
    };
}

const FIXTURES: &[(&str, &[u8])] = fixtures!(
    "base256",
    "continued",
    "damaged",
    "global",
    "gnu",
    "gnu-times",
    "link-size",
    "lone-zero",
    "long",
    "no-end",
    "not-utf8",
    "oldgnu",
    "pax",
    "pax-x",
    "signed",
    "sparse-0.0",
    "sparse-0.1",
    "sparse-1.0",
    "sparse-oldgnu",
    "star",
    "trailing",
    "truncated",
    "types",
    "ustar",
    "v7"
);

#[test]
fn batches_out_of_order_are_noticed() {
    let (mut splitter, mut assembler) = start(&WriteOptions { level: 1, ..WriteOptions::new(Format::Zstd) });
    splitter.receive(&vec![1; 20 << 20]);
    let mut encoder = BatchEncoder::new(&WriteOptions::default());
    let _first = splitter.next_batch().unwrap();
    let second = splitter.next_batch().unwrap().compress(&mut encoder);
    assert_eq!(assembler.accept(second), Err(WriteError::Order { expected: 0, actual: 1 }));
    let (_, end) = splitter.finish().unwrap();
    assert!(matches!(assembler.finish(end), Err(WriteError::Order { expected: 0, .. })));
}
