//! The TOC of eStargz: the first file of a tar, in gzip members of its own.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::TocError;
use crate::Limits;
use crate::gzip::Members;
use crate::tar::{TarEvent, TarReader};

/// How much is decompressed at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Returns the content of the first file of a tar in gzip, at most `limit` bytes; its name is not looked at.
///
/// Memory grows with what really comes out; what the tar's header claims counts for nothing but an early refusal.
pub(super) fn first_file(compressed: &[u8], limit: u64, limits: &Limits) -> Result<Vec<u8>, TocError> {
    let mut members = Members::new();
    let mut tar = TarReader::new(limits);
    let (mut piece, mut content) = (alloc::vec![0; PIECE], Vec::new());
    let mut rest = compressed;
    // A tar may say a lot before its first file. What is not content is bounded too.
    let mut other = 0_u64;
    let other_limit = length(PIECE).max(u64::try_from(limits.tar_metadata).unwrap_or(u64::MAX));
    let within = |what, len: u64, limit: u64| {
        if len > limit { Err(TocError::TooLarge { what, len, limit }) } else { Ok(()) }
    };
    loop {
        let progress = members.decode(rest, &mut piece).map_err(|message| TocError::Gzip { message })?;
        rest = rest.get(progress.read..).unwrap_or_default();
        if progress.read == 0 && progress.written == 0 {
            return Err(TocError::Tar { message: "it ends before the file does".into() });
        }
        let mut events = tar.receive(piece.get(..progress.written).unwrap_or_default());
        while let Some(event) =
            events.next_event().map_err(|error| TocError::Tar { message: error.to_string() })?
        {
            match event {
                TarEvent::Member(entry) => within("TOC", entry.member.size, limit)?,
                TarEvent::Data { bytes, .. } => {
                    within("TOC", length(content.len()).saturating_add(length(bytes.len())), limit)?;
                    content.extend_from_slice(bytes);
                }
                TarEvent::EndMember => return Ok(content),
                TarEvent::Raw(bytes) => {
                    other = other.saturating_add(length(bytes.len()));
                    within("tar around the TOC", other, other_limit)?;
                }
            }
        }
    }
}

fn length(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::header;
    use crate::testing::stargz::{gzip, toc_tar};

    fn first(compressed: &[u8], limit: u64) -> Result<Vec<u8>, TocError> {
        first_file(compressed, limit, &Limits::default())
    }

    #[test]
    fn the_first_file_and_no_more() {
        let tar = [toc_tar(b"{}"), toc_tar(b"second"), alloc::vec![0; 1024]].concat();
        assert_eq!(first(&gzip(&tar), 2).unwrap(), b"{}");
        // In several members, with bytes behind it that nobody looks at.
        let members = [gzip(&tar[..600]), gzip(b""), gzip(&tar[600..]), b"garbage".to_vec()].concat();
        assert_eq!(first(&members, 2).unwrap(), b"{}");
        assert!(first(&gzip(&header("empty", 0)), 2).unwrap().is_empty());
    }

    #[test]
    fn what_is_none() {
        let tar = toc_tar(&[b'x'; 5000]);
        let whole = gzip(&tar);
        for cut in 0..whole.len() - 10 {
            // The file may be complete before the member is.
            match first(&whole[..cut], 5000) {
                Ok(json) => assert_eq!(json, [b'x'; 5000]),
                Err(error) => {
                    assert!(matches!(error, TocError::Tar { .. }) && error.is_lie(), "{cut}: {error}");
                }
            }
        }
        assert!(matches!(first(b"", 9), Err(TocError::Tar { .. })));
        assert!(matches!(first(b"no gzip at all", 9), Err(TocError::Gzip { .. })));
        assert!(matches!(first(&gzip(&[7; 600]), 9), Err(TocError::Tar { .. })));
        assert!(matches!(first(&gzip(&[0; 2048]), 9), Err(TocError::Tar { .. })), "a tar without a file");
    }

    #[test]
    fn what_is_over_the_limits() {
        let claim = header("stargz.index.json", 1 << 30);
        let error = first(&gzip(&claim), 1 << 20).unwrap_err();
        assert_eq!(error, TocError::TooLarge { what: "TOC", len: 1 << 30, limit: 1 << 20 });
        // Zeros after the end of an archive go on for ever, in next to no gzip.
        let bomb = gzip(&alloc::vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000);
        assert!(matches!(first(&bomb, 1 << 20), Err(TocError::TooLarge { .. })));
    }
}
