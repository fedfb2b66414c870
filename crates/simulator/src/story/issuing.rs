//! Steps that issue something: lots, packs, cases and pallets, newcomers, routes.

use crate::contract::gs1_pack::{self as log, Token};
use crate::error::Result;
use crate::issue;
use crate::keys::KeyName;
use crate::story::goods::{Item, LotInfo, Print, Route};
use crate::story::script::Script;
use crate::world::country::CountryId;
use crate::world::party::{Actor, Applicant, enrol};
use crate::world::{DAY_SECS, STORY_COMPANIES};
use alloy_primitives::{Address, Log, U256};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use model::gs1::Text;
use model::item::ItemKey;
use model::registry::{Lot, Role, Validity};
use rand::Rng;

/// When a lot's packs may last be used.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expiry {
    /// In one to three years, as most.
    Far,
    /// On the day that is so many days after now.
    InDays(i64),
}

/// The day of a time, in UTC.
pub(crate) fn day_of(secs: i64) -> Date {
    let zoned = Timestamp::from_second(secs).unwrap_or_default().to_zoned(TimeZone::UTC);
    zoned.date()
}

/// A day's number since 1970-01-01.
pub(crate) fn day_number(date: Date) -> i32 {
    let secs = date.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second());
    i32::try_from(secs.div_euclid(DAY_SECS)).unwrap_or(i32::MAX)
}

fn yyyymmdd(date: Date) -> u32 {
    u32::try_from(i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day()))
        .unwrap_or(0)
}

impl Script<'_> {
    /// A product of one of the countries and the parties that bring it to a market of its.
    pub(crate) fn route(&mut self, countries: &[CountryId]) -> Result<Route> {
        let world = self.world;
        let fitting: Vec<usize> =
            (0..world.products.len()).filter(|n| countries.contains(&world.products[*n].country)).collect();
        let product = fitting[self.rng.random_range(0..fitting.len())];
        let markets = &world.products[product].markets;
        let market = markets[self.rng.random_range(0..markets.len())];
        self.route_of(product, market)
    }

    /// The parties that bring a product to a market.
    pub(crate) fn route_of(&mut self, product: usize, market: CountryId) -> Result<Route> {
        let world = self.world;
        let first: usize = self.rng.random_range(0..1_000);
        Ok(Route {
            product,
            maker: world.products[product].owner,
            market,
            wholesaler: world.actor(Role::Wholesaler, market, first)?,
            second_wholesaler: world.actor(Role::Wholesaler, market, first + 1)?,
            pharmacy: world.actor(Role::Dispenser, market, first)?,
            second_pharmacy: world.actor(Role::Dispenser, market, first + 1)?,
            disposer: world.actor(Role::ReverseDistributor, market, first)?,
        })
    }

    /// Registers a lot of the route's product for its market.
    pub(crate) fn lot(&mut self, route: &Route, prefix: &str, expiry: Expiry) -> Result<LotInfo> {
        let product = &self.world.products[route.product];
        let day = match expiry {
            Expiry::Far => {
                day_of(self.now).saturating_add(self.rng.random_range(12..36).months()).last_of_month()
            }
            Expiry::InDays(days) => day_of(self.now + days * DAY_SECS),
        };
        self.issued.lots += 1;
        let code = issue::lot(prefix, u64::from(self.story) * 64 + self.issued.lots)?;
        // A far expiry is printed as a month on every other lot.
        let whole_month = matches!(expiry, Expiry::Far) && self.one_in(2);
        let written = yyyymmdd(day) - if whole_month { u32::from(day.day().unsigned_abs()) } else { 0 };
        self.rows.lots.push(Lot {
            gtin: product.gtin,
            lot: code,
            expiry_day: day_number(day),
            quantity: Some(0),
            markets: vec![crate::world::country::COUNTRIES[route.market].code.to_owned()],
            closed_at_secs: None,
            validity: Validity::ALWAYS,
        });
        Ok(LotInfo { gtin: product.gtin, code, expiry: written, contract: product.contract })
    }

    /// Makes `count` packs of a lot and commissions them, an upload at a time.
    pub(crate) fn commission(&mut self, maker: &Actor, lot: &LotInfo, count: u32) -> Result<Vec<Item>> {
        let mut packs = Vec::with_capacity(count as usize);
        let mut left = count;
        while left > 0 {
            let upload = left.min(self.world.scale.packs_per_upload);
            let mut logs = Vec::with_capacity(upload as usize * 2);
            for _ in 0..upload {
                let print = self.print(lot)?;
                packs.push(self.mint(maker.address, lot, print, &mut logs));
            }
            self.send(maker, lot.contract.chain, logs);
            left -= upload;
        }
        self.declare(lot, count);
        Ok(packs)
    }

    /// Adds to a lot's declared quantity.
    pub(crate) fn declare(&mut self, lot: &LotInfo, packs: u32) {
        let row = self.rows.lots.iter_mut().find(|row| row.gtin == lot.gtin && row.lot == lot.code);
        if let Some(quantity) = row.and_then(|row| row.quantity.as_mut()) {
            *quantity += u64::from(packs);
        }
    }

    /// A new serial for a pack of a lot.
    pub(crate) fn print(&mut self, lot: &LotInfo) -> Result<Print> {
        self.issued.tokens += 1;
        let count = u64::from(self.story) << 24 | self.issued.tokens;
        let serial = issue::serial(self.world.seed, count)?;
        Ok(Print { gtin: lot.gtin, serial, lot: lot.code, expiry: lot.expiry })
    }

    /// The logs of minting a pack with a print, and the pack.
    pub(crate) fn mint(&mut self, maker: Address, lot: &LotInfo, print: Print, logs: &mut Vec<Log>) -> Item {
        let id = self.new_id();
        let token = Token { contract: lot.contract.address, id };
        logs.push(log::transfer(token, Address::ZERO, maker));
        logs.push(print.told(|name| log::commissioned(token, maker, name, self.now)));
        Item {
            contract: lot.contract,
            id,
            owner: maker,
            key: print.key(),
            print: Some(print),
            parent: None,
            inside: Vec::new(),
        }
    }

    /// Gives a new case or pallet its SSCC and packs `inside` into it, in one transaction for each upload.
    pub(crate) fn pack(&mut self, by: &Actor, inside: Vec<Item>) -> Result<Option<Item>> {
        let Some(contract) = inside.first().map(|item| item.contract) else { return Ok(None) };
        self.issued.units += 1;
        let sscc = by.prefix.sscc(u64::from(self.story % 100_000) * 10_000 + self.issued.units % 10_000)?;
        let mut unit = Item {
            contract,
            id: self.new_id(),
            owner: by.address,
            key: ItemKey::Sscc(sscc),
            print: None,
            parent: None,
            inside,
        };
        let token = unit.token();
        let mut logs = vec![
            log::transfer(token, Address::ZERO, by.address),
            log::unit_commissioned(token, by.address, &sscc.to_string(), self.now),
        ];
        for child in &mut unit.inside {
            logs.push(log::packed(child.token(), unit.id, by.address, self.now));
            child.parent = Some(unit.id);
        }
        self.send(by, contract.chain, logs);
        Ok(Some(unit))
    }

    /// Packs all of `packs` into cases and, where there are several, the cases onto a pallet: what is then shipped.
    pub(crate) fn palletise(&mut self, by: &Actor, packs: Vec<Item>) -> Result<Vec<Item>> {
        let size = self.world.scale.packs_per_case as usize;
        let mut cases = Vec::new();
        let mut rest = packs.into_iter().peekable();
        while rest.peek().is_some() {
            cases.extend(self.pack(by, rest.by_ref().take(size).collect())?);
        }
        if cases.len() < 2 {
            return Ok(cases);
        }
        Ok(self.pack(by, cases)?.into_iter().collect())
    }

    /// Someone new, who appears in this story only, entered in the registry for an interval.
    pub(crate) fn newcomer(&mut self, role: Role, country: CountryId, validity: Validity) -> Result<Actor> {
        self.issued.people += 1;
        let applicant = Applicant {
            key: KeyName::Story(self.story, self.issued.people),
            company: STORY_COMPANIES + (self.story * 8 + self.issued.people) % 49_000,
            name: format!("Newcomer {}-{}", self.story, self.issued.people),
            role,
            country,
            multisig: false,
            validity,
        };
        enrol(self.world.seed, &applicant, &mut self.rows)
    }

    /// A token id of this story.
    pub(crate) fn new_id(&mut self) -> U256 {
        self.issued.tokens += 1;
        U256::from(u64::from(self.story) << 24 | self.issued.tokens)
    }

    /// A text that fits a lot or serial field and no product's.
    pub(crate) fn odd_text(&mut self, prefix: &str) -> Result<Text> {
        self.issued.lots += 1;
        issue::lot(prefix, u64::from(self.story) * 64 + self.issued.lots)
    }
}
