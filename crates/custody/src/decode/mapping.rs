//! A mapping: how the logs of one event become events, worked out when the profile is read.
//!
//! ```text
//! topics, data ──shape checked──▶ rows of a batch ──fields read──▶ events
//! ```

use super::fields::{Meanings, QuantityField, ReasonField, TimeField};
use super::identity::IdentityFields;
use super::layout::{Trailing, described};
use super::profile::TransferMeaning;
use super::refusal::Refusal;
use super::row::Row;
use super::shape::Shape;
use super::source::{KnownLog, Source};
use super::word::is_canonical;
use alloy_primitives::{Address, B256};
use model::event::{DeadReason, Event, EventKind};

/// How the logs of one event become events.
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    pub(super) shape: Shape,
    pub(super) kind: KindRule,
    pub(super) fields: Fields,
    pub(super) trailing: Trailing,
    /// The layout is also that of another standard: only contracts named by their address are believed.
    pub(super) named_contracts_only: bool,
    /// Index among the profile's names of other contracts whose tokens the event speaks of.
    pub(super) of: Option<usize>,
    /// Topics whose preimages tell more than their hash.
    pub(super) hashed_topics: Vec<u8>,
    /// Does any field stand for the entries of a list?
    pub(super) listed: bool,
}

/// What an event does.
#[derive(Debug, Clone)]
pub(super) enum KindRule {
    /// Always the same.
    Fixed(EventKind),
    /// By the value of a field; `otherwise` for values that the table does not know.
    ByValue {
        /// The field.
        source: Box<Source>,
        /// What its values mean.
        meanings: Meanings<EventKind>,
        /// What any other value means; without it the log is a dead letter.
        otherwise: Option<EventKind>,
    },
}

impl KindRule {
    /// Every kind that it can give.
    pub(super) fn kinds(&self) -> Vec<EventKind> {
        match self {
            Self::Fixed(kind) => vec![*kind],
            Self::ByValue { meanings, otherwise, .. } => meanings.all().chain(*otherwise).collect(),
        }
    }
}

/// Which field of the log fills which field of the event.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    pub(super) token: Option<Source>,
    pub(super) range_end: Option<Source>,
    pub(super) token_contract: Option<Source>,
    pub(super) parent: Option<Source>,
    pub(super) parent_contract: Option<Source>,
    pub(super) from: Option<Source>,
    pub(super) to: Option<Source>,
    pub(super) actor: Option<Source>,
    pub(super) time: Option<TimeField>,
    pub(super) place: Option<Source>,
    pub(super) identity: Option<Box<IdentityFields>>,
    pub(super) quantity: Option<QuantityField>,
    pub(super) reason: Option<ReasonField>,
    pub(super) detail: Vec<Source>,
    /// A data URI or JSON text in which a token is named.
    pub(super) metadata: Option<Source>,
}

/// What a log's events have in common beside its fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) block_time_secs: i64,
    pub(super) token_contract: Address,
    pub(super) transfer: TransferMeaning,
}

impl Mapping {
    /// The key that finds it.
    pub(super) fn key(&self) -> (B256, u8) {
        (self.shape.topic0, self.shape.topics)
    }

    /// Decodes one log into at least one event.
    ///
    /// # Errors
    /// Why it is no event; `out` is then as it was.
    #[inline]
    pub(super) fn decode(
        &self,
        known: &KnownLog<'_, '_>,
        setting: &Setting,
        out: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        self.check(known)?;
        let before = out.len();
        let decoded = if self.listed {
            self.decode_rows(known, setting, out)
        } else {
            self.decode_row(known, Some(0), setting, before, out)
        };
        if decoded.is_err() {
            out.truncate(before);
        }
        decoded
    }

    /// Checks topics and data against the shape.
    #[inline]
    fn check(&self, known: &KnownLog<'_, '_>) -> Result<(), Refusal> {
        for (index, scalar) in self.shape.bare.iter().enumerate() {
            if let (Some(scalar), Some(topic)) = (scalar, &known.log.topics[index + 1])
                && !is_canonical(*scalar, &topic.0)
            {
                let detail = format!("topic {}: bits outside the {} are set", index + 1, described(*scalar));
                return Err(Refusal::new(DeadReason::DirtyPadding, detail));
            }
        }
        self.shape.layout.check(known.log.data, self.trailing)
    }

    fn decode_rows(
        &self,
        known: &KnownLog<'_, '_>,
        setting: &Setting,
        out: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let before = out.len();
        match self.rows(known)? {
            Some(0) => self.decode_row(known, None, setting, before, out),
            rows => {
                let mut rows = 0..rows.unwrap_or(1);
                rows.try_for_each(|row| self.decode_row(known, Some(row), setting, before, out))
            }
        }
    }

    /// How many rows the lists have; `None` where no list can be read. The walk has bounded each list before.
    fn rows(&self, known: &KnownLog<'_, '_>) -> Result<Option<usize>, Refusal> {
        let mut rows: Option<(&str, usize)> = None;
        for source in self.fields.sources().filter(|source| source.is_listed()) {
            let Some(entries) = source.entries(known)? else { continue };
            match rows {
                Some((name, first)) if first != entries => {
                    let detail = format!("{name} has {first} entries, {} has {entries}", source.name);
                    return Err(Refusal::new(DeadReason::LengthMismatch, detail));
                }
                _ => rows = Some((&source.name, entries)),
            }
        }
        Ok(rows.map(|(_, rows)| rows))
    }

    #[inline]
    fn decode_row(
        &self,
        known: &KnownLog<'_, '_>,
        row: Option<usize>,
        setting: &Setting,
        before: usize,
        out: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        Row { mapping: self, known, row, setting, sub: out.len() - before }.decode(out)
    }
}

impl Fields {
    /// Every source of the mapping.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        let identity = self.identity.iter().flat_map(|identity| identity.sources());
        let time = self.time.iter().map(|time| &time.source);
        let quantity = self.quantity.iter().map(|quantity| &quantity.source);
        let reason = self.reason.iter().map(|reason| &reason.source);
        let plain = [
            &self.token,
            &self.range_end,
            &self.token_contract,
            &self.parent,
            &self.parent_contract,
            &self.from,
            &self.to,
            &self.actor,
            &self.place,
            &self.metadata,
        ];
        let plain = plain.into_iter().flatten();
        plain.chain(identity).chain(time).chain(quantity).chain(reason).chain(&self.detail)
    }
}

impl IdentityFields {
    /// Every source that names the item.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        let plain = [&self.item, &self.gtin, &self.serial, &self.lot, &self.sscc];
        plain.into_iter().flatten().chain(self.expiry.iter().map(|(source, _)| source))
    }
}

/// What a transfer of a token means, when transfers are custody: from zero a mint, to zero a burn.
pub(super) fn custody_kind(kind: EventKind, from: Option<Address>, to: Option<Address>) -> EventKind {
    let (Some(from), Some(to), EventKind::Transfer | EventKind::TransferQuantity) = (from, to, kind) else {
        return kind;
    };
    match (from.is_zero(), to.is_zero()) {
        (true, true) => EventKind::Other,
        (true, false) => EventKind::Commissioning,
        (false, true) => EventKind::Decommissioning,
        (false, false) => EventKind::Accepting,
    }
}
