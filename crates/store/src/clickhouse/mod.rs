//! The store on ClickHouse: the same tables as in the data folder, for more than one machine.
//!
//! ```text
//! commit ─▶ taken (does it stand? what waits?) ─▶ rows with the id of an attempt ─▶ one line in the book ─▶ readers
//! ```
//!
//! Rows are sent first and count for nobody. One line in the table `commits` publishes them: from then on readers,
//! here and elsewhere, see positions, rows and cases of that commit together. What an attempt left behind that failed,
//! or whose end nobody knows, never counts: its id is named as void. What the chain took back is named as dead. No row
//! is changed or deleted for that; what does not count is swept away later.
//!
//! In reading order:
//!
//! - [`config`]: where the server is. [`client`]: the one place that talks to it.
//! - [`columns`], [`schema`]: how tables are kept there.
//! - [`book`]: which commits count, and how writers fence one another. [`journal`]: the book on the server.
//! - [`moment`]: what a commit shows, as conditions.
//! - [`waiting`], [`taken`]: what the writer has and has not sent.
//! - [`writer`]: sends it. [`restore`]: restart, and the past. [`sweep`]: what counts for nobody goes.
//! - [`cursors`]: how far those who follow have come.
//! - [`reader`], [`table`], [`predicate`]: what the query engine sees.

mod book;
mod client;
mod columns;
pub mod config;
mod cursors;
mod journal;
mod moment;
mod predicate;
mod reader;
mod restore;
mod schema;
mod sweep;
mod table;
mod taken;
mod waiting;
mod writer;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use cursors::Cursor;
pub use journal::{silent_for, version};
pub use reader::{Reader, Snapshot, stored_versions};
pub use writer::Store;
