//! Token metadata that is wholly in the log: a `data:` URI, or bare JSON, in which the token is named.
//!
//! Metadata elsewhere is not fetched here. Source: ERC-721 and ERC-1155 metadata JSON; RFC 2397.

use super::expiry::ExpiryFormat;
use super::gs1_text::percent_decoded;
use super::identity::{IdentityBuilder, KeyText};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, PAD_INDIFFERENT};
use serde_json::Value;
use std::borrow::Cow;

/// Longest metadata that is read. Identities are small; pictures beside them are not worth the time.
const MAX_METADATA_BYTES: usize = 64 << 10;

/// Most attributes that are looked at.
const MAX_ATTRIBUTES: usize = 256;

/// Reads identity from `content` into `builder`, and says whether it named anything.
pub(super) fn read(content: &[u8], builder: &mut IdentityBuilder) -> bool {
    if content.len() > MAX_METADATA_BYTES {
        return false;
    }
    let Ok(text) = std::str::from_utf8(content) else { return false };
    let json = match text.strip_prefix("data:application/json") {
        Some(uri) => payload(uri),
        None if text.trim_start().starts_with('{') => Some(text.to_owned()),
        None => None,
    };
    let Some(Value::Object(object)) = json.and_then(|json| serde_json::from_str(&json).ok()) else {
        return false;
    };
    let mut named = false;
    let properties = object.get("properties").and_then(Value::as_object);
    for (name, value) in object.iter().chain(properties.into_iter().flatten()) {
        named |= take(name, value, builder);
    }
    let attributes = object.get("attributes").and_then(Value::as_array);
    for attribute in attributes.into_iter().flatten().take(MAX_ATTRIBUTES) {
        if let (Some(Value::String(name)), Some(value)) =
            (attribute.get("trait_type"), attribute.get("value"))
        {
            named |= take(name, value, builder);
        }
    }
    named
}

/// The text behind the comma of a data URI.
fn payload(uri: &str) -> Option<String> {
    let (parameters, data) = uri.split_once(',')?;
    if parameters.split(';').any(|parameter| parameter == "base64") {
        let bytes = GeneralPurpose::new(&STANDARD, PAD_INDIFFERENT).decode(data).ok()?;
        String::from_utf8(bytes).ok()
    } else {
        percent_decoded(data)
    }
}

/// Takes one member, whose name may be of the GS1 Web Vocabulary, of CBV, or plain.
fn take(name: &str, value: &Value, builder: &mut IdentityBuilder) -> bool {
    let text: Cow<'_, str> = match value {
        Value::String(text) if !text.is_empty() => text.into(),
        Value::Number(number) => number.to_string().into(),
        _ => return false,
    };
    let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
    let key = KeyText::Text(Cow::Borrowed(&text));
    match name.to_ascii_lowercase().replace(['_', '-', ' '], "").as_str() {
        "gtin" => builder.gtin(&key),
        "serial" | "serialnumber" | "hasserialnumber" => builder.serial(&key),
        "lot" | "lotnumber" | "batch" | "batchnumber" | "hasbatchlotnumber" => builder.lot(&key),
        "expiry" | "expirydate" | "expirationdate" | "itemexpirationdate" => {
            builder.expiry_text(&text, ExpiryFormat::YearMonthDay);
        }
        "sscc" => builder.sscc(&key),
        "digitallink" | "epc" => builder.item(&key),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::event::Identity;

    fn identity(content: &str) -> Option<Identity> {
        let mut builder = IdentityBuilder::default();
        read(content.as_bytes(), &mut builder).then(|| builder.finish())
    }

    fn pack() -> Option<Identity> {
        Some(Identity {
            gtin: Some("10614141073464".parse().unwrap()),
            serial: Some("2017".parse().unwrap()),
            expiry_day: Some(21_183),
            ..Identity::default()
        })
    }

    #[test]
    fn every_way_to_write_it_names_the_same_pack() {
        let plain =
            r#"{"name":"Pack","gtin":"10614141073464","serialNumber":"2017","expirationDate":"2027-12-31"}"#;
        let listed = r#"{"attributes":[{"trait_type":"GTIN","value":"10614141073464"},
            {"trait_type":"Serial Number","value":2017},{"trait_type":"cbvmda:itemExpirationDate","value":"20271200"}]}"#;
        let encoded = base64::engine::general_purpose::STANDARD.encode(plain);
        for content in [
            plain.to_owned(),
            listed.to_owned(),
            format!("data:application/json;base64,{encoded}"),
            format!("data:application/json;charset=utf-8,{}", plain.replace('"', "%22")),
            r#"{"properties":{"digitalLink":"01/10614141073464/21/2017?17=271231"}}"#.to_owned(),
        ] {
            assert_eq!(identity(&content), pack(), "{content}");
        }
    }

    #[test]
    fn what_names_nothing_is_nothing() {
        for content in [
            "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
            "data:application/json;base64,!!!!",
            "data:application/json",
            "{\"gtin\":",
            "{\"name\":\"x\"}",
            "[]",
        ] {
            assert_eq!(identity(content), None, "{content}");
        }
        let nested = format!("{{\"gtin\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(identity(&nested), None);
        assert_eq!(identity(&format!("{{\"gtin\":\"{}\"}}", "1".repeat(100_000))), None);
    }
}
