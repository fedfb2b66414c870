//! What a log says an item is: keys that are right are taken, what is no key is kept apart and shown.

use super::abi_type::Scalar;
use super::expiry::ExpiryFormat;
use super::gs1_text::{self, Keys};
use super::hostile_text::{MAX_SHOWN_CHARS, push_shown};
use super::source::{Source, Value};
use super::word::uint;
use alloy_primitives::U256;
use model::event::Identity;
use model::gs1::Gs1Error;
use std::borrow::Cow;

/// Longest list of rejected fields, in bytes: three full fields; the rest of a hostile log is not worth
/// storing.
const MAX_REJECTED_BYTES: usize = 640;

/// The fields of an event that name an item.
#[derive(Debug, Clone, Default)]
pub(super) struct IdentityFields {
    /// The whole identity as one text.
    pub(super) item: Option<Source>,
    pub(super) gtin: Option<Source>,
    pub(super) serial: Option<Source>,
    pub(super) lot: Option<Source>,
    pub(super) sscc: Option<Source>,
    pub(super) expiry: Option<(Source, ExpiryFormat)>,
}

/// A value as the text of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyText<'a> {
    /// Empty, or zero where zero is no key: how a contract says nothing.
    Absent,
    /// A text that may be a key.
    Text(Cow<'a, str>),
    /// Bytes that are no text.
    Bytes,
}

/// Takes `value` as the text of a key; a number is written with `digits` digits, or bare where `None`.
pub(super) fn key_text<'a>(source: &Source, value: Value<'a>, digits: Option<usize>) -> KeyText<'a> {
    let bytes = match (value, source.scalar) {
        (Value::Content(content), _) => content,
        (Value::Word(word), Scalar::FixedBytes(_)) => {
            let end = word.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            &word[..end]
        }
        (Value::Word(word), _) => return number_text(uint(word), digits),
        (Value::Hash(_), _) => return KeyText::Absent,
    };
    match std::str::from_utf8(bytes) {
        Ok("") => KeyText::Absent,
        Ok(text) => KeyText::Text(Cow::Borrowed(text)),
        Err(_) => KeyText::Bytes,
    }
}

fn number_text<'a>(number: U256, digits: Option<usize>) -> KeyText<'a> {
    match digits {
        Some(_) if number.is_zero() => KeyText::Absent,
        Some(digits) => KeyText::Text(Cow::Owned(format!("{:0>digits$}", number.to_string()))),
        None => KeyText::Text(Cow::Owned(number.to_string())),
    }
}

/// Collects an identity from the fields of one log.
#[derive(Debug, Default)]
pub(super) struct IdentityBuilder {
    identity: Identity,
}

impl IdentityBuilder {
    /// The identity so far.
    pub(super) fn finish(self) -> Identity {
        self.identity
    }

    /// Takes a field that holds the whole identity as one text.
    pub(super) fn item(&mut self, text: &KeyText<'_>) {
        self.field("item", text, |builder, text| match gs1_text::parse(text) {
            Some(keys) => builder.keys(&keys),
            None => builder.reject("item", text, "neither Digital Link, EPC URN nor element string"),
        });
    }

    /// Takes keys that were taken apart.
    pub(super) fn keys(&mut self, keys: &Keys) {
        let text = |value: &Option<String>| match value {
            Some(value) => KeyText::Text(Cow::Owned(value.clone())),
            None => KeyText::Absent,
        };
        self.gtin(&text(&keys.gtin));
        self.serial(&text(&keys.serial));
        self.lot(&text(&keys.lot));
        self.sscc(&text(&keys.sscc));
        if let Some(expiry) = &keys.expiry {
            self.expiry_text(expiry, ExpiryFormat::ShortYearMonthDay);
        }
    }

    /// Takes the product.
    pub(super) fn gtin(&mut self, text: &KeyText<'_>) {
        self.field("gtin", text, |builder, text| match text.parse() {
            Ok(gtin) => builder.identity.gtin = Some(gtin),
            Err(error) => builder.reject_key("gtin", text, &error),
        });
    }

    /// Takes the serial.
    pub(super) fn serial(&mut self, text: &KeyText<'_>) {
        self.field("serial", text, |builder, text| match text.parse() {
            Ok(serial) => builder.identity.serial = Some(serial),
            Err(error) => builder.reject_key("serial", text, &error),
        });
    }

    /// Takes the lot.
    pub(super) fn lot(&mut self, text: &KeyText<'_>) {
        self.field("lot", text, |builder, text| match text.parse() {
            Ok(lot) => builder.identity.lot = Some(lot),
            Err(error) => builder.reject_key("lot", text, &error),
        });
    }

    /// Takes the logistic unit.
    pub(super) fn sscc(&mut self, text: &KeyText<'_>) {
        self.field("sscc", text, |builder, text| match text.parse() {
            Ok(sscc) => builder.identity.sscc = Some(sscc),
            Err(error) => builder.reject_key("sscc", text, &error),
        });
    }

    /// Takes the expiry as the value of a field.
    pub(super) fn expiry(&mut self, source: &Source, value: Value<'_>, format: ExpiryFormat) {
        if let (Value::Word(word), Scalar::Uint(_)) = (value, source.scalar) {
            let number = uint(word);
            let day = u64::try_from(number).ok().and_then(|number| format.day(number));
            match day {
                // Zero is how a contract says that it has none.
                _ if number.is_zero() => {}
                Some(day) => self.identity.expiry_day = Some(day),
                None => self.reject("expiry", &number.to_string(), "no such day"),
            }
            return;
        }
        let text = key_text(source, value, None);
        self.field("expiry", &text, |builder, text| builder.expiry_text(text, format));
    }

    /// Takes the expiry as text.
    pub(super) fn expiry_text(&mut self, text: &str, format: ExpiryFormat) {
        match format.day_of_text(text) {
            Some(day) => self.identity.expiry_day = Some(day),
            None => self.reject("expiry", text, "no such day"),
        }
    }

    fn field(&mut self, name: &str, text: &KeyText<'_>, take: impl FnOnce(&mut Self, &str)) {
        match text {
            KeyText::Absent => {}
            KeyText::Text(text) => take(self, text),
            KeyText::Bytes => self.reject(name, "", "bytes that are no text"),
        }
    }

    #[cold]
    fn reject_key(&mut self, name: &str, text: &str, error: &Gs1Error) {
        match error {
            Gs1Error::Digits { digits, .. } => self.reject(name, text, &format!("not {digits} digits")),
            Gs1Error::CheckDigit { expected, .. } => {
                self.reject(name, text, &format!("its check digit is {expected}"));
            }
            Gs1Error::Text { .. } => self.reject(name, text, "not 1 to 20 characters of the GS1 set 82"),
        }
    }

    #[cold]
    fn reject(&mut self, name: &str, text: &str, why: &str) {
        let rejected = self.identity.rejected.get_or_insert_default();
        if rejected.len() > MAX_REJECTED_BYTES {
            return;
        }
        if !rejected.is_empty() {
            rejected.push_str("; ");
        }
        rejected.push_str(name);
        rejected.push_str(": '");
        push_shown(rejected, text, MAX_SHOWN_CHARS);
        rejected.push_str("' (");
        rejected.push_str(why);
        rejected.push(')');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> KeyText<'_> {
        if text.is_empty() { KeyText::Absent } else { KeyText::Text(text.into()) }
    }

    #[test]
    fn right_keys_are_taken_and_empty_ones_are_absent() {
        let mut builder = IdentityBuilder::default();
        builder.gtin(&text("10614141073464"));
        builder.serial(&text("S-1"));
        builder.lot(&text(""));
        let identity = builder.finish();
        assert_eq!(identity.gtin, Some("10614141073464".parse().unwrap()));
        assert_eq!(identity.serial, Some("S-1".parse().unwrap()));
        assert_eq!((identity.lot, identity.rejected), (None, None));
    }

    #[test]
    fn what_is_no_key_is_shown_with_the_reason_and_takes_no_room() {
        let mut builder = IdentityBuilder::default();
        builder.gtin(&text("10614141073465"));
        builder.serial(&text("a\u{202e}b c"));
        builder.lot(&KeyText::Bytes);
        assert_eq!(
            builder.finish().rejected.unwrap(),
            "gtin: '10614141073465' (its check digit is 4); serial: 'a\\u{202e}b c' (not 1 to 20 \
             characters of the \
             GS1 set 82); lot: '' (bytes that are no text)"
        );
        let mut builder = IdentityBuilder::default();
        for _ in 0..1000 {
            builder.serial(&text(&"\u{7}".repeat(10_000)));
        }
        assert!(builder.finish().rejected.unwrap().len() < 2 * MAX_REJECTED_BYTES + 1024);
    }

    #[test]
    fn one_text_may_name_the_whole_item() {
        let mut builder = IdentityBuilder::default();
        builder.item(&text("https://id.gs1.org/01/04012345111118/10/L7/21/S1?17=271200"));
        let identity = builder.finish();
        assert_eq!(identity.gtin, Some("04012345111118".parse().unwrap()));
        assert_eq!(identity.lot, Some("L7".parse().unwrap()));
        assert_eq!(identity.serial, Some("S1".parse().unwrap()));
        assert_eq!(identity.expiry_day, Some(21_183));
    }
}
