//! Where frames begin and end, told from their headers alone, without decoding (RFC 8878 §3.1).
//!
//! A decoder hides the borders between frames; a table of contents is about nothing else.

use super::ZstdError;

/// The longest header: magic, descriptor, window, dictionary, content size.
const HEADER: usize = 18;
/// No block is longer (RFC 8878 §3.1.1.2.4).
const BLOCK: u32 = 128 * 1024;

/// Walks over frames that arrive in pieces of any length.
#[derive(Debug)]
pub(crate) struct FrameWalker {
    state: State,
    gathered: [u8; HEADER],
    /// At most `HEADER`.
    filled: usize,
}

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameHead {
    /// Compressed data.
    Data {
        /// The plain length, where the writer knew it.
        content: Option<u64>,
        /// Whether a checksum of the plain bytes follows the last block.
        checksum: bool,
        /// Which dictionary it takes to decode; 0 for none.
        dictionary: u32,
    },
    /// Bytes that a decoder passes over.
    Skippable {
        /// Which of the sixteen magic numbers: 0 for 0x184D2A50.
        magic: u8,
        /// How many bytes.
        len: u32,
    },
}

/// How far [`FrameWalker::advance`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A header is complete.
    Begin(FrameHead),
    /// The frame is complete.
    End,
    /// All bytes were used, and the frame is not complete.
    More,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The header.
    Head,
    /// The header of a block.
    Block { checksum: bool },
    /// Bytes of which only the number matters, and what follows them.
    Pass { left: u64, then: Then },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Block { checksum: bool },
    End,
}

impl FrameWalker {
    /// Starts where a frame begins.
    pub(crate) const fn new() -> Self {
        Self { state: State::Head, gathered: [0; HEADER], filled: 0 }
    }

    /// Whether the last frame begun is also ended.
    pub(crate) fn at_frame_end(&self) -> bool {
        self.state == State::Head && self.filled == 0
    }

    /// Returns the header that [`Step::Begin`] told of, as it lies in the blob.
    pub(crate) fn header(&self) -> &[u8] {
        self.gathered.get(..self.filled).unwrap_or_default()
    }

    /// Goes on to the next event; returns how many of `bytes` lie before it.
    ///
    /// Call it until it says [`Step::More`]: a frame's end may need no bytes.
    ///
    /// # Errors
    /// No frame begins here, or a block is of no known kind. Where the next frame begins is not known then.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> Result<(usize, Step), ZstdError> {
        let mut used = 0_usize;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match self.state {
                State::Head => {
                    if matches!(self.wanted(), Some(wanted) if self.filled == wanted) {
                        return Ok((used, Step::Begin(self.begin()?)));
                    }
                    let Some(byte) = rest.first() else { return Ok((used, Step::More)) };
                    self.gather(*byte);
                    used = used.saturating_add(1);
                    self.check_magic()?;
                }
                State::Block { checksum } => {
                    // The frame's header was still there to be looked at until now.
                    let Some(byte) = rest.first() else { return Ok((used, Step::More)) };
                    if self.filled >= 3 {
                        self.filled = 0;
                    }
                    self.gather(*byte);
                    used = used.saturating_add(1);
                    if self.filled == 3 {
                        self.state = self.block(checksum)?;
                    }
                }
                State::Pass { left, then } => {
                    let now = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    used = used.saturating_add(now);
                    let left = left.saturating_sub(u64::try_from(now).unwrap_or(u64::MAX));
                    if left > 0 {
                        self.state = State::Pass { left, then };
                        return Ok((used, Step::More));
                    }
                    match then {
                        Then::Block { checksum } => self.state = State::Block { checksum },
                        Then::End => {
                            *self = Self::new();
                            return Ok((used, Step::End));
                        }
                    }
                }
            }
        }
    }

    fn gather(&mut self, byte: u8) {
        if let Some(place) = self.gathered.get_mut(self.filled) {
            *place = byte;
            self.filled = self.filled.saturating_add(1);
        }
    }

    /// Refuses what is no frame at the first byte that shows it.
    fn check_magic(&self) -> Result<(), ZstdError> {
        let same = |magic: &[u8; 4]| {
            let mut pairs = self.header().iter().zip(magic).enumerate();
            pairs.all(|(at, (byte, magic))| byte == magic || (at == 0 && *magic == 0x50 && byte >> 4 == 5))
        };
        if same(&[0x28, 0xb5, 0x2f, 0xfd]) || same(&[0x50, 0x2a, 0x4d, 0x18]) {
            return Ok(());
        }
        Err(ZstdError("no frame begins here".into()))
    }

    /// Returns the header's length, once enough of it is there to tell.
    fn wanted(&self) -> Option<usize> {
        match self.header() {
            [0x28, _, _, _, descriptor, ..] => Some(header_len(*descriptor)),
            [0x50..=0x5f, _, _, _, ..] => Some(8),
            _ => None,
        }
    }

    fn begin(&mut self) -> Result<FrameHead, ZstdError> {
        let (head, state) = match *self.header() {
            [magic @ 0x50..=0x5f, _, _, _, a, b, c, d] => {
                let len = u32::from_le_bytes([a, b, c, d]);
                let state = State::Pass { left: u64::from(len), then: Then::End };
                (FrameHead::Skippable { magic: magic & 15, len }, state)
            }
            [_, _, _, _, descriptor, ref rest @ ..] => {
                // Reserved, and must be 0 (RFC 8878 §3.1.1.1.1.4).
                if descriptor & 8 != 0 {
                    return Err(ZstdError("reserved bit is set".into()));
                }
                let checksum = descriptor & 4 != 0;
                let single_segment = descriptor & 0x20 != 0;
                let rest = if single_segment { rest } else { rest.get(1..).unwrap_or_default() };
                let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied().unwrap_or(0);
                let (dictionary, content) = rest.split_at_checked(dictionary).unwrap_or_default();
                let content = match content.len() {
                    0 => None,
                    // The one width whose smallest value is not 0.
                    2 => Some(little(content).saturating_add(256)),
                    _ => Some(little(content)),
                };
                let dictionary = u32::try_from(little(dictionary)).unwrap_or(u32::MAX);
                (FrameHead::Data { content, checksum, dictionary }, State::Block { checksum })
            }
            _ => return Err(ZstdError("no frame begins here".into())),
        };
        self.state = state;
        Ok(head)
    }

    fn block(&mut self, checksum: bool) -> Result<State, ZstdError> {
        let [a, b, c, ..] = self.gathered;
        self.filled = 0;
        let header = u32::from_le_bytes([a, b, c, 0]);
        let size = header >> 3;
        if size > BLOCK {
            return Err(ZstdError("block is too long".into()));
        }
        let body = match (header >> 1) & 3 {
            0 | 2 => size,
            // One byte, repeated.
            1 => 1,
            _ => return Err(ZstdError("reserved block type".into())),
        };
        let last = header & 1 != 0;
        let tail = if last && checksum { 4 } else { 0 };
        let then = if last { Then::End } else { Then::Block { checksum } };
        Ok(State::Pass { left: u64::from(body.saturating_add(tail)), then })
    }
}

/// The length of a frame header, magic included, from its descriptor (RFC 8878 §3.1.1.1).
pub(super) const fn header_len(descriptor: u8) -> usize {
    let single_segment = descriptor & 0x20 != 0;
    let window = if single_segment { 0 } else { 1 };
    let dictionary = match descriptor & 3 {
        0 => 0,
        1 => 1,
        2 => 2,
        _ => 4,
    };
    let content = match descriptor >> 6 {
        0 if single_segment => 1,
        0 => 0,
        1 => 2,
        2 => 4,
        _ => 8,
    };
    4_usize.saturating_add(1).saturating_add(window).saturating_add(dictionary).saturating_add(content)
}

/// Reads at most eight bytes, the lowest first.
fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::{OLD_BLOB, ZOO_BLOB};
    use crate::zstd::Decoder;

    /// Where frames begin, with what their headers say; where they end; whether the last one does.
    type Walked = (Vec<(u64, FrameHead)>, Vec<u64>, bool);

    fn walk<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Walked, ZstdError> {
        let mut walker = FrameWalker::new();
        let (mut begins, mut ends, mut at) = (Vec::new(), Vec::new(), 0);
        for piece in pieces {
            let mut rest = piece;
            loop {
                let (used, step) = walker.advance(rest)?;
                rest = &rest[used..];
                at += used as u64;
                match step {
                    Step::Begin(head) => begins.push((at - walker.header().len() as u64, head)),
                    Step::End => ends.push(at),
                    Step::More => break,
                }
            }
            assert!(rest.is_empty());
        }
        Ok((begins, ends, walker.at_frame_end()))
    }

    /// Where a decoder that gets the blob byte by byte says that a frame ends.
    fn ends_decoded(blob: &[u8]) -> Vec<u64> {
        let (mut decoder, mut plain) = (Decoder::new(27), alloc::vec![0; 1 << 18]);
        let mut ends = Vec::new();
        for (at, byte) in blob.iter().enumerate() {
            while decoder.decode(&[], &mut plain).unwrap().written > 0 {}
            let mut rest = core::slice::from_ref(byte);
            while !rest.is_empty() {
                rest = &rest[decoder.decode(rest, &mut plain).unwrap().read..];
            }
            while decoder.decode(&[], &mut plain).unwrap().written > 0 {}
            if decoder.at_frame_end() {
                ends.push(at as u64 + 1);
            }
        }
        ends
    }

    #[test]
    fn frames_end_where_a_decoder_says_so() {
        for blob in [ZOO_BLOB, OLD_BLOB] {
            let (begins, ends, whole) = walk([blob]).unwrap();
            assert!(whole);
            assert_eq!(ends, ends_decoded(blob));
            let starts: Vec<_> = begins.iter().map(|(at, _)| *at).collect();
            assert_eq!(starts[0], 0);
            assert_eq!(starts[1..], ends[..ends.len() - 1]);
            assert_eq!(ends.last(), Some(&(blob.len() as u64)));
        }
    }

    #[test]
    fn headers_say_what_they_say() {
        let (begins, ..) = walk([ZOO_BLOB]).unwrap();
        assert!(begins.iter().rev().take(3).all(|(_, head)| matches!(head, FrameHead::Skippable { .. })));
        assert_eq!(begins.last().unwrap().1, FrameHead::Skippable { magic: 0, len: 64 });
        let data = begins.iter().filter_map(|(_, head)| match head {
            FrameHead::Data { content, checksum, dictionary } => Some((*content, *checksum, *dictionary)),
            FrameHead::Skippable { .. } => None,
        });
        assert!(data.clone().all(|(_, checksum, dictionary)| checksum && dictionary == 0));
        assert!(data.clone().any(|(content, ..)| content.is_none()));
        assert!(data.clone().any(|(content, ..)| content == Some(4096)));
        // Every width of content size and dictionary.
        let head = |bytes: &[u8]| walk([bytes]).unwrap().0[0].1;
        let said =
            |content, dictionary| FrameHead::Data { content: Some(content), checksum: false, dictionary };
        assert_eq!(head(&[0x28, 0xb5, 0x2f, 0xfd, 0x20, 7, 1, 0, 0]), said(7, 0));
        assert_eq!(head(&[0x28, 0xb5, 0x2f, 0xfd, 0x61, 9, 1, 0, 1, 0, 0]), said(257, 9));
        assert_eq!(head(&[0x28, 0xb5, 0x2f, 0xfd, 0x82, 0, 1, 2, 1, 0, 0, 0, 1, 0, 0]), said(1, 0x201));
        let wide = [0x28, 0xb5, 0x2f, 0xfd, 0xc3, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0];
        assert_eq!(head(&wide), said(1 << 56, 0x0200_0001));
        let empty = [0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
        assert_eq!(head(&empty), FrameHead::Skippable { magic: 15, len: 0 });
        assert!(walk([&empty[..]]).unwrap().2 && !walk([&empty[..7]]).unwrap().2);
    }

    #[test]
    fn refuses_what_is_no_frame() {
        for bytes in [
            &b"x"[..],
            &[0x28, 0xb5, 0x2f, 0xfe],
            &[0x51, 0x2a, 0x4d, 0x19],
            &[0x28, 0xb5, 0x2f, 0xfd, 0x28, 0],
            &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 0x07, 0, 0],
            &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 0x09, 0, 0x10],
        ] {
            assert!(walk([bytes]).is_err(), "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(mut cuts in prop::collection::vec(0..ZOO_BLOB.len(), 0..40)) {
            cuts.extend([0, ZOO_BLOB.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| &ZOO_BLOB[pair[0]..pair[1]]);
            prop_assert_eq!(walk(pieces).unwrap(), walk([ZOO_BLOB]).unwrap());
        }

        #[test]
        fn any_bytes_are_walked_or_refused(bytes: Vec<u8>, valid: bool) {
            let start: &[u8] = if valid { &[0x28, 0xb5, 0x2f, 0xfd] } else { &[] };
            let bytes = [start, &bytes].concat();
            if let Ok((begins, ends, whole)) = walk([&bytes[..]]) {
                prop_assert!(begins.len() - ends.len() <= 1);
                prop_assert!(!whole || begins.len() == ends.len());
            }
        }
    }
}
