//! What one tar header, or one TOC entry, says about a path.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

/// One member of a layer: the metadata that tar headers and TOC entries both carry.
///
/// The tar reader and the TOC parser both make this type, so that "the TOC says what the tar says" is an equality.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, made by hand in the writer and in tests")]
pub struct Member {
    /// The kind of file.
    pub kind: Kind,
    /// The name as written: `./` before it, `/` after a directory's, `..` and absolute names are all kept.
    pub name: Name,
    /// A symbolic link's text, or the name of a hard link's target as written; empty for other kinds.
    pub link: Name,
    /// Permission bits with setuid, setgid and sticky; type bits only if the header had them.
    pub mode: u32,
    /// The length of the content in bytes, holes included (the logical size of a sparse file).
    pub size: u64,
    /// The owner's number.
    pub uid: u64,
    /// The group's number.
    pub gid: u64,
    /// When the content last changed; `None` where the writer left the zero time out.
    pub mtime: Option<Timestamp>,
    /// When the content was last read, if the header says so.
    pub atime: Option<Timestamp>,
    /// When the metadata last changed, if the header says so; no tool can apply it.
    pub ctime: Option<Timestamp>,
    /// A device's major number, else 0.
    pub dev_major: u64,
    /// A device's minor number, else 0.
    pub dev_minor: u64,
    /// Extended attributes by full name (`user.note`), raw values; empty values are kept.
    pub xattrs: Xattrs,
}

/// Extended attributes: raw values by full name, in the order of the names.
pub type Xattrs = BTreeMap<Box<[u8]>, Box<[u8]>>;

/// The kinds of file that a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "tar is not growing kinds; every match should name them all")]
pub enum Kind {
    /// A block device.
    Block,
    /// A character device.
    Char,
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
    /// Another name for a file that came earlier.
    Hardlink,
    /// A regular file.
    Regular,
    /// A symbolic link.
    Symlink,
}

impl Kind {
    /// Returns the TOC's word for this kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Char => "char",
            Self::Directory => "dir",
            Self::Fifo => "fifo",
            Self::Hardlink => "hardlink",
            Self::Regular => "reg",
            Self::Symlink => "symlink",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A path as a tar holds it: bytes, not necessarily UTF-8.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

impl Name {
    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is no name.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&[u8]> for Name {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<alloc::vec::Vec<u8>> for Name {
    fn from(bytes: alloc::vec::Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

/// Quoted, with control characters and bytes that are not UTF-8 escaped, at most 300 characters: fit for a terminal.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        f.write_char('"')?;
        let mut shown = 0_usize;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if shown >= 300 {
                    return f.write_str("…\"");
                }
                shown = shown.saturating_add(1);
                match c {
                    '\'' => f.write_char(c)?,
                    c => write!(f, "{}", c.escape_debug())?,
                }
            }
            for byte in chunk.invalid() {
                shown = shown.saturating_add(4);
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_char('"')
    }
}

/// The text, with U+FFFD for what is not UTF-8: for errors that go to other languages.
impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A point in time, as tar and the TOC write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a pair of numbers")]
pub struct Timestamp {
    /// Whole seconds since 1970-01-01T00:00:00Z; negative before.
    pub seconds: i64,
    /// Nanoseconds after `seconds`, always below 1,000,000,000, so −1.5 s is (−2, 500,000,000).
    pub nanoseconds: u32,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self { seconds: 0, nanoseconds: 0 };

    /// Writes it in UTC as RFC 3339 has it, `2023-11-14T22:13:20.5Z`; `None` for years below 0 and above 9999.
    pub fn to_rfc3339(self) -> Option<String> {
        let mut text = String::new();
        crate::toc::time::format(self, &mut text).ok()?;
        Some(text)
    }
}
