//! Compares a tree with the tar of its layer: `compare-tree TREE TAR` prints each difference and fails if there is one.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to whoever runs it")]

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [tree, tar] = arguments.as_slice() else {
        eprintln!("usage: compare-tree TREE TAR");
        return ExitCode::from(2);
    };
    let tar = match std::fs::read(tar) {
        Ok(tar) => tar,
        Err(error) => {
            eprintln!("compare-tree: {}: {error}", Path::new(tar).display());
            return ExitCode::from(2);
        }
    };
    let differences = shingle_tests::compare::compare_tree(Path::new(tree), &tar);
    for difference in &differences {
        println!("{difference}");
    }
    if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
