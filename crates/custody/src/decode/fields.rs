//! Fields that need more than a place: times with a unit, quantities with a scale, values with a meaning.

use super::source::{Source, Value};
use super::word::uint;
use alloy_primitives::U256;
use model::event::Reason;

/// 9999-12-31T23:59:59Z, the last second that calendars hold. A later time is no time.
pub(super) const LAST_SECOND: i64 = 253_402_300_799;

/// What a number of a time field counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds; cut to the second.
    Milliseconds,
    /// Days.
    Days,
}

impl TimeUnit {
    /// Every unit with its name in configuration.
    pub(super) const TABLE: &'static [(Self, &'static str)] =
        &[(Self::Seconds, "s"), (Self::Milliseconds, "ms"), (Self::Days, "days")];
}

/// A declared time.
#[derive(Debug, Clone)]
pub(super) struct TimeField {
    pub(super) source: Source,
    pub(super) unit: TimeUnit,
    /// Added after the unit: the Unix second of the field's zero.
    pub(super) offset_secs: i64,
}

/// What a time field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// Zero: how a contract says that it has none.
    Unset,
    /// Unix seconds.
    At(i64),
    /// Outside 1970 to 9999.
    OutOfRange,
}

impl TimeField {
    /// The time that `number` means.
    pub(super) fn read(&self, number: U256) -> Time {
        if number.is_zero() {
            return Time::Unset;
        }
        let Ok(number) = u64::try_from(number) else { return Time::OutOfRange };
        let number = i128::from(number);
        let secs = match self.unit {
            TimeUnit::Seconds => number,
            TimeUnit::Milliseconds => number / 1000,
            TimeUnit::Days => number * 86_400,
        };
        let secs = secs + i128::from(self.offset_secs);
        match i64::try_from(secs) {
            Ok(at) if (0..=LAST_SECOND).contains(&at) => Time::At(at),
            _ => Time::OutOfRange,
        }
    }
}

/// A quantity: units = value × `multiply` / `divide`.
#[derive(Debug, Clone)]
pub(super) struct QuantityField {
    pub(super) source: Source,
    pub(super) multiply: u64,
    pub(super) divide: u64,
}

impl QuantityField {
    /// The units of `value`; `None` where they are no whole number below 2^256.
    pub(super) fn read(&self, value: U256) -> Option<U256> {
        if self.multiply == 1 && self.divide == 1 {
            return Some(value);
        }
        let product = value.checked_mul(U256::from(self.multiply))?;
        let divisor = U256::from(self.divide);
        let (units, rest) = (product.checked_div(divisor)?, product.checked_rem(divisor)?);
        rest.is_zero().then_some(units)
    }
}

/// What the values of a field mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meanings<T> {
    /// By number, for integers, enums and booleans.
    pub(super) numbers: Vec<(u64, T)>,
    /// By text.
    pub(super) texts: Vec<(String, T)>,
}

impl<T: Copy> Meanings<T> {
    /// What `value` means, where the table says.
    pub(super) fn get(&self, value: Value<'_>) -> Option<T> {
        match value {
            Value::Word(word) => {
                let number = u64::try_from(uint(word)).ok()?;
                self.numbers.iter().find(|(key, _)| *key == number).map(|(_, meaning)| *meaning)
            }
            Value::Content(content) => {
                let found = self.texts.iter().find(|(key, _)| key.as_bytes() == content);
                found.map(|(_, meaning)| *meaning)
            }
            Value::Hash(_) => None,
        }
    }

    /// Every meaning of the table.
    pub(super) fn all(&self) -> impl Iterator<Item = T> + '_ {
        let numbers = self.numbers.iter().map(|(_, meaning)| *meaning);
        numbers.chain(self.texts.iter().map(|(_, meaning)| *meaning))
    }
}

/// Why an item left.
#[derive(Debug, Clone)]
pub(super) struct ReasonField {
    pub(super) source: Source,
    pub(super) meanings: Meanings<Reason>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::abi_type::Scalar;
    use crate::decode::source::Place;

    fn source() -> Source {
        Source::new("x", Place::Topic(1), Scalar::Uint(256))
    }

    #[test]
    fn times_are_brought_to_unix_seconds() {
        let time = |unit, offset_secs, number: u64| {
            TimeField { source: source(), unit, offset_secs }.read(U256::from(number))
        };
        assert_eq!(time(TimeUnit::Seconds, 0, 1_700_000_000), Time::At(1_700_000_000));
        assert_eq!(time(TimeUnit::Milliseconds, 0, 1_700_000_000_999), Time::At(1_700_000_000));
        assert_eq!(time(TimeUnit::Days, 946_684_800, 1), Time::At(946_771_200));
        assert_eq!(time(TimeUnit::Seconds, 0, 0), Time::Unset);
        assert_eq!(time(TimeUnit::Seconds, 0, u64::MAX), Time::OutOfRange);
        assert_eq!(time(TimeUnit::Days, i64::MAX, u64::MAX), Time::OutOfRange);
        assert_eq!(time(TimeUnit::Seconds, -10, 5), Time::OutOfRange);
    }

    #[test]
    fn quantities_scale_exactly_or_not_at_all() {
        let units =
            |multiply, divide, value| QuantityField { source: source(), multiply, divide }.read(value);
        assert_eq!(units(12, 1, U256::from(3)), Some(U256::from(36)));
        assert_eq!(units(1, 1000, U256::from(5000)), Some(U256::from(5)));
        assert_eq!(units(1, 1000, U256::from(5001)), None);
        assert_eq!(units(2, 1, U256::MAX), None);
        assert_eq!(units(1, 1, U256::MAX), Some(U256::MAX));
    }
}
