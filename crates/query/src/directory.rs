//! Who takes part: the parties of the registry with their licences, stock and open cases, and every contract by how
//! far it is believed.

use crate::error::Result;
use crate::moment::{Moment, quoted};
use crate::snapshot::SnapshotName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Parties that are told at once. A country has a few hundred makers and wholesalers, and thousands of pharmacies.
const PARTIES: usize = 1000;

/// Contracts that are told at once.
const CONTRACTS: usize = 1000;

/// Rows of a list that is joined to the parties here.
const ROWS: usize = 100_000;

/// A party with what it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Global location number.
    pub gln: String,
    /// Name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// What it does.
    pub role: String,
    /// Its addresses.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Its licences.
    #[serde(default)]
    pub licences: Vec<Licence>,
    /// Items that it possesses by the steps told, those inside others counted with what is around them.
    #[serde(default)]
    pub stock: u64,
    /// Open cases that accuse it.
    #[serde(default)]
    pub open_alerts: u64,
}

/// A licence: columns of `registry_licences`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct Licence {
    pub kind: String,
    pub jurisdiction: String,
    pub status: String,
    pub valid_from: Option<String>,
    pub valid_to: Option<String>,
}

/// The parties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parties {
    /// The moment that it is told of.
    pub snapshot: SnapshotName,
    /// By name.
    pub parties_list: Vec<Member>,
    /// There are more.
    pub truncated: bool,
}

/// A contract with what it said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Contract {
    /// EIP-155 chain id.
    pub chain: u64,
    /// Its address.
    pub contract: String,
    /// How far it is believed: the most that the registry says for any product.
    pub tier: String,
    /// Events that it logged.
    pub events: u64,
    /// Tokens that it has.
    pub tokens: u64,
    /// Its logs that are no events.
    pub dead_letters: u64,
    /// Open cases about it.
    pub alerts: u64,
    /// Block of its first event.
    pub first_block: Option<u64>,
    /// Block of its last event.
    pub last_block: Option<u64>,
}

/// The contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contracts {
    /// The moment that it is told of.
    pub snapshot: SnapshotName,
    /// Those that are believed least first.
    pub contracts: Vec<Contract>,
    /// There are more.
    pub truncated: bool,
}

#[derive(Deserialize)]
struct OfParty<T> {
    party: String,
    #[serde(flatten)]
    row: T,
}

#[derive(Deserialize)]
struct Address {
    address: String,
}

#[derive(Deserialize)]
struct Counted {
    name: Option<String>,
    n: u64,
}

/// The parties whose name, number or country has `text` in it; all of them without.
///
/// # Errors
/// Every error of a question.
pub async fn parties(moment: &Moment<'_>, text: Option<&str>) -> Result<Parties> {
    let condition = match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => {
            let (plain, lower) = (quoted(text), quoted(&text.to_lowercase()));
            format!(
                "AND (contains(lower(name), {lower}) OR contains(gln, {plain}) OR lower(country) = {lower})"
            )
        }
        None => String::new(),
    };
    let sql = format!(
        "SELECT gln, first_value(name ORDER BY valid_from DESC NULLS LAST) AS name, \
         first_value(country ORDER BY valid_from DESC NULLS LAST) AS country, \
         first_value(role ORDER BY valid_from DESC NULLS LAST) AS role \
         FROM registry_parties WHERE to_block IS NULL {condition} GROUP BY gln ORDER BY name, gln LIMIT {}",
        PARTIES + 1
    );
    let mut members: Vec<Member> = moment.rows(&sql).await?;
    let truncated = crate::moment::cut(&mut members, PARTIES);
    let sql =
        format!("SELECT DISTINCT gln AS party, address FROM actors ORDER BY party, address LIMIT {ROWS}");
    let addresses: Vec<OfParty<Address>> = moment.rows(&sql).await?;
    let sql = format!(
        "SELECT DISTINCT party, kind, jurisdiction, status, valid_from, valid_to FROM registry_licences \
         WHERE to_block IS NULL ORDER BY party, kind, jurisdiction, valid_from, valid_to, status LIMIT {ROWS}"
    );
    let licences: Vec<OfParty<Licence>> = moment.rows(&sql).await?;
    let stock =
        counts(moment, "SELECT possessor AS name, count(*) AS n FROM items GROUP BY possessor").await?;
    let open =
        "SELECT accused AS name, count(*) AS n FROM alerts WHERE standing <> 'explained' GROUP BY accused";
    let open = counts(moment, open).await?;
    let mut by_gln: BTreeMap<String, usize> = BTreeMap::new();
    by_gln.extend(members.iter().enumerate().map(|(at, member)| (member.gln.clone(), at)));
    let member_of = |gln: &str| by_gln.get(gln).copied();
    for OfParty { party, row: Address { address } } in addresses {
        if let Some(member) = member_of(&party).and_then(|at| members.get_mut(at)) {
            member.stock += stock.get(&address).copied().unwrap_or(0);
            member.open_alerts += open.get(&address).copied().unwrap_or(0);
            member.addresses.push(address);
        }
    }
    for OfParty { party, row } in licences {
        if let Some(member) = member_of(&party).and_then(|at| members.get_mut(at)) {
            member.licences.push(row);
        }
    }
    for member in &mut members {
        member.open_alerts += open.get(&member.gln).copied().unwrap_or(0);
    }
    Ok(Parties { snapshot: moment.name(), parties_list: members, truncated })
}

async fn counts(moment: &Moment<'_>, sql: &str) -> Result<BTreeMap<String, u64>> {
    let rows: Vec<Counted> = moment.rows(sql).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.name?, row.n))).collect())
}

#[derive(Deserialize)]
struct OfContract {
    chain: u64,
    contract: String,
    n: u64,
    first_block: Option<u64>,
    last_block: Option<u64>,
    tier: Option<String>,
}

/// Where a count belongs.
type Put = fn(&mut Contract, &OfContract);

/// What is asked of contracts, and where the answer goes.
const ASKED: [(&str, Put); 5] = [
    (
        "SELECT chain, contract, count(*) AS n, min(block_number) AS first_block, max(block_number) AS last_block \
         FROM events GROUP BY chain, contract",
        |contract, row| {
            contract.events = row.n;
            (contract.first_block, contract.last_block) = (row.first_block, row.last_block);
        },
    ),
    ("SELECT chain, contract, count(*) AS n FROM tokens GROUP BY chain, contract", |contract, row| {
        contract.tokens = row.n;
    }),
    ("SELECT chain, contract, count(*) AS n FROM dead_letters GROUP BY chain, contract", |contract, row| {
        contract.dead_letters = row.n;
    }),
    (
        "SELECT chain, subject AS contract, count(*) AS n FROM alerts \
         WHERE subject_kind = 'contract' AND standing <> 'explained' GROUP BY chain, subject",
        |contract, row| contract.alerts = row.n,
    ),
    (
        "SELECT on_chain AS chain, address AS contract, count(*) AS n, min(tier) AS tier FROM registry_contracts \
         WHERE to_block IS NULL GROUP BY on_chain, address",
        // `authoritative`, `recognised`, `unknown`: the least in the order of letters is believed most.
        |contract, row| contract.tier = row.tier.clone().unwrap_or_default(),
    ),
];

/// Every contract that was heard of, those that are believed least and did most first.
///
/// # Errors
/// Every error of a question.
pub async fn contracts(moment: &Moment<'_>) -> Result<Contracts> {
    let mut known: BTreeMap<(u64, String), Contract> = BTreeMap::new();
    for (sql, put) in ASKED {
        let rows: Vec<OfContract> = moment.rows(&format!("{sql} ORDER BY n DESC LIMIT {ROWS}")).await?;
        for row in rows {
            let contract = known.entry((row.chain, row.contract.clone())).or_default();
            put(contract, &row);
        }
    }
    let whole = |((chain, contract), found): ((u64, String), Contract)| {
        let tier = if found.tier.is_empty() { "unknown".to_owned() } else { found.tier };
        Contract { chain, contract, tier, ..found }
    };
    let mut contracts: Vec<Contract> = known.into_iter().map(whole).collect();
    contracts.sort_by(|a, b| (&b.tier, b.alerts, b.events).cmp(&(&a.tier, a.alerts, a.events)));
    let truncated = crate::moment::cut(&mut contracts, CONTRACTS);
    Ok(Contracts { snapshot: moment.name(), contracts, truncated })
}
