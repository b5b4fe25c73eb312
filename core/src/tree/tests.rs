//! What GNU tar would make of it, as tables, and what overlayfs shows of a stack.

mod resolve;
mod stack;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::{Node, Tree, TreeError, TreeProblem};
use crate::{Kind, Limits, Member, Name, Toc};

/// A member in a few words: `d NAME`, `f NAME`, `l NAME TARGET` (symbolic), `h NAME TARGET` (hard), `c NAME` (device).
fn member(line: &str) -> Member {
    let mut words = line.split(' ');
    let kind = match words.next() {
        Some("d") => Kind::Directory,
        Some("f") => Kind::Regular,
        Some("l") => Kind::Symlink,
        Some("h") => Kind::Hardlink,
        Some("c") => Kind::Char,
        other => panic!("{other:?}"),
    };
    Member {
        kind,
        name: words.next().unwrap_or_default().into(),
        link: words.next().unwrap_or_default().into(),
        mode: 0o644,
        size: 0,
        uid: 0,
        gid: 0,
        mtime: None,
        atime: None,
        ctime: None,
        dev_major: 0,
        dev_minor: 0,
        xattrs: crate::Xattrs::new(),
    }
}

fn toc(lines: &[&str]) -> Toc {
    Toc::from_members(lines.iter().map(|line| (member(line), None)).collect())
}

fn build(lines: &[&str]) -> Result<Tree, TreeError> {
    Tree::build(&toc(lines), &Limits::default())
}

/// Every name with its origin: `path/` for a directory, `=` and the number of the member, `-` for one never listed,
/// `!` for an opaque directory, `path:gone` for a whiteout.
fn show(tree: &Tree) -> Vec<String> {
    let mut shown = Vec::new();
    let root = match &tree.inode(Tree::ROOT).unwrap().node {
        Node::Directory(root) => root.opaque,
        _ => panic!("the root is a directory"),
    };
    if root {
        shown.push("/!".to_string());
    }
    let walked = tree.walk::<()>(|visit| {
        let path = visit.path.escape_ascii();
        let origin = match visit.inode.origin {
            Some(origin) if origin.layer == 0 => format!("={}", origin.entry),
            Some(origin) => format!("={}.{}", origin.layer, origin.entry),
            None => "-".to_string(),
        };
        shown.push(match &visit.inode.node {
            Node::Directory(directory) => {
                format!("{path}/{origin}{}", if directory.opaque { "!" } else { "" })
            }
            Node::File => format!("{path}{origin}"),
            Node::Whiteout => format!("{path}:gone"),
        });
        Ok(())
    });
    walked.unwrap();
    shown
}

fn assert_tree(what: &str, lines: &[&str], expected: &[&str]) {
    let tree = build(lines).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(show(&tree), expected, "{what}");
}

#[test]
fn names_and_parents() {
    assert_tree("listed", &["d ./", "d ./a/", "f ./a/b"], &["a/=1", "a/b=2"]);
    assert_tree("never listed", &["f a/b/c"], &["a/-", "a/b/-", "a/b/c=0"]);
    assert_tree("listed late", &["f a/b", "d a"], &["a/=1", "a/b=0"]);
    assert_tree("absolute", &["f /a/b"], &["a/-", "a/b=0"]);
    assert_tree("slashes and dots", &["f .//a/./b"], &["a/-", "a/b=0"]);
    assert_tree("taken back", &["d a", "f a/../b"], &["a/=0", "b=1"]);
    assert_tree("above the root", &["f ../../etc/x", "f /../y"], &["etc/-", "etc/x=0", "y=1"]);
    assert_tree("the root itself", &["d /", "d .", "f x"], &["x=2"]);
    assert_tree("not UTF-8 is not special", &["f ..a", "f a.."], &["..a=0", "a..=1"]);
    let tree = build(&["f x", "d ./"]).unwrap();
    assert_eq!(tree.inode(Tree::ROOT).unwrap().origin.unwrap().entry, 1);
}

#[test]
fn parents_that_are_symbolic_links() {
    assert_tree("relative", &["d t", "l a t", "f a/x"], &["a=1", "t/=0", "t/x=2"]);
    assert_tree(
        "absolute",
        &["d t/u", "l d/a /t/u", "f d/a/x"],
        &["d/-", "d/a=1", "t/-", "t/u/=0", "t/u/x=2"],
    );
    assert_tree("dot dot", &["d t", "l d/a ../t", "f d/a/x"], &["d/-", "d/a=1", "t/=0", "t/x=2"]);
    assert_tree("above the root", &["d t", "l a ../../../t", "f a/x"], &["a=1", "t/=0", "t/x=2"]);
    assert_tree(
        "a chain",
        &["d t", "l a b", "l b /c", "l c t", "f a/x"],
        &["a=1", "b=2", "c=3", "t/=0", "t/x=4"],
    );
    assert_tree("nowhere yet", &["l a t/u", "f a/x"], &["a=0", "t/-", "t/u/-", "t/u/x=1"]);
    assert_tree("the root", &["l a /", "f a/x"], &["a=0", "x=1"]);
    assert_tree("itself", &["l a .", "f a/x"], &["a=0", "x=1"]);
    assert_tree("the last component stays", &["d t", "l a t", "f a"], &["a=2", "t/=0"]);
    assert_tree(
        "dot dot goes up where it led",
        &["d t/u", "l a t/u", "l b a/../x", "f b/y"],
        &["a=1", "b=2", "t/-", "t/u/=0", "t/x/-", "t/x/y=3"],
    );
}

#[test]
fn the_last_one_wins() {
    assert_tree("file over file", &["f a", "f a"], &["a=1"]);
    assert_tree("file over directory", &["d a", "f a/x", "f a"], &["a=2"]);
    assert_tree("directory over file", &["f a", "d a", "f a/x"], &["a/=1", "a/x=2"]);
    assert_tree("directory over directory", &["d a", "f a/x", "d ./a/"], &["a/=2", "a/x=1"]);
    assert_tree(
        "directory over link",
        &["d t", "f t/y", "l a t", "d a", "f a/x"],
        &["a/=3", "a/x=4", "t/=0", "t/y=1"],
    );
    assert_tree("link over directory", &["d a", "f a/x", "l a t"], &["a=2"]);
    assert_tree("device over link", &["l a t", "c a"], &["a=1"]);
}

#[test]
fn hard_links() {
    let same = |lines: &[&str], a: &str, b: &str| {
        let tree = build(lines).unwrap();
        let mut ids = Vec::new();
        let walked = tree.walk::<()>(|visit| {
            if visit.path == a.as_bytes() || visit.path == b.as_bytes() {
                ids.push(visit.id);
            }
            Ok(())
        });
        walked.unwrap();
        assert_eq!(ids.len(), 2, "{lines:?}");
        ids[0] == ids[1]
    };
    assert!(same(&["f a", "h b a"], "a", "b"));
    assert!(same(&["f ./a", "h b /a"], "a", "b"));
    assert!(same(&["l a t", "h b a"], "a", "b"), "the symbolic link itself, not what it names");
    assert!(same(&["c a", "h b a"], "a", "b"));
    assert!(same(&["f a", "h b a", "h c b"], "a", "c"));
    assert!(same(&["d t", "f t/f", "l l t", "h b l/f"], "t/f", "b"));
    assert!(same(&["f x", "d t", "l l t", "h l/y x"], "x", "t/y"));
    assert!(same(&["f a", "f b", "h b a"], "a", "b"));
    assert!(!same(&["f a", "h b a", "f a"], "a", "b"), "what was replaced lives on under the other name");
    assert_tree("replaced", &["f a", "h b a", "f a"], &["a=2", "b=0"]);
    assert_tree("itself", &["f a", "h a a"], &["a=0"]);
}

#[test]
fn whiteouts() {
    assert_tree("plain", &["f a/.wh.x"], &["a/-", "a/x:gone"]);
    assert_tree("opaque", &["d a", "f a/.wh..wh..opq", "f a/x"], &["a/=0!", "a/x=2"]);
    assert_tree("opaque last", &["d a", "f a/x", "f a/.wh..wh..opq"], &["a/=0!", "a/x=1"]);
    assert_tree("opaque, listed later", &["f a/.wh..wh..opq", "d a"], &["a/=1!"]);
    assert_tree("opaque root", &["f .wh..wh..opq", "f x"], &["/!", "x=1"]);
    assert_tree("file made again", &["f .wh.x", "f x"], &["x=1"]);
    assert_tree("file made before", &["f x", "f .wh.x"], &["x=0"]);
    assert_tree("link made again", &["f a", "f .wh.x", "h x a"], &["a=0", "x=0"]);
    assert_tree("directory made again", &["f .wh.x", "d x", "f x/y"], &["x/=1!", "x/y=2"]);
    assert_tree("directory made before", &["d x", "f x/y", "f .wh.x"], &["x/=0!", "x/y=1"]);
    assert_tree("directory made by its child", &["f .wh.x", "f x/y"], &["x/-!", "x/y=1"]);
    assert_tree("twice", &["f .wh.x", "f .wh.x"], &["x:gone"]);
    assert_tree("names that remove nothing", &["f .wh.", "f .wh..", "f .wh..."], &[]);
    assert_tree("aufs", &["f .wh..wh.aufs", "f .wh..wh.orph", "d .wh..wh.plnk"], &[".wh..wh.plnk/=2"]);
    assert_tree("no whiteout", &["f x.wh.y", "d .wh.d"], &[".wh.d/=1", "x.wh.y=0"]);
    assert_tree("any kind but a directory", &["c .wh.x"], &["x:gone"]);
}

#[test]
fn what_has_no_place() {
    let problem = |lines: &[&str]| {
        let error = build(lines).unwrap_err();
        assert_eq!(error.entry, lines.len() - 1, "{lines:?}");
        error.problem
    };
    let name = Name::from;
    assert_eq!(problem(&["f ./"]), TreeProblem::RootNoDirectory { kind: Kind::Regular });
    assert_eq!(problem(&["l / x"]), TreeProblem::RootNoDirectory { kind: Kind::Symlink });
    assert_eq!(problem(&["f a/.."]), TreeProblem::RootNoDirectory { kind: Kind::Regular });
    assert_eq!(problem(&["f a", "f a/b"]), TreeProblem::NoDirectory { component: name("a") });
    assert_eq!(problem(&["f t", "l a t", "f a/b"]), TreeProblem::NoDirectory { component: name("t") });
    assert_eq!(problem(&["h b a"]), TreeProblem::LinkTarget { target: name("a") });
    assert_eq!(problem(&["h b a/x"]), TreeProblem::LinkTarget { target: name("a/x") });
    assert_eq!(problem(&["h b /"]), TreeProblem::LinkTarget { target: name("/") });
    assert_eq!(problem(&["f .wh.a", "h b a"]), TreeProblem::LinkTarget { target: name("a") });
    assert_eq!(problem(&["f a", "h b a/x"]), TreeProblem::LinkTarget { target: name("a/x") });
    assert_eq!(problem(&["d a", "h b a"]), TreeProblem::LinkToDirectory { target: name("a") });
    assert!(matches!(problem(&["l a b", "l b a", "f a/x"]), TreeProblem::TooManyLinks { .. }));
    assert!(matches!(problem(&["l a a", "f a/x"]), TreeProblem::TooManyLinks { .. }));
    assert!(matches!(problem(&["l a a/b", "f a/x"]), TreeProblem::TooManyLinks { .. }));
    assert!(matches!(problem(&["l a b", "l b a", "h x a/x"]), TreeProblem::TooManyLinks { .. }));
    // A link that found no target left no directory behind.
    let error = build(&["h b no/such/file"]).unwrap_err();
    assert_eq!(error.to_string(), r#"entry 0 "b": its hard link target "no/such/file" is not in the layer"#);
}

#[test]
fn depth_and_number_are_bounded_whatever_links_hold() {
    let limits = Limits::default();
    let deep = format!("f {}x", "a/".repeat(limits.depth - 1));
    assert!(build(&[&deep]).is_ok());
    let deep = format!("f {}x", "a/".repeat(limits.depth));
    assert_eq!(build(&[&deep]).unwrap_err().problem, TreeProblem::TooDeep { limit: limits.depth });
    // Two steps of 600 are as deep as one of 1200.
    let step = "a/".repeat(600);
    let lines = [&format!("l one {step}"), &format!("l {step}two {step}"), &format!("f {step}two/x")];
    let error = build(&lines.map(String::as_str)).unwrap_err();
    assert_eq!(error.problem, TreeProblem::TooDeep { limit: limits.depth });
    let mut limits = limits;
    limits.entries = 1000;
    let lines: Vec<String> = (0..10).map(|n| format!("f {n}/{}x", "a/".repeat(200))).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let error = Tree::build(&toc(&lines), &limits).unwrap_err();
    assert_eq!(error.problem, TreeProblem::TooMany { limit: 1000 });
}

fn names() -> impl Strategy<Value = String> {
    let part =
        prop::sample::select(vec!["a", "b", "c", ".", "..", "", ".wh.a", ".wh..wh..opq", ".wh.b", "..a"]);
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"))
}

fn members() -> impl Strategy<Value = Vec<(usize, String, String)>> {
    prop::collection::vec((0..5_usize, names(), names()), 0..25)
}

/// Builds what can be built: members that have no place are left out.
fn build_some(members: &[(usize, String, String)]) -> Tree {
    let mut kept: Vec<String> = Vec::new();
    for (kind, name, link) in members {
        kept.push(format!("{} {name} {link}", ["d", "f", "l", "h", "c"][*kind]));
        let lines: Vec<&str> = kept.iter().map(String::as_str).collect();
        if build(&lines).is_err() {
            kept.pop();
        }
    }
    build(&kept.iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
}

fn assert_walk(tree: &Tree) {
    let mut seen = vec![(Tree::ROOT, Vec::new())];
    let walked = tree.walk::<()>(|visit| {
        let mut parts = visit.path.split(|byte| *byte == b'/').collect::<Vec<_>>();
        assert!(
            parts.iter().all(|part| !matches!(*part, b"" | b"." | b"..")),
            "{:?}",
            Name::from(visit.path)
        );
        assert_eq!(parts.pop(), Some(visit.name));
        let parent = (visit.parent, parts.join(&b'/'));
        assert!(seen.contains(&parent), "{:?} before its parent", Name::from(visit.path));
        if let Node::Directory(_) = visit.inode.node {
            seen.push((visit.id, visit.path.to_vec()));
        }
        Ok(())
    });
    walked.unwrap();
}

proptest! {
    #[test]
    fn every_path_is_below_the_root_and_after_its_parent(lower in members(), upper in members()) {
        let (lower, upper) = (build_some(&lower), build_some(&upper));
        assert_walk(&lower);
        assert_walk(&upper);
        let mut stack = Tree::empty();
        stack.stack(&lower, 0);
        stack.stack(&upper, 1);
        assert_walk(&stack);
        prop_assert!(!show(&stack).iter().any(|line| line.ends_with(":gone") || line.ends_with('!')));
    }

    #[test]
    fn a_layer_over_itself_is_the_same_tree(lines in members()) {
        let tree = build_some(&lines);
        let (mut once, mut twice) = (Tree::empty(), Tree::empty());
        once.stack(&tree, 0);
        twice.stack(&tree, 0);
        twice.stack(&tree, 0);
        prop_assert_eq!(show(&once), show(&twice));
    }
}
