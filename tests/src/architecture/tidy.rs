//! What every source file keeps: a first line that says what it is, a size that one reads in a sitting, names that say
//! something, and no clock or I/O in the pure crates.

use super::root;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// One idea is rarely longer.
const LINES_MAX: usize = 500;
/// A file of tests may hold more cases than code holds branches.
const TEST_LINES_MAX: usize = 700;

/// Names that say nothing of what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc", "manager", "types"];

/// Crates that have no clock, no I/O and no async.
const PURE: &[&str] = &["crates/model/", "crates/evidence/", "crates/custody/"];

/// What a pure crate would need to be impure.
const IMPURE: &[&str] = &[
    "async fn",
    ".await",
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "rand::",
];

/// A source file: its path from the root, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.ends_with("tests.rs") || ["tests/", "/benches/"].iter().any(|folder| self.path.contains(folder))
    }

    /// The text without the tests that end it.
    fn code(&self) -> &str {
        self.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default()
    }
}

fn sources() -> Vec<Source> {
    let mut folders: Vec<PathBuf> = ["crates", "tests"].map(|folder| root().join(folder)).into();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry of a folder").path();
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if path.is_dir() && !hidden && path.file_name() != Some(OsStr::new("target")) {
                folders.push(path);
            } else if path.extension() == Some(OsStr::new("rs")) {
                let text = fs::read_to_string(&path).expect("a source file is text");
                let path = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().into_owned();
                sources.push(Source { path, text });
            }
        }
    }
    assert!(sources.len() > 100, "the sources were found");
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

/// What is untidy in a file, one line each.
fn untidy(source: &Source) -> Vec<String> {
    let Source { path, text } = source;
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push(format!("{path}: does not open with //!"));
    }
    let (lines, max) = (text.lines().count(), if source.is_test() { TEST_LINES_MAX } else { LINES_MAX });
    if lines > max {
        found.push(format!("{path}: {lines} lines, at most {max}"));
    }
    for part in Path::new(path).with_extension("").iter().filter_map(OsStr::to_str) {
        if EMPTY_NAMES.contains(&part) {
            found.push(format!("{path}: a file or folder named {part}"));
        }
    }
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let passes_all_on = line.starts_with("pub use ") && line.ends_with("::*;");
        if passes_all_on || line.starts_with("#[ignore") {
            found.push(format!("{path}:{}: {line}", number + 1));
        }
    }
    if PURE.iter().any(|folder| path.starts_with(folder) && path.contains("/src/")) && !source.is_test() {
        found.extend(impure(source));
    }
    found
}

fn impure(source: &Source) -> Vec<String> {
    // Words in comments do nothing, and what is built for tests and fuzzing only may read files.
    let code = source.code().lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<&str> = code.collect();
    let used = |word: &&&str| code.iter().any(|line| line.contains(**word));
    let built_for_tests = source.path == "crates/evidence/src/fuzz.rs";
    let words = IMPURE.iter().filter(|_| !built_for_tests).filter(used);
    words.map(|word| format!("{}: {word} in a pure crate", source.path)).collect()
}

#[test]
fn every_source_file_is_tidy() {
    let found: Vec<String> = sources().iter().flat_map(untidy).collect();
    assert!(found.is_empty(), "{} untidy places:\n{}", found.len(), found.join("\n"));
}

#[test]
fn what_is_untidy_is_found() {
    let source = |path: &str, text: String| Source { path: path.into(), text };
    let (long, glob) = ("//! Long.\n".repeat(501), ["//! Glob.\npub use x::", "*;\n"].concat());
    let clock = "//! Clock.\nuse std::time::Instant;\n";
    let tested = "//! Fine.\n// tokio\n\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    let cases = [
        (source("crates/bus/src/a.rs", "fn main() {}".into()), "crates/bus/src/a.rs: does not open with //!"),
        (source("crates/bus/src/b.rs", long.clone()), "crates/bus/src/b.rs: 501 lines, at most 500"),
        (
            source("crates/bus/src/c.rs", glob.clone()),
            &format!("crates/bus/src/c.rs:2: {}", &glob[10..glob.len() - 1]),
        ),
        (
            source("crates/utils/src/d.rs", "//! D.".into()),
            "crates/utils/src/d.rs: a file or folder named utils",
        ),
        (source("crates/model/src/e.rs", clock.into()), "crates/model/src/e.rs: Instant in a pure crate"),
    ];
    for (source, expected) in cases {
        assert_eq!(untidy(&source), [expected]);
    }
    for fine in [source("crates/bus/src/tests.rs", long), source("crates/custody/src/f.rs", tested.into())] {
        assert_eq!(untidy(&fine), Vec::<String>::new());
    }
}
