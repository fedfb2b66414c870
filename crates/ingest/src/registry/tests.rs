//! Registry files: what loads, and what is refused with its file, line and reason.

mod whole;

use super::{LoadError, digest, load};
use model::error::ErrorClass;
use model::registry::Registry;
use std::fs;
use tempfile::TempDir;
use whole::whole;

const TIMES: &str = "valid_from,valid_to,known_from";

/// A folder of files, each given as name, own columns and rows.
fn folder(files: &[(&str, &str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, columns, rows) in files {
        fs::write(dir.path().join(name), format!("{columns},{TIMES}\n{rows}")).unwrap();
    }
    dir
}

/// The faults of a folder, as they are told.
fn faults(files: &[(&str, &str, &str)]) -> Vec<String> {
    match load(folder(files).path()) {
        Err(LoadError::Rows { faults, .. }) => faults.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

const PARTIES: &str = "gln,name,country,role,tz";
const MAKER: &str = "0614141073467,Maker,DE,manufacturer,Europe/Berlin,,,\n";
const PHARMACY: &str = "4012345000009,Pharmacy,FR,dispenser,Europe/Paris,,,\n";
const PRODUCTS: &str = "gtin,owner,name,level,units,markets";
const PRODUCT: &str = "04012345123456,0614141073467,Aspirin,pack,1,DE|FR,,,\n";

#[test]
fn an_empty_folder_is_an_empty_registry_and_a_missing_one_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("README.md"), "notes").unwrap();
    assert_eq!(load(dir.path()).unwrap(), Registry::default());
    let missing = dir.path().join("nowhere");
    let error = load(&missing).unwrap_err();
    let expected = format!("read {}: No such file or directory (os error 2)", missing.display());
    assert_eq!((error.to_string(), error.class()), (expected, ErrorClass::Fatal));
}

#[test]
fn a_digest_tells_what_is_said_from_how_it_is_written() {
    let dir = whole();
    let before = digest(&load(dir.path()).unwrap());
    // Other order of columns, a byte order mark, spaces, quotes, Windows line ends.
    let text = "\u{feff}name,gln , country,role,tz,known_from,valid_from,valid_to\r\n\
        \"Maker\",0614141073467,DE,manufacturer,europe/berlin,,,\r\n\r\n\
        Pharmacy,4012345000009,FR,dispenser,Europe/Paris,,,\r\n";
    fs::write(dir.path().join("parties.csv"), text).unwrap();
    assert_eq!(digest(&load(dir.path()).unwrap()), before);
    fs::write(dir.path().join("parties.csv"), text.replace("Maker", "Faker")).unwrap();
    assert_ne!(digest(&load(dir.path()).unwrap()), before);
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_nothing_is_loaded() {
    let dir = folder(&[
        ("parties.csv", PARTIES, &format!("0614141073468,Maker,UK,maker,Berlin,,,\n{PHARMACY}")),
        ("wallets.csv", "chain,address,party,status", "0,0x12,4012345000009,,2025-01-01,2024-01-01,soon\n"),
        (
            "lots.csv",
            "gtin,lot,expiry,quantity,markets,closed_at",
            "1,a b,2027-02-30,-1,DE|XX,2025-03-01T10:00:00,,,\n",
        ),
    ]);
    let error = load(dir.path()).unwrap_err();
    let expected = format!(
        "the registry in {} was not loaded, 15 errors:
  lots.csv:2, column 'gtin': '1' is not 14 digits; write the 14 digits of the GTIN
  lots.csv:2, column 'lot': 'a b' is not 1 to 20 characters of the GS1 set 82; write it as it is on the pack
  lots.csv:2, column 'expiry': '2027-02-30' is no date; write 2027-03-31, or 2027-03-00 for the end of the month
  lots.csv:2, column 'quantity': '-1' is no quantity; write a whole number
  lots.csv:2, column 'markets': 'XX' is no country of ISO 3166-1 alpha-2; write the country's two letters, as DE or US
  lots.csv:2, column 'closed_at': '2025-03-01T10:00:00' is no time; write 2024-06-30, or 2024-06-30T12:00:00Z with its offset
  parties.csv:2, column 'gln': '0614141073468' ends in 8, its check digit is 7; write the 13 digits of the GLN
  parties.csv:2, column 'country': 'UK' is no country of ISO 3166-1 alpha-2; write GB
  parties.csv:2, column 'role': 'maker' is none of manufacturer, contract_maker, repackager, wholesaler, logistics, dispenser, reverse_distributor, authority; write one of these
  parties.csv:2, column 'tz': 'Berlin' is no IANA time zone; write it as Europe/Berlin or UTC
  wallets.csv:2, column 'chain': '0' is no chain id; write the EIP-155 number, as 1 for Ethereum
  wallets.csv:2, column 'address': '0x12' is no address; write 0x and 40 hexadecimal digits
  wallets.csv:2, column 'status': it is empty; fill it in
  wallets.csv:2, column 'known_from': 'soon' is no time; write 2024-06-30, or 2024-06-30T12:00:00Z with its offset
  wallets.csv:2, column 'valid_to': it ends before it begins; write a time after valid_from, or leave it open",
        dir.path().display()
    );
    assert_eq!((error.to_string(), error.class()), (expected, ErrorClass::BadData));
}

#[test]
fn a_slip_in_a_name_is_told_with_the_name_that_was_meant() {
    let dir = folder(&[
        ("wallet.csv", "chain,address,party,status", ""),
        ("parties.csv", "gln,nmae,country,role,tz,tz,colour", ""),
        ("lanes.csv", "from,p99_hours", ""),
    ]);
    fs::write(dir.path().join("lots.csv"), "").unwrap();
    let error = load(dir.path()).unwrap_err().to_string();
    let expected = format!(
        "the registry in {} was not loaded, 6 errors:
  lanes.csv:1: column 'to' is missing; add it; it may be empty in rows
  lots.csv: it has no header row; begin it with gtin,lot,expiry,quantity,markets,closed_at,valid_from,valid_to,known_from
  parties.csv:1: column 'tz' comes twice; remove one
  parties.csv:1: unknown column 'nmae'; did you mean 'name'?
  parties.csv:1: unknown column 'colour'; the columns are gln,name,country,role,tz,valid_from,valid_to,known_from
  wallet.csv: this is no file of the registry; did you mean 'wallets.csv'?",
        dir.path().display()
    );
    assert_eq!(error, expected);
}

#[test]
fn every_name_that_is_used_must_be_defined() {
    let stranger = "4012345000023";
    let told = faults(&[
        ("parties.csv", PARTIES, MAKER),
        ("products.csv", PRODUCTS, PRODUCT),
        ("wallets.csv", "chain,address,party,status", &format!(",0x{:040x},{stranger},active,,,\n", 7)),
        ("licences.csv", "party,type,jurisdiction,status", &format!("{stranger},wholesale,DE,active,,,\n")),
        (
            "delegations.csv",
            "principal,agent,gtin,lot_pattern,site",
            &format!("{stranger},0614141073467,10614141073464,,{stranger},,,\n"),
        ),
        (
            "contracts.csv",
            "chain,address,tier,gtin",
            &format!("1,0x{:040x},recognised,10614141073464,,,\n", 7),
        ),
    ]);
    let expected = [
        "contracts.csv:2, column 'gtin': '10614141073464' is not in products.csv; add it there or correct it",
        "delegations.csv:2, column 'principal': '4012345000023' is not in parties.csv; add it there or correct it",
        "delegations.csv:2, column 'site': '4012345000023' is not in sites.csv; add it there or correct it",
        "delegations.csv:2, column 'gtin': '10614141073464' is not in products.csv; add it there or correct it",
        "licences.csv:2, column 'party': '4012345000023' is not in parties.csv; add it there or correct it",
        "wallets.csv:2, column 'party': '4012345000023' is not in parties.csv; add it there or correct it",
    ];
    assert_eq!(told, expected);
}

#[test]
fn one_cause_is_told_once() {
    // The party's own row is wrong: that the wallet does not find it says nothing more.
    let told = faults(&[
        ("parties.csv", PARTIES, "0614141073467,Maker,DE,manufacturer,,,,\n"),
        ("wallets.csv", "chain,address,party,status", &format!(",0x{:040x},0614141073467,active,,,\n", 7)),
    ]);
    assert_eq!(told, ["parties.csv:2, column 'tz': it is empty; fill it in"]);
}

#[test]
fn a_key_means_one_thing_at_a_time() {
    let row =
        |name: &str, from: &str, to: &str| format!("0614141073467,{name},DE,manufacturer,UTC,{from},{to},\n");
    let rows = [
        row("Old", "", "2020-01-01"),
        row("New", "2020-01-01", ""),
        row("Other", "2024-01-01", "2025-01-01"),
    ];
    let told = faults(&[("parties.csv", PARTIES, &rows.concat())]);
    let expected = "parties.csv:4, column 'gln': '0614141073467' holds at the same time as in line 3; \
        end one (valid_to) before the other begins, or remove it";
    assert_eq!(told, [expected]);

    let contract = |tier: &str, gtin: &str| format!("1,0x{:040x},{tier},{gtin},,,\n", 7);
    let told = faults(&[
        ("parties.csv", PARTIES, MAKER),
        ("products.csv", PRODUCTS, PRODUCT),
        (
            "contracts.csv",
            "chain,address,tier,gtin",
            &[
                contract("recognised", ""),
                contract("authoritative", "04012345123456"),
                contract("unknown", ""),
            ]
            .concat(),
        ),
    ]);
    let expected = "contracts.csv:4, column 'address': '0x0000000000000000000000000000000000000007 on chain 1 for \
        every product' holds at the same time as in line 2; end one (valid_to) before the other begins, or remove it";
    assert_eq!(told, [expected]);
}

#[test]
fn one_address_of_two_parties_is_for_a_rule_to_find() {
    let wallet = |party: &str| format!(",0x{:040x},{party},active,,,\n", 7);
    let dir = folder(&[
        ("parties.csv", PARTIES, &format!("{MAKER}{PHARMACY}")),
        (
            "wallets.csv",
            "chain,address,party,status",
            &[wallet("0614141073467"), wallet("4012345000009")].concat(),
        ),
    ]);
    assert_eq!(load(dir.path()).unwrap().wallets.len(), 2);
}

#[test]
fn cells_of_every_kind_are_held_to_what_they_mean() {
    let sites = "gln,party,kind,lat,lon,precision_km";
    let site = |coordinates: &str| format!("4012345000016,0614141073467,plant,{coordinates},,,\n");
    let parties = ("parties.csv", PARTIES, MAKER);
    let check = |file: &str, columns: &str, row: &str, expected: &str| {
        let told = faults(&[parties, ("products.csv", PRODUCTS, PRODUCT), (file, columns, row)]);
        assert_eq!(told, [format!("{file}:2, {expected}")]);
    };
    check(
        "sites.csv",
        sites,
        &site("91,0,"),
        "column 'lat': '91' is no latitude; write a number from -90 to 90",
    );
    check(
        "sites.csv",
        sites,
        &site("NaN,0,"),
        "column 'lat': 'NaN' is no latitude; write a number from -90 to 90",
    );
    check(
        "sites.csv",
        sites,
        &site("52.5,,"),
        "column 'lon': one coordinate without the other; fill in lat and lon, or neither",
    );
    check(
        "lanes.csv",
        "from,to,p99_hours",
        ",,0,,,\n",
        "column 'p99_hours': '0' is no time in transit; write hours above 0",
    );
    check(
        "wallets.csv",
        "chain,address,party,status",
        ",0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed,0614141073467,active,,,\n",
        "column 'address': '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed' has a wrong checksum, a digit is not what it \
         was; compare it with 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    );
    check(
        "recalls.csv",
        "id,gtin,lot,serial_from,serial_to,market,class,effective_at,resolved_at",
        "R-1,04012345123456,,9,10,,1,2025-01-01,,,,\n",
        "column 'serial_to': '10' comes before serial_from '9' in byte order; exchange them, or leave one open",
    );
    check(
        "confirmations.csv",
        "item,party,finding",
        "pack 7,,falsified,,,\n",
        "column 'item': 'pack 7' names no item: expected 01/<gtin>/21/<serial>, 01/<gtin>/10/<lot>, 00/<sscc> or \
         eip155:<chain>/erc721:<contract>/<id>; write it as it stands in the alert",
    );
    check(
        "delegations.csv",
        "principal,agent,gtin,lot_pattern,site",
        "0614141073467,0614141073467,,A B*,,,,\n",
        "column 'lot_pattern': 'A B' is not 1 to 20 characters of the GS1 set 82; write a lot, or its beginning and *",
    );
}

#[test]
fn broken_files_are_told_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let header = format!("{PARTIES},{TIMES}\n");
    let rows: [&[u8]; 4] = [
        header.as_bytes(),
        b"0614141073467,Maker, Inc,DE,manufacturer,UTC,,,\n",
        b"4012345000009,\"Phar\nmacy\",FR,dispens\ter,UTC,,,\n",
        b"4012345000016,M\xfcller,DE,dispenser,UTC,,,\n",
    ];
    fs::write(dir.path().join("parties.csv"), rows.concat()).unwrap();
    let error = load(dir.path()).unwrap_err().to_string();
    let expected = format!(
        "the registry in {} was not loaded, 4 errors:
  parties.csv:2: 9 cells under 8 columns; separate cells by commas, and put a text that holds a comma in double quotes
  parties.csv:3, column 'name': 'Phar\\nmacy' has a line end or another character that cannot be seen; remove it
  parties.csv:3, column 'role': 'dispens\\ter' is none of manufacturer, contract_maker, repackager, wholesaler, logistics, dispenser, reverse_distributor, authority; write one of these
  parties.csv:5, column 'name': 'M\u{fffd}ller' is not UTF-8; save the file as UTF-8",
        dir.path().display()
    );
    assert_eq!(error, expected);

    let unclosed = format!("{header}4012345000009,\"Pharmacy,FR,dispenser,UTC,,,\n{}", MAKER.repeat(40));
    fs::write(dir.path().join("parties.csv"), unclosed).unwrap();
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("parties.csv:2: 2 cells under 8 columns; separate cells by commas, and put a text that holds a comma in double quotes"), "{error}");
}

#[test]
fn many_faults_are_told_up_to_a_bound_and_counted() {
    let rows = "1,Maker,DE,manufacturer,UTC,,,\n".repeat(130);
    let dir = folder(&[("parties.csv", PARTIES, &rows)]);
    let error = load(dir.path()).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 102);
    assert!(lines[0].ends_with("was not loaded, 130 errors:"));
    assert_eq!(
        lines[100],
        "  parties.csv:101, column 'gln': '1' is not 13 digits; write the 13 digits of the GLN"
    );
    assert_eq!(lines[101], "  and 30 more");
}
