//! Lots: which there are, and for one how many packs were made, where they are now, and what a recall has reached.

use crate::cases::Alert;
use crate::error::{Error, Result};
use crate::item::{self, Lot, Product};
use crate::moment::{Moment, Party, quoted};
use crate::snapshot::SnapshotName;
use model::gs1::Gtin;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lots of one list, at most.
const LOTS_MAX: usize = 500;

/// Holders and states of one lot that are told.
const HOLDERS: usize = 1000;

/// Steps after a recall, and cases, that are told with a lot.
const STEPS: usize = 100;

/// Parents above one another that a pack may be in: case, pallet, container.
const LEVELS: usize = 3;

/// A lot in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// GTIN-14.
    pub gtin: String,
    /// The lot.
    pub lot: String,
    /// Name of the product, where the registry knows it.
    pub product: Option<String>,
    /// Last day of use by the registry.
    pub expiry: Option<String>,
    /// Declared saleable packs.
    pub declared: Option<u64>,
    /// Packs that were commissioned.
    pub commissioned: u64,
    /// Is there an unresolved recall of it?
    pub recalled: bool,
}

/// The lots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lots {
    /// The moment that it is told of.
    pub snapshot: SnapshotName,
    /// The lots.
    pub lots: Vec<Listed>,
}

/// One lot, and how far a recall of it reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// The moment that it is told of.
    pub snapshot: SnapshotName,
    /// Who is behind the addresses.
    pub parties: BTreeMap<String, Party>,
    /// GTIN-14.
    pub gtin: String,
    /// The lot.
    pub lot: String,
    /// The product, where the registry knows it.
    pub product: Option<Product>,
    /// Last day of use by the registry.
    pub expiry: Option<String>,
    /// Declared saleable packs.
    pub declared: Option<u64>,
    /// Packs that were commissioned.
    pub commissioned: u64,
    /// Packs by state.
    pub states: Vec<InState>,
    /// Packs by who has them, what is around them counted through.
    pub holders: Vec<Held>,
    /// Recalls of it.
    pub recalls: Vec<Recall>,
    /// Steps of packs that a recall covers while it is in effect, newest first.
    pub after_recall: Vec<Step>,
    /// Open cases about its packs.
    pub alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Count {
    n: u64,
}

/// Packs in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is what it is called")]
pub struct InState {
    pub state: String,
    pub items: u64,
}

/// Packs that someone has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is what it is called")]
pub struct Held {
    pub holder: Option<String>,
    pub state: String,
    pub items: u64,
}

/// A recall: columns of `registry_recalls`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct Recall {
    pub id: String,
    pub lot: Option<String>,
    pub serial_from: Option<String>,
    pub serial_to: Option<String>,
    pub market: Option<String>,
    pub class: String,
    pub effective_at: String,
    pub resolved_at: Option<String>,
}

/// A step of a pack: columns of `events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct Step {
    pub chain: u64,
    pub block_number: u64,
    pub item: String,
    pub kind: String,
    pub block_time: String,
    pub event_time: Option<String>,
    pub actor: Option<String>,
    pub finality: String,
}

/// The lots whose name or product has `text` in it; all of them without.
///
/// # Errors
/// Every error of a question.
pub async fn lots(moment: &Moment<'_>, text: Option<&str>, limit: usize) -> Result<Lots> {
    let condition = match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => {
            let (plain, lower) = (quoted(text), quoted(&text.to_lowercase()));
            format!(
                "WHERE contains(gtin, {plain}) OR contains(lower(lot), {lower}) OR contains(lower(coalesce(product, '')), {lower})"
            )
        }
        None => String::new(),
    };
    let sql = format!(
        "WITH made AS (SELECT gtin, lot, count(DISTINCT item) AS n FROM items \
           WHERE serial IS NOT NULL AND lot IS NOT NULL AND commissioned_at IS NOT NULL GROUP BY gtin, lot), \
         declared AS (SELECT gtin, lot, max(expiry) AS expiry, max(quantity) AS quantity FROM registry_lots \
           WHERE to_block IS NULL GROUP BY gtin, lot), \
         products AS (SELECT gtin, max(name) AS name FROM registry_products WHERE to_block IS NULL GROUP BY gtin), \
         recalls AS (SELECT DISTINCT gtin, lot FROM registry_recalls WHERE to_block IS NULL AND resolved_at IS NULL), \
         known AS (SELECT coalesce(m.gtin, d.gtin) AS gtin, coalesce(m.lot, d.lot) AS lot, d.expiry, \
             d.quantity AS declared, coalesce(m.n, 0) AS commissioned \
           FROM made m FULL JOIN declared d ON m.gtin = d.gtin AND m.lot = d.lot), \
         named AS (SELECT k.gtin, k.lot, p.name AS product, k.expiry, k.declared, k.commissioned, \
             bool_or(r.gtin IS NOT NULL AND (r.lot IS NULL OR r.lot = k.lot)) AS recalled \
           FROM known k LEFT JOIN products p ON p.gtin = k.gtin LEFT JOIN recalls r ON r.gtin = k.gtin \
           GROUP BY k.gtin, k.lot, p.name, k.expiry, k.declared, k.commissioned) \
         SELECT * FROM named {condition} ORDER BY recalled DESC, gtin, lot LIMIT {}",
        limit.clamp(1, LOTS_MAX)
    );
    Ok(Lots { snapshot: moment.name(), lots: moment.rows(&sql).await? })
}

/// One lot; `None` when neither chain nor registry knows it.
///
/// # Errors
/// [`Error::Parameter`] when `gtin` is none, and every error of a question.
pub async fn reach(moment: &Moment<'_>, gtin: &str, lot: &str) -> Result<Option<Reach>> {
    let gtin: Gtin =
        gtin.parse().map_err(|error: model::gs1::Gs1Error| Error::parameter("gtin", error.to_string()))?;
    let gtin = gtin.to_string();
    let declared = item::lot(moment, &gtin, lot).await?;
    let product = item::product(moment, &gtin).await?;
    let packs = format!("gtin = {} AND lot = {} AND serial IS NOT NULL", quoted(&gtin), quoted(lot));
    let states: Vec<InState> = moment
        .rows(&format!(
            "SELECT state, count(DISTINCT item) AS items FROM items WHERE {packs} GROUP BY state ORDER BY items DESC, state"
        ))
        .await?;
    if states.is_empty() && declared.is_none() {
        return Ok(None);
    }
    let holders = holders(moment, &packs).await?;
    let recalls = recalls(moment, &gtin, lot).await?;
    let after_recall = after_recall(moment, (&gtin, lot), &recalls).await?;
    let alerts: Vec<Alert> = moment
        .rows(&format!(
            "SELECT * FROM alerts WHERE standing <> 'explained' AND item IN (SELECT item FROM items WHERE {packs}) \
             ORDER BY raised_at DESC, case_key LIMIT {STEPS}"
        ))
        .await?;
    let named = holders.iter().map(|held| held.holder.as_deref());
    let acted = after_recall.iter().map(|step| step.actor.as_deref());
    let parties = moment.parties(named.chain(acted).chain(alerts.iter().flat_map(Alert::addresses))).await?;
    let sql =
        format!("SELECT count(DISTINCT item) AS n FROM items WHERE {packs} AND commissioned_at IS NOT NULL");
    let commissioned = moment.first::<Count>(&sql).await?.map_or(0, |count| count.n);
    let (expiry, quantity) = declared.map_or((None, None), |Lot { expiry, quantity, .. }| (expiry, quantity));
    Ok(Some(Reach {
        snapshot: moment.name(),
        parties,
        gtin,
        lot: lot.to_owned(),
        product,
        expiry,
        declared: quantity,
        commissioned,
        states,
        holders,
        recalls,
        after_recall,
        alerts,
    }))
}

/// Who has the packs: of one inside a parent, who has the parent.
async fn holders(moment: &Moment<'_>, packs: &str) -> Result<Vec<Held>> {
    let mut joins = String::new();
    let mut holder = vec!["p0.possessor".to_owned()];
    for level in 1..=LEVELS {
        let below = level - 1;
        joins += &format!(
            " LEFT JOIN items p{level} ON p{level}.chain = p{below}.chain AND p{level}.item = p{below}.parent"
        );
        holder.push(format!("p{level}.possessor"));
    }
    let sql = format!(
        "SELECT coalesce({}) AS holder, p0.state, count(*) AS items \
         FROM (SELECT chain, item, parent, possessor, state FROM items WHERE {packs}) p0{joins} \
         GROUP BY 1, 2 ORDER BY items DESC, holder, state LIMIT {HOLDERS}",
        holder.join(", ")
    );
    moment.rows(&sql).await
}

async fn recalls(moment: &Moment<'_>, gtin: &str, lot: &str) -> Result<Vec<Recall>> {
    let (gtin, lot) = (quoted(gtin), quoted(lot));
    let sql = format!(
        "SELECT DISTINCT id, lot, serial_from, serial_to, market, class, effective_at, resolved_at \
         FROM registry_recalls WHERE gtin = {gtin} AND (lot IS NULL OR lot = {lot}) AND to_block IS NULL \
         ORDER BY effective_at, id, lot, serial_from, serial_to, market, class, resolved_at LIMIT {STEPS}"
    );
    moment.rows(&sql).await
}

/// Steps of the packs that a recall covers while it is in effect.
async fn after_recall(
    moment: &Moment<'_>,
    (gtin, lot): (&str, &str),
    recalls: &[Recall],
) -> Result<Vec<Step>> {
    if recalls.is_empty() {
        return Ok(Vec::new());
    }
    let covered: Vec<String> = recalls.iter().map(Recall::covers).collect();
    let sql = format!(
        "SELECT e.* FROM events e JOIN items i ON i.chain = e.chain AND i.item = e.item \
         WHERE e.gtin = {} AND e.lot = {} AND e.authority <> 'unknown' AND ({}) \
         ORDER BY e.block_time DESC, e.chain, e.block_number DESC, e.log_index DESC, e.sub_index DESC LIMIT {STEPS}",
        quoted(gtin),
        quoted(lot),
        covered.join(" OR ")
    );
    moment.rows(&sql).await
}

impl Recall {
    /// The condition for a step `e` of a pack `i` of the lot.
    fn covers(&self) -> String {
        let time = "coalesce(e.event_time, e.block_time)";
        let mut conditions = vec![format!("{time} >= {}", quoted(&self.effective_at))];
        conditions.extend(self.resolved_at.as_deref().map(|at| format!("{time} < {}", quoted(at))));
        conditions.extend(self.serial_from.as_deref().map(|from| format!("i.serial >= {}", quoted(from))));
        conditions.extend(self.serial_to.as_deref().map(|to| format!("i.serial <= {}", quoted(to))));
        format!("({})", conditions.join(" AND "))
    }
}
