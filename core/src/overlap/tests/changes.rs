//! From one image to another.

use super::*;

/// One line a change: what, old path, new path, fields, bytes, fresh bytes.
fn changes(overlap: &Overlap) -> Vec<String> {
    let diff = overlap.diff(id(0), id(1)).unwrap();
    let line = |change: &Change| {
        let at =
            |image, node: Option<NodeId>| node.map_or_else(|| "-".into(), |node| path(overlap, image, node));
        let Fields { mode, owner, mtime, xattrs } = change.fields;
        let fields: Vec<_> = [(mode, "mode"), (owner, "owner"), (mtime, "mtime"), (xattrs, "xattrs")]
            .into_iter()
            .filter_map(|(differs, name)| differs.then_some(name))
            .collect();
        let (old, new) = (at(0, change.old), at(1, change.new));
        let (bytes, fresh) = (change.bytes.logical, change.fresh.logical);
        format!("{:?} {old} {new} [{}] {bytes} {fresh}", change.changed, fields.join(" "))
    };
    diff.changes.iter().map(line).collect()
}

fn assert_changes(what: &str, old: &[&str], new: &[&str], expected: &[&str]) {
    assert_eq!(changes(&overlap(&[&[old], &[new]])), expected, "{what}");
}

#[test]
fn one_change_each() {
    assert_changes("none", &["d d", "f d/a one", "l l x"], &["d d", "f d/a one", "l l x"], &[]);
    assert_changes("added", &["f a one"], &["f a one", "f b two"], &["Added - b [] 3 3"]);
    assert_changes("added, content known", &["f a one"], &["f a one", "f b one"], &["Added - b [] 3 0"]);
    assert_changes("removed", &["f a one", "f b two"], &["f a one"], &["Removed b - [] 3 0"]);
    assert_changes("content", &["f a one"], &["f a two2"], &["Content a a [] 4 4"]);
    assert_changes("one chunk", &["f a one,two"], &["f a one,two2"], &["Content a a [] 7 4"]);
    assert_changes("content and mode", &["f a one"], &["f a two mode=600"], &["Content a a [mode] 3 3"]);
    assert_changes("mode", &["f a one"], &["f a one mode=600"], &["Metadata a a [mode] 3 0"]);
    assert_changes("owner", &["f a one"], &["f a one uid=1"], &["Metadata a a [owner] 3 0"]);
    assert_changes("group", &["f a one"], &["f a one gid=1"], &["Metadata a a [owner] 3 0"]);
    assert_changes("mtime", &["f a one mtime=1"], &["f a one mtime=2"], &["Metadata a a [mtime] 3 0"]);
    assert_changes("no mtime is 1970", &["f a one"], &["f a one mtime=0"], &[]);
    assert_changes("xattr", &["f a one xattr=YQ=="], &["f a one xattr=Yg=="], &["Metadata a a [xattrs] 3 0"]);
    assert_changes("no xattr", &["f a one xattr=YQ=="], &["f a one"], &["Metadata a a [xattrs] 3 0"]);
    assert_changes("directory", &["d d mode=700"], &["d d mode=755"], &["Metadata d d [mode] 0 0"]);
    assert_changes("link", &["l a x"], &["l a y"], &["Content a a [] 0 0"]);
    assert_changes("device", &["c a devMajor=1"], &["c a devMajor=2"], &["Content a a [] 0 0"]);
    assert_changes("emptied", &["f a one"], &["f a -"], &["Content a a [] 0 0"]);
    assert_changes("kind", &["f a one"], &["l a one"], &["Content a a [] 0 0"]);
    assert_changes(
        "directory to file",
        &["d a mode=644", "f a/x one"],
        &["f a two"],
        &["Content a a [] 3 3", "Removed a/x - [] 3 0"],
    );
}

#[test]
fn renames() {
    assert_changes("one", &["f a one"], &["f b one"], &["Renamed a b [] 3 0"]);
    assert_changes("with other metadata", &["f a one"], &["f b one mode=600"], &["Renamed a b [mode] 3 0"]);
    assert_changes(
        "across directories",
        &["f d/a one", "f z two"],
        &["f e/a one", "f z two"],
        &["Removed d - [] 0 0", "Added - e [] 0 0", "Renamed d/a e/a [] 3 0"],
    );
    assert_changes(
        "in order",
        &["f a one", "f b one"],
        &["f x one", "f y one", "f z one"],
        &["Renamed a x [] 3 0", "Renamed b y [] 3 0", "Added - z [] 3 0"],
    );
    assert_changes(
        "fewer than before",
        &["f a one", "f b one"],
        &["f x one"],
        &["Removed b - [] 3 0", "Renamed a x [] 3 0"],
    );
    assert_changes("not what is still there", &["f a one"], &["f a one", "f b one"], &["Added - b [] 3 0"]);
    assert_changes("no empty files", &["f a -"], &["f b -"], &["Removed a - [] 0 0", "Added - b [] 0 0"]);
    assert_changes(
        "swapped is changed",
        &["f a one", "f b two"],
        &["f a two", "f b one"],
        &["Content a a [] 3 0", "Content b b [] 3 0"],
    );
}

#[test]
fn in_figures() {
    let overlap = overlap(&[
        &[&["f a one", "f b two", "f c three,four", "f d five", "f e six"]],
        &[&["f a one", "f b two mode=600", "f c three,fourth", "f x five", "f y seven", "f z seven"]],
    ]);
    let summary = overlap.diff(id(0), id(1)).unwrap().summary;
    let of = |amount: Amount| (amount.count, amount.bytes.logical);
    assert_eq!(of(summary.same), (2, 3), "the root, too");
    assert_eq!(of(summary.metadata), (1, 3));
    assert_eq!(of(summary.changed), (1, 11));
    assert_eq!(of(summary.renamed), (1, 4));
    assert_eq!(of(summary.removed), (1, 3));
    assert_eq!(of(summary.added), (2, 10));
    assert_eq!(summary.new_files.logical, 11 + 5);
    assert_eq!(summary.new_chunks.logical, 6 + 5);
}

#[test]
fn order_of_names_is_not_order_of_paths() {
    // '.' sorts before '/', so the directory's file comes after its neighbour in the order of whole paths only.
    assert_changes("neighbours", &["f a/x one", "f a.b two"], &["f a/x one", "f a.b two"], &[]);
    assert_changes(
        "neighbours changed",
        &["f a/x one", "f a.b two"],
        &["f a/x two", "f a.b one"],
        &["Content a/x a/x [] 3 0", "Content a.b a.b [] 3 0"],
    );
}
