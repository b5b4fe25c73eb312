//! The reader against tars by GNU tar and by hand (`tests/fixtures/tar/mktar.py`), whole and in pieces.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use crate::limits::Limits;
use crate::member::{Kind, Timestamp};

use super::header::BLOCK;
use super::pax::records;
use super::{Entry, TarError, TarEvent, TarReader};

macro_rules! tar {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/tar/", $name, ".tar"))
            .as_slice()
    };
}

mod refusals;

/// What a reader makes of a tar, pieces of raw bytes and of data joined.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    entries: Vec<Entry>,
    contents: Vec<Vec<(u64, Vec<u8>)>>,
    /// Raw bytes by the number of members that began and ended before them.
    raw: Vec<(usize, usize, Vec<u8>)>,
    ended: usize,
    stream: Vec<u8>,
}

impl Seen {
    fn take(&mut self, event: TarEvent<'_>) {
        match event {
            TarEvent::Member(entry) => {
                assert_eq!(self.ended, self.entries.len(), "members nest");
                self.entries.push(entry);
                self.contents.push(Vec::new());
            }
            TarEvent::EndMember => self.ended += 1,
            TarEvent::Data { offset, bytes } => {
                assert!(!bytes.is_empty());
                assert_eq!(self.ended + 1, self.entries.len(), "data outside a member");
                self.stream.extend_from_slice(bytes);
                let content = self.contents.last_mut().unwrap();
                match content.last_mut() {
                    Some((start, held)) if *start + held.len() as u64 == offset => {
                        held.extend_from_slice(bytes);
                    }
                    _ => content.push((offset, bytes.to_vec())),
                }
            }
            TarEvent::Raw(bytes) => {
                self.stream.extend_from_slice(bytes);
                let at = (self.entries.len(), self.ended);
                match self.raw.last_mut() {
                    Some((began, ended, held)) if (*began, *ended) == at => held.extend_from_slice(bytes),
                    _ => self.raw.push((at.0, at.1, bytes.to_vec())),
                }
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.member.name.as_bytes().escape_ascii().to_string()).collect()
    }

    /// The content with its holes filled.
    fn content(&self, member: usize) -> Vec<u8> {
        let mut content = vec![0; self.entries[member].member.size as usize];
        for (offset, bytes) in &self.contents[member] {
            content[*offset as usize..][..bytes.len()].copy_from_slice(bytes);
        }
        content
    }
}

fn read_with<'a>(limits: &Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Seen, TarError> {
    let mut reader = TarReader::new(limits);
    let mut seen = Seen::default();
    for piece in pieces {
        let mut events = reader.receive(piece);
        while let Some(event) = events.next_event()? {
            seen.take(event);
        }
    }
    reader.finish()?;
    Ok(seen)
}

fn read(tar: &[u8]) -> Result<Seen, TarError> {
    read_with(&Limits::default(), [tar])
}

/// A header as a test wants it, with its sum.
fn header(name: &str, flag: u8, size: u64, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[156] = flag;
    block[257..265].copy_from_slice(b"ustar\x0000");
    for (at, bytes) in fields {
        block[*at..][..bytes.len()].copy_from_slice(bytes);
    }
    block[148..156].fill(b' ');
    let sum = block.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn member(name: &str, flag: u8, body: &[u8]) -> Vec<u8> {
    let mut member = header(name, flag, body.len() as u64, &[]);
    member.extend_from_slice(body);
    member.resize(member.len().next_multiple_of(BLOCK), 0);
    member
}

fn pax(pairs: &[(&str, &[u8])]) -> Vec<u8> {
    member("pax", b'x', &records(pairs))
}

fn at(seconds: i64, nanoseconds: u32) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanoseconds })
}

const T: i64 = 1_700_000_000;

/// Every tar that reads without an error.
const GOOD: [&[u8]; 21] = [
    tar!("base256"),
    tar!("global"),
    tar!("gnu"),
    tar!("gnu-times"),
    tar!("link-size"),
    tar!("lone-zero"),
    tar!("long"),
    tar!("no-end"),
    tar!("not-utf8"),
    tar!("oldgnu"),
    tar!("pax"),
    tar!("pax-x"),
    tar!("signed"),
    tar!("sparse-0.0"),
    tar!("sparse-0.1"),
    tar!("sparse-1.0"),
    tar!("sparse-oldgnu"),
    tar!("star"),
    tar!("trailing"),
    tar!("types"),
    tar!("v7"),
];

#[test]
fn any_fixed_piece_length_gives_the_same_events_and_the_whole_stream() {
    for tar in GOOD {
        let whole = read(tar).unwrap();
        assert_eq!(whole.stream, tar);
        assert_eq!(whole.ended, whole.entries.len());
        for len in [1, 7, 100, 511, 512, 513, 1025] {
            assert_eq!(
                read_with(&Limits::default(), tar.chunks(len)).as_ref(),
                Ok(&whole),
                "pieces of {len}"
            );
        }
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(which in 0..GOOD.len(), mut cuts: Vec<prop::sample::Index>) {
        let tar = GOOD[which];
        let mut ends = cuts.drain(..).map(|cut| cut.index(tar.len() + 1)).chain([tar.len()]).collect::<Vec<_>>();
        ends.sort_unstable();
        let starts = [0].into_iter().chain(ends.iter().copied());
        let pieces = starts.zip(&ends).map(|(start, end)| &tar[start..*end]);
        prop_assert_eq!(read_with(&Limits::default(), pieces), read(tar));
    }

    #[test]
    fn no_altered_byte_panics_or_loses_bytes(which in 0..GOOD.len(), flips: Vec<(prop::sample::Index, u8)>) {
        let mut tar = GOOD[which].to_vec();
        for (index, byte) in flips {
            let place = index.index(tar.len());
            tar[place] ^= byte;
        }
        if let Ok(seen) = read(&tar) {
            prop_assert_eq!(seen.stream, tar);
        }
    }

    #[test]
    fn any_fields_under_a_right_sum_are_read_or_refused(
        flag: u8, fields in prop::collection::vec((0_usize..500, prop::collection::vec(any::<u8>(), 1..12)), 0..8)
    ) {
        let fields = fields.iter().map(|(at, bytes)| (*at, &bytes[..])).collect::<Vec<_>>();
        let tar = [header("name", flag, 3, &fields), vec![b'1'; 512], vec![0; 1024]].concat();
        if let Ok(seen) = read(&tar) {
            prop_assert_eq!(seen.stream, tar);
        }
    }
}

#[test]
fn every_dialect_of_gnu_tar_has_the_same_tree() {
    for (tar, nanoseconds) in
        [(tar!("v7"), 0), (tar!("oldgnu"), 0), (tar!("gnu"), 0), (tar!("ustar"), 0), (tar!("pax"), 5)]
    {
        let seen = read(tar).unwrap();
        let long = format!("{}name", "long/".repeat(25));
        let names = ["dir/", "dir/file", "dir/hard", "dir/soft", "fifo", "null", "loop", &long];
        let kinds = [
            Kind::Directory,
            Kind::Regular,
            Kind::Hardlink,
            Kind::Symlink,
            Kind::Fifo,
            Kind::Char,
            Kind::Block,
            Kind::Regular,
        ];
        assert_eq!(seen.names(), names[..seen.entries.len()]);
        for (entry, kind) in seen.entries.iter().zip(kinds) {
            let member = &entry.member;
            assert_eq!(member.kind, kind);
            assert_eq!((member.uid, member.gid), (7, 8));
            assert_eq!((member.mtime, member.atime, member.ctime), (at(T, nanoseconds), None, None));
            let device = match kind {
                Kind::Char => (1, 3),
                Kind::Block => (7, 300),
                _ => (0, 0),
            };
            assert_eq!((member.dev_major, member.dev_minor), device);
        }
        assert_eq!(seen.entries[1].member.mode, 0o4755);
        assert_eq!(seen.content(1), b"content");
        assert_eq!(seen.entries[2].member.link.as_bytes(), b"dir/file");
        assert_eq!(seen.entries[3].member.link.as_bytes(), b"file");
    }
}

#[test]
fn every_form_of_sparse_file_has_the_same_holes() {
    for tar in [tar!("sparse-oldgnu"), tar!("sparse-0.0"), tar!("sparse-0.1"), tar!("sparse-1.0")] {
        let seen = read(tar).unwrap();
        assert_eq!(seen.names(), ["holes"]);
        let entry = &seen.entries[0];
        assert!(entry.is_sparse());
        assert_eq!((entry.member.kind, entry.member.size, entry.stored), (Kind::Regular, 6 * 65536, 6 * 512));
        let places =
            seen.contents[0].iter().map(|(offset, bytes)| (*offset, bytes.clone())).collect::<Vec<_>>();
        let expected =
            (0..6_u8).map(|i| (u64::from(i) * 65536 + 4096, vec![b'a' + i; 512])).collect::<Vec<_>>();
        assert_eq!(places, expected);
    }
}

#[test]
fn base_256_numbers() {
    let seen = read(tar!("base256")).unwrap();
    assert_eq!(seen.entries[0].member.uid, 0x7fff_ffff);
    assert_eq!(seen.entries[1].member.mtime, at(-2, 0));
}

#[test]
fn times_of_star_and_gnu_are_those_that_go_sees() {
    let star = read(tar!("star")).unwrap();
    let member = &star.entries[0].member;
    assert_eq!(member.name.as_bytes(), b"prefix/name");
    assert_eq!((member.atime, member.ctime), (at(T + 1, 0), at(T + 2, 0)));

    let gnu = read(tar!("gnu-times")).unwrap();
    assert_eq!(gnu.names(), ["times", "prefix-as-go-1.7-wrote-it/name", "none"]);
    let times = gnu.entries.iter().map(|entry| (entry.member.atime, entry.member.ctime)).collect::<Vec<_>>();
    assert_eq!(times, [(at(T + 1, 0), at(T + 2, 0)), (None, None), (None, None)]);
}

#[test]
fn a_global_header_holds_until_the_next() {
    let seen = read(tar!("global")).unwrap();
    let owners = seen.entries.iter().map(|entry| (entry.member.uid, entry.member.gid)).collect::<Vec<_>>();
    assert_eq!(owners, [(5, 6), (7, 6), (0, 8)]);
}

#[test]
fn pax_records_go_before_the_fixed_fields() {
    let seen = read(tar!("pax-x")).unwrap();
    assert_eq!(seen.names(), ["from-pax", "solaris"]);
    let member = &seen.entries[0].member;
    assert_eq!(member.mtime, at(-2, 500_000_000));
    let xattrs = member.xattrs.iter().map(|(name, value)| (&name[..], &value[..])).collect::<Vec<_>>();
    assert_eq!(xattrs, [(&b"security.capability"[..], &b"\x01\0\0\x02\0 \0=\n"[..]), (b"user.empty", b"")]);
    assert!(seen.entries[1].member.xattrs.is_empty());
}

#[test]
fn long_names_are_of_the_next_member_only() {
    let seen = read(tar!("long")).unwrap();
    assert_eq!(seen.names(), [&*"n".repeat(200), "next"]);
    assert_eq!(seen.entries[0].member.link.as_bytes(), "l".repeat(300).as_bytes());
}

#[test]
fn the_last_of_several_extension_headers_counts_and_gnu_names_go_first() {
    let tar = [pax(&[("path", b"a")]), pax(&[("uid", b"7")]), member("own", b'0', b"")].concat();
    let seen = read(&tar).unwrap();
    assert_eq!((seen.names(), seen.entries[0].member.uid), (vec!["own".to_string()], 7));
    for order in [[0, 1], [1, 0]] {
        let headers = [member("", b'L', b"gnu\0"), pax(&[("path", b"pax")])];
        let tar = [&headers[order[0]][..], &headers[order[1]], &member("own", b'0', b"")].concat();
        assert_eq!(read(&tar).unwrap().names(), ["gnu"]);
    }
}

#[test]
fn names_are_bytes() {
    let seen = read(tar!("not-utf8")).unwrap();
    assert_eq!(seen.entries[0].member.name.as_bytes(), b"caf\xe9");
    assert_eq!(seen.entries[1].member.link.as_bytes(), b"\xff\xfe");
    assert_eq!(read(tar!("signed")).unwrap().names(), ["caf\\xe9"]);
}

#[test]
fn odd_types_are_what_gnu_tar_extracts() {
    let seen = read(tar!("types")).unwrap();
    let kinds =
        seen.names().into_iter().zip(seen.entries.iter().map(|entry| (entry.member.kind, entry.stored)));
    let expected = [
        ("plain", Kind::Regular, 1),
        ("v7dir/", Kind::Directory, 0),
        ("dir0/", Kind::Directory, 0),
        ("dump/", Kind::Directory, 0),
        ("names", Kind::Regular, 1),
        ("unknown", Kind::Regular, 1),
        ("v7file", Kind::Regular, 1),
    ];
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        expected.map(|(name, kind, stored)| (name.to_string(), (kind, stored)))
    );
}

#[test]
fn a_link_has_no_payload_whatever_size_it_claims() {
    let seen = read(tar!("link-size")).unwrap();
    assert_eq!(seen.names(), ["a", "hard", "b"]);
    assert_eq!((seen.entries[1].member.size, seen.entries[1].stored), (5, 0));
}

#[test]
fn all_after_the_end_is_raw() {
    for tar in [tar!("trailing"), tar!("lone-zero"), tar!("no-end")] {
        assert_eq!(read(tar).unwrap().names(), ["a"]);
    }
    let seen = read(tar!("trailing")).unwrap();
    assert_eq!(seen.raw.last().unwrap().2.len(), 511 + 1024 + 900);
}

#[test]
fn nothing_at_all_and_zeros_of_any_length_are_empty_tars() {
    for len in [0, 1, 511, 512, 1023, 1024, 10240] {
        assert_eq!(read(&vec![0; len]).unwrap().entries, [], "{len} zeros");
    }
}

#[test]
fn the_last_padding_may_be_missing() {
    assert_eq!(read(&tar!("no-end")[..513]).unwrap().content(0), b"a");
}

#[test]
fn extension_headers_at_the_end_are_of_nobody() {
    assert_eq!(read(&pax(&[("path", b"a")])).unwrap().entries, []);
}

#[test]
fn payload_after_the_last_fragment_is_raw() {
    let map = pax(&[("GNU.sparse.map", b"2,3"), ("GNU.sparse.size", b"9")]);
    let seen = read(&[map, member("a", b'0', b"abcdef")].concat()).unwrap();
    assert_eq!((seen.contents[0].clone(), seen.entries[0].stored), (vec![(2, b"abc".to_vec())], 3));
}
