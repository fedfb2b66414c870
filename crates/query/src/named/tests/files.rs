//! Every file can be read, keeps the form, and reads views of the catalogue only; what cannot be read says where.

use super::super::files::FILES;
use super::super::header::parse;
use super::super::{catalogue, find};
use crate::testing::Told;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/queries"))
}

#[test]
fn every_file_of_the_folder_is_in_the_catalogue_and_can_be_read() {
    let files =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let on_disk: BTreeSet<String> = files.collect();
    let listed: Vec<String> = FILES.iter().map(|(name, _)| format!("{name}.sql")).collect();
    assert_eq!(listed, on_disk.into_iter().collect::<Vec<_>>());
    let catalogue = catalogue().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(catalogue.len(), FILES.len());
    for query in catalogue {
        let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(is_plain(query.name), "{}", query.name);
        assert!(!query.sql.contains("raw.") && !query.sql.contains("now()"), "{}", query.name);
    }
}

#[tokio::test]
async fn every_query_is_answered_from_empty_tables_with_the_columns_that_it_promises() {
    for query in catalogue().unwrap() {
        let required = query.parameters.iter().filter(|parameter| parameter.required).map(|parameter| {
            let value = match parameter.of.as_str() {
                "gtin" => "04012345111118",
                "address" => "0x00000000000000000000000000000000000000aa",
                "item" => "01/04012345111118/21/1",
                "text" => "4012345000009",
                other => panic!("a required {other} has no value here"),
            };
            (parameter.name.as_str(), value)
        });
        let required: Vec<_> = required.collect();
        let (batches, truncated) = super::ask(&Told::default(), query.name, &required)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", query.name));
        let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        assert_eq!((rows, truncated), (0, false), "{}", query.name);
    }
}

const GOOD: &str = "\
-- title: A title
-- asks: someone
-- why: Because.
--   And so on.
-- parameter: gtin gtin | the product
-- parameter: days integer = 14 | days
-- column: item | its key

SELECT item
FROM items
WHERE gtin = $gtin AND steps > $days
ORDER BY item
LIMIT $limit
";

#[test]
fn a_header_is_read_with_its_continued_lines_and_defaults() {
    let query = parse("good", GOOD).unwrap();
    assert_eq!((query.title.as_str(), query.asks.as_str()), ("A title", "someone"));
    assert_eq!(query.why, "Because. And so on.");
    let parameters: Vec<_> = query
        .parameters
        .iter()
        .map(|p| (p.name.as_str(), p.of.as_str(), p.required, p.default.as_deref()))
        .collect();
    assert_eq!(
        parameters,
        [
            ("gtin", "gtin", true, None),
            ("days", "integer", false, Some("14")),
            ("limit", "integer", false, Some("1000"))
        ]
    );
    assert!(query.sql.starts_with("SELECT item") && query.sql.ends_with("LIMIT $limit"));
}

#[test]
fn a_bad_header_says_in_which_file_and_line() {
    for (good, bad, said) in [
        ("-- asks: someone\n", "", "1: asks is missing"),
        ("-- asks: someone", "-- title: Another", "2: title is told twice"),
        (
            "-- asks: someone",
            "-- asked: someone",
            "2: 'asked' is none of title, asks, why, parameter, column",
        ),
        ("-- asks: someone", "asks: someone", "2: '-- key: text' is expected"),
        ("-- title: A title\n", "--   A title\n", "1: there is no line to go on with"),
        ("-- column: item | its key", "-- why: Because.", "7: why stands before parameter"),
        ("-- column: item | its key\n", "", "1: column is missing"),
        ("-- column: item | its key", "-- column: Item | its key", "7: 'Item' can be no name of a column"),
        ("| its key", "its key", "7: ' | meaning' is missing"),
        ("gtin gtin |", "gtin |", "5: a type is missing"),
        ("gtin gtin |", "gtin number |", "5: 'number' is none of text, integer, time, gtin, address, item"),
        ("gtin gtin |", "limit integer |", "5: 'limit' can be no name of a parameter"),
        ("= 14", "= soon", "6: the parameter days: 'soon' is no whole number from 0 to 9223372036854775807"),
        ("\n\nSELECT", "\nSELECT", "12: an empty line between header and statement is missing"),
        ("LIMIT $limit", "LIMIT 10", "13: a statement ends in ORDER BY … LIMIT $limit"),
        ("ORDER BY item\n", "", "12: a statement ends in ORDER BY … LIMIT $limit"),
        ("> $days", "> $weeks", "11: $weeks is not declared"),
        ("> $days", "> 14", "9: $days is declared and not used"),
    ] {
        assert!(GOOD.contains(good), "{good}");
        let text: &'static str = GOOD.replacen(good, bad, 1).leak();
        let error = parse("bad", text).unwrap_err();
        assert_eq!(error, format!("queries/bad.sql:{said}"), "{bad}");
    }
}

#[test]
fn a_name_that_is_nearly_right_is_told() {
    assert_eq!(find("recall-reach").unwrap().name, "recall-reach");
    for (name, said) in [
        ("recal-reach", "there is no query 'recal-reach'; did you mean recall-reach?"),
        ("xyz", "there is no query 'xyz'"),
    ] {
        let error = find(name).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), ("not-found", said));
    }
}
