//! An image that the page may ask about.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::contents::{Described, Layer};
use crate::registry::Platform;
use crate::transport::{Source, TransferError};

/// An image: what it is called, where it lies, and what its documents say once somebody asked.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) name: Arc<str>,
    pub(super) source: Arc<dyn Source>,
    described: Arc<Mutex<Option<Arc<Described>>>>,
}

impl Image {
    pub(super) fn new(name: String, source: Box<dyn Source>) -> Self {
        Self { name: name.into(), source: source.into(), described: Arc::default() }
    }

    /// Returns the image as its documents describe it; what they said first counts. Blocks. Whoever waited here for
    /// somebody else to ask does not ask again if it is `gone` itself.
    pub(super) fn described(
        &self,
        platform: &Platform,
        gone: impl Fn() -> bool,
    ) -> Result<Arc<Described>, TransferError> {
        let mut described = self.described.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(described) = &*described {
            return Ok(Arc::clone(described));
        }
        if gone() {
            return Err(TransferError::Stopped);
        }
        let found = Described::find(&*self.source, platform)?;
        Ok(Arc::clone(described.insert(Arc::new(found))))
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An image, for the page.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageSaid<'a> {
    r#ref: &'a str,
    digest: String,
    platform: Option<String>,
    layers: Vec<LayerSaid<'a>>,
    manifest_bytes: u64,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct LayerSaid<'a> {
    blob: String,
    diff_id: String,
    media_type: &'a str,
    size: u64,
    annotations: &'a std::collections::BTreeMap<String, String>,
}

impl<'a> ImageSaid<'a> {
    pub(super) fn new(name: &'a str, described: &'a Described) -> Self {
        Self {
            r#ref: name,
            digest: described.digest.to_string(),
            platform: described.platform.as_ref().map(ToString::to_string),
            layers: described.layers.iter().map(LayerSaid::new).collect(),
            manifest_bytes: described.manifest_bytes,
        }
    }
}

impl<'a> LayerSaid<'a> {
    fn new(layer: &'a Layer) -> Self {
        Self {
            blob: layer.digest.to_string(),
            diff_id: layer.diff_id.to_string(),
            media_type: &layer.media_type,
            size: layer.size,
            annotations: &layer.annotations,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::ops::Range;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};

    use shingle_core::Digest;

    use super::*;
    use crate::transport::{Descriptor, Document};

    /// Says that it was asked, and fails once it is told to.
    struct Slow {
        asked: Sender<()>,
        fails: Mutex<Receiver<()>>,
        times: Arc<AtomicUsize>,
    }

    impl Source for Slow {
        fn top(&self) -> Result<Document, TransferError> {
            self.times.fetch_add(1, Ordering::Relaxed);
            self.asked.send(()).unwrap();
            self.fails.lock().unwrap().recv().unwrap();
            Err(TransferError::Stopped)
        }

        fn manifest(&self, _: &Descriptor) -> Result<Document, TransferError> {
            Err(TransferError::Stopped)
        }

        fn open_blob(&self, _: Digest, _: u64) -> Result<Box<dyn Read + Send>, TransferError> {
            Err(TransferError::Stopped)
        }

        fn read_range(&self, _: Digest, _: u64, _: Range<u64>) -> Result<Vec<u8>, TransferError> {
            Err(TransferError::Stopped)
        }
    }

    #[test]
    fn who_is_gone_asks_no_registry_after_all() {
        let ((asked, was_asked), (fail, fails)) = (channel(), channel());
        let times = Arc::new(AtomicUsize::new(0));
        let source = Slow { asked, fails: Mutex::new(fails), times: Arc::clone(&times) };
        let image = Image::new("image".to_owned(), Box::new(source));
        let gone = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let ask = || image.described(&Platform::host(), || gone.load(Ordering::Relaxed)).is_err();
            let first = scope.spawn(ask);
            was_asked.recv().unwrap();
            let waiting = [scope.spawn(ask), scope.spawn(ask)];
            gone.store(true, Ordering::Relaxed);
            // Enough for all, or one that asked after all would hang.
            (0..3).for_each(|_| fail.send(()).unwrap());
            assert!(first.join().unwrap());
            assert!(waiting.into_iter().all(|waiting| waiting.join().unwrap()));
        });
        assert_eq!(times.load(Ordering::Relaxed), 1);
    }
}
