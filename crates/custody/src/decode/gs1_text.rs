//! Identities that contracts write as one text: Digital Link, EPC URN, GS1 element string.
//!
//! Takes them apart into keys and values; whether a value is a right key is judged where it is used. Source:
//! GS1 Digital Link 1.3; EPC Tag Data Standard 2.0 §6; GS1 General Specifications §3 (identifiers 00, 01, 10,
//! 17, 21, 414).

use model::gs1::check_digit;

/// Longest text that is read: the longest legal one (a Digital Link with GTIN, lot, serial and expiry) is
/// below 200.
const MAX_TEXT_BYTES: usize = 512;

/// The values that a text holds, as they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) gtin: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) lot: Option<String>,
    /// YYMMDD.
    pub(super) expiry: Option<String>,
    pub(super) sscc: Option<String>,
    pub(super) gln: Option<String>,
}

impl Keys {
    fn set(&mut self, identifier: &str, value: String) -> Option<()> {
        let slot = match identifier {
            "00" => &mut self.sscc,
            "01" => &mut self.gtin,
            "10" => &mut self.lot,
            "17" => &mut self.expiry,
            "21" => &mut self.serial,
            "414" => &mut self.gln,
            _ => return None,
        };
        *slot = Some(value);
        Some(())
    }

    fn names_something(&self) -> bool {
        self.gtin.is_some() || self.sscc.is_some() || self.gln.is_some()
    }
}

/// Takes `text` apart; `None` where it is none of the three forms.
pub(super) fn parse(text: &str) -> Option<Keys> {
    if text.len() > MAX_TEXT_BYTES {
        return None;
    }
    let keys = if let Some(urn) = text.strip_prefix("urn:epc:") {
        parse_urn(urn)
    } else if text.starts_with('(') {
        parse_elements(text)
    } else {
        parse_link(text)
    };
    keys.filter(Keys::names_something)
}

/// `id:sgtin:0614141.107346.2017`, `class:lgtin:…`, `id:sscc:…`, `id:sgln:…`.
fn parse_urn(urn: &str) -> Option<Keys> {
    let (scheme, body) = urn.split_once(':').and_then(|(kind, rest)| {
        let (scheme, body) = rest.split_once(':')?;
        matches!((kind, scheme), ("id", "sgtin" | "sscc" | "sgln") | ("class", "lgtin"))
            .then_some((scheme, body))
    })?;
    let (company, rest) = body.split_once('.')?;
    let (reference, extension) = match rest.split_once('.') {
        Some((reference, extension)) => (reference, Some(percent_decoded(extension)?)),
        None => (rest, None),
    };
    let mut keys = Keys::default();
    match scheme {
        "sgtin" => {
            keys.gtin = Some(key_with_check_digit(company, reference, true, 14)?);
            keys.serial = Some(extension?);
        }
        "lgtin" => {
            keys.gtin = Some(key_with_check_digit(company, reference, true, 14)?);
            keys.lot = Some(extension?);
        }
        "sscc" if extension.is_none() => {
            keys.sscc = Some(key_with_check_digit(company, reference, true, 18)?)
        }
        "sgln" => keys.gln = Some(key_with_check_digit(company, reference, false, 13)?),
        _ => return None,
    }
    Some(keys)
}

/// Joins company prefix and reference, whose first digit leads the key where it has an indicator, and adds
/// the check digit.
fn key_with_check_digit(
    company: &str,
    reference: &str,
    has_indicator: bool,
    digits: usize,
) -> Option<String> {
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if company.len() + reference.len() + 1 != digits || !all_digits(company) || !all_digits(reference) {
        return None;
    }
    let (indicator, reference) = reference.split_at_checked(usize::from(has_indicator))?;
    let body = format!("{indicator}{company}{reference}");
    let check = check_digit(body.parse().ok()?);
    Some(format!("{body}{check}"))
}

/// `(01)10614141073464(21)2017`. A parenthesis that opens no known identifier belongs to the value.
fn parse_elements(text: &str) -> Option<Keys> {
    let mut keys = Keys::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (identifier, after) = opening(rest)?;
        let end = after.match_indices('(').map(|(at, _)| at).find(|at| opening(&after[*at..]).is_some());
        let (value, next) = after.split_at(end.unwrap_or(after.len()));
        keys.set(identifier, value.to_owned())?;
        rest = next;
    }
    Some(keys)
}

/// The identifier that `text` opens with, and what follows it.
fn opening(text: &str) -> Option<(&str, &str)> {
    let (identifier, after) = text.strip_prefix('(')?.split_once(')')?;
    Keys::default().set(identifier, String::new()).map(|()| (identifier, after))
}

/// `https://id.gs1.org/01/…/21/…?17=…`, with or without scheme and host.
fn parse_link(text: &str) -> Option<Keys> {
    let (path, query) = text.split_once('?').map_or((text, ""), |(path, query)| (path, query));
    let path = path.split_once("//").map_or(path, |(_, rest)| rest);
    let segments: Vec<&str> = path.split('/').collect();
    let first = segments.iter().position(|segment| matches!(*segment, "00" | "01" | "414"))?;
    let mut keys = Keys::default();
    for pair in segments[first..].chunks(2) {
        match pair {
            [identifier, value] => keys.set(identifier, percent_decoded(value)?)?,
            [""] => {}
            _ => return None,
        }
    }
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        // A query may carry anything beside identifiers: tracking, languages.
        if name == "17" || name == "10" || name == "21" {
            keys.set(name, percent_decoded(value)?)?;
        }
    }
    Some(keys)
}

/// RFC 3986 percent encoding; `None` for a broken escape or bytes that are not UTF-8.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (char::from(bytes.next()?), char::from(bytes.next()?));
            let value = high.to_digit(16)? * 16 + low.to_digit(16)?;
            out.push(u8::try_from(value).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sgtin(gtin: &str, serial: &str) -> Option<Keys> {
        Some(Keys { gtin: Some(gtin.into()), serial: Some(serial.into()), ..Keys::default() })
    }

    // Source: PyPI epcpy 0.1.8 and the test vectors of epcis-event-hash-generator.
    #[test]
    fn urns_become_keys_with_their_check_digit() {
        assert_eq!(parse("urn:epc:id:sgtin:0614141.107346.2017"), sgtin("10614141073464", "2017"));
        assert_eq!(parse("urn:epc:id:sgtin:4012345.011111.98%22"), sgtin("04012345111118", "98\""));
        let keys = parse("urn:epc:id:sscc:0614141.1234567890").unwrap();
        assert_eq!(keys.sscc.unwrap(), "106141412345678908");
        let keys = parse("urn:epc:id:sgln:0614141.07346.1234").unwrap();
        assert_eq!(keys.gln.unwrap(), "0614141073467");
        let keys = parse("urn:epc:class:lgtin:4012345.012345.998877").unwrap();
        assert_eq!((keys.gtin.unwrap().as_str(), keys.lot.unwrap().as_str()), ("04012345123456", "998877"));
    }

    #[test]
    fn links_are_read_with_and_without_their_host() {
        let expected = sgtin("04012345111118", "98\"");
        assert_eq!(parse("https://id.gs1.org/01/04012345111118/21/98%22"), expected);
        assert_eq!(parse("01/04012345111118/21/98%22"), expected);
        let full = parse("https://example.com/x/01/04012345111118/10/L7/21/S1?17=271200&lang=de").unwrap();
        assert_eq!(
            full,
            Keys {
                lot: Some("L7".into()),
                expiry: Some("271200".into()),
                ..sgtin("04012345111118", "S1").unwrap()
            }
        );
    }

    #[test]
    fn element_strings_may_hold_parentheses_in_values() {
        assert_eq!(parse("(01)10614141073464(21)2017"), sgtin("10614141073464", "2017"));
        assert_eq!(parse("(01)10614141073464(21)a(b)c"), sgtin("10614141073464", "a(b)c"));
        assert_eq!(parse("(00)106141412345678908").unwrap().sscc.unwrap(), "106141412345678908");
    }

    #[test]
    fn what_is_none_of_the_forms_is_none() {
        for text in [
            "",
            "pack 12",
            "(99)x",
            "urn:epc:id:sgtin:0614141.107346",
            "urn:epc:id:sgtin:061.10.1",
            "urn:epc:idpat:sgtin:0614141.107346.*",
            "01/04012345111118/21/98%2",
            "01/0401/99/x",
            "(01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&format!("01/{}", "1".repeat(600))), None);
    }
}
