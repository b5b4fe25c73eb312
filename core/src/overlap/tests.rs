//! Tables of small images, and what must hold of any.

mod images;

use alloc::vec::Vec;

use images::{Made, add, overlap, toc};

use super::*;

#[test]
fn what_two_images_share() {
    let overlap = overlap(&[&[&["f a one", "f b two", "f c one"]], &[&["f x one", "f y three,two"]]]);
    let matrix = overlap.matrix();
    let logical = |cells: &[Vec<Bytes>]| -> Vec<Vec<u64>> {
        cells.iter().map(|row| row.iter().map(|cell| cell.logical).collect()).collect()
    };
    assert_eq!(logical(&matrix.files), [[6, 3], [3, 11]]);
    assert_eq!(logical(&matrix.chunks), [[6, 6], [6, 11]]);
}
