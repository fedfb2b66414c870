//! A configuration's text without the addresses of endpoints: what is wrong is shown with the lines around it, and
//! those must not show a key.

use super::node::{Place, Table, Value};
use std::ops::Range;

/// `text` with every endpoint's address masked; each byte stays in its place.
pub(super) fn masked(text: &str, table: &Table) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for span in addresses(text).into_iter().chain(endpoints(table)) {
        if let Some(secret) = bytes.get_mut(span) {
            secret.fill(b'*');
        }
    }
    // Only whole characters were replaced, by ASCII.
    String::from_utf8(bytes).unwrap_or_default()
}

/// What follows each `://`, to the end of its text or line.
fn addresses(text: &str) -> Vec<Range<usize>> {
    let ends = |char: char| char.is_whitespace() || matches!(char, '"' | '\'');
    let begins = text.match_indices("://").map(|(at, mark)| at + mark.len());
    begins.map(|begin| begin..text[begin..].find(ends).map_or(text.len(), |end| begin + end)).collect()
}

/// The texts where endpoints stand, whatever they look like; the quotes around them are masked as well.
fn endpoints(table: &Table) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for (key, (_, node)) in table {
        let is_endpoint = matches!(key.as_str(), "endpoints" | "url" | "websocket");
        match (&node.value, &node.place) {
            (Value::Text(_), Place::File(span)) if is_endpoint => spans.push(span.clone()),
            (Value::Table(inner), _) => spans.extend(endpoints(inner)),
            (Value::List(list), _) => {
                for item in list {
                    match (&item.value, &item.place) {
                        (Value::Text(_), Place::File(span)) if is_endpoint => spans.push(span.clone()),
                        (Value::Table(inner), _) => spans.extend(endpoints(inner)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::super::node::parse;
    use super::*;

    #[test]
    fn no_key_is_left_and_nothing_moves() {
        let text = "[chains.a]\nendpoints = [\"https://x/v2/KEY\", 'KEY//é', { url = \"wss://KEY\", name = \"own\" }]\n\
                    # was https://x/KEY\nbroken = \"http://KEY\n";
        let (table, errors) = parse(text);
        let shown = masked(text, &table);
        assert!(!errors.is_empty() && !shown.contains("KEY"), "{shown}");
        assert_eq!(shown.len(), text.len());
        assert_eq!(shown.find("name"), text.find("name"));
    }
}
