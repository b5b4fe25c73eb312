//! What our store keeps of a TOC.

use alloc::string::ToString;

use super::{changed, parse, sample};
use crate::{Body, Chunk, Limits, Timestamp, Toc};

pub(super) fn stored(toc: &Toc) -> Toc {
    Toc::from_stored(&toc.to_stored(), &Limits::default()).unwrap()
}

/// The same without places in a blob, which the store does not keep.
pub(super) fn unlocated(toc: &Toc) -> Toc {
    let mut toc = toc.clone();
    for Chunk { body, .. } in &mut toc.chunks {
        if let Body::Frames(_) = body {
            *body = Body::Unlocated;
        }
    }
    toc
}

#[test]
fn the_stored_form_is_read_back() {
    let toc = parse(&sample().to_string()).unwrap();
    assert_eq!(stored(&toc), unlocated(&toc));
    let zeros = changed(|toc| toc["entries"][1]["chunkType"] = "zeros".into()).unwrap();
    assert_eq!(stored(&zeros), unlocated(&zeros));
}

#[test]
fn the_stored_form_holds_what_json_text_cannot() {
    let mut toc = parse(&sample().to_string()).unwrap();
    let member = toc.member_mut(4).unwrap();
    member.name = b"caf\xe9 \"\n".as_slice().into();
    member.link = b"\xff".as_slice().into();
    member.xattrs.insert((*b"user.\xfe").into(), (*b"\0\xff").into());
    member.xattrs.insert((*b"user.plain").into(), (*b"").into());
    member.mtime = Some(Timestamp { seconds: -62_135_596_800, nanoseconds: 0 });
    member.atime = Some(Timestamp { seconds: i64::MAX, nanoseconds: 5 });
    member.ctime = Some(Timestamp { seconds: i64::MIN, nanoseconds: 0 });
    assert_eq!(stored(&toc), unlocated(&toc));
}
