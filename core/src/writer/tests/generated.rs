//! Any tar that can be written is read back the same.

use super::*;

/// One member to be put into a tar.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) name: String,
    pub(super) flag: u8,
    pub(super) link: String,
    pub(super) content: Vec<u8>,
    pub(super) mtime: u64,
    pub(super) records: Vec<(String, Vec<u8>)>,
    pub(super) gnu: bool,
}

impl Made {
    pub(super) fn file(name: &str, content: &[u8]) -> Self {
        let (name, content) = (name.to_string(), content.to_vec());
        Self { name, flag: b'0', link: String::new(), content, mtime: 7, records: Vec::new(), gnu: false }
    }

    pub(super) fn with_flag(mut self, flag: u8) -> Self {
        self.flag = flag;
        self
    }

    pub(super) fn with_link(mut self, link: &str) -> Self {
        self.link = link.to_string();
        self
    }

    pub(super) fn with_record(mut self, key: &str, value: &[u8]) -> Self {
        self.records.push((key.to_string(), value.to_vec()));
        self
    }
}

/// Puts members into a tar without an end.
pub(super) fn tar(members: &[Made]) -> Vec<u8> {
    let mut tar = Vec::new();
    for made in members {
        let mut records = made.records.clone();
        if made.name.len() > 100 {
            if made.gnu {
                put(
                    &mut tar,
                    b"././@LongLink",
                    b'L',
                    b"",
                    made.mtime,
                    &[made.name.as_bytes(), b"\0"].concat(),
                    true,
                );
            } else {
                records.push(("path".into(), made.name.clone().into_bytes()));
            }
        }
        if !records.is_empty() {
            let pairs = records.iter().map(|(key, value)| (key.as_str(), &value[..])).collect::<Vec<_>>();
            put(&mut tar, b"PaxHeaders/x", b'x', b"", made.mtime, &crate::tar::records(&pairs), false);
        }
        let (name, link) = (made.name.as_bytes(), made.link.as_bytes());
        put(&mut tar, &name[..name.len().min(100)], made.flag, link, made.mtime, &made.content, made.gnu);
    }
    tar
}

fn put(tar: &mut Vec<u8>, name: &[u8], flag: u8, link: &[u8], mtime: u64, content: &[u8], gnu: bool) {
    let mut header = [0; 512];
    let mut set = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    set(0, name);
    set(100, b"0000644");
    set(108, b"0001750");
    set(116, b"0000000");
    set(124, format!("{:011o}", content.len()).as_bytes());
    set(136, format!("{mtime:011o}").as_bytes());
    set(148, b"        ");
    set(156, &[flag]);
    set(157, link);
    set(257, if gnu { b"ustar  \0" } else { b"ustar\x0000" });
    if matches!(flag, b'3' | b'4') {
        set(329, b"0000001");
        set(337, b"0000003");
    }
    let sum = header.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// Contents with lengths about those that matter: blocks, holes, chunks.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let len = prop_oneof![
        3 => 0..3_usize,
        2 => 510..515_usize,
        2 => 1020..1030_usize,
        2 => 0..20_000_usize,
        1 => 60_000..300_000_usize,
    ];
    let stretch = (0..3_u8, any::<u32>(), len).prop_map(|(kind, seed, len)| {
        if kind == 0 { vec![0; len] } else { crate::testing::noise(seed, len) }
    });
    prop::collection::vec(stretch, 0..4).prop_map(|stretches| stretches.concat())
}

fn member() -> impl Strategy<Value = (u8, Vec<u8>, u64, bool, usize, Vec<u8>)> {
    (0..9_u8, content(), 0..3_000_000_000_u64, any::<bool>(), 0..250_usize, any::<Vec<u8>>())
}

/// Members of all kinds, and one of the ends that writers give a tar.
fn any_tar() -> impl Strategy<Value = Vec<u8>> {
    (prop::collection::vec(member(), 0..9), 0..7_u8).prop_map(|(members, end)| {
        let target = core::iter::once(Made::file("./target", b"of hard links"));
        let made = target.chain(members.into_iter().enumerate().map(
            |(at, (kind, content, mtime, gnu, long, value))| {
                let name = format!("./d{}/{at}<é>{}", at % 2, "n".repeat(long));
                let file = Made { mtime, gnu, ..Made::file(&name, &[]) };
                match kind {
                    0 => file.with_flag(b'5'),
                    1 => file.with_flag(b'2').with_link("../x & y"),
                    2 => file.with_flag(b'1').with_link("target"),
                    3 => file.with_flag(b'3'),
                    4 => file.with_flag(b'6'),
                    5 => Made { content, gnu: false, ..file }
                        .with_record("SCHILY.xattr.user.a", &value)
                        .with_record("mtime", b"-1.5")
                        .with_record("atime", b"1700000000.25"),
                    6 => Made { content, ..file }.with_flag(0),
                    _ => Made { content, ..file },
                }
            },
        ));
        let mut tar = tar(&made.collect::<Vec<_>>());
        match end {
            0 => {}
            1 => tar.resize(tar.len() + 512, 0),
            2 => tar.resize(tar.len() + 1024, 0),
            3 => tar.resize(tar.len() + 1024 + 520, 0),
            4 => tar.resize(tar.len() + (2 << 20) + 77, 0),
            5 => tar.resize(tar.len() + (1 << 20) + 512, 0),
            _ => tar.resize((tar.len() + 1024).next_multiple_of(10_240), 0),
        }
        tar
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_tar_is_read_back(tar in any_tar()) {
        reads_back(&tar, &write(&tar));
    }

    #[test]
    fn any_split_and_any_order_give_the_same_bytes(
        tar in any_tar(), step in 1..70_000_usize, picks in prop::collection::vec(any::<prop::sample::Index>(), 8),
        format in prop_oneof![Just(Format::Gzip), Just(Format::Zstd), Just(Format::ZstdChunked)],
    ) {
        let options = WriteOptions { level: 1, ..WriteOptions::new(format) };
        let whole = write_with(&tar, &options, usize::MAX, |_| 0);
        let mut at = 0;
        let order = |left| { at += 1; picks[at % 8].index(left) };
        prop_assert_eq!(write_with(&tar, &options, step, order), whole);
    }

    #[test]
    fn plain_forms_are_the_tar(tar in any_tar(), gzip: bool) {
        let (format, suffix) = if gzip { (Format::Gzip, "gzip") } else { (Format::Zstd, "zstd") };
        let (blob, layer) = write_with(&tar, &WriteOptions::new(format), 100_000, |_| 0).unwrap();
        prop_assert_eq!(unwrapped(&blob), tar);
        prop_assert_eq!((layer.format.suffix(), layer.toc_len, layer.tar_split_len), (suffix, 0, 0));
        prop_assert!(layer.annotations.is_empty() && layer.plain.is_none());
    }

    #[test]
    fn a_tar_that_is_cut_short_is_an_error(content in content(), place: prop::sample::Index) {
        let tar = tar(&[Made::file("a", &[&b"0"[..], &content].concat())]);
        // Up to the last byte of the content; zeros alone are an empty archive.
        let cut = 1 + place.index(512 + content.len());
        let cut = write_with(&tar[..cut], &WriteOptions::default(), 100, |_| 0);
        prop_assert!(matches!(cut, Err(WriteError::Tar(crate::tar::TarError::Truncated { .. }))), "{:?}", cut);
    }
}

/// Decompresses a blob as a whole pull does.
pub(super) fn unwrapped(blob: &[u8]) -> Vec<u8> {
    let mut unwrap = crate::Unwrap::new(&Limits::default());
    let mut plain = Vec::new();
    let mut pieces = unwrap.receive(blob);
    while let Some(piece) = pieces.next_piece().unwrap() {
        plain.extend_from_slice(piece);
    }
    unwrap.finish(&Digest::of(blob)).unwrap();
    plain
}

#[test]
fn an_empty_tar_is_a_layer() {
    for len in [0, 512, 1024, 10_240] {
        let tar = vec![0; len];
        reads_back(&tar, &write(&tar));
    }
}

#[test]
fn a_chunk_longer_than_a_frame_is_several_and_one_in_the_toc() {
    // Without a boundary: the sum of equal bytes never changes.
    let long = vec![7; LONGEST_FRAME + 1];
    let two = [&long[..], &vec![0; 5000], &long].concat();
    let contents = [&long[1..], &two[..], &long];
    let made = contents.iter().enumerate().map(|(at, content)| Made::file(&at.to_string(), content));
    let tar = [tar(&made.collect::<Vec<_>>()), vec![0; 1024]].concat();
    let options = WriteOptions { level: 1, ..WriteOptions::default() };
    let written = write_with(&tar, &options, 1 << 20, |_| 0).unwrap();
    let toc = as_layer(&tar, &written).toc();
    let chunks =
        toc.files().map(|(_, entry)| toc.chunks(entry).iter().map(|chunk| chunk.len).collect::<Vec<_>>());
    let longest = LONGEST_FRAME as u64;
    let expected = [vec![longest], vec![longest + 1, 5000, longest + 1], vec![longest + 1]];
    assert_eq!(chunks.collect::<Vec<_>>(), expected);
    reads_back(&tar, &written);
}

#[test]
fn headers_longer_than_a_frame_are_several_too() {
    let names = (0..LONGEST_FRAME / 512 + 10).map(|at| Made::file(&format!("empty-{at}"), &[]));
    let tar = tar(&names.collect::<Vec<_>>());
    let options = WriteOptions { level: 1, ..WriteOptions::default() };
    let written = write_with(&tar, &options, 1 << 20, |_| 0).unwrap();
    reads_back(&tar, &written);
}
