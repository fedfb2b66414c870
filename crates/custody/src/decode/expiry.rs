//! Expiry dates in the forms that contracts write them.

use jiff::civil::Date;

/// How a field writes an expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExpiryFormat {
    /// YYYYMMDD as number or text (hyphens allowed), DD=00 for the month's last day.
    YearMonthDay,
    /// YYMMDD of GS1 application identifier 17, of the years 2000 to 2099.
    ShortYearMonthDay,
    /// Unix seconds.
    UnixSeconds,
    /// Days since 1970-01-01.
    Days,
}

impl ExpiryFormat {
    /// Every format with its name in configuration.
    pub(super) const TABLE: &'static [(Self, &'static str)] = &[
        (Self::YearMonthDay, "yyyymmdd"),
        (Self::ShortYearMonthDay, "yymmdd"),
        (Self::UnixSeconds, "unix"),
        (Self::Days, "days"),
    ];

    /// The day of `value` since 1970-01-01; `None` where it is no day from 1970 to 9999.
    pub(super) fn day(self, value: u64) -> Option<i32> {
        match self {
            Self::YearMonthDay => civil_day(value / 10_000, value / 100 % 100, value % 100),
            Self::ShortYearMonthDay if value > 999_999 => None,
            Self::ShortYearMonthDay => civil_day(2000 + value / 10_000, value / 100 % 100, value % 100),
            Self::UnixSeconds => in_range(value / SECS_PER_DAY),
            Self::Days => in_range(value),
        }
    }

    /// The day that `text` writes: digits, with hyphens where the format is a calendar date.
    pub(super) fn day_of_text(self, text: &str) -> Option<i32> {
        let digits: String = match self {
            Self::YearMonthDay if text.len() == 10 => text.split('-').collect(),
            _ => text.into(),
        };
        let width = match self {
            Self::YearMonthDay => Some(8),
            Self::ShortYearMonthDay => Some(6),
            Self::UnixSeconds | Self::Days => None,
        };
        let right = width.is_none_or(|width| digits.len() == width);
        let value = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        value.filter(|_| right).and_then(|value| self.day(value))
    }
}

const SECS_PER_DAY: u64 = 86_400;

/// 9999-12-31.
const LAST_DAY: u64 = 2_932_896;

fn in_range(day: u64) -> Option<i32> {
    i32::try_from(day).ok().filter(|_| day <= LAST_DAY)
}

fn civil_day(year: u64, month: u64, day: u64) -> Option<i32> {
    let year = i16::try_from(year).ok().filter(|year| *year >= 1970)?;
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let date = match day {
        0 => Date::new(year, month, 1).ok()?.last_of_month(),
        _ => Date::new(year, month, day).ok()?,
    };
    let epoch = Date::constant(1970, 1, 1);
    i32::try_from(date.duration_since(epoch).as_hours() / 24).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_without_day_is_its_last_day() {
        let format = ExpiryFormat::YearMonthDay;
        assert_eq!(format.day(20280200), format.day(20280229));
        assert_eq!(format.day(19700101), Some(0));
        assert_eq!(format.day(20271231), Some(21_183));
        assert_eq!(format.day(99991231), Some(2_932_896));
        assert_eq!(ExpiryFormat::ShortYearMonthDay.day(271200), Some(21_183));
    }

    #[test]
    fn what_is_no_day_is_none() {
        for value in [0, 20271301, 20270230, 19691231, 100000101, 271231, u64::MAX] {
            assert_eq!(ExpiryFormat::YearMonthDay.day(value), None, "{value}");
        }
        assert_eq!(ExpiryFormat::ShortYearMonthDay.day(20271231), None);
        assert_eq!(ExpiryFormat::UnixSeconds.day(u64::MAX), None);
        assert_eq!(ExpiryFormat::Days.day(2_932_897), None);
    }

    #[test]
    fn texts_are_read_in_their_format_only() {
        assert_eq!(ExpiryFormat::YearMonthDay.day_of_text("2027-12-31"), Some(21_183));
        assert_eq!(ExpiryFormat::YearMonthDay.day_of_text("20271231"), Some(21_183));
        assert_eq!(ExpiryFormat::UnixSeconds.day_of_text("86400"), Some(1));
        for text in ["", "2027/12/31", "271231", "+20271231", "2027-12-3x"] {
            assert_eq!(ExpiryFormat::YearMonthDay.day_of_text(text), None, "{text}");
        }
    }
}
