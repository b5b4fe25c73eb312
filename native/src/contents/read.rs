//! Reading images' layers side by side, each once.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use super::layer::Reader;
use super::{Contents, ContentsError, Described, Layer, LayerContents, ReadOptions, Watcher};
use crate::transfer::in_parallel;
use crate::transport::{Source, TransferError};

/// Reads what an image holds. `name` is what it is called in the result.
///
/// # Errors
/// The image or a layer cannot be read, or is not what the manifest says: see [`ContentsError::is_refusal`].
pub fn read(
    name: &str,
    source: &dyn Source,
    options: &ReadOptions<'_>,
    watcher: &dyn Watcher,
) -> Result<Contents, ContentsError> {
    let images = read_all(&[(name, source)], options, watcher)?;
    images.into_iter().next().ok_or(ContentsError::Stopped(TransferError::Stopped))
}

/// Reads what several images hold, each layer once however many have it.
///
/// # Errors
/// As of [`read`]; [`ContentsError::image`] says with which image. One that fails ends the reading of all.
pub fn read_all(
    images: &[(&str, &dyn Source)],
    options: &ReadOptions<'_>,
    watcher: &dyn Watcher,
) -> Result<Vec<Contents>, ContentsError> {
    let described = each(options.parallel_layers, images, |image, (_, source)| {
        Described::find(*source, &options.platform)
            .map_err(|source| ContentsError::Transfer { image, source })
    })?;
    let layers = described.iter().map(|image| image.layers.iter().collect()).collect::<Vec<_>>();
    let layers = read_layers(images, &layers, options, watcher)?;
    let all = images.iter().zip(&described).zip(layers);
    let contents = all.map(|(((name, _), image), layers)| Contents {
        name: (*name).to_owned(),
        digest: image.digest,
        platform: image.platform.clone(),
        layers,
    });
    Ok(contents.collect())
}

/// Reads layers of several images, of each the given ones.
pub(crate) fn read_layers(
    images: &[(&str, &dyn Source)],
    layers: &[Vec<&Layer>],
    options: &ReadOptions<'_>,
    watcher: &dyn Watcher,
) -> Result<Vec<Vec<LayerContents>>, ContentsError> {
    // Of each blob and DiffID, where it is.
    let mut order = Vec::new();
    let mut groups: BTreeMap<_, Vec<Place<'_>>> = BTreeMap::new();
    for (image, layers) in layers.iter().enumerate() {
        for (index, layer) in layers.iter().enumerate() {
            let key = (layer.digest, layer.diff_id);
            let group = groups.entry(key).or_insert_with(|| {
                order.push(key);
                Vec::new()
            });
            group.push(Place { image, index, layer });
        }
    }
    let groups: Vec<_> = order.iter().filter_map(|key| groups.remove(key)).collect();
    let read = each(options.parallel_layers, &groups, |_, group| {
        let mut whole = None;
        let mut read: Vec<(&Layer, LayerContents)> = Vec::new();
        for Place { image, index, layer } in group {
            let Some((name, source)) = images.get(*image) else { continue };
            let contents = match read.iter().find(|(before, _)| before == layer) {
                Some((_, contents)) => LayerContents { read_bytes: 0, read_requests: 0, ..contents.clone() },
                None => {
                    let mut reader = Reader { source: *source, name, options, watcher, whole };
                    let contents = reader.read(layer).map_err(|fault| ContentsError::Layer {
                        image: *image,
                        index: *index,
                        blob: layer.digest,
                        source: Box::new(fault),
                    })?;
                    whole = reader.whole;
                    contents
                }
            };
            read.push((layer, contents));
        }
        Ok(read.into_iter().map(|(_, contents)| contents).collect::<Vec<_>>())
    })?;
    let mut placed = BTreeMap::new();
    for (group, contents) in groups.iter().zip(read) {
        let places = group.iter().map(|place| (place.image, place.index));
        placed.extend(places.zip(contents));
    }
    let mut found: Vec<Vec<LayerContents>> = layers.iter().map(|_| Vec::new()).collect();
    for ((image, _), contents) in placed {
        if let Some(layers) = found.get_mut(image) {
            layers.push(contents);
        }
    }
    Ok(found)
}

/// A layer, and where it is: in which image, and where in that.
struct Place<'a> {
    image: usize,
    index: usize,
    layer: &'a Layer,
}

/// Does something for each of a list on a few threads, and returns what comes of it in the list's order.
fn each<T: Sync, R: Send>(
    threads: usize,
    list: &[T],
    work: impl Fn(usize, &T) -> Result<R, ContentsError> + Sync,
) -> Result<Vec<R>, ContentsError> {
    let results: Vec<_> = list.iter().map(|_| Mutex::new(None)).collect();
    in_parallel(threads, list.len(), &AtomicBool::new(false), |number| {
        let (Some(one), Some(result)) = (list.get(number), results.get(number)) else { return Ok(()) };
        let done = work(number, one)?;
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        Ok::<_, ContentsError>(())
    })?;
    let results = results.into_iter();
    Ok(results.filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
}
