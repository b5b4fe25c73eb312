//! The table of contents as text: what Go's `encoding/json` makes of the reference's structures.

use alloc::string::String;
use alloc::vec::Vec;

use crate::tar_split::json::{base64, escape, write};
use crate::toc::time;
use crate::{Cut, Digest, Member, Timestamp};

/// The beginning of the text, before the first entry.
pub(super) const HEAD: &[u8] = b"{\"version\":1,\"entries\":[";

/// A chunk with its place in the blob.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) cut: Cut,
    pub(super) digest: Digest,
    pub(super) offset: u64,
}

/// A regular file's content with its place in the blob.
#[derive(Debug)]
pub(super) struct Content<'a> {
    pub(super) digest: Digest,
    /// In order; never none.
    pub(super) chunks: &'a [Placed],
    /// Where the last chunk's frames end.
    pub(super) end: u64,
}

/// Appends a member, and an entry for each chunk but the first.
///
/// Keys come in the order of the reference's structures; all but the first two are left out where they say nothing.
pub(super) fn entry(member: &Member, content: Option<&Content<'_>>, out: &mut Vec<u8>) {
    let text = |bytes| core::str::from_utf8(bytes).unwrap_or_default();
    begin(member.kind.as_str(), text(member.name.as_bytes()), out);
    if !member.link.is_empty() {
        string("linkName", text(member.link.as_bytes()), out);
    }
    number("mode", u64::from(member.mode), out);
    number("size", member.size, out);
    number("uid", member.uid, out);
    number("gid", member.gid, out);
    moment("modtime", member.mtime, out);
    moment("accesstime", member.atime, out);
    moment("changetime", member.ctime, out);
    number("devMajor", member.dev_major, out);
    number("devMinor", member.dev_minor, out);
    if !member.xattrs.is_empty() {
        let mut before = b'{';
        out.extend_from_slice(b",\"xattrs\":");
        for (key, value) in &member.xattrs {
            out.push(before);
            before = b',';
            out.push(b'"');
            escape(text(key), out);
            out.extend_from_slice(b"\":\"");
            base64(value, out);
            out.push(b'"');
        }
        out.push(b'}');
    }
    if let Some(Content { digest, chunks, end }) = content
        && let [first, more @ ..] = chunks
    {
        hash("digest", digest, out);
        number("offset", first.offset, out);
        number("endOffset", *end, out);
        if !more.is_empty() {
            chunk(first, out);
        }
        for placed in more {
            out.extend_from_slice(b"},");
            begin("chunk", text(member.name.as_bytes()), out);
            number("offset", placed.offset, out);
            chunk(placed, out);
        }
    }
    out.push(b'}');
}

/// Appends the end of the text.
pub(super) fn tail(tar_split: &Digest, out: &mut Vec<u8>) {
    out.push(b']');
    hash("tarSplitDigest", tar_split, out);
    out.push(b'}');
}

fn begin(kind: &str, name: &str, out: &mut Vec<u8>) {
    write(out, format_args!("{{\"type\":\"{kind}\",\"name\":\""));
    escape(name, out);
    out.push(b'"');
}

fn chunk(Placed { cut, digest, .. }: &Placed, out: &mut Vec<u8>) {
    number("chunkSize", cut.len, out);
    number("chunkOffset", cut.offset, out);
    hash("chunkDigest", digest, out);
    if cut.zeros {
        string("chunkType", "zeros", out);
    }
}

fn number(key: &str, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        write(out, format_args!(",\"{key}\":{value}"));
    }
}

fn string(key: &str, value: &str, out: &mut Vec<u8>) {
    write(out, format_args!(",\"{key}\":\""));
    escape(value, out);
    out.push(b'"');
}

fn hash(key: &str, digest: &Digest, out: &mut Vec<u8>) {
    write(out, format_args!(",\"{key}\":\"{digest}\""));
}

/// Appends a time in UTC. Go's zero time stands for none, and so do times that it cannot say, which come to nobody.
fn moment(key: &str, at: Option<Timestamp>, out: &mut Vec<u8>) {
    let mut text = String::new();
    if let Some(at) = at
        && time::format(at, &mut text).is_ok()
        && time::parse(&text) == Some(time::Rfc3339::At(at))
    {
        write(out, format_args!(",\"{key}\":\"{text}\""));
    }
}
