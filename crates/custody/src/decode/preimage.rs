//! Preimages of indexed texts and lists, as far as one transaction knows them: from the data of its logs and
//! from its call input.
//!
//! Only one transaction is looked at, so that what is known does not depend on how blocks were cut into
//! segments. A preimage is used only where its hash is the topic, so a wrong guess cannot be believed.

use super::abi_type::{Kind, Scalar, Type, WORD_BYTES};
use super::layout::{Layout, MAX_BATCH, Trailing, content, locate};
use super::mapping::Mapping;
use super::profile::ContractProfile;
use super::source::KnownLog;
use super::watch::Profiles;
use super::word::{size, word_at};
use alloy_primitives::{B256, keccak256};
use hashbrown::HashMap;
use model::chain::ChainId;
use model::segment::{LogsView, RawLog};
use std::sync::Arc;

/// Most bytes that are hashed for one transaction. Call input is at most 128 KiB in every client; the rest is
/// for texts in logs. A megabyte takes a few milliseconds.
const MAX_HASHED_BYTES: usize = 1 << 20;

/// Most words of preimages that the logs of one transaction are given, each log counted. A log costs 2,000
/// gas and may name any list of the call by its hash: without a bound ten thousand logs would each become
/// four thousand events.
const MAX_GIVEN_WORDS: usize = MAX_BATCH;

/// What the transaction at hand knows.
#[derive(Debug, Default)]
pub(super) struct Preimages<'a> {
    /// Block and index of the transaction.
    transaction: Option<(u64, u32)>,
    known: HashMap<B256, &'a [u8]>,
    hashed_bytes: usize,
    given_words: usize,
}

impl<'a> Preimages<'a> {
    /// The log in `row` with the preimages that its mapping asks for.
    pub(super) fn resolve<'l>(
        &mut self,
        mapping: &Mapping,
        (profiles, chain): (&Profiles, ChainId),
        (view, row): (&LogsView<'a>, usize),
        log: &'l RawLog<'a>,
    ) -> KnownLog<'a, 'l> {
        let transaction = Some((log.block_number, log.tx_index));
        if self.transaction != transaction {
            *self = Self { transaction, ..Self::default() };
            self.gather((profiles, chain), (view, row));
        }
        let mut known = KnownLog { log, preimages: [None; 3] };
        for topic in mapping.hashed_topics.iter().map(|topic| usize::from(*topic)) {
            let hash = log.topics.get(topic).copied().flatten();
            if let (Some(hash), Some(slot)) = (hash, known.preimages.get_mut(topic - 1)) {
                *slot = self.give(&hash);
            }
        }
        known
    }

    /// The preimage of `hash`, unless the transaction was given its share.
    fn give(&mut self, hash: &B256) -> Option<&'a [u8]> {
        let preimage = self.known.get(hash).copied()?;
        let given = self.given_words + preimage.len().div_ceil(WORD_BYTES);
        if given > MAX_GIVEN_WORDS {
            return None;
        }
        self.given_words = given;
        Some(preimage)
    }

    /// Gathers from every log of the transaction that the log in `row` belongs to.
    fn gather(&mut self, (profiles, chain): (&Profiles, ChainId), (view, row): (&LogsView<'a>, usize)) {
        let same = |other: usize| {
            let log = view.get(other);
            Some((log.block_number, log.tx_index)) == self.transaction
        };
        let first = (0..row).rev().take_while(|other| same(*other)).last().unwrap_or(row);
        let last = (row..view.len()).take_while(|other| same(*other)).last().unwrap_or(row);
        let input = view.get(first).input;
        let mut called: Vec<*const ContractProfile> = Vec::new();
        for log in (first..=last).map(|row| view.get(row)) {
            let Ok((watched, mapping)) = profiles.find(chain, &log) else { continue };
            let layout = &mapping.shape.layout;
            if layout.check(log.data, mapping.trailing).is_ok() {
                self.texts(layout, log.data);
            }
            let profile = &watched.contract.profile;
            if let Some(input) = input
                && !called.contains(&Arc::as_ptr(profile))
            {
                called.push(Arc::as_ptr(profile));
                self.input(profile, input);
            }
        }
    }

    fn input(&mut self, profile: &ContractProfile, input: &'a [u8]) {
        let Some((selector, arguments)) = input.split_first_chunk::<4>() else { return };
        for call in profile.calls.iter().filter(|call| call.selector == *selector) {
            if call.layout.check(arguments, Trailing::Ignored).is_ok() {
                self.texts(&call.layout, arguments);
            }
        }
    }

    /// Takes every text, byte string and list of words among the parameters in `data`, which was checked.
    fn texts(&mut self, layout: &Layout, data: &'a [u8]) {
        for (_, ty, head) in layout.heads() {
            if let Some(preimage) = preimage(ty, head, data) {
                self.add(preimage);
            }
        }
    }

    fn add(&mut self, preimage: &'a [u8]) {
        if preimage.len() <= MAX_HASHED_BYTES - self.hashed_bytes {
            self.hashed_bytes += preimage.len();
            self.known.insert(keccak256(preimage), preimage);
        }
    }
}

/// What an encoder would hash if the parameter were indexed.
fn preimage<'a>(ty: &Type, head: usize, data: &'a [u8]) -> Option<&'a [u8]> {
    let at = locate(data, 0, head, ty.dynamic)?;
    match &ty.kind {
        Kind::Scalar(Scalar::Bytes | Scalar::Text) => content(data, at),
        Kind::List(element, count) if is_word(element) => match count {
            Some(count) => data.get(at..)?.get(..count * WORD_BYTES),
            None => {
                let count = size(word_at(data, at)?)?;
                data.get(at + WORD_BYTES..)?.get(..count.checked_mul(WORD_BYTES)?)
            }
        },
        Kind::Scalar(_) | Kind::List(..) | Kind::Tuple(_) => None,
    }
}

fn is_word(element: &Type) -> bool {
    matches!(element.kind, Kind::Scalar(scalar) if !scalar.is_dynamic())
}
