//! The files of the named questions, in the order of names; they are part of the binary.

/// Each name with its file. A test holds the list against the folder.
pub(super) const FILES: &[(&str, &str)] = &[
    ("alert-rates", include_str!("../../queries/alert-rates.sql")),
    ("compromised-keys", include_str!("../../queries/compromised-keys.sql")),
    ("contract-activity", include_str!("../../queries/contract-activity.sql")),
    ("contradicting-stories", include_str!("../../queries/contradicting-stories.sql")),
    ("copied-identities", include_str!("../../queries/copied-identities.sql")),
    ("data-quality", include_str!("../../queries/data-quality.sql")),
    ("dead-letters", include_str!("../../queries/dead-letters.sql")),
    ("double-dispense", include_str!("../../queries/double-dispense.sql")),
    ("expired-stock", include_str!("../../queries/expired-stock.sql")),
    ("impostor-contracts", include_str!("../../queries/impostor-contracts.sql")),
    ("late-declarations", include_str!("../../queries/late-declarations.sql")),
    ("minter-history", include_str!("../../queries/minter-history.sql")),
    ("open-cases", include_str!("../../queries/open-cases.sql")),
    ("over-production", include_str!("../../queries/over-production.sql")),
    ("overdue-in-transit", include_str!("../../queries/overdue-in-transit.sql")),
    ("recall-breaches", include_str!("../../queries/recall-breaches.sql")),
    ("recall-reach", include_str!("../../queries/recall-reach.sql")),
    ("routes-between", include_str!("../../queries/routes-between.sql")),
    ("stock-of-party", include_str!("../../queries/stock-of-party.sql")),
    ("travelled-with", include_str!("../../queries/travelled-with.sql")),
    ("unknown-actors", include_str!("../../queries/unknown-actors.sql")),
    ("unlicensed-activity", include_str!("../../queries/unlicensed-activity.sql")),
];
