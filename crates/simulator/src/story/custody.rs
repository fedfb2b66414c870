//! Steps that move custody or change state, as the contract logs them for honest and lawful calls.

use crate::contract::gs1_pack as log;
use crate::story::goods::Item;
use crate::story::script::Script;
use crate::world::party::Actor;
use alloy_primitives::{Address, Log};
use model::event::Reason;
use model::registry::Role;
use rand::Rng;

impl Script<'_> {
    /// Ships an item from where it is to `to`. `by` holds it, or is the holder's agent.
    pub(crate) fn ship(&mut self, item: &mut Item, by: &Actor, to: &Actor) {
        let mut logs = self.taken_out(item, by);
        logs.push(log::shipped(item.token(), by.address, to.address, self.now));
        self.send(by, item.contract.chain, logs);
    }

    /// Takes over a shipped item: its token changes owner, unless the receiver only holds it for another.
    pub(crate) fn receive(&mut self, item: &mut Item, by: &Actor) {
        let owner = if by.role == Role::Logistics { item.owner } else { by.address };
        self.receive_for(item, by, owner);
    }

    /// `by` takes over a shipped item whose token goes to `owner`.
    pub(crate) fn receive_for(&mut self, item: &mut Item, by: &Actor, owner: Address) {
        let mut logs = Vec::with_capacity(2);
        own(item, owner, &mut logs);
        let place = self.receiving_place(by);
        logs.push(log::received(item.token(), by.address, self.now, &place));
        self.send(by, item.contract.chain, logs);
    }

    /// Sends an item back.
    pub(crate) fn send_back(&mut self, item: &mut Item, by: &Actor, to: &Actor) {
        let mut logs = self.taken_out(item, by);
        logs.push(log::returned(item.token(), by.address, to.address, self.now));
        self.send(by, item.contract.chain, logs);
    }

    /// Declares that a shipping did not happen.
    pub(crate) fn void_shipping(&mut self, item: &Item, by: &Actor) {
        self.send(by, item.contract.chain, vec![log::shipping_voided(item.token(), by.address, self.now)]);
    }

    /// Takes everything out of a parent, one transaction for each upload.
    pub(crate) fn unpack(&mut self, parent: Item, by: &Actor) -> Vec<Item> {
        let mut inside = parent.inside;
        let size = self.world.scale.packs_per_upload as usize;
        for part in inside.chunks_mut(size) {
            let mut logs = Vec::with_capacity(part.len() * 2);
            for child in part.iter_mut() {
                if by.role != Role::Logistics {
                    own(child, by.address, &mut logs);
                }
                logs.push(log::unpacked(child.token(), parent.id, by.address, self.now));
                child.parent = None;
            }
            self.send(by, parent.contract.chain, logs);
        }
        inside
    }

    /// Supplies packs in full to patients, in one upload.
    pub(crate) fn dispense(&mut self, packs: &mut [Item], by: &Actor) {
        let mut logs = Vec::with_capacity(packs.len() * 2);
        for pack in packs.iter_mut() {
            logs.extend(self.taken_out(pack, by));
            logs.push(log::dispensed(pack.token(), by.address, self.now, &by.site.to_string()));
        }
        let chain = packs.first().map_or(0, |pack| pack.contract.chain);
        self.send(by, chain, logs);
    }

    /// Supplies some units of a pack.
    pub(crate) fn dispense_units(&mut self, pack: &mut Item, by: &Actor, units: u32) {
        let mut logs = self.taken_out(pack, by);
        logs.push(log::partly_dispensed(pack.token(), by.address, units, self.now));
        self.send(by, pack.contract.chain, logs);
    }

    /// Withdraws a pack from use.
    pub(crate) fn decommission(&mut self, pack: &mut Item, by: &Actor, reason: Reason) {
        let mut logs = self.taken_out(pack, by);
        logs.push(log::decommissioned(pack.token(), by.address, reason, self.now));
        self.send(by, pack.contract.chain, logs);
    }

    /// Undoes a decommissioning.
    pub(crate) fn reactivate(&mut self, pack: &Item, by: &Actor) {
        self.send(by, pack.contract.chain, vec![log::reactivated(pack.token(), by.address, self.now)]);
    }

    /// Destroys an item and burns its token.
    pub(crate) fn destroy(&mut self, item: &mut Item, by: &Actor) {
        let mut logs = self.taken_out(item, by);
        let step = log::destroyed(item.token(), by.address, self.now);
        let burn = log::transfer(item.token(), item.owner, Address::ZERO);
        // Contracts do it either way round.
        if self.one_in(2) {
            logs.extend([burn, step]);
        } else {
            logs.extend([step, burn]);
        }
        item.owner = Address::ZERO;
        self.send(by, item.contract.chain, logs);
    }

    /// Holds an item back.
    pub(crate) fn quarantine(&mut self, item: &Item, by: &Actor) {
        self.send(by, item.contract.chain, vec![log::quarantined(item.token(), by.address, self.now)]);
    }

    /// Looks at an item: verifies it.
    pub(crate) fn inspect(&mut self, item: &Item, by: &Actor) {
        self.send(by, item.contract.chain, vec![log::inspected(item.token(), by.address, self.now)]);
    }

    /// What the contract logs first when an item that is still in a parent is handled alone by the parent's holder:
    /// its token follows the parent's. There is no `Unpacked`: that is what makes the unpacking implicit.
    fn taken_out(&mut self, item: &mut Item, by: &Actor) -> Vec<Log> {
        let mut logs = Vec::with_capacity(2);
        if item.parent.take().is_some() && by.role != Role::Logistics {
            own(item, by.address, &mut logs);
        }
        logs
    }

    /// Most name the place of the goods, some their head office, some nothing.
    fn receiving_place(&mut self, by: &Actor) -> String {
        match self.rng.random_range(0..10) {
            0 => by.gln.to_string(),
            1 => String::new(),
            _ => by.site.to_string(),
        }
    }
}

/// Logs that an item's token goes to `to`, where it is not there already.
pub(crate) fn own(item: &mut Item, to: Address, logs: &mut Vec<Log>) {
    if item.owner != to {
        logs.push(log::transfer(item.token(), item.owner, to));
        item.owner = to;
    }
}
