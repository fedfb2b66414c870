//! One moment of all tables: what a commit says of them, and the conditions that select its rows.

use super::book::Void;
use crate::chain::Marks;
use crate::order::key_columns;
use crate::read::Head;
use crate::versions::Versions;
use model::chain::ChainId;
use model::tables::{Table, TableKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

/// What a commit says of the tables, beside the rows that carry its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Body {
    /// Where each chain stands, the stream across chains included.
    pub(super) chains: BTreeMap<ChainId, Stand>,
    /// Ids whose rows do not count.
    pub(super) void: Void,
    /// Changes whose rows do not count, because the chain took their blocks back.
    pub(super) dead: Vec<Dead>,
    /// What rows were made by.
    pub(super) versions: Versions,
}

/// Where a chain stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stand {
    /// How far the stream was written.
    pub(super) marks: Marks,
    /// Timestamp of the tip, Unix seconds.
    pub(super) tip_time_secs: u64,
}

/// Changes of a chain from one place of its stream to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Dead {
    /// The chain.
    pub(super) chain: ChainId,
    /// The first.
    pub(super) first: u64,
    /// The last.
    pub(super) last: u64,
}

/// Everything that a snapshot shows. It never changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Moment {
    /// The commit; 0 before the first.
    pub(super) commit: u64,
    /// What it says.
    pub(super) body: Body,
    /// Rows of blocks that may still be orphaned are left out.
    pub(super) final_only: bool,
}

impl Moment {
    /// Where each chain stands, as readers see it.
    pub(super) fn heads(&self) -> BTreeMap<ChainId, Head> {
        let chains = self.body.chains.iter().filter(|(id, _)| **id != ChainId::ACROSS);
        chains.map(|(id, stand)| (*id, self.head(stand))).collect()
    }

    fn head(&self, stand: &Stand) -> Head {
        let Marks { state_at, written_to, .. } = stand.marks;
        let tip = if self.final_only { written_to.finalized } else { written_to.tip };
        Head {
            tip,
            tip_time_secs: stand.tip_time_secs,
            finalized: written_to.finalized,
            state_at,
            written_to,
        }
    }

    /// The condition that a kept row is one of this moment, as SQL.
    pub(super) fn condition(&self, table: Table) -> String {
        let mut sql = format!("commit <= {}", self.commit);
        for (first, last) in self.body.void.ranges().iter().filter(|(first, _)| *first <= self.commit) {
            push(&mut sql, format_args!(" AND NOT (commit BETWEEN {first} AND {last})"));
        }
        match table {
            // History, and what is never taken back.
            Table::Notices | Table::Incidents | Table::State => {}
            // A case that was taken back has a later row that says so.
            Table::Alerts if self.final_only => {
                sql += " AND alone AND ";
                sql += &self.settled("stream");
            }
            Table::Alerts => {}
            _ => {
                for Dead { chain, first, last } in &self.body.dead {
                    let range =
                        format_args!(" AND NOT (chain = {chain} AND sequence BETWEEN {first} AND {last})");
                    push(&mut sql, range);
                }
                if self.final_only {
                    sql += " AND ";
                    sql += &self.settled("chain");
                }
            }
        }
        sql
    }

    /// What the chain took back before the place where a restart begins: no replay asks for it any more.
    pub(super) fn dead_for_good(&self) -> Vec<Dead> {
        let state_at = |chain| self.body.chains.get(chain).map_or(0, |stand| stand.marks.state_at.sequence.0);
        self.body.dead.iter().filter(|dead| dead.last <= state_at(&dead.chain)).copied().collect()
    }

    /// The condition that a kept row counts for nobody, in this moment and in each later one; `None` when no row does.
    pub(super) fn garbage(&self, table: Table) -> Option<String> {
        let void = self.body.void.ranges().iter();
        let mut conditions: Vec<String> =
            void.map(|(first, last)| format!("commit BETWEEN {first} AND {last}")).collect();
        if !matches!(table, Table::Notices | Table::Incidents | Table::State | Table::Alerts) {
            conditions.extend(self.dead_for_good().iter().map(|Dead { chain, first, last }| {
                format!("(chain = {chain} AND sequence BETWEEN {first} AND {last})")
            }));
        }
        (!conditions.is_empty()).then(|| conditions.join(" OR "))
    }

    /// The condition that the change of a row, of the stream in the column `stream`, is final.
    fn settled(&self, stream: &str) -> String {
        let mut sql = String::from("(false");
        for (chain, Stand { marks, .. }) in &self.body.chains {
            let upto = marks.state_at.sequence;
            push(&mut sql, format_args!(" OR ({stream} = {chain} AND sequence <= {upto})"));
        }
        sql + ")"
    }

    /// A query for `columns` of the rows that count, where `filters` hold.
    /// The order of the rows is that of the keys where only the newest of each counts.
    pub(super) fn select(&self, table: Table, columns: &[&str], filters: &Filters) -> String {
        let mut inner = vec![self.condition(table)];
        let (columns, kept) = (columns.join(", "), kept(table));
        if matches!(table.spec().kind, TableKind::Append) {
            inner.extend(filters.any.iter().chain(&filters.on_key).cloned());
            return format!("SELECT {columns} FROM {kept} WHERE {}", inner.join(" AND "));
        }
        inner.extend(filters.on_key.iter().cloned());
        let newest = newest_first(table);
        let newest = format!(
            "SELECT * FROM {kept} WHERE {} ORDER BY {newest} LIMIT 1 BY {}",
            inner.join(" AND "),
            key_columns(table).join(", ")
        );
        let mut outer = filters.any.clone();
        if table == Table::Alerts {
            outer.push("NOT gone".to_owned());
        }
        let outer = if outer.is_empty() { "true".to_owned() } else { outer.join(" AND ") };
        format!("SELECT {columns} FROM ({newest}) WHERE {outer}")
    }
}

/// Conditions of a query, as SQL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filters {
    /// About the columns of a key alone: they keep or drop all rows of a key together.
    pub(super) on_key: Vec<String>,
    /// About any column.
    pub(super) any: Vec<String>,
}

/// The name under which rows of a table are kept, with what does not count among them.
pub(super) fn kept(table: Table) -> String {
    format!("kept_{}", table.name())
}

/// The columns that make a row's version. Of equal versions of the table the later change counts; of a case, which
/// changes of several chains may concern, the later commit. Rows that are appended have none.
pub(super) fn versions(table: Table) -> &'static [&'static str] {
    match (table.spec().kind, table) {
        (TableKind::Append, _) => &[],
        (TableKind::Upsert { .. }, Table::Alerts) => &["commit", "place"],
        (TableKind::Upsert { .. }, _) => &["updated_block", "updated_log", "sequence"],
    }
}

/// The order in which the row of a key that counts comes first.
pub(super) fn newest_first(table: Table) -> String {
    let keys = key_columns(table).iter().map(|key| (*key).to_owned());
    let versions = versions(table).iter().map(|version| format!("{version} DESC"));
    keys.chain(versions).collect::<Vec<_>>().join(", ")
}

fn push(sql: &mut String, text: fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    sql.write_fmt(text).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::change::{Position, Sequence};

    fn moment() -> Moment {
        let position = |sequence| Position { sequence: Sequence(sequence), ..Position::default() };
        let marks = Marks { state_at: position(5), written_to: position(9), ..Marks::default() };
        let mut void = Void::default();
        void.add(1, 3);
        void.add(100, 200);
        let body = Body {
            chains: BTreeMap::from([(ChainId(1), Stand { marks, tip_time_secs: 0 })]),
            void,
            dead: vec![Dead { chain: ChainId(1), first: 7, last: 8 }],
            versions: Versions::default(),
        };
        Moment { commit: 12, body, final_only: false }
    }

    #[test]
    fn a_moment_is_made_of_what_was_committed_and_not_taken_back() {
        assert_eq!(
            moment().condition(Table::Events),
            "commit <= 12 AND NOT (commit BETWEEN 1 AND 3) AND NOT (chain = 1 AND sequence BETWEEN 7 AND 8)"
        );
        assert_eq!(
            moment().condition(Table::Notices),
            "commit <= 12 AND NOT (commit BETWEEN 1 AND 3)",
            "people were told, whatever the chain says later"
        );
        let final_only = Moment { final_only: true, ..moment() };
        assert!(
            final_only.condition(Table::Events).ends_with("AND (false OR (chain = 1 AND sequence <= 5))")
        );
        assert!(
            final_only
                .condition(Table::Alerts)
                .ends_with("alone AND (false OR (stream = 1 AND sequence <= 5))")
        );
    }

    #[test]
    fn filters_on_anything_but_the_key_come_after_the_newest_row_was_chosen() {
        let filters = Filters { on_key: vec!["item = 'x'".into()], any: vec!["state = 'active'".into()] };
        let sql = moment().select(Table::Items, &["item", "state"], &filters);
        assert_eq!(
            sql,
            "SELECT item, state FROM (SELECT * FROM kept_items WHERE commit <= 12 AND NOT (commit BETWEEN 1 AND 3) AND \
             NOT (chain = 1 AND sequence BETWEEN 7 AND 8) AND item = 'x' ORDER BY chain, item, updated_block DESC, \
             updated_log DESC, sequence DESC LIMIT 1 BY chain, item) WHERE state = 'active'"
        );
    }
}
