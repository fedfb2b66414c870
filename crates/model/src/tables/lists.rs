//! The lists of the registry: which columns of the table `registry` the rows of each have, and the view that shows them.

/// One list of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List {
    /// Its name: that of its file, and the value of the column `list`.
    pub name: &'static str,
    /// The name of its view.
    pub view: &'static str,
    /// What a row is.
    pub doc: &'static str,
    /// The columns that its rows have, beside those of every list.
    pub columns: &'static [&'static str],
}

const fn list(
    name: &'static str,
    view: &'static str,
    doc: &'static str,
    columns: &'static [&'static str],
) -> List {
    List { name, view, doc, columns }
}

/// The columns that rows of every list have.
pub const OF_EVERY_LIST: &[&str] =
    &["chain", "from_block", "to_block", "valid_from", "valid_to", "known_from", "updated_block"];

/// Who exists.
pub const PARTIES: List =
    list("parties", "registry_parties", "A legal person.", &["gln", "name", "country", "role", "tz"]);

/// Whose addresses are whose.
pub const WALLETS: List = list(
    "wallets",
    "registry_wallets",
    "A key that signs for a party.",
    &["on_chain", "address", "party", "status"],
);

/// Every list.
pub const LISTS: [List; 14] = [
    PARTIES,
    list(
        "sites",
        "registry_sites",
        "A place of a party.",
        &["gln", "party", "kind", "lat", "lon", "precision_km"],
    ),
    WALLETS,
    list(
        "licences",
        "registry_licences",
        "A licence of a party in one jurisdiction.",
        &["party", "kind", "jurisdiction", "status"],
    ),
    list(
        "delegations",
        "registry_delegations",
        "The owner of a product lets another mint its identities.",
        &["principal", "agent", "gtin", "lot_pattern", "site"],
    ),
    list(
        "agreements",
        "registry_agreements",
        "Two parties agreed that one acts for the other.",
        &["principal", "agent", "kind", "gtin"],
    ),
    list(
        "products",
        "registry_products",
        "A product.",
        &["gtin", "owner", "name", "level", "units", "markets"],
    ),
    list(
        "lots",
        "registry_lots",
        "A lot of a product.",
        &["gtin", "lot", "expiry", "quantity", "markets", "closed_at"],
    ),
    list(
        "recalls",
        "registry_recalls",
        "A recall.",
        &["id", "gtin", "lot", "serial_from", "serial_to", "market", "class", "effective_at", "resolved_at"],
    ),
    list("extensions", "registry_extensions", "A later expiry for a lot.", &["gtin", "lot", "expiry"]),
    list(
        "contracts",
        "registry_contracts",
        "How far a contract is believed about a product.",
        &["on_chain", "address", "tier", "gtin"],
    ),
    list(
        "announcements",
        "registry_announcements",
        "A migration or bridge that was announced.",
        &["kind", "on_chain", "address", "successor_chain", "successor"],
    ),
    list(
        "lanes",
        "registry_lanes",
        "How long goods take between two parties.",
        &["consignor", "consignee", "p99_secs"],
    ),
    list(
        "confirmations",
        "registry_confirmations",
        "A case that people confirmed.",
        &["item", "party", "finding"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Table;
    use std::collections::BTreeSet;

    #[test]
    fn every_column_of_the_registry_belongs_to_a_list() {
        let own: BTreeSet<&str> = LISTS.iter().flat_map(|list| list.columns).copied().collect();
        let general = ["list", "row_hash", "updated_log"];
        let known: BTreeSet<&str> = own.iter().chain(OF_EVERY_LIST).chain(&general).copied().collect();
        let stored: BTreeSet<&str> =
            Table::Registry.spec().columns.iter().map(|column| column.name).collect();
        assert_eq!(known, stored);
        assert!(LISTS.iter().all(|list| list.view == format!("registry_{}", list.name)));
    }
}
