//! Rows of the registry as tests tell them, by the view that shows them.

use model::tables::lists::{LISTS, OF_EVERY_LIST};
use serde_json::{Value, json};

/// Who is behind an address: no list, but a wallet and its party.
const ACTORS: &str = "actors";

/// The rows of the table `registry` that make a row of `view`: on chain 1 unless it says another, in force from block 0 on.
pub(super) fn rows(view: &str, row: &Value) -> Vec<Value> {
    if view != ACTORS {
        return vec![of_list(view, row)];
    }
    let mut wallet = json!({"address": row["address"], "party": row["gln"], "status": row["status"]});
    let mut party = row.clone();
    for name in ["address", "status"] {
        party.as_object_mut().unwrap().remove(name);
    }
    if let Some(chain) = row.get("chain") {
        wallet["chain"] = chain.clone();
    }
    vec![of_list("registry_wallets", &wallet), of_list("registry_parties", &party)]
}

fn of_list(view: &str, row: &Value) -> Value {
    let list = LISTS.iter().find(|list| list.view == view).unwrap();
    let told = row.as_object().unwrap();
    let is_known = |name: &String| list.columns.iter().chain(OF_EVERY_LIST).any(|column| column == name);
    assert!(told.keys().all(is_known), "{view} has no such column: {told:?}");
    let mut whole = json!({"chain": 1, "list": list.name, "from_block": 0});
    let object = whole.as_object_mut().unwrap();
    object.extend(told.clone());
    for address in ["address", "successor"] {
        let stored =
            object.get(address).and_then(Value::as_str).map(|text| text.trim_start_matches("0x").to_owned());
        if let Some(stored) = stored {
            object.insert(address.to_owned(), stored.into());
        }
    }
    whole
}
