//! What a careful person would say of each step: a second, plain reading of the rules, for this crate's tests only.
//!
//! It knows no episodes, severities or grace. It says of each step of a pack whether it could lawfully have happened.

use super::steps::{Step, Token};
use alloy_primitives::Address;
use model::gs1::{Gln, Gtin, Text};
use model::registry::{LicenceStatus, LicenceType, Registry, Role};
use std::collections::HashMap;

const DAY: i64 = 86_400;

/// A step that could not lawfully have happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Objection {
    pub(crate) item: String,
    pub(crate) tx: String,
    pub(crate) actor: Address,
    pub(crate) why: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Active,
    Transit { from: Address, to: Address },
    Dispensed,
    Inactive { by: Address, reason: u64, at: i64 },
    Destroyed,
}

#[derive(Debug, Clone)]
struct Good {
    key: String,
    /// Product, serial, lot and last day of a pack.
    print: Option<(Gtin, Text, Text, i32)>,
    holder: Address,
    status: Status,
    parent: Option<Token>,
    units_out: u64,
}

/// Received before anyone said it was shipped.
#[derive(Debug)]
struct Pending {
    from: Address,
    step: Step,
}

/// Reads steps and remembers goods.
pub(crate) struct Oracle<'a> {
    registry: &'a Registry,
    parties: HashMap<Address, (Gln, Role, &'a str)>,
    goods: HashMap<Token, Good>,
    by_key: HashMap<String, Token>,
    /// What each token was commissioned as, lawfully or not.
    names: HashMap<Token, String>,
    pending: HashMap<Token, Pending>,
    objections: Vec<Objection>,
}

type Verdict = Result<(), &'static str>;

fn must(fact: bool, else_: &'static str) -> Verdict {
    if fact { Ok(()) } else { Err(else_) }
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(registry: &'a Registry) -> Self {
        let of: HashMap<Gln, _> =
            registry.parties.iter().map(|p| (p.gln, (p.gln, p.role, p.country.as_str()))).collect();
        let parties = registry.wallets.iter().map(|wallet| (wallet.address, of[&wallet.party])).collect();
        let (goods, by_key, names, pending) =
            (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
        Self { registry, parties, goods, by_key, names, pending, objections: Vec::new() }
    }

    /// Says of all steps, in order of time, which could not have happened.
    pub(crate) fn judge(mut self, steps: &[Step]) -> Vec<Objection> {
        for step in steps {
            if step.name == "Commissioned" {
                self.names.insert(step.token, format!("01/{}/21/{}", step.texts[0], step.texts[1]));
            }
            if let Err(why) = self.take(step) {
                self.object(step, why);
            }
        }
        for (_, Pending { step, .. }) in std::mem::take(&mut self.pending) {
            self.object(&step, "received and never shipped");
        }
        self.objections
    }

    fn object(&mut self, step: &Step, why: &'static str) {
        let item = self.names.get(&step.token).cloned().unwrap_or_else(|| format!("{:?}", step.token));
        self.objections.push(Objection { item, tx: step.tx.clone(), actor: step.actor, why });
    }

    fn take(&mut self, step: &Step) -> Verdict {
        must(step.at <= step.block_time, "in the future")?;
        must(step.block_time - step.at < DAY, "uploaded more than a day late")?;
        match step.name {
            "Commissioned" => self.commissioned(step),
            "UnitCommissioned" => self.unit_commissioned(step),
            _ if !self.goods.contains_key(&step.token) => Err("never commissioned"),
            "Shipped" if self.pending.contains_key(&step.token) => self.explained(step),
            "Received" => self.received(step),
            "ShippingVoided" => self.voided(step),
            _ => self.by_holder(step),
        }
    }

    fn commissioned(&mut self, step: &Step) -> Verdict {
        let [gtin, serial, lot] = [0, 1, 2].map(|n| step.texts[n].as_str());
        let (gtin, serial, lot): (Gtin, Text, Text) =
            (gtin.parse().unwrap(), serial.parse().unwrap(), lot.parse().unwrap());
        let product =
            self.registry.products.iter().find(|product| product.gtin == gtin).ok_or("unknown product")?;
        let key = format!("01/{gtin}/21/{serial}");
        let reborn = match self.by_key.get(&key).map(|token| (token.1, self.goods[token].status)) {
            None => false,
            Some((_, Status::Inactive { reason: 10 | 11, .. })) => true,
            Some((_, Status::Inactive { .. } | Status::Destroyed)) => return Err("minted again"),
            Some(_) => return Err("cloned"),
        };
        let party = self.parties.get(&step.actor).map(|party| party.0);
        let delegated = self.registry.delegations.iter().any(|row| {
            let fits = row
                .lot_pattern
                .as_ref()
                .is_none_or(|text| lot.as_str().starts_with(text.trim_end_matches('*')));
            Some(row.agent) == party && row.gtin == Some(gtin) && fits && row.validity.holds_at(step.at)
        });
        must(reborn || party == Some(product.owner) || delegated, "no right to mint")?;
        let row =
            self.registry.lots.iter().find(|row| row.gtin == gtin && row.lot == lot).ok_or("unknown lot")?;
        must(row.expiry_day == last_day(step.number), "another expiry than the lot's")?;
        let print = Some((gtin, serial, lot, row.expiry_day));
        self.add(step, key, print);
        Ok(())
    }

    fn unit_commissioned(&mut self, step: &Step) -> Verdict {
        let key = format!("00/{}", step.texts[0]);
        must(!self.by_key.contains_key(&key), "cloned")?;
        self.add(step, key, None);
        Ok(())
    }

    fn add(&mut self, step: &Step, key: String, print: Option<(Gtin, Text, Text, i32)>) {
        self.by_key.insert(key.clone(), step.token);
        self.names.insert(step.token, key.clone());
        let good =
            Good { key, print, holder: step.actor, status: Status::Active, parent: None, units_out: 0 };
        self.goods.insert(step.token, good);
    }

    /// Who holds it: whoever holds what it is in. An error where that is under way.
    fn holder(&self, token: &Token) -> Result<Address, &'static str> {
        let good = &self.goods[token];
        match good.parent {
            None => Ok(good.holder),
            Some(parent) => {
                must(self.goods[&parent].status == Status::Active, "inside of what is not at rest")?;
                self.holder(&parent)
            }
        }
    }

    /// Is `actor` the holder, or one who acts for the holder?
    fn acts_for(&self, actor: Address, holder: Address) -> bool {
        let glns = [actor, holder].map(|address| self.parties.get(&address).map(|party| party.0));
        actor == holder
            || self.registry.agreements.iter().any(|row| [Some(row.agent), Some(row.principal)] == glns)
    }

    fn licensed(&self, actor: Address, at: i64) -> Verdict {
        let (gln, role, _) = self.parties.get(&actor).ok_or("unknown actor")?;
        let needed = match role {
            Role::Manufacturer | Role::ContractMaker => LicenceType::Manufacturing,
            Role::Repackager => LicenceType::Repackaging,
            Role::Wholesaler => LicenceType::Wholesale,
            Role::Logistics => LicenceType::Logistics,
            Role::Dispenser => LicenceType::Dispensing,
            Role::ReverseDistributor => LicenceType::Disposal,
            Role::Authority => return Err("an authority trades"),
        };
        let mut rows = self.registry.licences.iter().filter(|row| row.party == *gln && row.kind == needed);
        must(rows.any(|row| row.status == LicenceStatus::Active && row.validity.holds_at(at)), "no licence")
    }

    fn recalled(&self, good: &Good, step: &Step) -> bool {
        let Some((gtin, serial, lot, _)) = good.print else { return false };
        let country = self.parties.get(&step.actor).map(|party| party.2);
        self.registry.recalls.iter().any(|row| {
            row.gtin == gtin
                && row.lot.is_none_or(|of| of == lot)
                && row.serial_from.is_none_or(|from| from.as_str() <= serial.as_str())
                && row.serial_to.is_none_or(|to| serial.as_str() <= to.as_str())
                && row.market.as_ref().is_none_or(|market| Some(market.as_str()) == country)
                && row.effective_at_secs <= step.at
                && row.resolved_at_secs.is_none_or(|resolved| step.at < resolved)
        })
    }

    /// The last day of use, extensions honoured.
    fn last_day_of(&self, (gtin, _, lot, day): (Gtin, Text, Text, i32)) -> i32 {
        let rows = self.registry.extensions.iter().filter(|row| row.gtin == gtin && row.lot == lot);
        rows.map(|row| row.expiry_day).max().map_or(day, |extended| extended.max(day))
    }

    /// The upload of a shipping whose receipt is known already.
    fn explained(&mut self, step: &Step) -> Verdict {
        let Pending { from, step: receipt } = &self.pending[&step.token];
        must(step.actor == *from && step.to == receipt.actor, "explains another receipt")?;
        must(step.at < receipt.at && receipt.at - step.at < DAY, "not within a day of the receipt")?;
        must(step.block_time - receipt.block_time < DAY, "uploaded a day after the receipt")?;
        self.pending.remove(&step.token);
        Ok(())
    }

    fn received(&mut self, step: &Step) -> Verdict {
        self.licensed(step.actor, step.at)?;
        let good = &self.goods[&step.token];
        match good.status {
            Status::Transit { to, .. } => must(self.acts_for(step.actor, to), "not the receiver")?,
            Status::Active => {
                let from = self.holder(&step.token)?;
                must(good.parent.is_none(), "received out of a parent")?;
                self.pending.insert(step.token, Pending { from, step: step.clone() });
            }
            _ => return Err("received what is gone"),
        }
        let holder = match good.status {
            Status::Transit { to, .. } => to,
            _ => step.actor,
        };
        // An agent holds for its principal; what was shipped to itself, it holds itself.
        let good = self.goods.get_mut(&step.token).unwrap();
        (good.holder, good.status) = (holder, Status::Active);
        Ok(())
    }

    fn voided(&mut self, step: &Step) -> Verdict {
        let good = self.goods.get_mut(&step.token).unwrap();
        match good.status {
            Status::Transit { from, .. } if from == step.actor => good.status = Status::Active,
            _ => return Err("voided what was not shipped"),
        }
        Ok(())
    }

    fn by_holder(&mut self, step: &Step) -> Verdict {
        let good = self.goods[&step.token].clone();
        must(good.status != Status::Destroyed, "after it was destroyed")?;
        must(!self.pending.contains_key(&step.token), "before its receipt is explained")?;
        let holder = self.holder(&step.token)?;
        must(self.acts_for(step.actor, holder), "not the holder")?;
        self.licensed(step.actor, step.at)?;
        must(!matches!(good.status, Status::Transit { .. }), "while it is under way")?;
        let (inactive, sold) =
            (matches!(good.status, Status::Inactive { .. }), good.status == Status::Dispensed);
        let withdrawn = matches!(step.name, "Reactivated" | "Destroyed");
        must(!inactive || withdrawn, "after it was withdrawn")?;
        must(!sold, "after it was dispensed")?;
        let retiring = matches!(step.name, "Returned" | "Destroyed" | "Quarantined" | "Decommissioned");
        must(retiring || !self.recalled(&good, step), "although recalled")?;
        let moves = matches!(step.name, "Shipped" | "Dispensed" | "PartlyDispensed");
        let stale = good
            .print
            .is_some_and(|print| step.at >= (i64::from(self.last_day_of(print)) + 1) * DAY + 12 * 3_600);
        must(!(moves && stale), "although expired")?;
        self.apply(step, good, holder)
    }

    fn apply(&mut self, step: &Step, good: Good, holder: Address) -> Verdict {
        let dispenser = self.parties.get(&step.actor).is_some_and(|party| party.1 == Role::Dispenser);
        let mut next = Good { parent: None, holder, ..good.clone() };
        match step.name {
            "Shipped" | "Returned" => {
                must(self.parties.contains_key(&step.to), "to nobody known")?;
                next.status = Status::Transit { from: step.actor, to: step.to };
            }
            "Packed" => {
                must(good.parent.is_none() && self.holder(&step.parent)? == holder, "packed elsewhere")?;
                next.parent = Some(step.parent);
            }
            "Unpacked" => must(good.parent == Some(step.parent), "unpacked from where it was not")?,
            "Dispensed" => {
                must(dispenser, "dispensed by no pharmacy")?;
                next.status = Status::Dispensed;
            }
            "PartlyDispensed" => {
                next.units_out += step.number;
                let gtin = good.print.ok_or("units of no pack")?.0;
                let units = self.registry.products.iter().find(|product| product.gtin == gtin).unwrap().units;
                must(dispenser && next.units_out <= units.into(), "more units than there are")?;
            }
            "Decommissioned" => {
                next.status = Status::Inactive { by: step.actor, reason: step.number, at: step.at }
            }
            "Reactivated" => match good.status {
                Status::Inactive { by, at, .. } if by == step.actor && step.at - at <= 10 * DAY => {
                    next.status = Status::Active;
                }
                _ => return Err("reactivated what was not withdrawn"),
            },
            "Destroyed" => next.status = Status::Destroyed,
            _ => next = good,
        }
        self.goods.insert(step.token, next);
        Ok(())
    }
}

/// The last day, since 1970, of an expiry as YYYYMMDD, whose day 00 is the month's end.
fn last_day(expiry: u64) -> i32 {
    let (year, month, day) = ((expiry / 10_000) as i64, (expiry / 100 % 100) as i64, (expiry % 100) as i64);
    let days = |year: i64, month: i64, day: i64| {
        // Days from civil, Howard Hinnant.
        let year = if month <= 2 { year - 1 } else { year };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    };
    let number =
        if day == 0 { days(year + month / 12, month % 12 + 1, 1) - 1 } else { days(year, month, day) };
    i32::try_from(number).unwrap()
}
