//! Variables laid over the file: `RXTRAIL__QUERY__LISTEN=127.0.0.1:9000` is `[query] listen`.
//!
//! Two underscores part the keys. A value is read as TOML where it is TOML, else as text. Names of chains and rules are
//! matched without regard to case, and `_` stands for `-`: `RXTRAIL__RULES__ST_01__REPEATS`.

use super::node::{Node, Place, Table, Value, parse};

/// What variables that configure begin with.
const PREFIX: &str = "RXTRAIL__";

/// Lays `variables` over `table`.
pub(crate) fn lay_over(table: &mut Table, variables: impl IntoIterator<Item = (String, String)>) {
    let mut variables: Vec<_> = variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    // Whatever order the system gives: the same variables make the same configuration.
    variables.sort();
    for (name, text) in variables {
        let keys: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
        let place = Place::Environment(name);
        put(table, &keys, Node { value: value(&text, &place), place });
    }
}

/// Puts a value at the end of a path of keys; what is in the way and is no table is replaced.
pub(crate) fn put(table: &mut Table, keys: &[String], node: Node) {
    let [key, rest @ ..] = keys else { return };
    let key = table.keys().find(|known| same(known, key)).cloned().unwrap_or_else(|| key.clone());
    if rest.is_empty() {
        let place = node.place.clone();
        table.insert(key, (place, node));
        return;
    }
    let empty = || Node { value: Value::Table(Table::new()), place: node.place.clone() };
    let (_, inner) = table.entry(key).or_insert_with(|| (node.place.clone(), empty()));
    if !matches!(inner.value, Value::Table(_)) {
        *inner = empty();
    }
    if let Value::Table(inner) = &mut inner.value {
        put(inner, rest, node);
    }
}

fn same(known: &str, asked: &str) -> bool {
    known.to_lowercase().replace('-', "_") == asked.replace('-', "_")
}

fn value(text: &str, place: &Place) -> Value {
    let (table, errors) = parse(&format!("value = {text}"));
    let (1, true, Some((_, node))) = (table.len(), errors.is_empty(), table.get("value")) else {
        return Value::Text(text.to_owned());
    };
    moved(&node.value, place)
}

/// The same value, at another place.
fn moved(value: &Value, place: &Place) -> Value {
    let node = |node: &Node| Node { value: moved(&node.value, place), place: place.clone() };
    match value {
        Value::List(list) => Value::List(list.iter().map(node).collect()),
        Value::Table(table) => Value::Table(
            table.iter().map(|(key, (_, inner))| (key.clone(), (place.clone(), node(inner)))).collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'t>(table: &'t Table, keys: &[&str]) -> &'t Node {
        let (_, node) = &table[keys[0]];
        match (&node.value, keys) {
            (_, [_]) => node,
            (Value::Table(inner), [_, rest @ ..]) => at(inner, rest),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_variable_replaces_what_the_file_says_and_adds_what_it_does_not() {
        let (mut table, _) = parse("[query]\nlisten = '127.0.0.1:1'\n[rules.ST-01]\nrepeats = 3\n");
        let variables = [
            ("RXTRAIL__QUERY__LISTEN", "127.0.0.1:9000"),
            ("RXTRAIL__RULES__ST_01__REPEATS", "5"),
            ("RXTRAIL__CHAINS__MAIN__ENDPOINTS", "['http://a', 'http://b']"),
            ("RXTRAIL__DATA_DIR", "/var/lib/rxtrail"),
            ("RXTRAIL_LOG", "not a key"),
            ("HOME", "/root"),
        ];
        lay_over(&mut table, variables.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(at(&table, &["query", "listen"]).value, Value::Text("127.0.0.1:9000".into()));
        assert_eq!(at(&table, &["rules", "ST-01", "repeats"]).value, Value::Integer(5));
        assert_eq!(at(&table, &["data_dir"]).value, Value::Text("/var/lib/rxtrail".into()));
        let Value::List(endpoints) = &at(&table, &["chains", "main", "endpoints"]).value else { panic!() };
        assert_eq!(endpoints[1].value, Value::Text("http://b".into()));
        assert_eq!(endpoints[1].place, Place::Environment("RXTRAIL__CHAINS__MAIN__ENDPOINTS".into()));
        assert_eq!(table.len(), 4);
    }
}
