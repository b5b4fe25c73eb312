//! What this process may do to the files it makes.

use rustix::process::{getegid, geteuid};

/// Who we are, asked once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Privilege {
    /// Whether owners can be given away and devices made.
    pub(crate) root: bool,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Bits that the kernel takes off a new file's mode.
    pub(crate) umask: u32,
}

impl Privilege {
    pub(crate) fn of_process() -> Self {
        let (uid, gid) = (geteuid(), getegid());
        // There is no call that only reads it.
        let umask = rustix::process::umask(rustix::fs::Mode::empty());
        rustix::process::umask(umask);
        Self { root: uid.is_root(), uid: uid.as_raw(), gid: gid.as_raw(), umask: umask.bits() }
    }
}
