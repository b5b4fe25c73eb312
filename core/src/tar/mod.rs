//! Tar streams: five dialects of headers, read as GNU tar and Go read them.
//!
//! The bar is that no image which GNU tar extracts is refused. Where GNU tar 1.34 and Go's `archive/tar` see different
//! things in the same bytes, Go's view is taken, because the TOC holds it:
//!
//! - A GNU long name goes before a PAX path (GNU tar: the other way round).
//! - A GNU long name or link of no length is none (GNU tar: an empty one).
//! - Links, devices and fifos have no payload whatever size they claim (GNU tar: only hard links and directories).
//! - A PAX record with an empty value leaves the fixed field as it is (GNU tar: an error, or an empty name).
//! - Under the GNU magic, a prefix counts where the times in its place are no numbers (GNU tar: never).
//! - The last padding may be missing (GNU tar: an error).
//!
//! Beyond Go: a PAX global header applies to the members after it; a single zero block ends the archive; type `D` is a
//! directory, `V` is passed over, an unknown type is a regular file, and a regular file whose name ends in `/` is a
//! directory, all as GNU tar extracts them.
//!
//! Not read: multi-volume members (type `M`), the base-64 numbers of GNU tar before 1999, a first header cut short by
//! the end of the stream, and damaged archives, in which GNU tar searches for the next header.

mod entry;
mod header;
mod number;
mod oddity;
mod pax;
mod payload;
mod reader;
mod sparse;
#[cfg(test)]
mod tests;

pub use entry::{Entry, EntryError};
pub use header::HeaderError;
pub use oddity::Oddity;
pub use pax::PaxError;
#[cfg(test)]
pub(crate) use pax::records;
pub use reader::{TarError, TarEvent, TarEvents, TarReader};
pub use sparse::{Fragment, SparseError};
