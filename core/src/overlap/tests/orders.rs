//! Orders of pulls.

use super::*;

fn whole(lines: &[&str], blob_len: u64) -> Made {
    Made { toc: unlocated(lines), blob_len, ..Made::of(&[]) }
}

fn order(overlap: &Overlap) -> (Vec<usize>, u64) {
    let found = overlap.pull_order();
    (found.steps.iter().map(|step| step.image.index()).collect(), found.bytes)
}

#[test]
fn what_is_pulled_whole_goes_first_where_others_gain_by_it() {
    let mut overlap = Overlap::new();
    add(&mut overlap, "by file", &[Made::of(&["f a one", "f b two"])]).unwrap();
    add(&mut overlap, "whole", &[whole(&["f a one", "f c three"], 100)]).unwrap();
    assert_eq!(order(&overlap), (vec![1, 0], 107));
    let found = overlap.pull_order();
    assert!(found.exact);
    assert_eq!((found.steps[0].bytes, found.steps[0].whole_bytes), (100, 100));
    assert_eq!((found.steps[1].bytes, found.steps[1].whole_bytes), (7, 0));
    assert_eq!(overlap.pull_cost(&[id(0), id(1)]).unwrap().bytes, 114);
    assert_eq!(overlap.pull_cost(&[id(1)]).unwrap().bytes, 100);
    assert_eq!(overlap.pull_cost(&[id(1), id(1)]).unwrap().bytes, 100, "the second time it is there");
    assert_eq!(overlap.pull_cost(&[id(2)]), None);
}

#[test]
fn where_it_makes_no_difference_it_is_the_one_they_came_in() {
    let overlap = overlap(&[&[&["f a one"]], &[&["f a one", "f b two"]], &[&["f b two"]]]);
    assert_eq!(order(&overlap), (vec![0, 1, 2], 14));
}

#[test]
fn layers_and_what_serves_what() {
    let named = |lines: &[&str]| Made { diff_id: Some(Digest::of(b"d")), ..Made::of(lines) };
    let mut overlap = Overlap::new();
    // Two layers of one image are pulled at once; two files of one layer are fetched once.
    add(&mut overlap, "two layers", &[Made::of(&["f a one", "f b one"]), Made::of(&["f c one"])]).unwrap();
    assert_eq!(order(&overlap), (vec![0], 14));
    add(&mut overlap, "whole", &[Made { pulled: Pulled::Whole, ..named(&["f x two"]) }]).unwrap();
    add(&mut overlap, "the same layer", &[named(&["f x two"])]).unwrap();
    // By file it is cheaper, and then the layer is there.
    assert_eq!(order(&overlap), (vec![0, 2, 1], 14 + 7));
    let found = overlap.pull_cost(&[id(1), id(2)]).unwrap();
    assert_eq!(found.steps.iter().map(|step| step.bytes).collect::<Vec<_>>(), [1000, 0]);
}

#[test]
fn chunks_are_reused_too() {
    let overlap = overlap(&[&[&["f a three,01000,two"]], &[&["f b three,four"]], &[&["f c threetwo"]]]);
    let cost = |order: &[usize]| {
        let order: Vec<_> = order.iter().map(|image| id(*image)).collect();
        overlap.pull_cost(&order).unwrap().steps.iter().map(|step| step.bytes).collect::<Vec<_>>()
    };
    assert_eq!(cost(&[0, 1, 2]), [11 + 7, 9, 17]);
    assert_eq!(cost(&[2, 0]), [17, 18], "the hole makes another content of it");
    assert_eq!(cost(&[1, 0]), [20, 7]);
}

#[test]
fn many_are_chosen_one_by_one() {
    let mut overlap = Overlap::new();
    let names: Vec<String> = (0..14).map(|number| format!("f own{number} own-{number}")).collect();
    for name in &names {
        add(&mut overlap, name, &[Made::of(&["f a one", name])]).unwrap();
    }
    add(&mut overlap, "whole", &[whole(&["f a one"], 50)]).unwrap();
    let found = overlap.pull_order();
    assert!(!found.exact);
    assert_eq!(found.steps[0].image, id(14));
    assert_eq!(found.steps[1].image, id(0));
    assert_eq!(found.bytes, 50 + 10 * 11 + 4 * 13);
    let given: Vec<_> = found.steps.iter().map(|step| step.image).collect();
    assert_eq!(overlap.pull_cost(&given).unwrap().bytes, found.bytes);
}
