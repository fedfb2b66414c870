//! Which rows of one list of the registry changed from one version to the next, and when they say something else.

use model::past::Window;
use model::registry::Validity;
use std::collections::BTreeMap;

/// A row that changed.
#[derive(Debug, PartialEq, Eq)]
pub enum Changed<'a, T> {
    /// It came, or went.
    Whole(&'a T),
    /// It says the same of another time: as it was, as it is.
    Moved(&'a T, &'a T),
}

impl<'a, T> Changed<'a, T> {
    /// The row in its forms.
    pub fn forms(&self) -> impl Iterator<Item = &'a T> {
        let (one, other) = match self {
            Self::Whole(row) => (*row, None),
            Self::Moved(old, new) => (*old, Some(*new)),
        };
        std::iter::once(one).chain(other)
    }
}

/// The rows of a list that changed. Rows with one `key` are compared with one another.
pub fn changed<'a, T: Clone + PartialEq, K: Ord>(
    (old, new): (&'a [T], &'a [T]),
    key: impl Fn(&T) -> K,
    validity: impl Fn(&mut T) -> &mut Validity,
) -> Vec<Changed<'a, T>> {
    if old == new {
        return Vec::new();
    }
    let mut groups: BTreeMap<K, (Vec<&T>, Vec<&T>)> = BTreeMap::new();
    old.iter().for_each(|row| groups.entry(key(row)).or_default().0.push(row));
    new.iter().for_each(|row| groups.entry(key(row)).or_default().1.push(row));
    let timeless = |row: &T| {
        let mut row = row.clone();
        *validity(&mut row) = Validity::ALWAYS;
        row
    };
    let mut changes = Vec::new();
    for (old, new) in groups.into_values() {
        let mut added: Vec<&T> = new.iter().copied().filter(|row| !old.contains(row)).collect();
        for row in old.into_iter().filter(|row| !new.contains(row)) {
            let form = timeless(row);
            match added.iter().position(|other| timeless(other) == form) {
                Some(at) => changes.push(Changed::Moved(row, added.swap_remove(at))),
                None => changes.push(Changed::Whole(row)),
            }
        }
        changes.extend(added.into_iter().map(Changed::Whole));
    }
    changes
}

/// When a row that changed says something else than before, `lasts` being when a row says something.
pub fn windows<T>(change: &Changed<'_, T>, lasts: impl Fn(&T) -> (i64, i64)) -> Vec<Window> {
    let window = |from_secs: i64, to_secs: i64| Window { from_secs, to_secs };
    let found = match change {
        Changed::Whole(row) => {
            let (from, to) = lasts(row);
            [window(from, to), window(to, to)]
        }
        Changed::Moved(old, new) => {
            let ((old_from, old_to), (new_from, new_to)) = (lasts(old), lasts(new));
            let begins = window(old_from.min(new_from), old_from.max(new_from));
            [begins, window(old_to.min(new_to), old_to.max(new_to))]
        }
    };
    found.into_iter().filter(|window| window.from_secs < window.to_secs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Row(&'static str, u8, Validity);

    fn row(name: &'static str, value: u8, from_secs: i64, to_secs: i64) -> Row {
        Row(name, value, Validity { from_secs, to_secs, known_from_secs: i64::MIN })
    }

    fn told(old: &[Row], new: &[Row]) -> Vec<(&'static str, u8, i64, i64)> {
        let changes = changed((old, new), |row| row.0, |row| &mut row.2);
        let each = |change: Changed<'_, Row>| {
            let (name, value) = change.forms().map(|row| (row.0, row.1)).next().unwrap();
            let windows = windows(&change, |row| (row.2.from_secs, row.2.to_secs));
            windows.into_iter().map(move |window| (name, value, window.from_secs, window.to_secs))
        };
        changes.into_iter().flat_map(each).collect()
    }

    #[test]
    fn only_what_changed_is_told_and_only_when_it_says_something_else() {
        let same = [row("a", 1, 0, 10)];
        assert_eq!(told(&same, &same), []);
        assert_eq!(told(&same, &[row("b", 1, 5, 7), row("a", 1, 0, 10)]), [("b", 1, 5, 7)]);
        assert_eq!(told(&same, &[]), [("a", 1, 0, 10)]);
        assert_eq!(told(&same, &[row("a", 1, 3, 12)]), [("a", 1, 0, 3), ("a", 1, 10, 12)]);
        assert_eq!(told(&same, &[row("a", 2, 0, 10)]), [("a", 1, 0, 10), ("a", 2, 0, 10)]);
        let known_later = Row("a", 1, Validity { known_from_secs: 7, ..same[0].2 });
        assert_eq!(told(&same, &[known_later]), []);
    }
}
