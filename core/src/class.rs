//! Metadata classes: what two files must share before they may be one inode.

use core::fmt;

use crate::{Hasher, Member};

/// The owner, group, mode, modification time and xattrs of a file, as one comparable value.
///
/// A hard link shares all of these. Two files with the same content and the same class can be one inode, and the
/// only visible difference is the link count. Size and content are not in it: the content's digest says both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class([u8; 16]);

impl Class {
    /// Returns the class of a member.
    pub fn of(member: &Member) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(&member.uid.to_le_bytes());
        hasher.update(&member.gid.to_le_bytes());
        hasher.update(&(member.mode & 0o7777).to_le_bytes());
        let mtime = member.mtime.unwrap_or(crate::Timestamp::EPOCH);
        hasher.update(&mtime.seconds.to_le_bytes());
        hasher.update(&mtime.nanoseconds.to_le_bytes());
        for (key, value) in &member.xattrs {
            for part in [key, value] {
                hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
                hasher.update(part);
            }
        }
        let digest = hasher.finish();
        let mut class = [0; 16];
        for (to, from) in class.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Self(class)
    }

    /// Takes 16 raw bytes as a class.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
