//! What agrees with the zoo, and what does not.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::tar_split::fixture::{ZOO, read, write};

use super::*;

const NOT_UTF8: &[u8] = include_bytes!("../../../tests/fixtures/tar/not-utf8.tar");
const TYPES: &[u8] = include_bytes!("../../../tests/fixtures/tar/types.tar");

fn split(tar: &[u8]) -> (TarSplit, Vec<Member>) {
    let split = read([&write(tar).unwrap().0[..]]).unwrap();
    let members = split.members().map(|entry| entry.unwrap().member).collect();
    (split, members)
}

/// Changes one member of the zoo and returns what is found.
fn changed(path: &str, change: impl FnOnce(&mut Member)) -> Result<Vec<Adopted>, Disagreement> {
    let (split, mut members) = split(ZOO);
    change(members.iter_mut().find(|member| member.name.as_bytes() == path.as_bytes()).unwrap());
    check_agreement(&members, &split)
}

#[test]
fn what_the_tar_says_agrees() {
    let (split, members) = split(ZOO);
    assert_eq!(check_agreement(&members, &split), Ok(Vec::new()));
}

#[test]
fn each_changed_field_is_found() {
    let time = Some(Timestamp { seconds: 1, nanoseconds: 0 });
    type Case = (&'static str, Field, fn(&mut Member));
    let cases: [Case; 12] = [
        ("./usr/bin/tool", Field::Name, |member| member.name = "./usr/bin/other".into()),
        ("./usr/bin/sh", Field::Link, |member| member.link = "other".into()),
        ("./usr/bin/tool-hard", Field::Link, |member| member.link = "other".into()),
        ("./usr/bin/tool-setuid", Field::Mode, |member| member.mode = 0o755),
        ("./usr/bin/tool", Field::Mode, |member| member.mode |= 0o100_000),
        ("./usr/bin/tool", Field::Size, |member| member.size += 1),
        ("./etc/same-a", Field::Uid, |member| member.uid = 0),
        ("./etc/same-a", Field::Gid, |member| member.gid = 0),
        ("./etc/nano", Field::Mtime, |member| member.mtime = None),
        ("./dev/null", Field::Device, |member| member.dev_minor = 5),
        ("./etc/xattr", Field::Xattrs, |member| member.xattrs.clear()),
        ("./dev/null", Field::Kind, |member| member.kind = Kind::Block),
    ];
    for (path, expected, change) in cases {
        let error = changed(path, change).unwrap_err();
        assert!(matches!(&error, Disagreement::Field { field, .. } if *field == expected), "{path}: {error}");
        assert_eq!(error.severity(), Severity::Lie, "{path}: {error}");
    }
    for (expected, change) in [
        (Field::Atime, (|member, time| member.atime = time) as fn(&mut Member, _)),
        (Field::Ctime, |member, time| member.ctime = time),
    ] {
        let error = changed("./etc/nano", |member| change(member, time)).unwrap_err();
        assert!(matches!(&error, Disagreement::Field { field, .. } if *field == expected), "{error}");
        assert_eq!(error.severity(), Severity::Whole);
    }
}

#[test]
fn a_lie_after_a_harmless_difference_is_still_found() {
    let (split, mut members) = split(ZOO);
    members[0].atime = Some(Timestamp { seconds: 1, nanoseconds: 0 });
    members.last_mut().unwrap().mode = 0;
    assert_eq!(check_agreement(&members, &split).unwrap_err().severity(), Severity::Lie);
}

#[test]
fn a_message_names_the_place_and_both_parties() {
    let error = changed("./usr/bin/tool-setuid", |member| member.mode = 0o755).unwrap_err();
    let text = r#"the TOC says that the mode of "./usr/bin/tool-setuid" is 0755, the tar says 4755"#;
    assert_eq!(error.to_string(), text);
}

#[test]
fn missing_times_are_the_epoch_and_year_one() {
    let year_1 = Some(Timestamp { seconds: -62_135_596_800, nanoseconds: 0 });
    for time in [None, Some(Timestamp::EPOCH), year_1] {
        let found = changed("./etc/nano", |member| (member.atime, member.ctime) = (time, time));
        assert_eq!(found, Ok(Vec::new()));
    }
}

#[test]
fn fields_that_a_kind_has_no_use_for_are_not_compared() {
    let found = changed("./usr/bin/tool", |member| (member.dev_major, member.link) = (9, "left over".into()));
    assert_eq!(found, Ok(Vec::new()));
}

#[test]
fn entries_on_one_side_only_are_lies() {
    let (split, mut members) = split(ZOO);
    let last = members.pop().unwrap();
    let error = check_agreement(&members, &split).unwrap_err();
    assert_eq!(error, Disagreement::NotInToc { entry: members.len(), name: last.name.clone() });
    assert_eq!(error.severity(), Severity::Lie);
    members.extend([last.clone(), last]);
    let error = check_agreement(&members, &split).unwrap_err();
    assert!(matches!(error, Disagreement::NotInTar { .. }), "{error}");
    assert_eq!(error.severity(), Severity::Lie);
    members.remove(3);
    assert!(check_agreement(&members, &split).is_err());
}

#[test]
fn another_order_is_no_lie() {
    let (split, mut members) = split(ZOO);
    members.swap(2, 7);
    let error = check_agreement(&members, &split).unwrap_err();
    assert!(matches!(error, Disagreement::Order { entry: 2, .. }), "{error}");
    assert_eq!(error.severity(), Severity::Whole);
}

#[test]
fn names_that_json_cannot_hold_are_adopted() {
    let (split, members) = split(NOT_UTF8);
    let mut toc = members.clone();
    toc[0].name = "caf\u{fffd}".into();
    toc[1].link = "\u{fffd}\u{fffd}".into();
    for adopted in check_agreement(&toc, &split).unwrap() {
        let entry = adopted.entry;
        adopted.apply(&mut toc[entry]);
    }
    assert_eq!(toc, members);
    toc[1].link = "\u{fffd}".into();
    assert!(check_agreement(&toc, &split).is_err());
}

#[test]
fn each_bad_byte_is_one_mark_as_in_go() {
    assert_eq!(go_text(b"\xe6\x97x\xf0\x9f\x98\xff"), "\u{fffd}\u{fffd}x\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
    let real = Xattrs::from([((*b"user.\xff").into(), (*b"v").into())]);
    let said = Xattrs::from([("user.\u{fffd}".as_bytes().into(), (*b"v").into())]);
    assert!(same_xattrs(&said, &real));
    let twins =
        Xattrs::from([((*b"user.\xff").into(), (*b"v").into()), ((*b"user.\xfe").into(), (*b"v").into())]);
    assert!(!same_xattrs(&said, &twins));
}

#[test]
fn a_directory_that_the_reference_takes_for_a_file_is_no_lie() {
    let (split, mut members) = split(TYPES);
    let dir = members.iter_mut().find(|member| member.name.as_bytes() == b"dir0/").unwrap();
    dir.kind = Kind::Regular;
    assert_eq!(check_agreement(&members, &split).unwrap_err().severity(), Severity::Whole);
}
