//! Paths by a part of them.

use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::images::overlap;
use super::{id, path};
use crate::overlap::NodeId;

#[test]
fn paths_are_found_by_any_part_of_them() {
    let overlap = overlap(&[&[
        &["f usr/Bin/tool a", "f usr/bin/Other b", "f usr/lib/bin.so c", "f gone/bin d", "f etc/x e"],
        &["f gone f"],
    ]]);
    let find = |needle: &str, limit| -> Vec<String> {
        let found = overlap.search(id(0), needle.as_bytes(), limit);
        found.into_iter().map(|node| path(&overlap, 0, node)).collect()
    };
    let all = ["gone/bin", "usr/Bin", "usr/Bin/tool", "usr/bin", "usr/bin/Other", "usr/lib/bin.so"];
    assert_eq!(find("bin", 100), all);
    assert_eq!(find("BIN", 3), all[..3]);
    assert_eq!(find("bin/", 100), ["usr/Bin/tool", "usr/bin/Other"]);
    assert_eq!(find("r/bin/o", 100), ["usr/bin/Other"]);
    assert_eq!(find("usr/bin/other", 100), ["usr/bin/Other"]);
    assert_eq!(find("/usr", 100), [""; 0]);
    assert_eq!(find("", 100), [""; 0]);
    assert_eq!(find("bin", 0), [""; 0]);
    assert!(overlap.search(id(1), b"bin", 9).is_empty());
}

proptest! {
    #[test]
    fn all_that_contain_it_and_no_other(
        names in prop::collection::vec("[aAbB]{1,2}/[aAbB]{1,3}(/[aAbB]{1,2})?", 1..12),
        needle in "[aAbB/]{1,4}",
    ) {
        let lines: Vec<String> = names.iter().map(|name| alloc::format!("f {name}.f x")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let overlap = overlap(&[&[&lines]]);
        let nodes = (0..overlap.nodes(id(0))).map(|node| overlap.node(id(0), node).unwrap());
        let has = |node: &NodeId| {
            path(&overlap, 0, *node).to_ascii_lowercase().contains(&needle.to_ascii_lowercase())
        };
        let expected: Vec<_> = nodes.filter(has).collect();
        prop_assert_eq!(overlap.search(id(0), needle.as_bytes(), usize::MAX), expected);
    }
}
