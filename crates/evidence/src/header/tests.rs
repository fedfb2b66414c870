//! Headers of every fork hash to what the network knows, and no field can be changed unnoticed.

use super::*;
use crate::sample;
use proptest::prelude::{any, prop_assert_ne, proptest};
use serde_json::Value;

/// Headers of mainnet with the hashes that the network agreed on, one of each shape up to Prague.
fn known() -> Vec<(String, Value)> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../vectors/headers.json")).unwrap();
    vectors.into_iter().map(|vector| (vector["name"].to_string(), vector["header"].clone())).collect()
}

/// A header with every field that any fork has.
fn latest() -> Header {
    Header {
        block_access_list_hash: Some(B256::repeat_byte(1)),
        slot_number: Some(12),
        ..sample::block(3).header
    }
}

#[test]
fn headers_of_every_fork_hash_to_the_hash_that_the_network_knows() {
    for (name, json) in known() {
        let (header, hash) = from_json(&json.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(json["hash"], hash.to_string(), "{name}");
        assert_eq!(decode(&encode(&header)), Ok(header), "{name}");
    }
    assert_eq!(known().len(), 6);
}

#[test]
fn the_genesis_header_is_built_field_by_field() {
    let genesis = Header {
        state_root: "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544".parse().unwrap(),
        difficulty: U256::from(17_179_869_184u64),
        gas_limit: 5_000,
        extra_data: "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa".parse().unwrap(),
        nonce: B64::from(0x42u64.to_be_bytes()),
        ..Header::default()
    };
    assert_eq!(
        hash(&genesis).to_string(),
        "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
    );
}

#[test]
fn any_field_that_is_changed_changes_the_hash() {
    let header = latest();
    let json = sample::header_json(&header);
    assert_eq!(from_json(&json.to_string()), Ok((header.clone(), hash(&header))));
    for field in json.as_object().unwrap().keys() {
        let mut forged = json.clone();
        let text = forged[field].as_str().unwrap();
        let last = if text.ends_with('1') { "2" } else { "1" };
        forged[field] = match field.as_str() {
            "extraData" => "0x01".into(),
            _ => format!("{}{last}", &text[..text.len() - 1]).into(),
        };
        let error = from_json(&forged.to_string()).unwrap_err();
        assert!(
            matches!(&error, Error::HeaderHash { unknown, .. } if unknown.is_empty()),
            "{field}: {error}"
        );
    }
}

#[test]
fn a_field_that_is_not_known_is_named_when_the_hash_disagrees_and_passed_over_when_it_agrees() {
    let mut json = sample::header_json(&latest());
    json["milliTimestamp"] = "0x18bcfe56800".into();
    json["totalDifficulty"] = "0x1".into();
    assert!(from_json(&json.to_string()).is_ok());

    json["hash"] = B256::repeat_byte(5).to_string().into();
    let error = from_json(&json.to_string()).unwrap_err();
    let Error::HeaderHash { unknown, .. } = &error else { panic!("{error}") };
    assert_eq!(unknown, &["milliTimestamp".into()]);
    assert!(error.to_string().ends_with(r#"unknown header field ["milliTimestamp"]"#), "{error}");
}

#[test]
fn of_many_fields_that_are_not_known_the_first_few_are_named() {
    let mut json = sample::header_json(&latest());
    json["hash"] = B256::repeat_byte(5).to_string().into();
    for number in (0..1_000).rev() {
        json[format!("z{number:03}{}", "é".repeat(1_000))] = "0x1".into();
    }
    let Error::HeaderHash { unknown, .. } = from_json(&json.to_string()).unwrap_err() else { panic!() };
    let named = |number: u32| format!("z{number:03}{}", "é".repeat(36)).into_boxed_str();
    assert_eq!(unknown, [0, 1, 2, 3].map(named));
}

#[test]
fn a_header_without_an_earlier_forks_field_is_refused_for_its_bytes_would_read_as_another() {
    let gap = Header { parent_beacon_block_root: None, ..latest() };
    let refused = Error::HeaderFields { present: "requestsHash", missing: "parentBeaconBlockRoot" };
    assert_eq!(check(&gap, hash(&gap)), Err(refused.clone()));
    assert_eq!(from_json(&sample::header_json(&gap).to_string()), Err(refused));
    assert_ne!(decode(&encode(&gap)).ok(), Some(gap));
}

#[test]
fn a_header_is_all_of_its_bytes() {
    let rlp = encode(&latest());
    assert_eq!(
        decode(&[rlp.as_slice(), &[0]].concat()),
        Err(Error::malformed("header", "bytes are left over"))
    );
    assert!(decode(&rlp[..rlp.len() - 1]).is_err());
}

#[test]
fn a_pending_block_has_no_hash_and_is_refused() {
    let mut json = sample::header_json(&latest());
    json["hash"] = Value::Null;
    assert!(matches!(from_json(&json.to_string()), Err(Error::Malformed { what: "header", .. })));
}

#[test]
fn a_block_links_to_its_parent_by_number_and_by_hash() {
    let header = latest();
    let parent = BlockRef { number: header.number - 1, hash: header.parent_hash };
    assert_eq!(links(&header, &parent), Ok(()));
    let last = BlockRef { number: u64::MAX, ..parent };
    for wrong in [BlockRef { number: header.number, ..parent }, BlockRef { hash: B256::ZERO, ..parent }, last]
    {
        let error =
            Error::ParentLink { number: header.number, parent_hash: header.parent_hash, parent: wrong };
        assert_eq!(links(&header, &wrong), Err(error));
    }
}

proptest! {
    #[test]
    fn one_flipped_bit_never_leaves_the_same_hash(bit in any::<proptest::sample::Index>()) {
        let header = latest();
        let mut rlp = encode(&header);
        let bit = bit.index(8 * rlp.len());
        rlp[bit / 8] ^= 1 << (bit % 8);
        if let Ok(forged) = decode(&rlp) {
            prop_assert_ne!(hash(&forged), hash(&header));
        }
    }
}
