//! Errors of a configuration: where, what, and what was probably meant.

use crate::decode::profile::{ContractProfile, Standard, TransferMeaning, builtin, builtin_names};
use alloy_primitives::{B256, keccak256};
use model::event::EventKind;

const GOOD: &str = r#"standard = "erc721"
transfer = "ownership"

[[event]]
signature = "Shipped(uint256 indexed tokenId, address indexed from, address to, uint8 why, string gtin, uint64 at)"
step = "shipping"
token = "tokenId"
from = "from"
time = "at"
"#;

fn error(text: &str) -> String {
    ContractProfile::parse("mine", text).unwrap_err().to_string()
}

/// The error after `old` in the good text has become `new`.
fn changed(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old));
    error(&GOOD.replace(old, new)).strip_prefix("contract profile 'mine', ").unwrap().to_owned()
}

#[test]
fn every_profile_that_ships_is_readable() {
    for name in builtin_names() {
        let profile = builtin(name).unwrap();
        assert_eq!(profile.name, name);
        assert!(!profile.topics().is_empty());
    }
    assert!(builtin("gs1").is_none());
}

#[test]
fn what_a_contract_can_tell_follows_from_its_events() {
    let packs = builtin("gs1-pack").unwrap();
    assert_eq!((packs.standard, packs.transfer), (Standard::Erc721, TransferMeaning::Ownership));
    assert!(packs.observability.complete_history && packs.observability.times_at_scan);
    assert!(packs.observability.speaks(EventKind::Returning));
    assert!(!packs.observability.speaks(EventKind::Accepting));
    assert_eq!(packs.observability.steps.len(), 16);
    let plain = builtin("erc721").unwrap();
    assert_eq!(
        plain.observability.steps,
        [EventKind::Commissioning, EventKind::Accepting, EventKind::Decommissioning]
    );
    let told = format!(
        "{GOOD}\n[observability]\nsteps = [\"receiving\", \"shipping\"]\ncomplete_history = \
         true\nforcing_role = \"ADMIN\"\n"
    );
    let told = ContractProfile::parse("mine", &told).unwrap().observability;
    assert_eq!(told.steps, [EventKind::Shipping, EventKind::Receiving]);
    assert!(told.complete_history && !told.times_at_scan);
    assert_eq!(told.forcing_role, Some(keccak256("ADMIN")));
    let admin = format!("{GOOD}\n[observability]\nforcing_role = \"DEFAULT_ADMIN_ROLE\"\n");
    let admin = ContractProfile::parse("mine", &admin).unwrap().observability;
    assert_eq!(admin.forcing_role, Some(B256::ZERO));
}

#[test]
fn an_event_of_its_own_takes_the_place_of_a_standard_one() {
    let text = "standard = \"erc721\"\ntransfer = \"custody\"\n[[event]]\nsignature = \"Paused(address \
                account)\"\n\
                step = \"locking\"";
    let profile = ContractProfile::parse("mine", text).unwrap();
    assert!(profile.observability.speaks(EventKind::Locking));
    assert_eq!(profile.topics(), builtin("erc721").unwrap().topics());
}

#[test]
fn keys_and_words_that_nobody_knows_name_the_nearest() {
    assert_eq!(changed("step =", "stepp ="), "line 6, column 1: unknown key 'stepp'; did you mean 'step'?");
    assert_eq!(
        changed("token =", "tokens ="),
        "line 7, column 1: unknown key 'tokens'; did you mean 'token'?"
    );
    let step = changed("\"shipping\"", "\"shiping\"");
    assert!(
        step.starts_with("line 6, column 8: 'step' is 'shiping', which is none of commissioning, shipping,"),
        "{step}"
    );
    assert!(step.ends_with("; did you mean 'shipping'?"), "{step}");
    assert_eq!(
        changed("\"erc721\"", "\"erc20\""),
        "line 1, column 12: 'standard' is 'erc20', which is none of erc721, erc1155, none; did you mean \
         'erc721'?"
    );
    assert_eq!(
        changed("token = \"tokenId\"", "token = \"tokenid\""),
        "line 7, column 9: event Shipped has no field 'tokenid'; it has tokenId, from, to, why, gtin, at; \
         did you mean \
         'tokenId'?"
    );
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(changed("standard = \"erc721\"\n", ""), "line 1, column 1: missing key 'standard'");
    assert_eq!(changed("transfer = \"ownership\"\n", ""), "line 1, column 1: missing key 'transfer'");
    assert_eq!(changed("step = \"shipping\"\n", ""), "line 4, column 1: missing key 'step'");
    assert_eq!(
        error("standard = \"none\"\ntransfer = \"ownership\""),
        "contract profile 'mine', line 1, column 1: the profile has no events: give a standard, or at \
         least one \
         [[event]]"
    );
    assert!(error("standard = \"none\ntransfer = 1").starts_with("contract profile 'mine', line 1, column "));
}

#[test]
fn signatures_must_be_readable() {
    for (signature, why) in [
        ("Shipped(uint256 indexed tokenId", ""),
        ("Shipped(uint7 x)", "'uint7' is not an ABI type (an enum is uint8, a contract is address)"),
        ("Shipped(Status x)", "'Status' is not an ABI type (an enum is uint8, a contract is address)"),
        ("Shipped(uint256 x) anonymous", "an anonymous event has no topic that names it"),
        (
            "Shipped(uint8 indexed a, uint8 indexed b, uint8 indexed c, uint8 indexed d)",
            "more than 3 indexed parameters",
        ),
        ("Shipped", "a name alone needs the key 'abi'; else write the parameters too"),
    ] {
        let text = format!(
            "standard = \"none\"\ntransfer = \"ownership\"\n[[event]]\nsignature = \"{signature}\"\nstep = \
             \"other\""
        );
        let error = error(&text);
        let place = format!("contract profile 'mine', line 4, column 13: bad signature '{signature}': ");
        assert!(error.starts_with(&place) && error.ends_with(why), "{error}");
    }
    assert!(
        error("standard = \"none\"\ntransfer = \"ownership\"\nabi = '{'")
            .contains("line 3, column 7: bad abi: ")
    );
    let abi = r#"[{"type":"event","name":"Shipped","inputs":[],"anonymous":false}]"#;
    let text = format!(
        "standard = \"none\"\ntransfer = \"ownership\"\nabi = '{abi}'\n[[event]]\nsignature = \
         \"Shiped\"\nstep = \"other\""
    );
    assert!(error(&text).ends_with("the abi has no such event; did you mean 'Shipped'?"));
}

#[test]
fn fields_must_be_of_a_type_that_fits() {
    for (line, why) in [
        ("to = \"gtin\"", "'to' cannot be 'gtin': it is string, and must be an address"),
        (
            "gtin = \"to\"",
            "'gtin' cannot be 'to': it is address, and must be a string, bytes or an unsigned number",
        ),
        ("quantity = \"gtin\"", "'quantity' cannot be 'gtin': it is string, and must be an unsigned number"),
        ("actor = \"to.x\"", "'actor' cannot be 'to.x': it has no part 'x'"),
        ("time_unit = \"h\"", "'time_unit' is 'h', which is none of s, ms, days"),
        ("expiry_format = \"unix\"", "'expiry_format': means nothing without the key 'expiry'"),
        ("reason = \"why\"", "'reason': a number needs its meanings in 'enums.reason'"),
        ("reason = \"why\"\nenums.reason = []", "'reason': no value has a meaning"),
        ("reason = \"why\"\nenums.reason = { x = \"expired\" }", "'reason': 'x' is no value of uint8"),
        (
            "reason = \"why\"\nenums.reason = [\"expiry\"]",
            "'reason' is 'expiry', which is none of unspecified, ",
        ),
        ("enums.reason = [\"expired\"]", "'enums': means nothing without the key 'reason'"),
        ("enums.step = [\"expired\"]", "unknown key 'step'"),
        ("detail = 7", "'detail' must be a list of strings, not integer"),
        (
            "quantity = \"at\"\nquantity_scale = \"0\"",
            "'quantity_scale' is 0: expected a whole number above 0",
        ),
        ("step_by_enum = { field = \"why\" }", "'values': no value has a meaning"),
        ("named_contracts_only = 1", "'named_contracts_only' must be true or false, not integer"),
    ] {
        let error = error(&format!("{GOOD}{line}\n"));
        assert!(error.contains(why), "{line}\n{error}");
    }
}

#[test]
fn one_event_is_mapped_once() {
    let again = format!(
        "{GOOD}\n[[event]]\nsignature = \"Shipped(uint256 tokenId, address indexed a, address indexed b, \
                         uint8 why, string gtin, uint64 at)\"\nstep = \"receiving\"\n"
    );
    assert_eq!(
        error(&again),
        "contract profile 'mine', line 12, column 13: event Shipped is mapped twice: same first topic, \
         same number of \
         topics"
    );
}
