//! Writes the registry as CSV files, one for each list, in the form that operators write by hand.

use crate::error::{Error, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::{ToSpan, tz::TimeZone};
use model::registry::{Registry, Validity};
use std::path::Path;

/// The columns that end every file.
const VALIDITY: [&str; 3] = ["valid_from", "valid_to", "known_from"];

/// Writes `<name>.csv` for every list into `dir`, which is made where it is missing.
///
/// # Errors
/// [`Error::Write`] with the file.
pub(crate) fn write(registry: &Registry, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(|source| Error::Write { path: dir.to_owned(), source })?;
    for Table { name, columns, rows } in tables(registry) {
        let path = dir.join(name).with_extension("csv");
        let failed = |source| Error::Write { path: path.clone(), source };
        let mut file = csv::Writer::from_path(&path).map_err(|error| failed(error.into()))?;
        file.write_record(columns.iter().chain(&VALIDITY)).map_err(|error| failed(error.into()))?;
        for row in rows {
            file.write_record(&row).map_err(|error| failed(error.into()))?;
        }
        file.flush().map_err(failed)?;
    }
    Ok(())
}

/// Every file.
fn tables(registry: &Registry) -> impl Iterator<Item = Table> {
    [people, relations, goods, exceptions, chains].into_iter().flat_map(|tables| tables(registry))
}

/// One file.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

fn people(registry: &Registry) -> Vec<Table> {
    vec![
        table("parties", &["gln", "name", "country", "role", "tz"], &registry.parties, |row| {
            let fields = [
                row.gln.to_string(),
                row.name.clone(),
                row.country.clone(),
                row.role.as_str().into(),
                row.tz.clone(),
            ];
            (fields.to_vec(), row.validity)
        }),
        table("sites", &["gln", "party", "kind", "lat", "lon", "precision_km"], &registry.sites, |row| {
            let fields = [
                row.gln.to_string(),
                row.party.to_string(),
                row.kind.clone(),
                open(row.lat),
                open(row.lon),
                open(row.precision_km),
            ];
            (fields.to_vec(), row.validity)
        }),
        table("wallets", &["chain", "address", "party", "status"], &registry.wallets, |row| {
            let fields =
                [open(row.chain), row.address.to_string(), row.party.to_string(), row.status.as_str().into()];
            (fields.to_vec(), row.validity)
        }),
        table("licences", &["party", "type", "jurisdiction", "status"], &registry.licences, |row| {
            let fields = [
                row.party.to_string(),
                row.kind.as_str().into(),
                row.jurisdiction.clone(),
                row.status.as_str().into(),
            ];
            (fields.to_vec(), row.validity)
        }),
    ]
}

fn relations(registry: &Registry) -> Vec<Table> {
    vec![
        table(
            "delegations",
            &["principal", "agent", "gtin", "lot_pattern", "site"],
            &registry.delegations,
            |row| {
                let fields = [
                    row.principal.to_string(),
                    row.agent.to_string(),
                    open(row.gtin),
                    open(row.lot_pattern.as_ref()),
                    open(row.site),
                ];
                (fields.to_vec(), row.validity)
            },
        ),
        table("agreements", &["principal", "agent", "kind", "scope"], &registry.agreements, |row| {
            let fields =
                [row.principal.to_string(), row.agent.to_string(), row.kind.as_str().into(), open(row.scope)];
            (fields.to_vec(), row.validity)
        }),
        table("lanes", &["from", "to", "p99_hours"], &registry.lanes, |row| {
            let fields = [open(row.from), open(row.to), (row.p99_secs / 3_600).to_string()];
            (fields.to_vec(), row.validity)
        }),
    ]
}

fn goods(registry: &Registry) -> Vec<Table> {
    vec![
        table(
            "products",
            &["gtin", "owner", "name", "level", "units", "markets"],
            &registry.products,
            |row| {
                let fields = [
                    row.gtin.to_string(),
                    row.owner.to_string(),
                    row.name.clone(),
                    row.level.as_str().into(),
                    row.units.to_string(),
                    row.markets.join("|"),
                ];
                (fields.to_vec(), row.validity)
            },
        ),
        table(
            "lots",
            &["gtin", "lot", "expiry", "quantity", "markets", "closed_at"],
            &registry.lots,
            |row| {
                let fields = [
                    row.gtin.to_string(),
                    row.lot.to_string(),
                    day(row.expiry_day),
                    open(row.quantity),
                    row.markets.join("|"),
                    open(row.closed_at_secs.map(time)),
                ];
                (fields.to_vec(), row.validity)
            },
        ),
    ]
}

fn exceptions(registry: &Registry) -> Vec<Table> {
    vec![
        table(
            "recalls",
            &[
                "id",
                "gtin",
                "lot",
                "serial_from",
                "serial_to",
                "market",
                "class",
                "effective_at",
                "resolved_at",
            ],
            &registry.recalls,
            |row| {
                let fields = [
                    row.id.clone(),
                    row.gtin.to_string(),
                    open(row.lot),
                    open(row.serial_from),
                    open(row.serial_to),
                    open(row.market.as_ref()),
                    row.class.clone(),
                    time(row.effective_at_secs),
                    open(row.resolved_at_secs.map(time)),
                ];
                (fields.to_vec(), row.validity)
            },
        ),
        table("extensions", &["gtin", "lot", "expiry"], &registry.extensions, |row| {
            (vec![row.gtin.to_string(), row.lot.to_string(), day(row.expiry_day)], row.validity)
        }),
        table("confirmations", &["item", "party", "finding"], &registry.confirmations, |row| {
            (vec![row.item.clone(), open(row.party), row.finding.clone()], row.validity)
        }),
    ]
}

fn chains(registry: &Registry) -> Vec<Table> {
    vec![
        table("contracts", &["chain", "address", "tier", "gtin"], &registry.contracts, |row| {
            let fields =
                [row.chain.to_string(), row.address.to_string(), row.tier.as_str().into(), open(row.gtin)];
            (fields.to_vec(), row.validity)
        }),
        table(
            "announcements",
            &["kind", "chain", "contract", "successor_chain", "successor"],
            &registry.announcements,
            |row| {
                let fields = [
                    row.kind.as_str().into(),
                    row.chain.to_string(),
                    row.contract.to_string(),
                    row.successor_chain.to_string(),
                    row.successor.to_string(),
                ];
                (fields.to_vec(), row.validity)
            },
        ),
    ]
}

fn table<T>(
    name: &'static str,
    columns: &'static [&'static str],
    rows: &[T],
    fields: impl Fn(&T) -> (Vec<String>, Validity),
) -> Table {
    let rows = rows.iter().map(|row| {
        let (mut fields, Validity { from_secs, to_secs, known_from_secs }) = fields(row);
        fields.extend([from_secs, to_secs, known_from_secs].map(bound));
        fields
    });
    Table { name, columns, rows: rows.collect() }
}

/// An optional field: empty when it is open.
fn open<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A bound of an interval: empty when it is open.
fn bound(secs: i64) -> String {
    if secs == i64::MIN || secs == i64::MAX { String::new() } else { time(secs) }
}

fn time(secs: i64) -> String {
    Timestamp::from_second(secs).unwrap_or_default().to_string()
}

fn day(number: i32) -> String {
    let epoch = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC).date();
    epoch.checked_add(number.days()).unwrap_or(Date::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_and_open_bounds_are_empty() {
        assert_eq!(bound(1_740_981_600), "2025-03-03T06:00:00Z");
        assert_eq!((bound(i64::MIN), bound(i64::MAX)), (String::new(), String::new()));
        assert_eq!(day(20_179), "2025-04-01");
    }
}
