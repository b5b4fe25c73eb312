//! What upper layers hide.

use super::*;

fn assert_view(what: &str, layers: &[&[&str]], expected: &[&str]) {
    let overlap = overlap(&[layers]);
    assert_eq!(show(&overlap, 0, Measure::Logical), expected, "{what}");
    let image = &overlap.summary().images[0];
    let view = overlap.view(id(0), Measure::Logical).unwrap();
    assert_eq!(image.wasted.bytes.logical, view.wasted[0], "{what}");
}

#[test]
fn what_no_name_leads_to_is_wasted() {
    assert_view(
        "nothing",
        &[&["d d", "f d/a one"], &["f d/b two"]],
        &[" 0 6 0(0) 0 in 2", "d 0 6 0(0) 0 in 2", "d/a 0 3 0(0) 0 in 1", "d/b 0 3 0(0) 0 in 1"],
    );
    assert_view("replaced", &[&["f a one"], &["f a two2"]], &[" 0 4 0(0) 3 in 2", "a 0 4 0(0) 3 in 2"]);
    assert_view(
        "replaced by the same",
        &[&["f a one"], &["f a one mode=600"]],
        &[" 0 3 0(0) 3 in 2", "a 0 3 0(0) 3 in 2"],
    );
    assert_view(
        "removed",
        &[&["f d/a one", "f d/b two2"], &["f d/.wh.a"]],
        &[" 0 4 0(0) 3 in 2", "d 0 4 0(0) 3 in 2", "*d/a 0 0 0(0) 3 in 1", "d/b 0 4 0(0) 0 in 1"],
    );
    assert_view(
        "a directory removed",
        &[&["f d/e/a one", "f z two2"], &["f .wh.d"]],
        &[
            " 0 4 0(0) 3 in 2",
            "*d 0 0 0(0) 3 in 1",
            "*d/e 0 0 0(0) 3 in 1",
            "*d/e/a 0 0 0(0) 3 in 1",
            "z 0 4 0(0) 0 in 1",
        ],
    );
    assert_view(
        "opaque",
        &[&["f d/a one"], &["f d/.wh..wh..opq", "f d/b two2"]],
        &[" 0 4 0(0) 3 in 2", "d 0 4 0(0) 3 in 2", "*d/a 0 0 0(0) 3 in 1", "d/b 0 4 0(0) 0 in 1"],
    );
    assert_view(
        "file over directory",
        &[&["f d/a one"], &["f d two2"]],
        &[" 0 4 0(0) 3 in 2", "d 0 4 0(0) 3 in 2", "*d/a 0 0 0(0) 3 in 1"],
    );
    assert_view(
        "directory over file",
        &[&["f d one"], &["f d/a two2"]],
        &[" 0 4 0(0) 3 in 2", "d 0 4 0(0) 3 in 2", "d/a 0 4 0(0) 0 in 1"],
    );
    assert_view(
        "removed, and made again above",
        &[&["f a one"], &["f .wh.a"], &["f a two2"]],
        &[" 0 4 0(0) 3 in 2", "a 0 4 0(0) 3 in 2"],
    );
    assert_view(
        "twice",
        &[&["f a one"], &["f a two2"], &["f a three"]],
        &[" 0 5 0(0) 7 in 3", "a 0 5 0(0) 7 in 3"],
    );
    assert_view(
        "within a layer, at the root",
        &[&["f d/a one", "f d/a two2"]],
        &[" 0 4 0(0) 3 in 2", "d 0 4 0(0) 0 in 1", "d/a 0 4 0(0) 0 in 1"],
    );
}

#[test]
fn hard_links_keep_what_they_name() {
    assert_view(
        "one name removed",
        &[&["f a one", "h b a"], &["f .wh.a"]],
        &[" 0 3 0(0) 0 in 1", "*a 0 0 0(0) 0 in 0", "b 0 3 0(0) 0 in 1"],
    );
    assert_view(
        "counted at the first",
        &[&["f z one", "h a z"]],
        &[" 0 3 0(0) 0 in 1", "a 0 3 0(0) 0 in 1", "z 0 0 0(0) 0 in 0"],
    );
    assert_view(
        "both removed: wasted once",
        &[&["f a one", "h b a"], &["f .wh.a", "f .wh.b"]],
        &[" 0 0 0(0) 3 in 1", "*a 0 0 0(0) 3 in 1", "*b 0 0 0(0) 0 in 0"],
    );
}

#[test]
fn what_is_hidden_is_shared_all_the_same() {
    let overlap = overlap(&[&[&["f a one"], &["f .wh.a"]], &[&["f b one"]]]);
    assert_eq!(logical(&overlap.matrix().files), [[3, 3], [3, 3]], "a pull takes it");
    let node = overlap.find(id(0), b"a").unwrap();
    assert_eq!(overlap.details(id(0), node).unwrap().state, Some(State::Wasted));
    let diff = overlap.diff(id(0), id(1)).unwrap();
    assert_eq!(diff.changes.len(), 1);
    assert_eq!(diff.changes[0].changed, Changed::Added);
    assert_eq!(diff.changes[0].fresh, Bytes::default(), "it is held, if unseen");
}
