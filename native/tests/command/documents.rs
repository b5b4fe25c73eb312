//! The documents beside the code: what they name is there.

use std::path::{Path, PathBuf};

use super::Scene;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// Returns what stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Writes out `a/{b,c}.rs`.
fn alternatives(path: &str) -> Vec<String> {
    match path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        Some((before, (middle, after))) => {
            middle.split(',').map(|part| format!("{before}{part}{after}")).collect()
        }
        None => vec![path.to_owned()],
    }
}

#[test]
fn every_invariant_names_a_test_that_is_there() {
    let text = document("ARCHITECTURE.md");
    let (_, table) = text.split_once("## Invariants, and the tests that hold them\n").unwrap();
    let rows: Vec<_> = table.lines().skip(1).skip(2).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 30, "{} rows", rows.len());
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        let [_, tests] = cells[..] else { panic!("not two cells: {row}") };
        let mut file = PathBuf::new();
        for name in quoted(tests) {
            if name.contains(['/', '.']) {
                // A bare name is that of a file below the module named last, or beside it.
                let below = file.with_extension("").join(name);
                file = match name.contains('/') {
                    true => root().join(name),
                    false if below.exists() => below,
                    false => file.with_file_name(name),
                };
                assert!(file.exists(), "{row}\nno {}", file.display());
            } else {
                let code = std::fs::read_to_string(&file).unwrap();
                assert!(code.contains(&format!("fn {name}(")), "{row}\nno {name} in {}", file.display());
            }
        }
        assert!(file.exists(), "{row}\nnames no test");
    }
}

#[test]
fn every_file_that_is_named_is_there() {
    let tops = ["core/", "native/", "tests/", "docs/", ".ci/"];
    let documents =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/inspect-web.md", "docs/zstd-chunked.md"];
    for name in documents {
        let text = document(name);
        let paths = quoted(&text).filter(|text| tops.iter().any(|top| text.starts_with(top)));
        for path in paths.filter(|path| !path.contains(' ')).flat_map(alternatives) {
            assert!(root().join(&path).exists(), "{name}: no {path}");
        }
        let folder = root().join(name).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let (path, part) = link.split_once('#').unwrap_or((link, ""));
            if path.contains("://") {
                continue;
            }
            let target = if path.is_empty() { root().join(name) } else { folder.join(path) };
            assert!(target.exists(), "{name}: no {path}");
            if !part.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap();
                assert!(headings(&text).any(|heading| heading == part), "{name}: no #{part} in {path}");
            }
        }
    }
}

/// Returns the names that headings can be linked to by.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| {
        let kept = line.trim_start_matches('#').trim().chars().filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c => c.is_alphanumeric().then(|| c.to_ascii_lowercase()),
        });
        kept.collect()
    })
}

#[test]
fn every_command_and_option_in_the_readme_is_there() {
    let scene = Scene::new();
    let commands = [
        "pull",
        "plan",
        "overlap",
        "diff",
        "images",
        "inspect",
        "ls",
        "cat",
        "chunks",
        "unpack",
        "verify",
        "copy",
        "convert",
        "push",
        "rmi",
        "gc",
        "demo",
        "completions",
        "man",
    ];
    let helps = commands.map(|command| (command, scene.run(&[command, "--help"]).stdout));
    let text = document("README.md") + &document("docs/inspect-web.md");
    for line in text.lines() {
        for rest in line.split("shingle ").skip(1) {
            let command = rest.split_whitespace().find(|word| !word.starts_with('-')).unwrap_or_default();
            let Some((_, help)) = helps.iter().find(|(name, _)| *name == command) else { continue };
            // Up to what is another command's, or a remark.
            let words = rest.split(['|', '#', '`', '&']).next().unwrap().split_whitespace();
            for option in words.filter(|word| word.starts_with("--")) {
                let name = option.split('=').next().unwrap();
                let there =
                    help.split(|c: char| c.is_whitespace() || "[=,".contains(c)).any(|word| word == name);
                assert!(there, "{command} has no {name}: {line}");
            }
        }
    }
    let all: String = helps.map(|(_, help)| help).concat();
    let options =
        quoted(&text).filter(|text| text.starts_with("--")).filter_map(|text| text.split([' ', '=']).next());
    for option in options {
        assert!(all.contains(option), "no command has {option}");
    }
}
