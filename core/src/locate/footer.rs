//! The last bytes of a blob, in every form that says where a TOC lies.
//!
//! ```text
//! zstd:chunked today   64: TOC offset, length, plain length, type │ the same three of the tar-split │ "GNUlInUx"
//! … of old             40: TOC offset, length, plain length, type │ "GnUlInUx"
//! eStargz              51: an empty gzip member with the extra field "SG" 22 0: TOC offset in 16 hex digits, "STARGZ"
//! stargz before that   47: the same without "SG" 22 0
//! external TOC         46: an empty gzip member with the extra field "SG" 17 0: "STARGZEXTERNALTOC"
//! ```

use super::{FOOTER_LEN, Form, LocateError, OLD_FOOTER_LEN, Span};

pub(crate) const MAGIC: &[u8; 8] = b"GNUlInUx";
const OLD_MAGIC: &[u8; 8] = b"GnUlInUx";
/// The only manifest type there is ("CRFS").
pub(crate) const TYPE: u64 = 1;

/// Gzip's magic, deflate, and the flag for an extra field.
const GZIP: &[u8; 4] = b"\x1f\x8b\x08\x04";
/// How long the rest of the header is: time, level, system.
const GZIP_REST: usize = 6;
/// The subfield's name and length, and that of the extra field around it.
const ESTARGZ: &[u8; 6] = b"\x1a\x00SG\x16\x00";
const LEGACY: &[u8; 2] = b"\x16\x00";
const EXTERNAL: &[u8; 6] = b"\x15\x00SG\x11\x00";
const STARGZ_MAGIC: &[u8; 6] = b"STARGZ";
const EXTERNAL_MAGIC: &[u8; 17] = b"STARGZEXTERNALTOC";
/// An empty stored block, and the checksum and length of nothing.
const EMPTY_MEMBER: &[u8; 13] = b"\x01\x00\x00\xff\xff\0\0\0\0\0\0\0\0";

/// The length of the footer of a blob whose TOC is in another image.
pub(super) const EXTERNAL_LEN: usize = 46;

/// What a footer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Footer {
    /// The TOC lies in this blob.
    Here { form: Form, toc: Span, tar_split: Option<Span>, data_end: u64 },
    /// The TOC is a blob of its own.
    External { data_end: u64 },
}

impl Footer {
    /// Reads the end of a blob; `toc_limit` stands for a plain length that the form does not say.
    pub(super) fn parse(tail: &[u8], blob_len: u64, toc_limit: u64) -> Result<Option<Self>, LocateError> {
        match (tail.last_chunk::<FOOTER_LEN>(), tail.last_chunk::<OLD_FOOTER_LEN>()) {
            (Some(footer), _) if footer.ends_with(MAGIC) => zstd(Form::Today, footer).map(Some),
            (_, Some(footer)) if footer.ends_with(OLD_MAGIC) => zstd(Form::Old, footer).map(Some),
            _ => gzip(tail, blob_len, toc_limit),
        }
    }
}

fn zstd(form: Form, footer: &[u8]) -> Result<Footer, LocateError> {
    let field = |at: usize| {
        let bytes = footer.chunks_exact(8).nth(at).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u64::from_le_bytes).unwrap_or_default()
    };
    if field(3) != TYPE {
        return Err(LocateError::FooterType { actual: field(3) });
    }
    let bad = || LocateError::FooterPosition { offset: field(0), len: field(1) };
    let toc = Span::new(field(0), field(1), field(2)).ok_or_else(bad)?;
    let tar_split = match form {
        Form::Today if field(4) != 0 => Some(Span::new(field(4), field(5), field(6)).ok_or_else(bad)?),
        _ => None,
    };
    let data_end = toc.frame_start();
    Ok(Footer::Here { form, toc, tar_split, data_end })
}

fn gzip(tail: &[u8], blob_len: u64, toc_limit: u64) -> Result<Option<Footer>, LocateError> {
    let end = |len: usize| blob_len.saturating_sub(u64::try_from(len).unwrap_or(u64::MAX));
    if member::<EXTERNAL_LEN>(tail, EXTERNAL) == Some(EXTERNAL_MAGIC) {
        return Ok(Some(Footer::External { data_end: end(EXTERNAL_LEN) }));
    }
    let field = member::<51>(tail, ESTARGZ).map(|field| (field, 51));
    let field = field.or_else(|| member::<47>(tail, LEGACY).map(|field| (field, 47)));
    let Some((field, footer_len)) = field else { return Ok(None) };
    let Some(digits) = field.strip_suffix(STARGZ_MAGIC) else { return Ok(None) };
    let (data_end, toc_end) = (hexadecimal(digits), end(footer_len));
    let Some(offset) = data_end.filter(|offset| *offset < toc_end) else {
        let offset = data_end.unwrap_or(u64::MAX);
        return Err(LocateError::FooterPosition { offset, len: toc_end.saturating_sub(offset) });
    };
    let toc = Span { range: offset..toc_end, plain_len: toc_limit };
    Ok(Some(Footer::Here { form: Form::EStargz, toc, tar_split: None, data_end: offset }))
}

/// Returns the subfield of an empty gzip member of `LEN` bytes at the end of `tail`, whose extra field begins so.
fn member<'a, const LEN: usize>(tail: &'a [u8], extra: &[u8]) -> Option<&'a [u8]> {
    let rest = tail.last_chunk::<LEN>()?.strip_prefix(GZIP)?.get(GZIP_REST..)?;
    rest.strip_prefix(extra)?.strip_suffix(EMPTY_MEMBER)
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    // `from_str_radix` takes a leading plus sign.
    let digits = core::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u64::from_str_radix(digits, 16).ok()
}
