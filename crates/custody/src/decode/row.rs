//! One row of a log: its fields read, its event made.

use super::fields::Time;
use super::gs1_text;
use super::hostile_text::shown;
use super::identity::{IdentityBuilder, IdentityFields, KeyText, key_text};
use super::mapping::{KindRule, Mapping, Setting, custody_kind};
use super::metadata;
use super::profile::TransferMeaning;
use super::refusal::Refusal;
use super::source::{KnownLog, Source, Value};
use super::word::{address, uint};
use alloy_primitives::{Address, U256, keccak256};
use model::chain::LogPosition;
use model::event::{ActorSource, DeadReason, Event, EventKind, Identity, Reason};
use model::gs1::Gln;

/// Longest value in an event's detail, in characters: a content address or web URI fits, a picture does not.
const MAX_DETAIL_CHARS: usize = 256;

/// Digits of keys that contracts keep as numbers, whose leading zeros are lost.
const GTIN_DIGITS: usize = 14;
const SSCC_DIGITS: usize = 18;
const GLN_DIGITS: usize = 13;

/// One row of one log.
#[derive(Debug)]
pub(super) struct Row<'r, 'a, 'l> {
    pub(super) mapping: &'r Mapping,
    pub(super) known: &'r KnownLog<'a, 'l>,
    /// The entry of the event's lists; `None` for lists without entries.
    pub(super) row: Option<usize>,
    pub(super) setting: &'r Setting,
    /// Index of the event within the log.
    pub(super) sub: usize,
}

/// What an event's detail says.
#[derive(Debug, Default)]
struct Notes(Option<String>);

impl Notes {
    fn push(&mut self, note: &str) {
        match &mut self.0 {
            Some(text) => {
                text.push_str("; ");
                text.push_str(note);
            }
            None => self.0 = Some(note.to_owned()),
        }
    }
}

impl<'l> Row<'_, '_, 'l> {
    /// Makes the row's event, and a second one where its metadata names the token.
    ///
    /// # Errors
    /// Why the log is no event.
    #[inline]
    pub(super) fn decode(&self, out: &mut Vec<Event>) -> Result<(), Refusal> {
        let (log, fields) = (self.known.log, &self.mapping.fields);
        let mut notes = self.detail()?;
        let (from, to) = (self.address(fields.from.as_ref())?, self.address(fields.to.as_ref())?);
        let (actor, actor_source) = self.actor()?;
        let token = self.id(fields.token.as_ref(), &mut notes)?;
        let parent = self.id(fields.parent.as_ref(), &mut notes)?;
        let parent_contract = match self.address(fields.parent_contract.as_ref())? {
            None if parent.is_some() => Some(self.setting.token_contract),
            contract => contract,
        };
        let token_contract = self.address(fields.token_contract.as_ref())?;
        let identity = match &fields.identity {
            Some(identity) => self.identity(identity, &mut notes)?,
            None => Identity::default(),
        };
        out.push(Event {
            position: LogPosition {
                block: log.block_number,
                log: log.log_index,
                sub: u32::try_from(self.sub).unwrap_or(u32::MAX),
            },
            tx_hash: log.tx_hash,
            tx_index: log.tx_index,
            block_time_secs: self.setting.block_time_secs,
            event_time_secs: self.time(&mut notes)?,
            contract: log.contract,
            token_contract: token_contract.unwrap_or(self.setting.token_contract),
            kind: self.kind(from, to)?,
            token,
            range_end: self.range_end(token, &mut notes)?,
            identity,
            from,
            to,
            actor,
            actor_source,
            sender: log.sender,
            parent,
            parent_contract,
            quantity: self.quantity(&mut notes)?,
            place: self.place(&mut notes)?,
            reason: self.reason(&mut notes)?,
            detail: notes.0,
        });
        self.metadata(out)
    }

    /// The value of `source` in this row; `None` for a list without entries.
    #[inline]
    fn value(&self, source: &Source) -> Result<Option<Value<'l>>, Refusal> {
        match self.row {
            Some(row) => source.value(self.known, row).map(Some),
            None if source.is_listed() => Ok(None),
            None => source.value(self.known, 0).map(Some),
        }
    }

    #[inline]
    fn address(&self, source: Option<&Source>) -> Result<Option<Address>, Refusal> {
        let Some(source) = source else { return Ok(None) };
        Ok(match self.value(source)? {
            Some(Value::Word(word)) => Some(address(word)),
            Some(Value::Content(_) | Value::Hash(_)) | None => None,
        })
    }

    /// An id: a number, the bytes of a word, or the Keccak-256 of a text, which an indexed text leaves in its
    /// topic.
    #[inline]
    fn id(&self, source: Option<&Source>, notes: &mut Notes) -> Result<Option<U256>, Refusal> {
        let Some(source) = source else { return Ok(None) };
        Ok(match self.value(source)? {
            Some(Value::Word(word)) => Some(uint(word)),
            Some(Value::Content(content)) => Some(U256::from_be_bytes(keccak256(content).0)),
            Some(Value::Hash(hash)) if source.scalar.is_dynamic() => Some(uint(hash)),
            Some(Value::Hash(hash)) => {
                note_hash(notes, source, hash);
                None
            }
            None => None,
        })
    }

    fn number(&self, source: &Source, notes: &mut Notes) -> Result<Option<U256>, Refusal> {
        Ok(match self.value(source)? {
            Some(Value::Word(word)) => Some(uint(word)),
            Some(Value::Hash(hash)) => {
                note_hash(notes, source, hash);
                None
            }
            Some(Value::Content(_)) | None => None,
        })
    }

    /// The actor of the log, else the transaction's sender, marked.
    #[inline]
    fn actor(&self) -> Result<(Option<Address>, Option<ActorSource>), Refusal> {
        if let Some(actor) = self.address(self.mapping.fields.actor.as_ref())? {
            return Ok((Some(actor), Some(ActorSource::Log)));
        }
        let sender = self.known.log.sender;
        Ok((sender, sender.map(|_| ActorSource::Sender)))
    }

    #[inline]
    fn kind(&self, from: Option<Address>, to: Option<Address>) -> Result<EventKind, Refusal> {
        if self.row.is_none() {
            // An empty batch moves nothing, and is accounted for.
            return Ok(EventKind::Other);
        }
        let kind = match &self.mapping.kind {
            KindRule::Fixed(kind) => *kind,
            KindRule::ByValue { source, meanings, otherwise } => {
                let value = self.value(source)?;
                let known = value.and_then(|value| meanings.get(value)).or(*otherwise);
                known.ok_or_else(|| {
                    let value = value.map(|value| shown(&source.describe(value), MAX_DETAIL_CHARS));
                    let detail = format!("{}: '{}' is no step", source.name, value.unwrap_or_default());
                    Refusal::new(DeadReason::BadEnum, detail)
                })?
            }
        };
        Ok(match self.setting.transfer {
            TransferMeaning::Custody => custody_kind(kind, from, to),
            TransferMeaning::Ownership => kind,
        })
    }

    fn range_end(&self, first: Option<U256>, notes: &mut Notes) -> Result<Option<U256>, Refusal> {
        let last = self.id(self.mapping.fields.range_end.as_ref(), notes)?;
        if let (Some(first), Some(last)) = (first, last)
            && last < first
        {
            let detail = format!("the range ends at {last}, before it begins at {first}");
            return Err(Refusal::new(DeadReason::BadValue, detail));
        }
        Ok(last)
    }

    fn time(&self, notes: &mut Notes) -> Result<Option<i64>, Refusal> {
        let Some(field) = &self.mapping.fields.time else { return Ok(None) };
        let Some(number) = self.number(&field.source, notes)? else { return Ok(None) };
        Ok(match field.read(number) {
            Time::At(secs) => Some(secs),
            Time::Unset => None,
            Time::OutOfRange => {
                notes.push(&format!("{}: {number} is no time", field.source.name));
                None
            }
        })
    }

    fn quantity(&self, notes: &mut Notes) -> Result<Option<U256>, Refusal> {
        if self.row.is_none() {
            return Ok(Some(U256::ZERO));
        }
        let Some(field) = &self.mapping.fields.quantity else { return Ok(None) };
        let Some(number) = self.number(&field.source, notes)? else { return Ok(None) };
        let units = field.read(number).ok_or_else(|| {
            let detail = format!("{}: {number} is no whole number of units", field.source.name);
            Refusal::new(DeadReason::BadValue, detail)
        })?;
        Ok(Some(units))
    }

    fn place(&self, notes: &mut Notes) -> Result<Option<Gln>, Refusal> {
        let Some(source) = &self.mapping.fields.place else { return Ok(None) };
        let Some(text) = self.key(source, Some(GLN_DIGITS), notes)? else { return Ok(None) };
        let text = match text {
            KeyText::Absent => return Ok(None),
            KeyText::Text(text) => text,
            KeyText::Bytes => "bytes".into(),
        };
        let place = text.parse().ok().or_else(|| gs1_text::parse(&text)?.gln?.parse().ok());
        if place.is_none() {
            notes.push(&format!("{}: '{}' is no GLN", source.name, shown(&text, MAX_DETAIL_CHARS)));
        }
        Ok(place)
    }

    fn reason(&self, notes: &mut Notes) -> Result<Option<Reason>, Refusal> {
        let Some(field) = &self.mapping.fields.reason else { return Ok(None) };
        let Some(value) = self.value(&field.source)? else { return Ok(None) };
        Ok(Some(field.meanings.get(value).unwrap_or_else(|| {
            let value = shown(&field.source.describe(value), MAX_DETAIL_CHARS);
            notes.push(&format!("{}: '{value}' is no known reason", field.source.name));
            Reason::Unspecified
        })))
    }

    fn key(
        &self,
        source: &Source,
        digits: Option<usize>,
        notes: &mut Notes,
    ) -> Result<Option<KeyText<'l>>, Refusal> {
        let Some(value) = self.value(source)? else { return Ok(None) };
        if let Value::Hash(hash) = value {
            note_hash(notes, source, hash);
        }
        Ok(Some(key_text(source, value, digits)))
    }

    fn identity(&self, fields: &IdentityFields, notes: &mut Notes) -> Result<Identity, Refusal> {
        type Take = fn(&mut IdentityBuilder, &KeyText<'_>);
        let takes: [(&Option<Source>, Option<usize>, Take); 5] = [
            (&fields.item, None, |builder, text| builder.item(text)),
            (&fields.gtin, Some(GTIN_DIGITS), |builder, text| builder.gtin(text)),
            (&fields.serial, None, |builder, text| builder.serial(text)),
            (&fields.lot, None, |builder, text| builder.lot(text)),
            (&fields.sscc, Some(SSCC_DIGITS), |builder, text| builder.sscc(text)),
        ];
        let mut builder = IdentityBuilder::default();
        for (source, digits, take) in takes {
            if let Some(source) = source
                && let Some(text) = self.key(source, digits, notes)?
            {
                take(&mut builder, &text);
            }
        }
        if let Some((source, format)) = &fields.expiry {
            match self.value(source)? {
                Some(Value::Hash(hash)) => note_hash(notes, source, hash),
                Some(value) => builder.expiry(source, value, *format),
                None => {}
            }
        }
        Ok(builder.finish())
    }

    /// One field is told bare, several with their names.
    fn detail(&self) -> Result<Notes, Refusal> {
        let mut notes = Notes::default();
        let fields = &self.mapping.fields.detail;
        for source in fields {
            let Some(value) = self.value(source)? else { continue };
            let text = shown(&source.describe(value), MAX_DETAIL_CHARS);
            match fields.len() {
                1 if text.is_empty() => {}
                1 => notes.push(&text),
                _ => notes.push(&format!("{}={text}", source.name)),
            }
        }
        Ok(notes)
    }

    /// Adds a naming of the token where the metadata holds one.
    fn metadata(&self, out: &mut Vec<Event>) -> Result<(), Refusal> {
        let Some(source) = &self.mapping.fields.metadata else { return Ok(()) };
        let Some(Value::Content(content)) = self.value(source)? else { return Ok(()) };
        let mut builder = IdentityBuilder::default();
        if !metadata::read(content, &mut builder) {
            return Ok(());
        }
        let Some(told) = out.last() else { return Ok(()) };
        let mut named =
            Event { kind: EventKind::Identity, identity: builder.finish(), detail: None, ..told.clone() };
        named.position.sub += 1;
        out.push(named);
        Ok(())
    }
}

/// Says that only the hash of a field is known.
#[cold]
fn note_hash(notes: &mut Notes, source: &Source, hash: &[u8; 32]) {
    let hash = alloy_primitives::hex::encode_prefixed(hash);
    notes.push(&format!("{}: hash {hash}", source.name));
}
