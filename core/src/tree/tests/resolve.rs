//! Paths in trees: what they lead to, and what is said of those that lead nowhere.

use alloc::sync::Arc;
use alloc::vec::Vec;

use alloc::format;
use alloc::string::{String, ToString};

use proptest::prelude::*;

use super::toc;
use crate::{LastLink, Limits, Node, PathError, Toc, Tree};

fn stack(layers: &[&[&str]]) -> (Tree, Vec<Arc<Toc>>) {
    let tocs: Vec<_> = layers.iter().map(|lines| Arc::new(toc(lines))).collect();
    let mut tree = Tree::empty();
    for (number, toc) in (0..).zip(&tocs) {
        tree.stack(&Tree::build(toc, &Limits::default()).unwrap(), number);
    }
    (tree, tocs)
}

/// Where a path leads: the path without links, and the member that it came to; or what is wrong.
fn find(layers: &[&[&str]], path: &str, last: LastLink) -> String {
    let (tree, tocs) = stack(layers);
    match tree.resolve(&tocs, path.as_bytes(), last) {
        Ok(found) => {
            let origin = tree.inode(found.id).unwrap().origin;
            let origin =
                origin.map_or_else(|| "-".into(), |origin| format!("{}.{}", origin.layer, origin.entry));
            format!("{}={origin}", core::str::from_utf8(found.path.as_bytes()).unwrap())
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn paths_lead_where_a_root_says() {
    let image: &[&[&str]] = &[
        &[
            "d usr",
            "d usr/bin",
            "f usr/bin/sh",
            "l bin usr/bin",
            "l up ../../usr",
            "l abs /bin/sh",
            "f gone",
            "f over",
        ],
        &["f .wh.gone", "f over", "f usr/lib/x", "h usr/lib/y usr/lib/x", "l dir /usr/"],
    ];
    for (path, expected) in [
        ("", "=-"),
        ("/", "=-"),
        ("/../..", "=-"),
        ("usr/bin/sh", "usr/bin/sh=0.2"),
        ("//usr/./bin/../bin/sh", "usr/bin/sh=0.2"),
        ("bin/sh", "usr/bin/sh=0.2"),
        ("up/bin/sh", "usr/bin/sh=0.2"),
        ("abs", "usr/bin/sh=0.2"),
        ("bin/../lib/y", "usr/lib/y=1.2"),
        ("dir/lib/x", "usr/lib/x=1.2"),
        ("dir", "usr=0.0"),
        ("usr/", "usr=0.0"),
        ("over", "over=1.1"),
        ("gone", "there is no \"gone\""),
        ("usr/bin/sh/x", "\"usr/bin/sh\" is not a directory"),
        ("abs/", "\"usr/bin/sh\" is not a directory"),
        ("abs/..", "\"usr/bin/sh\" is not a directory"),
        ("bin/none/x", "there is no \"usr/bin/none\""),
    ] {
        assert_eq!(find(image, path, LastLink::Follow), expected, "{path}");
    }
    for (path, expected) in
        [("abs", "abs=0.5"), ("bin", "bin=0.3"), ("bin/", "usr/bin=0.1"), ("bin/sh", "usr/bin/sh=0.2")]
    {
        assert_eq!(find(image, path, LastLink::Keep), expected, "{path}");
    }
}

#[test]
fn loops_end() {
    let image: &[&[&str]] =
        &[&["l a b", "l b a", "l self self/x", "l grow grow/aaaaaaaa/bbbbbbbb", "d c", "l c/up ../c/up"]];
    for (path, link) in [("a", "a"), ("b/x", "b"), ("self", "self"), ("grow", "grow"), ("c/up/x", "c/up")] {
        let found = find(image, path, LastLink::Follow);
        assert!(found.contains("more than 40 symbolic links"), "{path}: {found}");
        assert!(found.contains(link) || link == "a" || link == "b", "{path}: {found}");
    }
    // Forty are followed, as in Linux, one more is not.
    let names: Vec<_> =
        (0..=41).map(|n| if n == 0 { "f l0".into() } else { format!("l l{n} l{}", n - 1) }).collect();
    let lines: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(find(&[&lines], "l40", LastLink::Follow), "l0=0.0");
    assert!(
        find(&[&lines], "l41", LastLink::Follow).contains("\"l1\""),
        "{}",
        find(&[&lines], "l41", LastLink::Follow)
    );
    let long = "x/".repeat(3_000);
    assert!(find(image, &long, LastLink::Follow).contains("longer than 4096 bytes"));
}

#[test]
fn a_miss_says_what_is_near() {
    let (tree, tocs) = stack(&[&[
        "d etc",
        "f etc/passwd",
        "f etc/passwd-",
        "f etc/shadow",
        "f etc/hosts",
        "f etc/.wh.passwx",
    ]]);
    let near = |path: &str| match tree.resolve(&tocs, path.as_bytes(), LastLink::Follow) {
        Err(PathError::Missing { nearest, similar, .. }) => {
            let similar: Vec<_> = similar.iter().map(ToString::to_string).collect();
            format!("{nearest}: {}", similar.join(" "))
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(near("etc/pasword"), "\"etc\": \"passwd\"");
    assert_eq!(near("etc/SHADOW"), "\"etc\": \"shadow\"");
    assert_eq!(near("etc/host"), "\"etc\": \"hosts\"");
    assert_eq!(near("ect/passwd"), "\"\": \"etc\"");
    assert_eq!(near("etc/zzz/passwd"), "\"etc\": ");
}

fn members() -> impl Strategy<Value = Vec<String>> {
    let name = prop::sample::select(alloc::vec!["a", "b", "a/b", "b/a", "a/a", "b/b/a"]);
    let text =
        prop::sample::select(alloc::vec!["a", "b", "/", "..", "../..", "/a", "a/b", "../b", ".", "a/../b/"]);
    let line = (prop::sample::select(alloc::vec!["d", "f", "l", "h"]), name, text)
        .prop_map(|(kind, name, text)| format!("{kind} {name} {text}"));
    prop::collection::vec(line, 0..12)
}

proptest! {
    /// Whatever a layer says, a path ends, below the root, at what the walk of the tree has there.
    #[test]
    fn what_is_found_is_what_a_walk_meets(lines in members(), path in "[ab./]{0,12}", follow in any::<bool>()) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let made = toc(&lines);
        let Ok(tree) = Tree::build(&made, &Limits::default()) else { return Ok(()) };
        let last = if follow { LastLink::Follow } else { LastLink::Keep };
        let tocs = [Arc::new(made)];
        if let Ok(found) = tree.resolve(&tocs, path.as_bytes(), last) {
            let mut met = found.path.is_empty().then_some(Tree::ROOT);
            let walked = tree.walk::<()>(|visit| {
                if visit.path == found.path.as_bytes() {
                    met = Some(visit.id);
                }
                Ok(())
            });
            prop_assert!(walked.is_ok());
            prop_assert_eq!(met, Some(found.id));
            // Where there is no link left, it leads to itself.
            let again = tree.resolve(&tocs, found.path.as_bytes(), LastLink::Keep);
            prop_assert_eq!(again.map(|again| again.id), Ok(found.id));
        }
    }
}

proptest! {
    /// Who looks for a file can begin at the top and stop where it is found.
    #[test]
    fn what_upper_layers_have_no_lower_one_changes(
        lower in members(), upper in members(), path in "[ab./]{0,12}", follow in any::<bool>(),
    ) {
        let lines = |lines: &[String]| toc(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let (low, up) = (lines(&lower), lines(&upper));
        let limits = Limits::default();
        let (Ok(below), Ok(above)) = (Tree::build(&low, &limits), Tree::build(&up, &limits)) else { return Ok(()) };
        let last = if follow { LastLink::Follow } else { LastLink::Keep };
        let tocs = [Arc::new(low), Arc::new(up)];
        let (mut alone, mut both) = (Tree::empty(), Tree::empty());
        alone.stack(&above, 1);
        both.stack(&below, 0);
        both.stack(&above, 1);
        if let Ok(found) = alone.resolve(&tocs, path.as_bytes(), last) {
            let inode = |tree: &Tree, id| {
                let inode = tree.inode(id).unwrap();
                (matches!(inode.node, Node::Directory(_)), inode.origin)
            };
            let again = both.resolve(&tocs, path.as_bytes(), last).unwrap();
            prop_assert_eq!(&again.path, &found.path);
            let (is_directory, origin) = inode(&alone, found.id);
            let (_, with_lower) = inode(&both, again.id);
            // A directory that the upper layer never listed has the lower one's metadata.
            prop_assert!(with_lower == origin || is_directory && origin.is_none());
        }
    }
}
