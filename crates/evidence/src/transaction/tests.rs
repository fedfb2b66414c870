//! Transactions of every type: hash, sender, and what is altered.

use super::*;
use crate::{roots, sample};
use proptest::prelude::{any, prop_assert_ne, proptest};
use serde_json::{Value, json};

fn json_of(seed: u64) -> Value {
    let (envelope, sender) = sample::transaction(seed);
    sample::transaction_json(&envelope, sender)
}

#[test]
fn every_type_comes_back_from_json_and_from_bytes_with_its_hash_and_sender() {
    for seed in 0..12 {
        let (envelope, signer) = sample::transaction(seed);
        let from_json = from_json(&json_of(seed).to_string()).unwrap();
        let decoded = Transaction::decode(envelope.encoded_2718().into()).unwrap();
        for transaction in [&from_json, &decoded] {
            assert_eq!(transaction.encoded(), &envelope.encoded_2718());
            assert_eq!(transaction.hash(), *envelope.tx_hash());
            assert_eq!(transaction.tx_type(), [0, 0, 1, 2, 3, 4][seed as usize % 6]);
            assert_eq!((transaction.to(), transaction.input()), (envelope.to(), envelope.input()));
            assert_eq!(transaction.sender(), Ok(signer));
        }
        assert_eq!((from_json.claimed_sender(), decoded.claimed_sender()), (Some(signer), None));
    }
}

#[test]
fn the_first_transaction_of_mainnet_has_its_hash_sender_and_root() {
    let transactions = list_from_block_json(include_str!("../../vectors/block-46147.json")).unwrap();
    let [transaction] = transactions.as_slice() else { panic!("{transactions:?}") };
    assert_eq!(
        transaction.hash().to_string(),
        "0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"
    );
    let sender = transaction.sender().unwrap();
    assert_eq!(sender.to_string().to_lowercase(), "0xa1e4380a3b1f749673e270229993ee55f35663b4");
    let root = roots::transactions_root(&transactions);
    assert_eq!(root.to_string(), "0x4513310fcb9f6f616972a3b948dc5d547f280849a87ebb5af0191f98b87be598");
}

#[test]
fn the_example_of_eip_155_is_signed_by_the_key_that_it_names() {
    let example = json!({
        "hash": "0x33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788",
        "from": "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f", "nonce": "0x9", "gas": "0x5208",
        "gasPrice": "0x4a817c800", "to": "0x3535353535353535353535353535353535353535", "value": "0xde0b6b3a7640000",
        "input": "0x", "v": "0x25", "r": "0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276",
        "s": "0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
    });
    let transaction = from_json(&example.to_string()).unwrap();
    assert_eq!(transaction.sender().ok(), transaction.claimed_sender());
}

#[test]
fn a_hash_or_a_sender_that_is_not_the_transactions_own_is_found_out() {
    for seed in 0..6 {
        let mut lie = json_of(seed);
        lie["hash"] = B256::ZERO.to_string().into();
        let (envelope, recovered) = sample::transaction(seed);
        let computed = *envelope.tx_hash();
        assert_eq!(
            from_json(&lie.to_string()).unwrap_err(),
            Error::TransactionHash { claimed: B256::ZERO, computed }
        );

        let mut lie = json_of(seed);
        lie["from"] = Address::ZERO.to_string().into();
        let sender = from_json(&lie.to_string()).unwrap().sender();
        assert_eq!(sender, Err(Error::Sender { hash: computed, claimed: Address::ZERO, recovered }));
    }
}

#[test]
fn any_field_that_is_changed_changes_the_hash() {
    let beside = ["from", "blockHash", "blockNumber", "transactionIndex", "type", "chainId", "gasPrice", "v"];
    for seed in 0..6 {
        let json = json_of(seed);
        let fields = json.as_object().unwrap().iter();
        for (field, value) in
            fields.filter(|(field, value)| value.is_string() && !beside.contains(&field.as_str()))
        {
            let text = value.as_str().unwrap();
            let last = if text.ends_with('1') { "0" } else { "1" };
            let mut lie = json.clone();
            lie[field] = if field == "input" {
                "0xff".into()
            } else {
                format!("{}{last}", &text[..text.len() - 1]).into()
            };
            let error = from_json(&lie.to_string()).unwrap_err();
            assert!(matches!(error, Error::TransactionHash { .. }), "type of seed {seed}, {field}: {error}");
        }
    }
}

#[test]
fn a_transaction_is_all_of_its_bytes() {
    for seed in 0..6 {
        let bytes = sample::transaction(seed).0.encoded_2718();
        for wrong in
            [[bytes.as_slice(), &[0]].concat(), bytes[..bytes.len() - 1].to_vec(), vec![], vec![0x80]]
        {
            let error = Transaction::decode(wrong.into()).unwrap_err();
            assert!(matches!(error, Error::Malformed { what: "transaction", .. }), "{error}");
        }
    }
}

#[test]
fn types_of_other_chains_are_named() {
    for (tx_type, text) in [(0x7e, "0x7e"), (0x6a, "0x6a"), (0x71, "0x71"), (0xff, "0xff"), (5, "0x5")] {
        let unknown = Error::UnknownType { what: "transaction", tx_type };
        let deposit = json!({"type": text, "sourceHash": B256::ZERO, "mint": "0x0"});
        assert_eq!(from_json(&deposit.to_string()).unwrap_err(), unknown);
        let mut whole = json_of(3);
        whole["type"] = text.into();
        assert_eq!(from_json(&whole.to_string()).unwrap_err(), unknown);
        if tx_type <= 0x7f {
            assert_eq!(Transaction::decode(vec![tx_type as u8, 0xc0].into()).unwrap_err(), unknown);
        }
    }
}

#[test]
fn a_field_that_the_type_has_must_be_there() {
    let required: [(u64, &[&str]); 6] = [
        (0, &["v", "gasPrice"]),
        (1, &["v", "gasPrice"]),
        (2, &["chainId", "gasPrice"]),
        (3, &["chainId", "maxFeePerGas", "maxPriorityFeePerGas"]),
        (
            4,
            &[
                "chainId",
                "to",
                "blobVersionedHashes",
                "maxFeePerBlobGas",
                "maxFeePerGas",
                "maxPriorityFeePerGas",
            ],
        ),
        (5, &["chainId", "to", "authorizationList", "maxFeePerGas", "maxPriorityFeePerGas"]),
    ];
    for (seed, fields) in required {
        for field in fields {
            let mut json = json_of(seed);
            json[field] = Value::Null;
            let missing = Error::malformed("transaction", format_args!("{field} is missing"));
            assert_eq!(from_json(&json.to_string()).unwrap_err(), missing, "seed {seed}");
        }
    }
}

#[test]
fn a_parity_is_read_from_v_where_nodes_give_nothing_else() {
    let mut json = json_of(3);
    json.as_object_mut().unwrap().remove("yParity");
    assert!(from_json(&json.to_string()).is_ok());
    for (seed, field, value) in
        [(3, "v", "0x1b"), (0, "v", "0x0"), (0, "v", "0x1d"), (1, "v", "0xffffffffffffffffffff")]
    {
        let mut json = json_of(seed);
        json.as_object_mut().unwrap().remove("yParity");
        json[field] = value.into();
        assert!(matches!(from_json(&json.to_string()), Err(Error::Malformed { .. })), "{value}");
    }
}

#[test]
fn a_signature_that_no_key_makes_has_no_sender() {
    let (envelope, _) = sample::transaction(3);
    let Envelope::Eip1559(signed) = envelope else { panic!("seed 3 is type 2") };
    let signature =
        alloy_primitives::Signature::new(alloy_primitives::U256::ZERO, alloy_primitives::U256::ZERO, false);
    let unsigned: Envelope =
        alloy_consensus::Signed::new_unhashed(signed.strip_signature(), signature).into();
    let transaction = Transaction::decode(unsigned.encoded_2718().into()).unwrap();
    assert_eq!(transaction.sender(), Err(Error::Signature { hash: transaction.hash() }));
}

#[test]
fn a_block_that_lists_hashes_only_has_no_transactions_to_verify() {
    let hashes = json!({"transactions": [B256::ZERO]});
    assert!(matches!(
        list_from_block_json(&hashes.to_string()),
        Err(Error::Malformed { what: "transaction", .. })
    ));
    assert!(matches!(list_from_block_json("null"), Err(Error::Malformed { what: "transactions", .. })));
}

proptest! {
    #[test]
    fn one_flipped_bit_never_leaves_the_same_hash(seed in 0u64..600, bit in any::<proptest::sample::Index>()) {
        let (envelope, signer) = sample::transaction(seed);
        let mut bytes = envelope.encoded_2718();
        let bit = bit.index(8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(forged) = Transaction::decode(bytes.into()) {
            prop_assert_ne!(forged.hash(), *envelope.tx_hash());
            prop_assert_ne!(forged.sender(), Ok(signer));
        }
    }
}
