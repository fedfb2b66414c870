//! The rows of each file. Every cell is read before the row is made, so that all faults of a row are told at once.

use super::cells::{
    Reason, address, chain, country, expiry_day, gln, gs1_text, gtin, hours_as_secs, item, jurisdiction,
    latitude, longitude, lot_pattern, precision_km, quantity, time, time_zone, units, word, words,
};
use super::table::Row;
use model::registry::{
    Agreement, Announcement, Confirmation, ContractAuthority, Delegation, Extension, Lane, Licence, Lot,
    Party, Product, Recall, Site, Validity, Wallet,
};

/// `valid_from`, `valid_to`, `known_from`.
fn validity(row: &mut Row<'_>) -> Option<Validity> {
    let from = row.optional("valid_from", time);
    let to = row.optional("valid_to", time);
    let known_from = row.optional("known_from", time);
    let (from_secs, to_secs) = (from?.unwrap_or(i64::MIN), to?.unwrap_or(i64::MAX));
    if from_secs >= to_secs {
        let help = "write a time after valid_from, or leave it open";
        row.fault("valid_to", Reason::new("it ends before it begins", help));
        return None;
    }
    Some(Validity { from_secs, to_secs, known_from_secs: known_from?.unwrap_or(i64::MIN) })
}

pub(super) fn party(row: &mut Row<'_>) -> Option<Party> {
    let (gln, name) = (row.required("gln", gln), row.required("name", words));
    let (country, role) = (row.required("country", country), row.required("role", word));
    let (tz, validity) = (row.required("tz", time_zone), validity(row));
    Some(Party { gln: gln?, name: name?, country: country?, role: role?, tz: tz?, validity: validity? })
}

pub(super) fn site(row: &mut Row<'_>) -> Option<Site> {
    let (place, party, kind) =
        (row.required("gln", gln), row.required("party", gln), row.required("kind", words));
    let (lat, lon) = (row.optional("lat", latitude), row.optional("lon", longitude));
    let (precision_km, validity) = (row.optional("precision_km", precision_km), validity(row));
    let (lat, lon) = (lat?, lon?);
    if lat.is_some() != lon.is_some() {
        row.fault("lon", Reason::new("one coordinate without the other", "fill in lat and lon, or neither"));
        return None;
    }
    let precision_km = precision_km?;
    Some(Site { gln: place?, party: party?, kind: kind?, lat, lon, precision_km, validity: validity? })
}

pub(super) fn wallet(row: &mut Row<'_>) -> Option<Wallet> {
    let (chain, address) = (row.optional("chain", chain), row.required("address", address));
    let (party, status, validity) = (row.required("party", gln), row.required("status", word), validity(row));
    Some(Wallet { chain: chain?, address: address?, party: party?, status: status?, validity: validity? })
}

pub(super) fn licence(row: &mut Row<'_>) -> Option<Licence> {
    let (party, kind) = (row.required("party", gln), row.required("type", word));
    let (jurisdiction, status) = (row.required("jurisdiction", jurisdiction), row.required("status", word));
    let validity = validity(row);
    let (jurisdiction, status) = (jurisdiction?, status?);
    Some(Licence { party: party?, kind: kind?, jurisdiction, status, validity: validity? })
}

pub(super) fn delegation(row: &mut Row<'_>) -> Option<Delegation> {
    let (principal, agent) = (row.required("principal", gln), row.required("agent", gln));
    let (gtin, lot_pattern) = (row.optional("gtin", gtin), row.optional("lot_pattern", lot_pattern));
    let (site, validity) = (row.optional("site", gln), validity(row));
    let (principal, agent, gtin) = (principal?, agent?, gtin?);
    Some(Delegation { principal, agent, gtin, lot_pattern: lot_pattern?, site: site?, validity: validity? })
}

pub(super) fn agreement(row: &mut Row<'_>) -> Option<Agreement> {
    let (principal, agent) = (row.required("principal", gln), row.required("agent", gln));
    let (kind, scope, validity) = (row.required("kind", word), row.optional("scope", gtin), validity(row));
    Some(Agreement { principal: principal?, agent: agent?, kind: kind?, scope: scope?, validity: validity? })
}

pub(super) fn product(row: &mut Row<'_>) -> Option<Product> {
    let (gtin, owner, name) =
        (row.required("gtin", gtin), row.required("owner", gln), row.required("name", words));
    let (level, units) = (row.required("level", word), row.required("units", units));
    let (markets, validity) = (row.list("markets", country), validity(row));
    let (gtin, owner, name, level) = (gtin?, owner?, name?, level?);
    Some(Product { gtin, owner, name, level, units: units?, markets: markets?, validity: validity? })
}

pub(super) fn lot(row: &mut Row<'_>) -> Option<Lot> {
    let (gtin, lot) = (row.required("gtin", gtin), row.required("lot", gs1_text));
    let (expiry_day, quantity) = (row.required("expiry", expiry_day), row.optional("quantity", quantity));
    let (markets, closed_at_secs) = (row.list("markets", country), row.optional("closed_at", time));
    let validity = validity(row);
    let (gtin, lot, expiry_day, quantity) = (gtin?, lot?, expiry_day?, quantity?);
    let (markets, closed_at_secs) = (markets?, closed_at_secs?);
    Some(Lot { gtin, lot, expiry_day, quantity, markets, closed_at_secs, validity: validity? })
}

pub(super) fn recall(row: &mut Row<'_>) -> Option<Recall> {
    let (id, gtin, lot) =
        (row.required("id", words), row.required("gtin", gtin), row.optional("lot", gs1_text));
    let (from, to) = (row.optional("serial_from", gs1_text), row.optional("serial_to", gs1_text));
    let (market, class) = (row.optional("market", country), row.required("class", words));
    let (effective_at, resolved_at) = (row.required("effective_at", time), row.optional("resolved_at", time));
    let validity = validity(row);
    let recall = Recall {
        id: id?,
        gtin: gtin?,
        lot: lot?,
        serial_from: from?,
        serial_to: to?,
        market: market?,
        class: class?,
        effective_at_secs: effective_at?,
        resolved_at_secs: resolved_at?,
        validity: validity?,
    };
    if let (Some(from), Some(to)) = (recall.serial_from, recall.serial_to)
        && from > to
    {
        let problem = format!("'{to}' comes before serial_from '{from}' in byte order");
        row.fault("serial_to", Reason::new(problem, "exchange them, or leave one open"));
        return None;
    }
    if recall.resolved_at_secs.is_some_and(|resolved| resolved < recall.effective_at_secs) {
        row.fault("resolved_at", Reason::new("it comes before effective_at", "correct one of them"));
        return None;
    }
    Some(recall)
}

pub(super) fn extension(row: &mut Row<'_>) -> Option<Extension> {
    let (gtin, lot) = (row.required("gtin", gtin), row.required("lot", gs1_text));
    let (expiry_day, validity) = (row.required("expiry", expiry_day), validity(row));
    Some(Extension { gtin: gtin?, lot: lot?, expiry_day: expiry_day?, validity: validity? })
}

pub(super) fn contract(row: &mut Row<'_>) -> Option<ContractAuthority> {
    let (chain, address) = (row.required("chain", chain), row.required("address", address));
    let (tier, gtin, validity) = (row.required("tier", word), row.optional("gtin", gtin), validity(row));
    Some(ContractAuthority {
        chain: chain?,
        address: address?,
        tier: tier?,
        gtin: gtin?,
        validity: validity?,
    })
}

pub(super) fn announcement(row: &mut Row<'_>) -> Option<Announcement> {
    let kind = row.required("kind", word);
    let (from_chain, contract) = (row.required("chain", chain), row.required("contract", address));
    let (successor_chain, successor) =
        (row.required("successor_chain", chain), row.required("successor", address));
    let validity = validity(row);
    let (kind, chain, contract) = (kind?, from_chain?, contract?);
    let (successor_chain, successor) = (successor_chain?, successor?);
    if (chain, contract) == (successor_chain, successor) {
        row.fault(
            "successor",
            Reason::new("a contract cannot succeed itself", "write the contract that tokens go to"),
        );
        return None;
    }
    Some(Announcement { kind, chain, contract, successor_chain, successor, validity: validity? })
}

pub(super) fn lane(row: &mut Row<'_>) -> Option<Lane> {
    let (from, to) = (row.optional("from", gln), row.optional("to", gln));
    let (p99_secs, validity) = (row.required("p99_hours", hours_as_secs), validity(row));
    Some(Lane { from: from?, to: to?, p99_secs: p99_secs?, validity: validity? })
}

pub(super) fn confirmation(row: &mut Row<'_>) -> Option<Confirmation> {
    let (item, party) = (row.required("item", item), row.optional("party", gln));
    let (finding, validity) = (row.required("finding", words), validity(row));
    Some(Confirmation { item: item?, party: party?, finding: finding?, validity: validity? })
}
