//! A registry in this process, with images made of tars written here.

use std::path::Path;

use shingle::loopback::{Content, Faults, Loopback};
use shingle_tests::compare::{Difference, compare_tree};
use shingle_tests::layout::{Image, Layer};

/// Starts a registry that serves one image under the tag `latest`.
pub(crate) fn serve(image: &Image) -> Loopback {
    serve_all(&[("latest", image)])
}

/// Starts a registry that serves images by tag.
pub(crate) fn serve_all(images: &[(&str, &Image)]) -> Loopback {
    let mut content = Content::default();
    for (tag, image) in images {
        image.put(&mut content, tag);
    }
    Loopback::start(content).unwrap()
}

/// Starts a registry that serves an image and misbehaves.
pub(crate) fn serve_badly(image: &Image, faults: Faults) -> Loopback {
    let registry = serve(image);
    registry.misbehave(faults);
    registry
}

/// An image of one layer.
pub(crate) fn image(layer: Layer) -> Image {
    Image::new(vec![layer])
}

/// A file of a tar to be: name, content, mode, mtime.
pub(crate) type File<'a> = (&'a str, Vec<u8>, u32, u64);

/// Writes a tar of regular files that belong to root.
pub(crate) fn tar_of(files: &[File<'_>]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, body, mode, mtime) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(body.len() as u64);
        header.set_mode(*mode);
        header.set_mtime(*mtime);
        header.set_uid(rustix::process::geteuid().as_raw().into());
        header.set_gid(rustix::process::getegid().as_raw().into());
        tar.append_data(&mut header, name, body.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// Returns bytes that do not compress and differ by seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    // xorshift64*, George Marsaglia.
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(length).collect()
}

/// Fails unless a tree is the one that its tar makes. Without root, the root's owner and the like are not ours to give.
pub(crate) fn assert_tree(tree: &Path, tar: &[u8], what: &str) {
    let differences = differences(tree, tar);
    assert!(differences.is_empty(), "{what}:\n{}", lines(&differences));
}

/// Compares a tree by the rules for whoever runs this.
pub(crate) fn differences(tree: &Path, tar: &[u8]) -> Vec<Difference> {
    use shingle_tests::compare::{Rules, compare_tree_by};
    if shingle_tests::need::is_root() {
        compare_tree(tree, tar)
    } else {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        compare_tree_by(tree, tar, Rules::Unprivileged(uid, gid))
    }
}

/// Writes differences one to a line.
pub(crate) fn lines(differences: &[Difference]) -> String {
    differences.iter().map(|difference| format!("  {difference}\n")).collect()
}
