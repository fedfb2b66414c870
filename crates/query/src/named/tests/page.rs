//! The page about the queries says what the files say.

use super::super::{NamedQuery, Parameter, catalogue};
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "\
# Named questions

The questions that regulators, makers and operators ask again and again come with rxtrail, under names that stay. Each
is one statement over the views that `rxtrail sql` asks too; its file is in `crates/query/queries/`. A value is bound
into the plan as what it is and never becomes text of the statement. The same limits hold as for every statement.

```sh
rxtrail queries                                               # which there are
rxtrail queries recall-reach --describe                       # who asks it, why, parameters, columns, statement
rxtrail queries recall-reach --param gtin=04012345111118 --param lot=L1 --format csv
curl http://127.0.0.1:7474/v1/queries
curl 'http://127.0.0.1:7474/v1/queries/recall-reach?gtin=04012345111118&lot=L1'
```

Over HTTP, `Accept` decides the format: JSON (`snapshot`, `columns`, `rows`, `truncated`), NDJSON, CSV or Parquet. A
name that does not exist is a problem of code `not-found`, a parameter that is missing, unknown or no value of its type
one of code `parameters`.

| type | what may be given |
|---|---|
| `text` | up to 256 characters, compared as they are |
| `integer` | a whole number from 0 |
| `time` | `2026-11-23T10:00:00Z`, or a day, which is its first second in UTC |
| `gtin` | 8, 12, 13 or 14 digits with the right check digit |
| `address` | `0x` and 40 hexadecimal digits, in one case or in the checksum form of EIP-55 |
| `item` | a GS1 Digital Link path or URI, or a token in CAIP-19 |

A parameter with a default may be left out, or be empty; one without must be given. Every query takes `limit` (1000
when left out), and says when there are more rows.
";

fn page(queries: &[NamedQuery]) -> String {
    let mut out = HEAD.to_owned();
    for query in queries {
        let NamedQuery { name, title, asks, why, .. } = query;
        write!(out, "\n## {name}\n\n{title}. Asked by {asks}.\n\n{why}\n\n").unwrap();
        let own: Vec<&Parameter> = query.parameters.iter().filter(|own| own.name != "limit").collect();
        if !own.is_empty() {
            out.push_str("| parameter | type | when left out | meaning |\n|---|---|---|---|\n");
        }
        for Parameter { name, of, required, default, doc } in &own {
            let left_out = match default {
                Some(default) => default,
                None if *required => "must be given",
                None => "any",
            };
            writeln!(out, "| `{name}` | {} | {left_out} | {doc} |", of.as_str()).unwrap();
        }
        out.push_str(if own.is_empty() { "" } else { "\n" });
        out.push_str("| column | meaning |\n|---|---|\n");
        query
            .columns
            .iter()
            .for_each(|column| writeln!(out, "| `{}` | {} |", column.name, column.doc).unwrap());
    }
    out
}

/// With `UPDATE_PAGES=1` the page is written anew.
#[test]
fn the_page_says_what_the_files_say() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/queries.md"));
    let expected = page(catalogue().unwrap());
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/queries.md is not what the files say: run this test with UPDATE_PAGES=1"
    );
}
