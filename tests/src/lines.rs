//! Lists of lines compared as wholes, with a failure that a person can read: only what differs is shown.

use std::fmt::Write;

/// Lines shown of each kind.
const SHOWN_MAX: usize = 40;

/// Asserts that `got` is `expected`, in the same order.
#[track_caller]
pub(crate) fn assert_lines<E: AsRef<str>>(what: &str, got: &[String], expected: &[E]) {
    let expected: Vec<&str> = expected.iter().map(AsRef::as_ref).collect();
    if got != expected {
        panic!("{}", difference(what, got, &expected));
    }
}

fn difference(what: &str, got: &[String], expected: &[&str]) -> String {
    let mut report = format!("{what}: {} lines, expected {}", got.len(), expected.len());
    let first = got.iter().zip(expected).position(|(got, expected)| got != expected);
    let at = first.unwrap_or(got.len().min(expected.len()));
    let mut left: Vec<&str> = expected.to_vec();
    let extra: Vec<&String> = got.iter().filter(|line| !take(&mut left, line)).collect();
    let line = |lines: Option<&str>| lines.unwrap_or("nothing").to_owned();
    let (here, there) = (line(got.get(at).map(String::as_str)), line(expected.get(at).copied()));
    write!(report, "\nfirst at line {at}:\n  came     {here}\n  expected {there}").expect("text");
    for missing in left.iter().take(SHOWN_MAX) {
        write!(report, "\n- {missing}").expect("text");
    }
    for extra in extra.iter().take(SHOWN_MAX) {
        write!(report, "\n+ {extra}").expect("text");
    }
    report
}

/// Takes one such line out of `lines`, if there is one.
fn take(lines: &mut Vec<&str>, line: &str) -> bool {
    let found = lines.iter().position(|known| *known == line);
    found.map(|at| lines.remove(at)).is_some()
}

#[test]
fn a_difference_shows_what_is_missing_what_is_too_much_and_where_it_begins() {
    let got = ["a", "c", "c"].map(str::to_owned);
    assert_lines("same", &got, &["a", "c", "c"]);
    let report = difference("words", &got, &["a", "b", "c"]);
    assert_eq!(report, "words: 3 lines, expected 3\nfirst at line 1:\n  came     c\n  expected b\n- b\n+ c");
}
