//! GS1 keys: GTIN-14, SSCC, GLN, and the AI 82 texts (serial, lot). Parsed strictly, kept small.
//!
//! Source: GS1 General Specifications, check digit (mod 10, weights 3 and 1 from the right) and the
//! application identifiers 00, 01, 10, 21, 414; text fields hold at most 20 characters of AI charset 82.

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// Why a text is not the GS1 key that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Gs1Error {
    /// Not digits only, or of the wrong length.
    #[error("'{text}' is not {digits} digits")]
    Digits {
        /// The text as it came, cut at 40 characters.
        text: String,
        /// How many digits the key has.
        digits: u8,
    },
    /// The last digit is not the check digit of the others.
    #[error("'{text}' ends in {found}, its check digit is {expected}")]
    CheckDigit {
        /// The text as it came.
        text: String,
        /// The digit it ends in.
        found: u8,
        /// The digit it should end in.
        expected: u8,
    },
    /// A serial or lot that is empty, too long, or has a character outside AI charset 82.
    #[error("'{text}' is not 1 to 20 characters of the GS1 set 82")]
    Text {
        /// The text as it came, cut at 40 characters.
        text: String,
    },
}

/// The mod-10 check digit of `body`, the key's digits without the last.
pub fn check_digit(body: u64) -> u8 {
    let (mut rest, mut weight, mut sum) = (body, 3, 0);
    while rest > 0 {
        sum += rest % 10 * weight;
        rest /= 10;
        weight = 4 - weight;
    }
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

fn digits(text: &str, lengths: &[usize], full: u8) -> Result<u64, Gs1Error> {
    let plausible = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = plausible.then(|| text.parse::<u64>().ok()).flatten();
    let value = value.ok_or_else(|| Gs1Error::Digits { text: cut(text), digits: full })?;
    let (body, found) = (value / 10, u8::try_from(value % 10).unwrap_or(0));
    let expected = check_digit(body);
    if found == expected {
        Ok(value)
    } else {
        Err(Gs1Error::CheckDigit { text: text.to_owned(), found, expected })
    }
}

/// Reads a key from its text, which is borrowed: a restart reads millions of them.
struct Written<T>(PhantomData<T>);

impl<T: FromStr<Err = Gs1Error>> Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a GS1 key")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! numeric_key {
    ($(#[$doc:meta])* $name:ident, $lengths:expr, $full:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The key as a number; leading zeros are not part of it.
            pub fn as_u64(self) -> u64 {
                self.0
            }

            /// Keys are written for every row: digit by digit, without the machinery of padding.
            fn digits(self) -> [u8; $full] {
                let (mut digits, mut rest) = ([b'0'; $full], self.0);
                for digit in digits.iter_mut().rev() {
                    *digit += (rest % 10) as u8;
                    rest /= 10;
                }
                digits
            }
        }

        impl FromStr for $name {
            type Err = Gs1Error;

            fn from_str(text: &str) -> Result<Self, Gs1Error> {
                digits(text, &$lengths, $full).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Written(PhantomData))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

numeric_key!(
    /// A GTIN-14. GTIN-8, -12 and -13 are read with leading zeros.
    Gtin, [8, 12, 13, 14], 14
);
numeric_key!(
    /// A serial shipping container code, 18 digits.
    Sscc, [18], 18
);
numeric_key!(
    /// A global location number, 13 digits: a party or a place.
    Gln, [13], 13
);

/// A serial or lot: 1 to 20 characters of AI charset 82, kept inline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text {
    bytes: [u8; 20],
    len: u8,
}

/// GS1 AI charset 82.
fn is_82(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!\"%&'()*+,-./:;<=>?_".contains(&byte)
}

impl Text {
    /// The characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl FromStr for Text {
    type Err = Gs1Error;

    fn from_str(text: &str) -> Result<Self, Gs1Error> {
        let good = (1..=20).contains(&text.len()) && text.bytes().all(is_82);
        if !good {
            return Err(Gs1Error::Text { text: cut(text) });
        }
        let mut bytes = [0; 20];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { bytes, len: u8::try_from(text.len()).unwrap_or(20) })
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Written(PhantomData))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // From the table of verified conversions (PyPI epcpy): keys with a right check digit.
    #[test]
    fn keys_with_a_right_check_digit_are_read_and_written_in_full() {
        assert_eq!("10614141073464".parse::<Gtin>().unwrap().to_string(), "10614141073464");
        assert_eq!("04012345123456".parse::<Gtin>().unwrap().to_string(), "04012345123456");
        assert_eq!("4012345123456".parse::<Gtin>().unwrap().to_string(), "04012345123456");
        assert_eq!("106141412345678908".parse::<Sscc>().unwrap().to_string(), "106141412345678908");
        assert_eq!("0614141073467".parse::<Gln>().unwrap().to_string(), "0614141073467");
    }

    #[test]
    fn a_wrong_check_digit_names_the_right_one() {
        let error = "10614141073465".parse::<Gtin>().unwrap_err();
        assert_eq!(error.to_string(), "'10614141073465' ends in 5, its check digit is 4");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "1061414107346x", "106", "999999999999999999999"] {
            assert!(matches!(text.parse::<Gtin>(), Err(Gs1Error::Digits { .. })), "{text}");
        }
        for text in ["", "has space", "ümlaut", "123456789012345678901"] {
            assert!(matches!(text.parse::<Text>(), Err(Gs1Error::Text { .. })), "{text}");
        }
        assert_eq!("98%22".parse::<Text>().unwrap().as_str(), "98%22");
    }
}
