//! What a store holds, to see whether a pull changed anything.

use std::collections::BTreeMap;
use std::path::Path;

use crate::compare::{Kind, scan};

/// Returns a line for each name below `root`, with kind, mode, owner and content, but for locks, the store's own
/// directories and the index, which is a cache that any command may build again.
///
/// # Panics
/// When it cannot be read.
pub fn listing(root: &Path) -> BTreeMap<String, String> {
    let all = match root.exists() {
        true => scan(root).unwrap_or_else(|error| panic!("{}: {error}", root.display())),
        false => BTreeMap::new(),
    };
    let mut lines = BTreeMap::new();
    for (path, found) in all {
        let path = path.escape_ascii().to_string();
        let is_lock = path == "lock" || path.ends_with(".lock") || path.ends_with("/lock");
        // The store makes its own directories whenever it is opened.
        let is_frame = found.shape.kind == Kind::Directory && path.matches('/').count() < 2;
        let is_index = path.starts_with("index/");
        if !is_lock && !is_frame && !is_index {
            let shape = found.shape;
            let content = shape.content.map_or_else(String::new, |digest| digest.to_string());
            lines.insert(
                path,
                format!("{:?} {:04o} {}:{} {content}", shape.kind, shape.mode, shape.uid, shape.gid),
            );
        }
    }
    lines
}

/// Says where two listings are not the same.
pub fn change(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Option<String> {
    let gone: Vec<_> = before.iter().filter(|line| !after.contains_key(line.0)).collect();
    let new: Vec<_> = after.iter().filter(|line| !before.contains_key(line.0)).collect();
    let other: Vec<_> =
        before.iter().filter(|(path, line)| after.get(*path).is_some_and(|a| a != *line)).collect();
    let same = gone.is_empty() && new.is_empty() && other.is_empty();
    (!same).then(|| format!("the store changed\n gone {gone:#?}\n new {new:#?}\n other {other:#?}"))
}
