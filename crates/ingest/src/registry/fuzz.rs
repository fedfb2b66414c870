//! What must hold for any folder of registry files: nothing panics, a refusal can be read, and what is loaded can be
//! published.
//!
//! The fuzz target under `tests/fuzz` is one call into this module; the unit tests run the same call over the seeds
//! there, and over what one step of a fuzzer makes of them.

use super::fault::{FAULTS_MAX, Faults, LoadError};
use super::table::{Files, Numbered, Row, Spec, csv_error, rows};
use super::{digest, load_files};
use bus::wire;
use model::chain::ChainId;
use model::change::{Change, Epoch, Record, RegistryVersion, Sequence};
use model::registry::Registry;
use std::path::Path;
use std::sync::Arc;

/// Longest problem or help: a cell is at most 1,000 bytes, and a character that cannot be seen takes up to ten.
const WORDS_BYTES_MAX: usize = 12_000;

/// A folder in memory: files one after the other, each as `== parties.csv` and its lines. Returns whether it was
/// loaded with a row.
///
/// # Panics
/// When a fault is not one line about a place, or what was loaded is not published and read back as itself.
pub fn registry_files(data: &[u8]) -> bool {
    let files = InMemory(data);
    match load_files(&files, Path::new("memory"), Faults::default()) {
        Ok(registry) => {
            assert_eq!(digest(&published(&registry)), digest(&registry));
            registry != Registry::default()
        }
        Err(LoadError::Rows { faults, total, .. }) => {
            assert_eq!(faults.len(), total.min(FAULTS_MAX));
            for fault in faults {
                let words = [&fault.problem, &fault.help];
                let is_one_line = |text: &&String| !text.is_empty() && !text.chars().any(char::is_control);
                assert!(words.iter().all(is_one_line), "{fault:?}");
                assert!(words.iter().all(|text| text.len() <= WORDS_BYTES_MAX), "{fault:?}");
                assert_ne!(fault.line, Some(0), "{fault}");
            }
            false
        }
        Err(error @ LoadError::Io { .. }) => panic!("nothing was read from disk: {error}"),
    }
}

/// The registry as the bus hands it on.
fn published(registry: &Registry) -> Registry {
    let rows = Arc::new(registry.clone());
    let change = Change::Registry(Arc::new(RegistryVersion { version: 1, after: None, rows }));
    let record = Record { chain: ChainId(1), epoch: Epoch(1), sequence: Sequence(1), change };
    match wire::encode(&record).and_then(|bytes| wire::decode(&bytes)).map(|record| record.change) {
        Ok(Change::Registry(version)) => Registry::clone(&version.rows),
        other => panic!("{other:?}"),
    }
}

struct InMemory<'a>(&'a [u8]);

impl InMemory<'_> {
    /// The text of a file: what follows the line that names it, up to the next such line.
    fn text(&self, file: &str) -> Option<&[u8]> {
        let begins = format!("== {file}\n");
        let place = |text: &[u8], mark: &[u8]| text.windows(mark.len()).position(|bytes| bytes == mark);
        let text = &self.0[place(self.0, begins.as_bytes())? + begins.len()..];
        Some(&text[..place(text, b"\n== ").map_or(text.len(), |end| end + 1)])
    }
}

impl Files for InMemory<'_> {
    fn read<T>(
        &self,
        spec: &'static Spec,
        faults: &mut Faults,
        parse: fn(&mut Row<'_>) -> Option<T>,
    ) -> Result<Vec<Numbered<T>>, LoadError> {
        let Some(text) = self.text(spec.file) else { return Ok(Vec::new()) };
        rows(spec, text, faults, parse).map_err(|error| csv_error(error, Path::new(spec.file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [&[u8]; 2] = [
        include_bytes!("../../../../tests/fuzz/seeds/registry_files/whole.txt"),
        include_bytes!("../../../../tests/fuzz/seeds/registry_files/spreadsheet.txt"),
    ];

    #[test]
    fn registries_hold_over_the_seeds() {
        for seed in SEEDS {
            assert!(registry_files(seed), "{}", String::from_utf8_lossy(seed));
            for at in 0..seed.len() {
                registry_files(&seed[..at]);
                for byte in *b"\n,\"|0*\xff" {
                    registry_files(&[&seed[..at], &[byte], &seed[at + 1..]].concat());
                }
            }
        }
    }
}
