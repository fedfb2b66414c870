//! The columns of every table, each with its type, unit and meaning.

use super::Column;
use arrow_schema::{DataType, TimeUnit};

fn req(name: &'static str, data_type: DataType, doc: &'static str) -> Column {
    Column { name, data_type, nullable: false, doc }
}

fn opt(name: &'static str, data_type: DataType, doc: &'static str) -> Column {
    Column { name, data_type, nullable: true, doc }
}

fn hash() -> DataType {
    DataType::FixedSizeBinary(32)
}

fn address() -> DataType {
    DataType::FixedSizeBinary(20)
}

fn text() -> DataType {
    DataType::Utf8
}

/// Unix time in UTC, to the second.
pub fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Second, Some("UTC".into()))
}

/// Amounts: up to 38 digits; the raw 32 bytes stand beside those that are larger.
pub fn amount() -> DataType {
    DataType::Decimal128(38, 0)
}

fn chain() -> Column {
    req("chain", DataType::UInt64, "EIP-155 chain id")
}

fn updated(mut columns: Vec<Column>) -> Vec<Column> {
    columns.push(req("updated_block", DataType::UInt64, "block of the event that last changed the row"));
    columns.push(req("updated_log", DataType::UInt32, "log index of that event"));
    columns
}

pub(super) fn blocks() -> Vec<Column> {
    vec![
        chain(),
        req("number", DataType::UInt64, "height"),
        req("hash", hash(), "Keccak-256 of the header, computed"),
        req("parent_hash", hash(), "hash of the block below"),
        req("time", time(), "header timestamp"),
        req("log_count", DataType::UInt32, "logs of the filter in the block"),
    ]
}

pub(super) fn logs() -> Vec<Column> {
    vec![
        chain(),
        req("block_number", DataType::UInt64, "height"),
        req("log_index", DataType::UInt32, "index within the block"),
        req("tx_index", DataType::UInt32, "index of the transaction within the block"),
        req("tx_hash", hash(), "hash of the transaction"),
        req("contract", address(), "the contract that logged"),
        opt("topic0", hash(), "first topic"),
        opt("topic1", hash(), "second topic"),
        opt("topic2", hash(), "third topic"),
        opt("topic3", hash(), "fourth topic"),
        req("data", DataType::Binary, "ABI-encoded data"),
        opt("sender", address(), "sender of the transaction, where carried"),
    ]
}

pub(super) fn events() -> Vec<Column> {
    vec![
        chain(),
        req("block_number", DataType::UInt64, "height"),
        req("log_index", DataType::UInt32, "index of the log within the block"),
        req("sub_index", DataType::UInt32, "index within the log, for batches"),
        req("block_time", time(), "header timestamp"),
        opt("event_time", time(), "declared time, where the log carries one"),
        req("tx_hash", hash(), "hash of the transaction"),
        req("contract", address(), "the contract that logged"),
        req("token_contract", address(), "the contract whose tokens it speaks of"),
        opt("token_id", hash(), "the token, 32 bytes big-endian"),
        opt("range_end", hash(), "last token of a range, inclusive"),
        req("kind", text(), "what it does: a CBV business step or a fact"),
        opt("item", text(), "key of the item: Digital Link path, or CAIP-19 of an unnamed token"),
        opt("gtin", text(), "GTIN-14 of the item"),
        opt("lot", text(), "lot of the item, as known after the event"),
        req(
            "branch",
            DataType::UInt32,
            "branch of the item's story that it belongs to; 0 is the one with provenance",
        ),
        req("legal", DataType::Boolean, "does it fit the story so far?"),
        req("authority", text(), "tier of the contract at that time: authoritative, recognised, unknown"),
        opt("from_address", address(), "the one it leaves"),
        opt("to_address", address(), "the one it goes to"),
        opt("actor", address(), "the one who does it"),
        opt("actor_source", text(), "where the actor was read from: log, sender, owner"),
        opt("sender", address(), "sender of the transaction, where carried"),
        opt("parent", text(), "key of the parent, for packing and unpacking"),
        opt("quantity", amount(), "units; null when above 38 digits"),
        opt("quantity_raw", hash(), "units as 32 bytes, when above 38 digits"),
        opt("place", text(), "GLN of the place"),
        opt("reason", text(), "why, for decommissioning"),
        opt("detail", text(), "what else the profile names"),
    ]
}

pub(super) fn dead_letters() -> Vec<Column> {
    vec![
        chain(),
        req("block_number", DataType::UInt64, "height"),
        req("log_index", DataType::UInt32, "index of the log within the block"),
        req("sub_index", DataType::UInt32, "index within the log, for batches"),
        req("tx_hash", hash(), "hash of the transaction"),
        req("contract", address(), "the contract that logged"),
        opt("topic0", hash(), "first topic"),
        req("reason", text(), "reason code"),
        req("detail", text(), "which field, what came"),
    ]
}

pub(super) fn items() -> Vec<Column> {
    updated(vec![
        chain(),
        req("item", text(), "key: Digital Link path, or CAIP-19 of an unnamed token"),
        opt("gtin", text(), "GTIN-14"),
        opt("serial", text(), "serial"),
        opt("lot", text(), "lot"),
        opt("expiry", DataType::Date32, "last day of use"),
        req("state", text(), "state of the branch with provenance"),
        opt("possessor", address(), "who has it"),
        opt("owner", address(), "who owns its token on the chain"),
        opt("consignee", address(), "whom it is on the way to"),
        opt("parent", text(), "key of the item that it is inside of"),
        opt("maker", address(), "who commissioned it"),
        req("branches", DataType::UInt32, "stories told of it; more than one is a contradiction"),
        opt("commissioned_at", time(), "when it was commissioned, declared or block time"),
        req("steps", DataType::UInt32, "steps so far, all branches"),
    ])
}

pub(super) fn tokens() -> Vec<Column> {
    updated(vec![
        chain(),
        req("contract", address(), "the contract"),
        req("token_id", hash(), "the token, 32 bytes big-endian"),
        req("standard", text(), "erc721 or erc1155"),
        opt("item", text(), "key of the item that it stands for"),
        opt("owner", address(), "owner on the chain; null once burnt, and where it is held in quantities"),
        opt("minted_block", DataType::UInt64, "block of the mint, where seen"),
        opt("burnt_block", DataType::UInt64, "block of the burn, in quantities of the last unit"),
    ])
}

fn interval(mut columns: Vec<Column>) -> Vec<Column> {
    columns.extend([
        req("from_block", DataType::UInt64, "block in which it begins"),
        req("from_log", DataType::UInt32, "log that begins it"),
        req("from_sub", DataType::UInt32, "index within that log"),
        req("from_time", time(), "declared or block time at which it begins"),
        opt("to_block", DataType::UInt64, "block in which it ends; null while open"),
        opt("to_log", DataType::UInt32, "log that ends it"),
        opt("to_time", time(), "declared or block time at which it ends"),
    ]);
    updated(columns)
}

pub(super) fn custody() -> Vec<Column> {
    interval(vec![
        chain(),
        req("item", text(), "key of the item"),
        req("branch", DataType::UInt32, "branch of its story"),
        req(
            "role",
            text(),
            "owner of its token on the chain, possessor by the steps told, or declarer: who tells them, \
             since his first step with no other's between",
        ),
        req("holder", address(), "the address"),
        opt("quantity", amount(), "units, of a token held in quantities; null when above 38 digits"),
        opt("quantity_raw", hash(), "units as 32 bytes, when above 38 digits"),
    ])
}

pub(super) fn containment() -> Vec<Column> {
    interval(vec![
        chain(),
        req("child", text(), "key of the item inside"),
        req("parent", text(), "key of the item around it"),
    ])
}

pub(super) fn shipments() -> Vec<Column> {
    updated(vec![
        chain(),
        req("item", text(), "key of the item"),
        req("branch", DataType::UInt32, "branch of its story"),
        req("consignor", address(), "who sent it"),
        opt("consignee", address(), "whom it was sent to; null when not declared"),
        req("status", text(), "open, received or voided"),
        req("shipped_block", DataType::UInt64, "block of the sending"),
        req("shipped_log", DataType::UInt32, "its log"),
        req("shipped_sub", DataType::UInt32, "index within that log"),
        req("shipped_time", time(), "declared or block time of the sending"),
        opt("ended_block", DataType::UInt64, "block of the receiving or voiding"),
        opt("ended_time", time(), "declared or block time of the receiving or voiding"),
    ])
}

pub(super) fn lineage() -> Vec<Column> {
    vec![
        chain(),
        req("item", text(), "key of the item that came of it"),
        opt(
            "source",
            text(),
            "key of what it came from; null for a batch, whose sources have the same tx_hash in `events`",
        ),
        req(
            "link",
            text(),
            "repackaged, migrated, bridged, relabelled; named, where the token had no name before",
        ),
        opt("contract", address(), "contract of the item's token"),
        opt("token_id", hash(), "the item's token, 32 bytes big-endian"),
        opt("source_contract", address(), "contract of the source's token"),
        opt("source_token_id", hash(), "the source's token, 32 bytes big-endian"),
        req("block_number", DataType::UInt64, "block of the event that says so"),
        req("log_index", DataType::UInt32, "its log"),
        req("sub_index", DataType::UInt32, "index within that log"),
        req("time", time(), "declared or block time"),
        req("tx_hash", hash(), "its transaction"),
        opt("actor", address(), "who did it"),
    ]
}

/// The columns of every list of the registry side by side: each row has those of its list
/// ([`lists`](super::lists)), and null elsewhere.
pub(super) fn registry() -> Vec<Column> {
    let mut columns = vec![
        chain(),
        req("list", text(), "the list that it is a row of: parties, wallets, licences, …"),
        req("row_hash", hash(), "Keccak-256 of the list's name and the row: names what the row says"),
        req("from_block", DataType::UInt64, "first block that it is in force for"),
        opt("to_block", DataType::UInt64, "first block that it is no longer in force for; null while it is"),
        opt("valid_from", time(), "since when it holds in the world; null for always"),
        opt("valid_to", time(), "when it no longer holds; null while open"),
        opt("known_from", time(), "since when it is known; null for always"),
    ];
    columns.extend(who());
    columns.extend(what());
    updated(columns)
}

/// Columns of parties, their places, keys, licences, and what they agreed.
fn who() -> Vec<Column> {
    vec![
        opt("gln", text(), "GLN of the party or place"),
        opt("party", text(), "GLN of the party that it belongs to or concerns"),
        opt("name", text(), "name of the party or product"),
        opt("country", text(), "ISO 3166-1 alpha-2"),
        opt("role", text(), "what the party does"),
        opt("tz", text(), "IANA time zone"),
        opt("kind", text(), "kind of place, licence, agreement or announcement"),
        opt("lat", DataType::Float64, "degrees north"),
        opt("lon", DataType::Float64, "degrees east"),
        opt("precision_km", DataType::Float64, "how exact the coordinates are"),
        opt("on_chain", DataType::UInt64, "chain of the address; null for every chain"),
        opt("address", address(), "the wallet or contract"),
        opt("status", text(), "standing of the wallet or licence"),
        opt("jurisdiction", text(), "ISO 3166-1 alpha-2 of the licence; * for all"),
        opt("principal", text(), "GLN of the one for whom another acts"),
        opt("agent", text(), "GLN of the one who acts"),
        opt("site", text(), "GLN of the place that a delegation is limited to"),
        opt("consignor", text(), "GLN of the sender on a lane; null for anyone"),
        opt("consignee", text(), "GLN of the receiver on a lane; null for anyone"),
        opt("p99_secs", DataType::UInt64, "99th percentile of the time in transit"),
    ]
}

/// Columns of products, lots, recalls, contracts, and what was confirmed.
fn what() -> Vec<Column> {
    vec![
        opt("gtin", text(), "GTIN-14; null for all"),
        opt("owner", text(), "GLN of the product's owner"),
        opt("level", text(), "packaging level: pack, case, pallet"),
        opt("units", DataType::UInt32, "units in one"),
        opt("markets", text(), "ISO 3166-1 alpha-2 of the markets, space between"),
        opt("lot", text(), "the lot; null for all"),
        opt("lot_pattern", text(), "lots of a delegation, * at the end for any rest; null for all"),
        opt("expiry", DataType::Date32, "last day of use"),
        opt("quantity", DataType::UInt64, "declared saleable packs"),
        opt("closed_at", time(), "when making the lot ended"),
        opt("id", text(), "name of the recall"),
        opt("serial_from", text(), "first serial covered, in byte order; null from the beginning"),
        opt("serial_to", text(), "last serial covered; null to the end"),
        opt("market", text(), "ISO 3166-1 alpha-2 of the market recalled from; null for all"),
        opt("class", text(), "class of the recall"),
        opt("effective_at", time(), "from when the recall counts"),
        opt("resolved_at", time(), "until when; null while open"),
        opt("tier", text(), "how far the contract is believed: authoritative, recognised, unknown"),
        opt("successor_chain", DataType::UInt64, "chain of the successor"),
        opt("successor", address(), "the contract that tokens go to"),
        opt("item", text(), "key of the item that a finding was confirmed of"),
        opt("finding", text(), "what was confirmed"),
    ]
}

pub(super) fn alert_columns() -> Vec<Column> {
    vec![
        req("case_key", hash(), "names the case; the same after a reorg that mines the transaction again"),
        req("rule", text(), "code of the rule"),
        req("rule_version", DataType::UInt32, "its version"),
        req("severity", text(), "low, medium, high, critical"),
        req("standing", text(), "in_grace, standing, explained"),
        req("subject_kind", text(), "item, contract, lot, party, product, transaction"),
        req("subject", text(), "what it is about"),
        opt("item", text(), "key of the item"),
        chain(),
        req("block_number", DataType::UInt64, "block of the event that raised it"),
        req("log_index", DataType::UInt32, "its log"),
        req("sub_index", DataType::UInt32, "index within that log"),
        req("tx_hash", hash(), "its transaction"),
        req("raised_at", time(), "block time at which it was raised; a timer: its deadline"),
        req("expected", text(), "what should have come"),
        req("came", text(), "what came"),
        opt("accused", text(), "who is accused; null when undetermined"),
        opt("victim", text(), "whose goods or identity are concerned"),
        opt("witness", text(), "who saw it"),
        opt("root", hash(), "the case that it hangs under; null for a root"),
        req("members", DataType::UInt64, "alerts that it took in, those counted and not expanded among them"),
        opt("members_query", text(), "SQL that lists the members that were expanded"),
        req("retroactive", DataType::Boolean, "judged again on later knowledge"),
        opt("explained_as", text(), "why it no longer stands: data_upload, registry_corrected"),
        req("parameters", text(), "what the rule ran with"),
        req("evidence", text(), "positions of the logs that prove it, as chain:block/log, space between"),
    ]
}

pub(super) fn alerts() -> Vec<Column> {
    updated(alert_columns())
}

fn streamed(mut columns: Vec<Column>) -> Vec<Column> {
    columns.insert(0, req("ordinal", DataType::UInt32, "place among those of the same change"));
    columns.insert(0, req("stream_sequence", DataType::UInt64, "place of the change in its chain's stream"));
    columns.insert(0, req("chain", DataType::UInt64, "EIP-155 chain id; 0 for what is told across chains"));
    columns
}

pub(super) fn notices() -> Vec<Column> {
    streamed(vec![
        req("case_key", hash(), "the case"),
        req("revision", DataType::UInt32, "counts the notices of the case"),
        req("kind", text(), "opened, changed, closed, withdrawn, final"),
        req("rule", text(), "code of the rule"),
        req("severity", text(), "low, medium, high, critical"),
        opt("item", text(), "key of the item"),
        req("alert", text(), "the alert as JSON"),
    ])
}

pub(super) fn incidents() -> Vec<Column> {
    streamed(vec![
        opt("block_number", DataType::UInt64, "the block, where known"),
        req("kind", text(), "what kind of thing"),
        req("endpoint", text(), "name of the endpoint in the configuration"),
        req("detail", text(), "the values that disagree"),
    ])
}

pub(super) fn state() -> Vec<Column> {
    updated(vec![
        chain(),
        req("kind", DataType::UInt32, "which map of the state"),
        req("key", DataType::Binary, "key of the entry"),
        opt("value", DataType::Binary, "the entry; null when it was removed"),
    ])
}
