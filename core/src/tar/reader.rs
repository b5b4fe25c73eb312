//! Reads a tar as it arrives, in pieces of any length.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::limits::Limits;
use crate::member::Name;

use super::entry::{Content, Draft, Entry, EntryError, Extensions, length, within};
use super::header::{BLOCK, Header, text};
use super::oddity::Oddity;
use super::pax::Pax;
use super::payload::{Payload, Skip, padding, take};
use super::sparse::{Fragment, MapText, SparseError, SparseMap};

/// Reads an uncompressed tar stream that arrives in pieces.
///
/// Accepts what GNU tar extracts without an error, and reads headers as Go's `archive/tar` does where the two differ.
/// Memory is bounded by [`Limits`]: payloads are lent as they arrive, only extension headers and maps of holes are
/// kept.
#[derive(Debug)]
pub struct TarReader {
    limits: Limits,
    /// How many bytes of the stream were taken.
    offset: u64,
    members: usize,
    /// What they said of themselves; at most `limits.tar_metadata_total`.
    metadata: u64,
    /// The block that is being filled; `filled` ≤ 512.
    block: Box<[u8; BLOCK]>,
    filled: usize,
    state: State,
    global: Pax,
    extensions: Extensions,
    /// The name of the member that is being read, for errors.
    name: Option<Name>,
    /// The first thing that the reference sees otherwise.
    oddity: Option<Oddity>,
    failed: Option<TarError>,
}

#[derive(Debug)]
enum State {
    /// A header is to come, or the end.
    Header,
    /// The payload of an extension header.
    Extension { flag: u8, payload: u64, text: Vec<u8> },
    /// Blocks after an old GNU header with more of its map.
    MorePlaces { draft: Draft, map: SparseMap },
    /// Blocks of text before the payload with all of its map.
    Map { draft: Draft, map: MapText },
    /// A member is to be announced.
    Member(Entry, Payload),
    /// The content of a member.
    Content(Payload),
    /// A member's end is to be announced; then bytes that are nobody's content, of which the last may be missing.
    EndMember { skip: Skip },
    /// Ignored payload and padding.
    Skip(Skip),
    /// Everything after the end of the archive.
    Tail,
}

/// One step of a tar stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a reader must know them all to lose nothing")]
pub enum TarEvent<'a> {
    /// Bytes of the member's content, never empty and never of a hole.
    Data {
        /// Where in the file they belong; ascending within a member.
        offset: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The member is complete. Follows every [`TarEvent::Member`].
    EndMember,
    /// A member begins: all of its headers were read.
    Member(Entry),
    /// Bytes of the stream that are no content: headers, padding, all that comes after the end of the archive.
    ///
    /// Raw bytes and data together, in the order in which they come, are the stream.
    Raw(&'a [u8]),
}

/// Lends what the bytes given to [`TarReader::receive`] turn out to be, one step at a time.
///
/// Must be read to its end: dropped before that, the reader refuses to go on.
#[derive(Debug)]
#[must_use = "what is not read here is lost"]
pub struct TarEvents<'a> {
    reader: &'a mut TarReader,
    bytes: &'a [u8],
}

impl TarReader {
    /// Starts before the first byte.
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            offset: 0,
            members: 0,
            metadata: 0,
            block: Box::new([0; BLOCK]),
            filled: 0,
            state: State::Header,
            global: Pax::default(),
            extensions: Extensions::default(),
            name: None,
            oddity: None,
            failed: None,
        }
    }

    /// Takes the next bytes of the stream, however few.
    pub const fn receive<'a>(&'a mut self, bytes: &'a [u8]) -> TarEvents<'a> {
        TarEvents { reader: self, bytes }
    }

    /// Takes the end of the stream.
    ///
    /// Accepts a tar without the two zero blocks, as GNU tar does, one whose last padding is missing, as Go does, and
    /// one of no bytes at all. What is left of a header after a member's end is nobody's, as for GNU tar.
    ///
    /// # Errors
    /// The stream ends within the first header, an extension or a payload; or the error that was met before, again.
    pub fn finish(self) -> Result<(), TarError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let block = self.block.get(..self.filled).unwrap_or_default();
        let (expected, actual) = match &self.state {
            // Zeros that are not a whole block, but end the stream all the same.
            State::Header if block.iter().all(|byte| *byte == 0) => return Ok(()),
            // Less than a header where one may stand: GNU tar takes it for the end, once it has seen any member.
            State::Header if self.members > 0 && self.extensions.is_empty() => return Ok(()),
            State::Tail => return Ok(()),
            State::Header | State::MorePlaces { .. } | State::Map { .. } => {
                (length(&self.block[..]), length(block))
            }
            State::Extension { payload, text, .. } => (*payload, length(text)),
            State::Member(_, payload) | State::Content(payload) => {
                (payload.stored, payload.stored.saturating_sub(payload.left))
            }
            State::EndMember { skip } | State::Skip(skip) if skip.payload == 0 => return Ok(()),
            State::EndMember { skip } | State::Skip(skip) => (skip.payload, 0),
        };
        Err(TarError::Truncated { offset: self.offset, name: self.name, expected, actual })
    }

    /// Returns the first thing that the reference sees otherwise, if there was any.
    pub const fn oddity(&self) -> Option<Oddity> {
        self.oddity
    }

    /// Passes over the whole content of the member just announced, which must have `len` bytes and have none read.
    ///
    /// Returns whether it has. For whoever can seek: the next bytes to receive are those after the content.
    pub fn pass_content(&mut self, len: u64) -> bool {
        let State::Content(payload) = &self.state else { return len == 0 };
        if payload.stored != len || payload.left != len {
            return false;
        }
        self.offset = self.offset.saturating_add(len);
        self.state = State::EndMember { skip: payload.skip };
        true
    }

    /// Whether a payload is to come that is no content.
    pub(crate) const fn ignores_payload(&self) -> bool {
        matches!(&self.state, State::Skip(skip) if skip.payload > 0)
    }

    fn step<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<TarEvent<'a>>, EntryError> {
        loop {
            match &mut self.state {
                State::Header | State::MorePlaces { .. } | State::Map { .. } if self.filled < BLOCK => {
                    return Ok(self.fill(bytes).map(TarEvent::Raw));
                }
                State::Header => {
                    self.filled = 0;
                    self.header()?;
                }
                State::Extension { payload, text, .. } => {
                    let left = payload.saturating_sub(length(text));
                    if left > 0 {
                        let Some(piece) = take(bytes, left, &mut self.offset) else { return Ok(None) };
                        text.extend_from_slice(piece);
                        return Ok(Some(TarEvent::Raw(piece)));
                    }
                    self.extension()?;
                }
                State::MorePlaces { .. } | State::Map { .. } => {
                    self.filled = 0;
                    self.map_block()?;
                }
                State::Member(..) => {
                    let State::Member(entry, payload) = core::mem::replace(&mut self.state, State::Header)
                    else {
                        return Ok(None);
                    };
                    self.state = State::Content(payload);
                    return Ok(Some(TarEvent::Member(entry)));
                }
                State::Content(payload) => {
                    if payload.left > 0 {
                        return Ok(payload.take(bytes, &mut self.offset));
                    }
                    self.state = State::EndMember { skip: payload.skip };
                }
                State::EndMember { skip } => {
                    self.state = State::Skip(*skip);
                    self.name = None;
                    return Ok(Some(TarEvent::EndMember));
                }
                State::Skip(skip) => {
                    let left = if skip.payload > 0 { &mut skip.payload } else { &mut skip.padding };
                    if *left > 0 {
                        let Some(piece) = take(bytes, *left, &mut self.offset) else { return Ok(None) };
                        *left = left.saturating_sub(length(piece));
                        return Ok(Some(TarEvent::Raw(piece)));
                    }
                    self.state = State::Header;
                }
                State::Tail => return Ok(take(bytes, u64::MAX, &mut self.offset).map(TarEvent::Raw)),
            }
        }
    }

    /// Copies bytes to the block, up to its end.
    fn fill<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
        let room = self.block.get_mut(self.filled..)?;
        let piece = take(bytes, length(room), &mut self.offset)?;
        room.get_mut(..piece.len())?.copy_from_slice(piece);
        self.filled = self.filled.saturating_add(piece.len());
        Some(piece)
    }

    /// Reads a header from the block.
    fn header(&mut self) -> Result<(), EntryError> {
        // Two of these end an archive. At one alone GNU tar stops too, with a warning.
        if self.block.iter().all(|byte| *byte == 0) {
            self.state = State::Tail;
            return Ok(());
        }
        let header = Header::parse(&self.block)?;
        match header.flag() {
            // `X` is what Solaris called `x`.
            flag @ (b'L' | b'K' | b'x' | b'X' | b'g') => {
                match flag {
                    b'g' => odd(&mut self.oddity, Oddity::GlobalHeader),
                    b'X' => odd(&mut self.oddity, Oddity::Type { flag }),
                    // Of no use to anybody, but Go reads them.
                    _ if !header.numbers_are_go() => odd(&mut self.oddity, Oddity::Number),
                    _ => {}
                }
                let payload = header.size()?;
                let limit = u64::try_from(self.limits.tar_metadata).unwrap_or(u64::MAX);
                let before = u64::try_from(self.extensions.bytes).unwrap_or(u64::MAX);
                within("extension header", limit, payload.saturating_add(before))?;
                self.extensions.bytes =
                    self.extensions.bytes.saturating_add(usize::try_from(payload).unwrap_or(usize::MAX));
                self.state = State::Extension { flag, payload, text: Vec::new() };
            }
            // The label of a tape: nothing to extract.
            b'V' => {
                odd(&mut self.oddity, Oddity::Type { flag: b'V' });
                let payload = header.size()?;
                within("volume label", self.limits.file, payload)?;
                self.extensions = Extensions::default();
                self.state = State::Skip(Skip { payload, padding: padding(payload) });
            }
            _ => {
                self.name = Some(header.name().into());
                let extensions = core::mem::take(&mut self.extensions);
                let draft = Draft::new(&header, extensions, &self.global, &self.limits)?;
                self.name = Some(draft.member.name.clone());
                self.oddity = self.oddity.or(draft.oddity);
                self.members = self.members.saturating_add(1);
                if self.members > self.limits.entries {
                    return Err(EntryError::TooMany { limit: self.limits.entries });
                }
                self.metadata = self.metadata.saturating_add(draft.weight());
                within("metadata of all members", self.limits.tar_metadata_total, self.metadata)?;
                self.draft(draft)?;
            }
        }
        Ok(())
    }

    /// Takes an extension header whose payload is complete.
    fn extension(&mut self) -> Result<(), EntryError> {
        let State::Extension { flag, payload, text: bytes } =
            core::mem::replace(&mut self.state, State::Header)
        else {
            return Ok(());
        };
        match flag {
            // One of no length is none, for Go.
            b'L' => self.extensions.name = Some(text(&bytes).into()).filter(|name: &Vec<_>| !name.is_empty()),
            b'K' => self.extensions.link = Some(text(&bytes).into()).filter(|link: &Vec<_>| !link.is_empty()),
            // A later one replaces an earlier one as a whole, of either kind.
            b'g' => self.global = Pax::parse(&bytes, &self.limits)?,
            _ => self.extensions.pax = Some(Pax::parse(&bytes, &self.limits)?),
        }
        self.state = State::Skip(Skip { payload: 0, padding: padding(payload) });
        Ok(())
    }

    /// Goes on with a member whose header was read: to its map if that is still to come, else to its content.
    fn draft(&mut self, mut draft: Draft) -> Result<(), EntryError> {
        let payload = draft.payload;
        self.state = match core::mem::replace(&mut draft.content, Content::Ignored) {
            Content::File => announce(draft, payload, payload, None),
            Content::Ignored => announce(draft, 0, payload, None),
            Content::Fragments { map, more: false } => {
                let fragments = map.finish(draft.member.size, payload)?;
                announce(draft, payload, payload, Some(fragments))
            }
            Content::Fragments { map, more: true } => State::MorePlaces { draft, map },
            Content::MapThenFragments => State::Map { draft, map: MapText::default() },
        };
        Ok(())
    }

    /// Reads more of a map from the block.
    fn map_block(&mut self) -> Result<(), EntryError> {
        match core::mem::replace(&mut self.state, State::Header) {
            State::MorePlaces { mut draft, mut map } => {
                let (places, more) = self.block.split_at(21 * 24);
                map.push_places(places, &self.limits)?;
                let more = more.first().is_some_and(|byte| *byte != 0);
                draft.content = Content::Fragments { map, more };
                self.draft(draft)
            }
            State::Map { mut draft, mut map } => {
                let stored = draft.payload;
                let left = stored.checked_sub(length(&self.block[..]));
                draft.payload = left.ok_or(SparseError::Cut { stored })?;
                match map.push(&self.block[..], &self.limits)? {
                    Some(map) => {
                        draft.content = Content::Fragments { map, more: false };
                        self.draft(draft)
                    }
                    None => {
                        self.state = State::Map { draft, map };
                        Ok(())
                    }
                }
            }
            state => {
                self.state = state;
                Ok(())
            }
        }
    }
}

impl<'a> TarEvents<'a> {
    /// Returns the next step, or `None` when all bytes were used.
    ///
    /// # Errors
    /// The tar is damaged or above a limit. A reader that failed repeats its error.
    pub fn next_event(&mut self) -> Result<Option<TarEvent<'a>>, TarError> {
        if let Some(error) = &self.reader.failed {
            return Err(error.clone());
        }
        self.reader.step(&mut self.bytes).map_err(|source| {
            let error =
                TarError::Entry { offset: self.reader.offset, name: self.reader.name.clone(), source };
            self.reader.failed = Some(error.clone());
            error
        })
    }
}

impl TarEvents<'_> {
    /// Returns the first thing that the reference sees otherwise, if there was any so far.
    pub const fn oddity(&self) -> Option<Oddity> {
        self.reader.oddity
    }

    /// Whether the archive has ended: all that follows is nobody's.
    #[cfg(feature = "writer")]
    pub(crate) const fn is_tail(&self) -> bool {
        matches!(self.reader.state, State::Tail)
    }
}

impl Drop for TarEvents<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_empty() && self.reader.failed.is_none() {
            self.reader.failed = Some(TarError::Abandoned { offset: self.reader.offset });
        }
    }
}

/// Keeps the first oddity.
fn odd(first: &mut Option<Oddity>, oddity: Oddity) {
    first.get_or_insert(oddity);
}

/// Makes the state in which a member is announced; `len` bytes follow, of which the first are its content.
fn announce(draft: Draft, content: u64, len: u64, fragments: Option<Arc<[Fragment]>>) -> State {
    let payload = Payload::new(content, len, fragments);
    let entry = Entry { member: draft.member, stored: payload.stored, fragments: payload.fragments() };
    State::Member(entry, payload)
}

/// A stream that is not a tar, or one that cannot be read to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum TarError {
    /// [`TarEvents`] was dropped before its end, so bytes are missing; never caused by data.
    #[error("bytes were left unread at {offset} of the tar")]
    Abandoned {
        /// Where the unread bytes started.
        offset: u64,
    },
    /// A member cannot be read.
    #[error("cannot read the tar header before {offset}{}", of(name))]
    Entry {
        /// The end of the block that cannot be read.
        offset: u64,
        /// The member's name, if it was known.
        name: Option<Name>,
        /// What is wrong with it.
        source: EntryError,
    },
    /// The stream ended within a header or a payload.
    #[error("the tar ends at {offset}{}, {actual} bytes into {expected}", of(name))]
    Truncated {
        /// The stream's length.
        offset: u64,
        /// The member's name, if it was known.
        name: Option<Name>,
        /// The length of the header or payload in which it ended.
        expected: u64,
        /// How much of that there was.
        actual: u64,
    },
}

fn of(name: &Option<Name>) -> alloc::string::String {
    name.as_ref().map(|name| alloc::format!(" of {name}")).unwrap_or_default()
}
