//! Deliveries: how goods get from one party to the next, with the disorder of honest trade.

use crate::contract::gs1_pack as log;
use crate::error::Result;
use crate::story::goods::{Item, LotInfo, Route};
use crate::story::issuing::Expiry;
use crate::story::script::Script;
use crate::world::country::CountryId;
use crate::world::party::Actor;
use rand::Rng;

/// Packs that have come as far as a story needs them, each out of its case.
#[derive(Debug)]
pub(crate) struct Stock {
    pub(crate) route: Route,
    pub(crate) lot: LotInfo,
    /// Who holds them.
    pub(crate) holder: Actor,
    pub(crate) packs: Vec<Item>,
}

/// How far a stock has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Still with the maker.
    Maker,
    /// With the route's wholesaler.
    Wholesaler,
    /// With the route's pharmacy, through its wholesaler.
    Pharmacy,
}

impl Script<'_> {
    /// Delivers an item as most deliveries go; one in ten has a late upload or a voided shipping.
    pub(crate) fn deliver(&mut self, item: &mut Item, from: &Actor, to: &Actor) {
        // What is still in a parent is taken out by its sender's shipping: that has to come first on the chain.
        let upload_late = item.parent.is_none();
        match self.rng.random_range(0..20) {
            0 if upload_late => self.deliver_uploaded_late(item, from, to),
            1 => self.deliver_after_void(item, from, to, to),
            _ => self.deliver_plainly(item, from, to),
        }
    }

    /// Ships; hours to days later the receiver receives.
    pub(crate) fn deliver_plainly(&mut self, item: &mut Item, from: &Actor, to: &Actor) {
        self.at_work(from.country);
        self.ship(item, from, to);
        self.wait_hours(5..50);
        self.at_work(to.country);
        self.receive(item, to);
    }

    /// The receiver's upload comes first; the sender's, of the earlier time, within a day of it.
    pub(crate) fn deliver_uploaded_late(&mut self, item: &mut Item, from: &Actor, to: &Actor) {
        self.at_work(from.country);
        let shipped_at = self.now;
        self.wait_hours(6..14);
        self.receive(item, to);
        // Between 7 and 19 hours after the shipping: within the day that honest systems need at most.
        self.wait_hours(1..5);
        let logs = vec![log::shipped(item.token(), from.address, to.address, shipped_at)];
        self.send(from, item.contract.chain, logs);
    }

    /// A shipping to `wrong` is voided, then the goods go to `to`.
    pub(crate) fn deliver_after_void(&mut self, item: &mut Item, from: &Actor, wrong: &Actor, to: &Actor) {
        self.at_work(from.country);
        self.ship(item, from, wrong);
        self.wait_hours(1..6);
        self.void_shipping(item, from);
        self.wait_hours(1..4);
        self.deliver_plainly(item, from, to);
    }

    /// Packs of a new lot of a product of one of `countries`, brought to a stage in one case and taken out of it.
    pub(crate) fn stock(&mut self, stage: Stage, count: u32, countries: &[CountryId]) -> Result<Stock> {
        self.stock_expiring(stage, count, countries, Expiry::Far)
    }

    /// As [`Script::stock`], with a chosen expiry.
    pub(crate) fn stock_expiring(
        &mut self,
        stage: Stage,
        count: u32,
        countries: &[CountryId],
        expiry: Expiry,
    ) -> Result<Stock> {
        let route = self.route(countries)?;
        let lot = self.lot(&route, "L", expiry)?;
        self.at_work(route.maker.country);
        let packs = self.commission(&route.maker, &lot, count)?;
        self.bring(route, lot, packs, stage)
    }

    /// Brings a maker's packs to a stage.
    pub(crate) fn bring(
        &mut self,
        route: Route,
        lot: LotInfo,
        packs: Vec<Item>,
        stage: Stage,
    ) -> Result<Stock> {
        let mut stock = Stock { route, lot, holder: route.maker, packs };
        let hops: &[Actor] = match stage {
            Stage::Maker => &[],
            Stage::Wholesaler => &[route.wholesaler],
            Stage::Pharmacy => &[route.wholesaler, route.pharmacy],
        };
        if hops.is_empty() {
            return Ok(stock);
        }
        let Some(mut case) = self.pack(&route.maker, stock.packs)? else {
            stock.packs = Vec::new();
            return Ok(stock);
        };
        for next in hops {
            self.wait_hours(2..20);
            self.deliver_plainly(&mut case, &stock.holder, next);
            stock.holder = *next;
        }
        self.wait_hours(1..3);
        stock.packs = self.unpack(case, &stock.holder);
        self.wait_hours(1..20);
        Ok(stock)
    }

    /// A pharmacy sells what is left of a stock, a pack at a time; some stays on the shelf.
    pub(crate) fn sell_off(&mut self, pharmacy: &Actor, mut packs: Vec<Item>) {
        for pack in &mut packs {
            if self.one_in(5) {
                continue;
            }
            self.wait_hours(2..30);
            self.at_work(pharmacy.country);
            self.dispense(std::slice::from_mut(pack), pharmacy);
        }
    }
}
