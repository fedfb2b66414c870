//! Contracts that nobody here wrote, taught by configuration alone. Their event lines are public facts; the
//! two that log nothing (DrugItem.sol, ColdChainTracker.sol) cannot be followed from logs by anyone.

use super::kit::{decode, event, id, log, plain, shipped, who, written};
use alloy_primitives::U256;
use model::event::{ActorSource, Event, EventKind};

fn address(byte: u8) -> String {
    who(byte).to_string()
}

fn by_log(actor: u8, event: Event) -> Event {
    Event { actor: Some(who(actor)), actor_source: Some(ActorSource::Log), ..event }
}

fn by_sender(actor: u8, event: Event) -> Event {
    let sender = Some(who(actor));
    Event { actor: sender, actor_source: Some(ActorSource::Sender), sender, ..event }
}

// codeemail003/Blockchain, PharmaceuticalBatch.sol: a batch is a number, its state an enum.
#[test]
fn pharmaceutical_batch() {
    let profiles = shipped("pharmaceutical-batch");
    let created = log(
        "BatchCreated(uint256 indexed batchId, string drugName, string drugCode, string manufacturer, \
         uint256 quantity, \
         uint256 manufactureDate, uint256 expiryDate, address indexed creator)",
        &["7", "Aspirin", "A-1", "Maker", "40", "1700000000", "1830297600", &address(1)],
    );
    let mut commissioned = by_log(1, plain(EventKind::Commissioning));
    commissioned.token = id(7);
    commissioned.to = Some(who(1));
    commissioned.quantity = Some(U256::from(40));
    commissioned.identity.expiry_day = Some(21_184);
    commissioned.detail = Some("drugName=Aspirin; drugCode=A-1; manufacturer=Maker".into());
    assert_eq!(event(&profiles, created), commissioned);
    let status = |new: &str| {
        let signature = "BatchStatusUpdated(uint256 indexed batchId, uint8 oldStatus, uint8 newStatus, \
                         address \
                         indexed updater, string reason)";
        event(&profiles, log(signature, &["7", "3", new, &address(2), "ok"])).kind
    };
    let kinds = ["4", "5", "6", "7", "8", "10"].map(status);
    assert_eq!(
        kinds,
        [
            EventKind::Shipping,
            EventKind::Receiving,
            EventKind::Receiving,
            EventKind::Dispensing,
            EventKind::Recalling,
            EventKind::Destroying
        ]
    );
}

// Smartdevs17/RootPharma: token, hand-over, recalls and sensors in four contracts.
#[test]
fn root_pharma() {
    let profiles = shipped("rootpharma");
    let minted = log(
        "BatchMinted(uint256 indexed tokenId, string batchId, string manufacturer)",
        &["7", "L-7", "Maker"],
    );
    let mut commissioned = by_sender(1, plain(EventKind::Commissioning));
    commissioned.token = id(7);
    commissioned.identity.lot = Some("L-7".parse().unwrap());
    commissioned.detail = Some("Maker".into());
    assert_eq!(event(&profiles, minted.sent_by(who(1))), commissioned);
    let sent = log(
        "TransferInitiated(uint256 indexed batchTokenId, address indexed from, address indexed to, uint256 \
         timestamp)",
        &["7", &address(1), &address(2), "1700000000"],
    );
    let shipping = Event {
        token: id(7),
        from: Some(who(1)),
        to: Some(who(2)),
        event_time_secs: Some(1_700_000_000),
        ..by_log(1, plain(EventKind::Shipping))
    };
    assert_eq!(event(&profiles, sent), shipping);
    let violated =
        log("TemperatureViolation(uint256 indexed batchTokenId, int256 temperature)", &["7", "-250"]);
    let alarm = Event { token: id(7), detail: Some("-250".into()), ..plain(EventKind::SensorAlarm) };
    assert_eq!(event(&profiles, violated), alarm);
}

// khalidfsh/drug-supply-chain, Drug.sol: nothing indexed, no addresses: who acts is the sender.
#[test]
fn events_without_addresses() {
    let profiles = written(
        r#"
        standard = "none"
        transfer = "ownership"
        [[event]]
        signature = "Manufactured(uint256 slu)"
        step = "commissioning"
        token = "slu"
        [[event]]
        signature = "Shipped(uint256)"
        step = "shipping"
        token = "0"
        [[event]]
        signature = "Purchased(uint256 pku)"
        step = "dispensing"
        token = "pku"
        "#,
    );
    for (signature, kind) in [
        ("Manufactured(uint256 slu)", EventKind::Commissioning),
        ("Shipped(uint256)", EventKind::Shipping),
        ("Purchased(uint256 pku)", EventKind::Dispensing),
    ] {
        let expected = by_sender(3, Event { token: id(7), ..plain(kind) });
        assert_eq!(event(&profiles, log(signature, &["7"]).sent_by(who(3))), expected);
    }
}

// kamalkishorm/Blockchain_SupplyChain, Madicine.sol: a contract per batch, named by its address.
#[test]
fn a_batch_that_is_a_contract() {
    let profiles = written(
        r#"
        standard = "none"
        transfer = "ownership"
        [[event]]
        signature = "ShippmentUpdate(address indexed BatchID, address indexed Shipper, address indexed Receiver, uint256 TransporterType, uint256 Status)"
        step_by_enum = { field = "Status", values = { 1 = "shipping", 2 = "receiving", 3 = "shipping", 4 = "receiving" } }
        token = "BatchID"
        from = "Shipper"
        to = "Receiver"
        detail = "TransporterType"
        "#,
    );
    let update = log(
        "ShippmentUpdate(address indexed BatchID, address indexed Shipper, address indexed Receiver, uint256 \
         TransporterType, uint256 Status)",
        &[&address(0xbb), &address(1), &address(2), "1", "2"],
    );
    let expected = Event {
        token: Some(U256::from_be_slice(who(0xbb).as_slice())),
        from: Some(who(1)),
        to: Some(who(2)),
        detail: Some("1".into()),
        ..plain(EventKind::Receiving)
    };
    assert_eq!(event(&profiles, update), expected);
}

// SupplyChain_old.sol of the same: a batch is named by bytes.
#[test]
fn a_batch_that_is_a_hash() {
    let profiles = written(
        r#"
        standard = "none"
        transfer = "ownership"
        [[event]]
        signature = "MedicineReceive(bytes32 indexed BatchID, address indexed Shipper, address indexed Receiver)"
        step = "receiving"
        token = "BatchID"
        from = "Shipper"
        actor = "Receiver"
        "#,
    );
    let hash = alloy_primitives::B256::repeat_byte(0xab);
    let received = log(
        "MedicineReceive(bytes32 indexed BatchID, address indexed Shipper, address indexed Receiver)",
        &[&hash.to_string(), &address(1), &address(2)],
    );
    let expected =
        Event { token: Some(hash.into()), from: Some(who(1)), ..by_log(2, plain(EventKind::Receiving)) };
    assert_eq!(event(&profiles, received), expected);
}

// SuperCoderPrij/Medify, PharmaNFT.sol: the mint that anyone may call, beside the token's own Transfer.
#[test]
fn a_mint_that_is_open_to_all() {
    let profiles = written(
        r#"
        standard = "erc721"
        transfer = "ownership"
        [[event]]
        signature = "MedicineMinted(uint256 indexed tokenId, string batchNumber, address manufacturer)"
        step = "commissioning"
        token = "tokenId"
        lot = "batchNumber"
        to = "manufacturer"
        "#,
    );
    let transfer = log(
        "Transfer(address indexed from, address indexed to, uint256 indexed tokenId)",
        &[&address(0), &address(6), "7"],
    );
    let minted = log(
        "MedicineMinted(uint256 indexed tokenId, string batchNumber, address manufacturer)",
        &["7", "B 12", &address(6)],
    );
    let decoded = decode(&profiles, &[transfer.sent_by(who(6)), minted.sent_by(who(6))]);
    let owned = by_sender(6, plain(EventKind::Transfer));
    let owned = Event { token: id(7), from: Some(who(0)), to: Some(who(6)), ..owned };
    let mut commissioned = by_sender(6, plain(EventKind::Commissioning));
    commissioned.position.log = 1;
    commissioned.token = id(7);
    commissioned.to = Some(who(6));
    commissioned.identity.rejected = Some("lot: 'B 12' (not 1 to 20 characters of the GS1 set 82)".into());
    assert_eq!(decoded.events, [owned, commissioned]);
}

// SenayGe/NFT-Medical-Devices, NFT_Pacemaker.sol: an OwnershipTransferred that is not that of Ownable.
#[test]
fn a_name_that_means_something_else_elsewhere() {
    let profiles = written(
        r#"
        standard = "erc721"
        transfer = "ownership"
        [[event]]
        signature = "NFTmintedForDevice(uint256 tokenID, address owner, string model, string serialNumber, string uri)"
        step = "commissioning"
        token = "tokenID"
        to = "owner"
        serial = "serialNumber"
        metadata = "uri"
        [[event]]
        signature = "OwnershipTransferred(uint256 tokenID, address from, address to)"
        step = "accepting"
        token = "tokenID"
        from = "from"
        to = "to"
        [[event]]
        signature = "NFTtransferLocked(uint256 tokenID, string why)"
        step = "locking"
        token = "tokenID"
        detail = "why"
        [[event]]
        signature = "ReceiverConfirmsDelivery(uint256 tokenID, address receiver)"
        step = "receiving"
        token = "tokenID"
        actor = "receiver"
        "#,
    );
    let device = log(
        "OwnershipTransferred(uint256 tokenID, address from, address to)",
        &["7", &address(1), &address(2)],
    );
    let expected =
        Event { token: id(7), from: Some(who(1)), to: Some(who(2)), ..plain(EventKind::Accepting) };
    assert_eq!(event(&profiles, device), expected);
    let contract = log(
        "OwnershipTransferred(address indexed previousOwner, address indexed newOwner)",
        &[&address(1), &address(2)],
    );
    let expected = Event { from: Some(who(1)), to: Some(who(2)), ..plain(EventKind::OwnershipTransferred) };
    assert_eq!(event(&profiles, contract), expected);
}

// A contract found in several copies: ids are indexed texts, parties are names, states an enum.
#[test]
fn a_contract_that_speaks_in_texts() {
    let profiles = written(
        r#"
        standard = "none"
        transfer = "ownership"
        [[event]]
        signature = "SuppliedToWholesaler(string indexed drugId, string fromManufacturerId, string toWholesalerId, uint256 quantity, uint256 timestamp)"
        step = "accepting"
        token = "drugId"
        quantity = "quantity"
        time = "timestamp"
        detail = ["drugId", "fromManufacturerId", "toWholesalerId"]
        [[event]]
        signature = "ShipmentStatusChanged(string indexed shipmentId, uint8 oldStatus, uint8 newStatus)"
        step_by_enum = { field = "newStatus", values = ["other", "shipping", "receiving", "void_shipping"] }
        detail = "shipmentId"
        [[event]]
        signature = "TemperatureViolation(string indexed drugId, string where, int256 temperature, uint256 timestamp)"
        step = "sensor_alarm"
        token = "drugId"
        time = "timestamp"
        detail = ["where", "temperature"]
        "#,
    );
    let hash = alloy_primitives::keccak256("DRUG-1");
    let supplied = log(
        "SuppliedToWholesaler(string indexed drugId, string fromManufacturerId, string toWholesalerId, \
         uint256 \
         quantity, uint256 timestamp)",
        &["DRUG-1", "M1", "W1", "40", "1700000000"],
    );
    let expected = Event {
        token: Some(hash.into()),
        quantity: Some(U256::from(40)),
        event_time_secs: Some(1_700_000_000),
        detail: Some(format!("drugId={hash}; fromManufacturerId=M1; toWholesalerId=W1")),
        ..plain(EventKind::Accepting)
    };
    assert_eq!(event(&profiles, supplied), expected);
    let changed = log(
        "ShipmentStatusChanged(string indexed shipmentId, uint8 oldStatus, uint8 newStatus)",
        &["S-9", "1", "3"],
    );
    let shipment = alloy_primitives::keccak256("S-9").to_string();
    let expected = Event { detail: Some(shipment), ..plain(EventKind::VoidShipping) };
    assert_eq!(event(&profiles, changed), expected);
}
