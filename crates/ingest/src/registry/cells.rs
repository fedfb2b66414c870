//! What a cell may hold: each kind of value, and what to say when it is not one.

use super::countries::is_country;
use alloy_primitives::Address;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::chain::ChainId;
use model::gs1::{Gln, Gtin, Text};
use model::item::ItemKey;
use std::fmt::Display;
use std::str::FromStr;

/// Why a cell is refused, and what to do.
#[derive(Debug)]
pub(super) struct Reason {
    pub(super) problem: String,
    pub(super) help: String,
}

impl Reason {
    /// A problem, which names the value, and what to do.
    pub(super) fn new(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { problem: problem.into(), help: help.into() }
    }
}

type Parsed<T> = Result<T, Reason>;

const SECS_A_DAY: i64 = 86_400;

/// Ten years in hours: no goods are longer on their way.
const LANE_HOURS_MAX: f64 = 87_600.0;

fn parse<T: FromStr<Err: Display>>(text: &str, help: &str) -> Parsed<T> {
    text.parse().map_err(|error: T::Err| Reason::new(error.to_string(), help))
}

/// A closed list of words.
pub(super) fn word<T: FromStr<Err: Display>>(text: &str) -> Parsed<T> {
    parse(text, "write one of these")
}

/// Any text of one line.
pub(super) fn words(text: &str) -> Parsed<String> {
    if text.chars().any(char::is_control) {
        let problem = format!("'{text}' has a line end or another character that cannot be seen");
        return Err(Reason::new(problem, "remove it"));
    }
    Ok(text.to_owned())
}

/// A party or a place.
pub(super) fn gln(text: &str) -> Parsed<Gln> {
    parse(text, "write the 13 digits of the GLN")
}

/// A product.
pub(super) fn gtin(text: &str) -> Parsed<Gtin> {
    parse(text, "write the 14 digits of the GTIN")
}

/// A lot or serial.
pub(super) fn gs1_text(text: &str) -> Parsed<Text> {
    parse(text, "write it as it is on the pack")
}

/// A lot, or the beginning of lots and `*`.
pub(super) fn lot_pattern(text: &str) -> Parsed<String> {
    let body = text.strip_suffix('*').unwrap_or(text);
    if !body.is_empty() {
        parse::<Text>(body, "write a lot, or its beginning and *")?;
    }
    Ok(text.to_owned())
}

/// ISO 3166-1 alpha-2.
pub(super) fn country(text: &str) -> Parsed<String> {
    if is_country(text) {
        return Ok(text.to_owned());
    }
    let upper = text.to_uppercase();
    let help = match upper.as_str() {
        "UK" => "write GB".into(),
        "EL" => "write GR".into(),
        _ if is_country(&upper) => format!("write {upper}"),
        _ => "write the country's two letters, as DE or US".into(),
    };
    Err(Reason::new(format!("'{text}' is no country of ISO 3166-1 alpha-2"), help))
}

/// A country, or `*` for all.
pub(super) fn jurisdiction(text: &str) -> Parsed<String> {
    if text == "*" { Ok(text.to_owned()) } else { country(text) }
}

/// An IANA time zone under its own name.
pub(super) fn time_zone(text: &str) -> Parsed<String> {
    let zone = TimeZone::get(text).ok();
    let name = zone.as_ref().and_then(|zone| zone.iana_name()).map(str::to_owned);
    name.ok_or_else(|| {
        Reason::new(format!("'{text}' is no IANA time zone"), "write it as Europe/Berlin or UTC")
    })
}

/// A moment, Unix seconds; a date alone is its first second, UTC.
pub(super) fn time(text: &str) -> Parsed<i64> {
    let secs = if text.len() == 10 {
        date_secs(text)
    } else {
        text.parse::<Timestamp>().ok().map(Timestamp::as_second)
    };
    secs.ok_or_else(|| {
        Reason::new(
            format!("'{text}' is no time"),
            "write 2024-06-30, or 2024-06-30T12:00:00Z with its offset",
        )
    })
}

/// The last day of use, days since 1970-01-01; day 00 is the end of the month.
pub(super) fn expiry_day(text: &str) -> Parsed<i32> {
    let day = if text.len() == 10 { expiry_secs(text) } else { None };
    let day = day.and_then(|secs| i32::try_from(secs.div_euclid(SECS_A_DAY)).ok());
    day.ok_or_else(|| {
        Reason::new(
            format!("'{text}' is no date"),
            "write 2027-03-31, or 2027-03-00 for the end of the month",
        )
    })
}

fn date_secs(text: &str) -> Option<i64> {
    to_secs(text.parse().ok()?)
}

fn expiry_secs(text: &str) -> Option<i64> {
    match text.strip_suffix("-00") {
        Some(month) => to_secs(format!("{month}-01").parse::<Date>().ok()?.last_of_month()),
        None => date_secs(text),
    }
}

fn to_secs(date: Date) -> Option<i64> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// A chain by its number.
pub(super) fn chain(text: &str) -> Parsed<ChainId> {
    let id = text.parse::<u64>().ok().filter(|id| *id > 0);
    id.map(ChainId).ok_or_else(|| {
        Reason::new(format!("'{text}' is no chain id"), "write the EIP-155 number, as 1 for Ethereum")
    })
}

/// An address; one in mixed case must have its EIP-55 checksum.
pub(super) fn address(text: &str) -> Parsed<Address> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40);
    let address = digits.and_then(|_| text.parse::<Address>().ok());
    let Some(address) = address else {
        return Err(Reason::new(format!("'{text}' is no address"), "write 0x and 40 hexadecimal digits"));
    };
    if address.is_zero() {
        return Err(Reason::new(
            format!("'{text}' is nobody's address"),
            "write the address that signs or logs",
        ));
    }
    let has = |is_case: fn(&char) -> bool| text.chars().skip(2).any(|digit| is_case(&digit));
    let is_mixed = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
    let checksummed = address.to_checksum(None);
    if is_mixed && checksummed != text {
        let problem = format!("'{text}' has a wrong checksum, a digit is not what it was");
        return Err(Reason::new(problem, format!("compare it with {checksummed}")));
    }
    Ok(address)
}

/// Units in a product: at least one.
pub(super) fn units(text: &str) -> Parsed<u32> {
    let units = text.parse::<u32>().ok().filter(|units| *units > 0);
    units.ok_or_else(|| Reason::new(format!("'{text}' is no number of units"), "write a whole number from 1"))
}

/// A quantity.
pub(super) fn quantity(text: &str) -> Parsed<u64> {
    text.parse().map_err(|_| Reason::new(format!("'{text}' is no quantity"), "write a whole number"))
}

fn number(text: &str, from: f64, to: f64, what: &str) -> Parsed<f64> {
    let number = text.parse::<f64>().ok().filter(|number| (from..=to).contains(number));
    number.ok_or_else(|| {
        Reason::new(format!("'{text}' is no {what}"), format!("write a number from {from} to {to}"))
    })
}

/// Degrees north.
pub(super) fn latitude(text: &str) -> Parsed<f64> {
    number(text, -90.0, 90.0, "latitude")
}

/// Degrees east.
pub(super) fn longitude(text: &str) -> Parsed<f64> {
    number(text, -180.0, 180.0, "longitude")
}

/// How exact coordinates are: no more wrong than the other side of the Earth.
pub(super) fn precision_km(text: &str) -> Parsed<f64> {
    number(text, 0.0, 20_040.0, "precision in kilometres")
}

/// A time in transit given in hours, in seconds.
pub(super) fn hours_as_secs(text: &str) -> Parsed<i64> {
    let hours = number(text, 0.0, LANE_HOURS_MAX, "time in hours")?;
    // At most 87,600 × 3,600 = 315,360,000.
    let secs = (hours * 3600.0).round() as i64;
    if secs > 0 {
        Ok(secs)
    } else {
        Err(Reason::new(format!("'{text}' is no time in transit"), "write hours above 0"))
    }
}

/// An item, in its canonical form.
pub(super) fn item(text: &str) -> Parsed<String> {
    parse::<ItemKey>(text, "write it as it stands in the alert").map(|item| item.to_string())
}
