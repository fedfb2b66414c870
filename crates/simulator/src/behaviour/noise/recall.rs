//! Recalls as honest parties follow them, and packs beside a recall that it does not concern.

use crate::error::Result;
use crate::story::delivery::{Stage, Stock};
use crate::story::goods::LotInfo;
use crate::story::script::Script;
use crate::world::country::{BR, CH, COUNTRIES, CountryId, DE, FR, IT, US};
use crate::world::{DAY_SECS, HOUR_SECS};
use model::gs1::Text;
use model::registry::{Recall, Validity};

const ANYWHERE: &[CountryId] = &[US, DE, FR, IT, CH, BR];

/// Which packs of a product a recall covers, and until when.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cover {
    pub(crate) lot: Option<Text>,
    /// First and last serial, in byte order.
    pub(crate) serials: Option<(Text, Text)>,
    pub(crate) market: Option<CountryId>,
    pub(crate) resolved_at_secs: Option<i64>,
}

impl Script<'_> {
    /// Enters a recall that is in force from `effective_at`, and known from then.
    pub(crate) fn recall(&mut self, lot: &LotInfo, effective_at: i64, cover: Cover) {
        let n = self.rows.recalls.len() + 1;
        self.rows.recalls.push(Recall {
            id: format!("R-{}-{n}", self.story),
            gtin: lot.gtin,
            lot: cover.lot,
            serial_from: cover.serials.map(|(first, _)| first),
            serial_to: cover.serials.map(|(_, last)| last),
            market: cover.market.map(|market| COUNTRIES[market].code.to_owned()),
            class: "II".into(),
            effective_at_secs: effective_at,
            resolved_at_secs: cover.resolved_at_secs,
            validity: Validity { from_secs: effective_at, to_secs: i64::MAX, known_from_secs: effective_at },
        });
    }

    /// Recalls the whole lot some hours from now, and waits until the word has come round.
    pub(crate) fn recall_lot(&mut self, lot: &LotInfo) {
        let effective_at = self.now + 2 * HOUR_SECS;
        self.recall(lot, effective_at, Cover { lot: Some(lot.code), ..Cover::default() });
        self.now = effective_at;
        self.wait_hours(4..20);
    }
}

/// A lot is recalled: packs are held, sent back to the reverse distributor or the maker, and destroyed.
pub(crate) fn whole_lot(s: &mut Script<'_>) -> Result<()> {
    let Stock { route, lot, packs, .. } = s.stock(Stage::Pharmacy, 5, ANYWHERE)?;
    s.recall_lot(&lot);
    for (n, mut pack) in packs.into_iter().enumerate() {
        s.at_work(route.market);
        s.quarantine(&pack, &route.pharmacy);
        s.wait_hours(4..40);
        let back_to = match n {
            0 => {
                s.destroy(&mut pack, &route.pharmacy);
                continue;
            }
            1 => route.maker,
            _ => route.disposer,
        };
        s.send_back(&mut pack, &route.pharmacy, &back_to);
        s.wait_hours(10..60);
        s.receive(&mut pack, &back_to);
        s.wait_hours(5..60);
        s.destroy(&mut pack, &back_to);
    }
    Ok(())
}

/// Only some serials are recalled; their neighbours in the lot are sold.
pub(crate) fn serial_range(s: &mut Script<'_>) -> Result<()> {
    let Stock { route, lot, mut packs, .. } = s.stock(Stage::Pharmacy, 6, ANYWHERE)?;
    packs.sort_by_key(|pack| pack.print.as_ref().map(|print| print.serial));
    let free = packs.split_off(2);
    let serials: Vec<Text> =
        packs.iter().filter_map(|pack| pack.print.as_ref()).map(|print| print.serial).collect();
    let [first, .., last] = serials.as_slice() else { return Ok(()) };
    let cover = Cover { lot: Some(lot.code), serials: Some((*first, *last)), ..Cover::default() };
    s.recall(&lot, s.now, cover);
    s.wait_hours(4..20);
    for mut pack in packs {
        s.at_work(route.market);
        s.quarantine(&pack, &route.pharmacy);
        s.wait_hours(2..20);
        s.destroy(&mut pack, &route.pharmacy);
    }
    s.sell_off(&route.pharmacy, free);
    Ok(())
}

/// A product's lot is recalled in one country; it is destined for another and goes on there.
pub(crate) fn other_market(s: &mut Script<'_>) -> Result<()> {
    let Stock { route, lot, packs, .. } = s.stock(Stage::Wholesaler, 4, &[DE, FR])?;
    let elsewhere = if route.market == FR { DE } else { FR };
    let cover = Cover { lot: Some(lot.code), market: Some(elsewhere), ..Cover::default() };
    s.recall(&lot, s.now, cover);
    s.wait_hours(4..20);
    for mut pack in packs {
        s.deliver(&mut pack, &route.wholesaler, &route.pharmacy);
        s.wait_hours(5..40);
        s.dispense(std::slice::from_mut(&mut pack), &route.pharmacy);
    }
    Ok(())
}

/// A recall is resolved; days later its packs are sold.
pub(crate) fn resolved(s: &mut Script<'_>) -> Result<()> {
    let Stock { route, lot, packs, .. } = s.stock(Stage::Pharmacy, 4, ANYWHERE)?;
    let resolved = s.now + 3 * DAY_SECS;
    let cover = Cover { lot: Some(lot.code), resolved_at_secs: Some(resolved), ..Cover::default() };
    s.recall(&lot, s.now, cover);
    s.now = resolved;
    s.wait_hours(6..40);
    s.sell_off(&route.pharmacy, packs);
    Ok(())
}
