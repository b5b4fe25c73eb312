//! What the host holds.

use std::cell::{Ref, RefCell};

use shingle_core::{Class, HeldChunk};

use crate::component::bindings::errors::Error;
use crate::component::bindings::{pull as wit, types};
use crate::component::errors::not_a_class;
use crate::component::pull::toc::Toc;
use crate::component::types::digest;

/// The resource `inventory`.
#[derive(Debug)]
pub(in crate::component) struct Inventory(RefCell<shingle_core::Inventory>);

impl Inventory {
    pub(in crate::component) fn borrow(&self) -> Ref<'_, shingle_core::Inventory> {
        self.0.borrow()
    }
}

impl wit::GuestInventory for Inventory {
    fn new() -> Self {
        Self(RefCell::default())
    }

    fn add_file(&self, digest_: types::Digest, size: u64, class: String) -> Result<(), Error> {
        let class = read_class(&class).ok_or_else(|| not_a_class(&class))?;
        self.0.borrow_mut().add_file(digest(&digest_)?, size, class);
        Ok(())
    }

    fn add_chunk(
        &self,
        digest_: types::Digest,
        object: types::Digest,
        offset: u64,
        len: u64,
    ) -> Result<(), Error> {
        let object = digest(&object)?;
        self.0.borrow_mut().add_chunk(digest(&digest_)?, HeldChunk { object, offset, len });
        Ok(())
    }

    fn add_toc(&self, toc: wit::TocBorrow<'_>) {
        self.0.borrow_mut().add_toc(toc.get::<Toc>().get());
    }

    fn strike(&self, digest_: types::Digest) -> Result<(), Error> {
        self.0.borrow_mut().strike(&digest(&digest_)?);
        Ok(())
    }
}

fn read_class(text: &str) -> Option<Class> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    Some(Class::from_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_class_writes_and_nothing_else() {
        let class = Class::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 200, 253, 254, 255]);
        assert_eq!(read_class(&class.to_string()), Some(class));
        for text in ["", "0", "zz", &"00".repeat(15), &"00".repeat(17), &format!("{}0", "00".repeat(15))] {
            assert_eq!(read_class(text), None, "{text}");
        }
    }
}
