//! Rows of the table `registry`: what each list of the registry says, row by row, named by what it says.

use crate::registry::Index;
use alloy_primitives::keccak256;
use arrow_array::builder::{
    Date32Builder, FixedSizeBinaryBuilder, Float64Builder, StringBuilder, TimestampSecondBuilder,
    UInt32Builder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use model::chain::ChainId;
use model::registry::{Registry, Validity};
use model::tables::{Column, Table};
use model::{Address, B256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A count, a number of seconds, or a chain.
    Number(u64),
    /// Degrees or kilometres.
    Real(f64),
    /// A wallet or contract.
    Address(Address),
    /// Unix seconds.
    Time(i64),
    /// Days since 1970-01-01.
    Day(i32),
    /// 32 bytes.
    Hash(B256),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Address(address) => write!(f, "{address:#x}"),
            Self::Time(secs) => secs.fmt(f),
            Self::Day(day) => day.fmt(f),
            Self::Hash(hash) => write!(f, "{hash:#x}"),
        }
    }
}

/// What a row of a list says.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    /// The list's name.
    pub list: &'static str,
    /// When it holds.
    pub validity: Validity,
    /// Its values by column; what is open is left out.
    pub cells: Vec<(&'static str, Cell)>,
}

impl Stated {
    /// Names what the row says: equal rows of one list have one name. Rows that are written stay open under it, so
    /// that this text may not change.
    fn hash(&self) -> B256 {
        let Validity { from_secs, to_secs, known_from_secs } = self.validity;
        let mut text = format!("{} {from_secs} {to_secs} {known_from_secs}", self.list);
        for (name, cell) in &self.cells {
            let value = cell.to_string();
            // The length in front: no value can pass for two.
            text += &format!(" {name} {} {value}", value.len());
        }
        keccak256(text)
    }
}

/// A row of the registry with the blocks that it is in force for.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// Names what it says.
    pub hash: B256,
    /// What it says.
    pub stated: Stated,
    /// The first block that it is in force for.
    pub from_block: u64,
    /// The first block that it is no longer in force for.
    pub to_block: Option<u64>,
}

/// The rows of one version that another has not.
pub fn without(of: &Index, other: &Index) -> impl Iterator<Item = (B256, Stated)> {
    let rows: BTreeMap<B256, Stated> = named(&of.version().rows).collect();
    rows.into_iter().filter(|(hash, _)| !other.has_row(hash))
}

/// Every row with the name of what it says.
pub fn named(registry: &Registry) -> impl Iterator<Item = (B256, Stated)> {
    rows(registry).map(|row| (row.hash(), row))
}

/// Rows of the table.
///
/// # Errors
/// When a column of the table has a type that no value has, which is a defect of ours.
pub fn batch(chain: ChainId, rows: &[Registered]) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<BTreeMap<&'static str, Cell>> = rows.iter().map(|row| cells(chain, row)).collect();
    let column = |column: &Column| values(column, rows.iter().map(|row| row.get(column.name)));
    let columns = Table::Registry.spec().columns.iter().map(column).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Table::Registry.schema(), columns)
}

fn cells(chain: ChainId, row: &Registered) -> BTreeMap<&'static str, Cell> {
    let Registered { hash, stated, from_block, to_block } = row;
    let Validity { from_secs, to_secs, known_from_secs } = stated.validity;
    let bounded = |secs: i64| (secs != i64::MIN && secs != i64::MAX).then_some(Cell::Time(secs));
    let general = [
        ("chain", Some(Cell::Number(chain.0))),
        ("list", text(stated.list)),
        ("row_hash", Some(Cell::Hash(*hash))),
        ("from_block", Some(Cell::Number(*from_block))),
        ("to_block", to_block.map(Cell::Number)),
        ("valid_from", bounded(from_secs)),
        ("valid_to", bounded(to_secs)),
        ("known_from", bounded(known_from_secs)),
        // Its own blocks, not those that were read: a fresh index may begin elsewhere.
        ("updated_block", Some(Cell::Number(to_block.unwrap_or(*from_block)))),
        ("updated_log", Some(Cell::Number(0))),
    ];
    let general = general.into_iter().filter_map(|(name, cell)| Some((name, cell?)));
    general.chain(stated.cells.iter().cloned()).collect()
}

fn values<'a>(
    column: &Column,
    cells: impl Iterator<Item = Option<&'a Cell>>,
) -> Result<ArrayRef, ArrowError> {
    macro_rules! build {
        ($builder:expr, $variant:ident($value:ident) => $into:expr) => {{
            let mut builder = $builder;
            for cell in cells {
                match cell {
                    Some(Cell::$variant($value)) => builder.append_option(Some($into)),
                    None => builder.append_null(),
                    Some(other) => return Err(misfit(column, other)),
                }
            }
            Ok(Arc::new(builder.finish()))
        }};
    }
    match column.data_type {
        DataType::Utf8 => build!(StringBuilder::new(), Text(text) => text),
        DataType::UInt64 => build!(UInt64Builder::new(), Number(number) => *number),
        DataType::UInt32 => {
            build!(UInt32Builder::new(), Number(number) => u32::try_from(*number).unwrap_or(u32::MAX))
        }
        DataType::Float64 => build!(Float64Builder::new(), Real(number) => *number),
        DataType::Date32 => build!(Date32Builder::new(), Day(day) => *day),
        DataType::Timestamp(..) => {
            build!(TimestampSecondBuilder::new().with_timezone("UTC"), Time(secs) => *secs)
        }
        DataType::FixedSizeBinary(size) => bytes(column, size, cells),
        _ => Err(ArrowError::SchemaError(format!("column '{}' has no values", column.name))),
    }
}

fn bytes<'a>(
    column: &Column,
    size: i32,
    cells: impl Iterator<Item = Option<&'a Cell>>,
) -> Result<ArrayRef, ArrowError> {
    let mut builder = FixedSizeBinaryBuilder::new(size);
    for cell in cells {
        match cell {
            Some(Cell::Address(address)) => builder.append_value(address)?,
            Some(Cell::Hash(hash)) => builder.append_value(hash)?,
            Some(other) => return Err(misfit(column, other)),
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn misfit(column: &Column, cell: &Cell) -> ArrowError {
    ArrowError::SchemaError(format!("column '{}' cannot hold {cell:?}", column.name))
}

/// Text of a value; `None` where it is open.
fn text(value: impl ToString) -> Option<Cell> {
    Some(Cell::Text(value.to_string()))
}

fn opt_text<T: ToString>(value: Option<&T>) -> Option<Cell> {
    value.map(|value| Cell::Text(value.to_string()))
}

fn address(value: Address) -> Option<Cell> {
    Some(Cell::Address(value))
}

fn chain_of(chain: Option<ChainId>) -> Option<Cell> {
    chain.map(|chain| Cell::Number(chain.0))
}

/// Every row of every list.
fn rows(registry: &Registry) -> impl Iterator<Item = Stated> {
    parties(registry).chain(agreed(registry)).chain(made(registry)).chain(contracts(registry))
}

fn stated<const N: usize>(
    list: &'static str,
    validity: Validity,
    cells: [(&'static str, Option<Cell>); N],
) -> Stated {
    let cells = cells.into_iter().filter_map(|(name, cell)| Some((name, cell?))).collect();
    Stated { list, validity, cells }
}

fn parties(registry: &Registry) -> impl Iterator<Item = Stated> {
    let parties = registry.parties.iter().map(|row| {
        let cells = [
            ("gln", text(row.gln)),
            ("name", text(&row.name)),
            ("country", text(&row.country)),
            ("role", text(row.role.as_str())),
            ("tz", text(&row.tz)),
        ];
        stated("parties", row.validity, cells)
    });
    let sites = registry.sites.iter().map(|row| {
        let cells = [
            ("gln", text(row.gln)),
            ("party", text(row.party)),
            ("kind", text(&row.kind)),
            ("lat", row.lat.map(Cell::Real)),
            ("lon", row.lon.map(Cell::Real)),
            ("precision_km", row.precision_km.map(Cell::Real)),
        ];
        stated("sites", row.validity, cells)
    });
    let wallets = registry.wallets.iter().map(|row| {
        let cells = [
            ("on_chain", chain_of(row.chain)),
            ("address", address(row.address)),
            ("party", text(row.party)),
            ("status", text(row.status.as_str())),
        ];
        stated("wallets", row.validity, cells)
    });
    let licences = registry.licences.iter().map(|row| {
        let cells = [
            ("party", text(row.party)),
            ("kind", text(row.kind.as_str())),
            ("jurisdiction", text(&row.jurisdiction)),
            ("status", text(row.status.as_str())),
        ];
        stated("licences", row.validity, cells)
    });
    parties.chain(sites).chain(wallets).chain(licences)
}

fn agreed(registry: &Registry) -> impl Iterator<Item = Stated> {
    let delegations = registry.delegations.iter().map(|row| {
        let cells = [
            ("principal", text(row.principal)),
            ("agent", text(row.agent)),
            ("gtin", opt_text(row.gtin.as_ref())),
            ("lot_pattern", opt_text(row.lot_pattern.as_ref())),
            ("site", opt_text(row.site.as_ref())),
        ];
        stated("delegations", row.validity, cells)
    });
    let agreements = registry.agreements.iter().map(|row| {
        let cells = [
            ("principal", text(row.principal)),
            ("agent", text(row.agent)),
            ("kind", text(row.kind.as_str())),
            ("gtin", opt_text(row.scope.as_ref())),
        ];
        stated("agreements", row.validity, cells)
    });
    let lanes = registry.lanes.iter().map(|row| {
        let cells = [
            ("consignor", opt_text(row.from.as_ref())),
            ("consignee", opt_text(row.to.as_ref())),
            ("p99_secs", Some(Cell::Number(u64::try_from(row.p99_secs).unwrap_or(0)))),
        ];
        stated("lanes", row.validity, cells)
    });
    let confirmations = registry.confirmations.iter().map(|row| {
        let cells = [
            ("item", text(&row.item)),
            ("party", opt_text(row.party.as_ref())),
            ("finding", text(&row.finding)),
        ];
        stated("confirmations", row.validity, cells)
    });
    delegations.chain(agreements).chain(lanes).chain(confirmations)
}

fn made(registry: &Registry) -> impl Iterator<Item = Stated> {
    let products = registry.products.iter().map(|row| {
        let cells = [
            ("gtin", text(row.gtin)),
            ("owner", text(row.owner)),
            ("name", text(&row.name)),
            ("level", text(row.level.as_str())),
            ("units", Some(Cell::Number(row.units.into()))),
            ("markets", text(row.markets.join(" "))),
        ];
        stated("products", row.validity, cells)
    });
    let lots = registry.lots.iter().map(|row| {
        let cells = [
            ("gtin", text(row.gtin)),
            ("lot", text(row.lot)),
            ("expiry", Some(Cell::Day(row.expiry_day))),
            ("quantity", row.quantity.map(Cell::Number)),
            ("markets", text(row.markets.join(" "))),
            ("closed_at", row.closed_at_secs.map(Cell::Time)),
        ];
        stated("lots", row.validity, cells)
    });
    let recalls = registry.recalls.iter().map(|row| {
        let cells = [
            ("id", text(&row.id)),
            ("gtin", text(row.gtin)),
            ("lot", opt_text(row.lot.as_ref())),
            ("serial_from", opt_text(row.serial_from.as_ref())),
            ("serial_to", opt_text(row.serial_to.as_ref())),
            ("market", opt_text(row.market.as_ref())),
            ("class", text(&row.class)),
            ("effective_at", Some(Cell::Time(row.effective_at_secs))),
            ("resolved_at", row.resolved_at_secs.map(Cell::Time)),
        ];
        stated("recalls", row.validity, cells)
    });
    let extensions = registry.extensions.iter().map(|row| {
        let cells =
            [("gtin", text(row.gtin)), ("lot", text(row.lot)), ("expiry", Some(Cell::Day(row.expiry_day)))];
        stated("extensions", row.validity, cells)
    });
    products.chain(lots).chain(recalls).chain(extensions)
}

fn contracts(registry: &Registry) -> impl Iterator<Item = Stated> {
    let contracts = registry.contracts.iter().map(|row| {
        let cells = [
            ("on_chain", chain_of(Some(row.chain))),
            ("address", address(row.address)),
            ("tier", text(row.tier.as_str())),
            ("gtin", opt_text(row.gtin.as_ref())),
        ];
        stated("contracts", row.validity, cells)
    });
    let announcements = registry.announcements.iter().map(|row| {
        let cells = [
            ("kind", text(row.kind.as_str())),
            ("on_chain", chain_of(Some(row.chain))),
            ("address", address(row.contract)),
            ("successor_chain", chain_of(Some(row.successor_chain))),
            ("successor", address(row.successor)),
        ];
        stated("announcements", row.validity, cells)
    });
    contracts.chain(announcements)
}
