//! RFC 3339 times, as Go writes them into the TOC.

use crate::Timestamp;

/// What a TOC's time field says: Go's zero time stands for "not set".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rfc3339 {
    /// A point in time.
    At(Timestamp),
    /// `0001-01-01T00:00:00Z`, which writers before July 2024 wrote for a missing time.
    Zero,
}

/// Seconds from 0001-01-01 to 1970-01-01.
const ZERO: i64 = -62_135_596_800;

/// Reads `2023-11-15T07:13:20.123+09:00`; `None` where the text is anything else.
///
/// More than nine digits of fraction are cut, as Go does; a leap second is refused, as Go does.
pub(crate) fn parse(text: &str) -> Option<Rfc3339> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let (clock, rest) = (rest.get(..9)?, rest.get(9..)?);
    let [year, month, day] = fields(date, b'-', [4, 2, 2])?;
    let [hour, minute, second] = fields(clock.strip_prefix('T')?, b':', [2, 2, 2])?;
    let days_in_month = match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanoseconds, zone) = match rest.strip_prefix(['.', ',']) {
        None => (0, rest),
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            (nanoseconds(fraction.get(..digits)?)?, fraction.get(digits..)?)
        }
    };
    let offset = match zone.split_at_checked(1)? {
        ("Z", "") => 0,
        (sign @ ("+" | "-"), zone) if zone.len() == 5 => {
            let [hours, minutes] = fields(zone, b':', [2, 2])?;
            // Go's own bounds for a zone in RFC 3339.
            if hours > 24 || minutes > 60 {
                return None;
            }
            let offset = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
            if sign == "+" { offset } else { offset.checked_neg()? }
        }
        _ => return None,
    };
    let seconds = days(year, month, day)?
        .checked_mul(86_400)?
        .checked_add(hour.checked_mul(3600)?)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)?
        .checked_sub(offset)?;
    if seconds == ZERO && nanoseconds == 0 {
        return Some(Rfc3339::Zero);
    }
    Some(Rfc3339::At(Timestamp { seconds, nanoseconds }))
}

/// Writes a time in UTC, with as many digits of fraction as it needs: the form that Go writes.
pub(crate) fn format(time: Timestamp, out: &mut alloc::string::String) -> core::fmt::Result {
    use core::fmt::Write as _;
    let (days, second) = (time.seconds.div_euclid(86_400), time.seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days).ok_or(core::fmt::Error)?;
    if !(0..=9999).contains(&year) {
        return Err(core::fmt::Error);
    }
    let (hour, minute, second) =
        (second.div_euclid(3600), second.rem_euclid(3600).div_euclid(60), second.rem_euclid(60));
    write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
    if time.nanoseconds != 0 {
        let fraction = alloc::format!("{:09}", time.nanoseconds);
        write!(out, ".{}", fraction.trim_end_matches('0'))?;
    }
    out.write_char('Z')
}

/// Reads `N` decimal fields of fixed widths with `separator` between them.
fn fields<const N: usize>(text: &str, separator: u8, widths: [usize; N]) -> Option<[i64; N]> {
    let mut bytes = text.as_bytes();
    let mut fields = [0_i64; N];
    for (at, (field, width)) in fields.iter_mut().zip(widths).enumerate() {
        if at > 0 {
            bytes = bytes.strip_prefix(&[separator])?;
        }
        let (digits, rest) = bytes.split_at_checked(width)?;
        bytes = rest;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            *field = field.checked_mul(10)?.checked_add(i64::from(digit.wrapping_sub(b'0')))?;
        }
    }
    bytes.is_empty().then_some(fields)
}

fn nanoseconds(digits: &str) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_u32;
    for at in 0..9 {
        let digit = digits.as_bytes().get(at).map_or(0, |digit| digit.wrapping_sub(b'0'));
        value = value.checked_mul(10)?.checked_add(u32::from(digit))?;
    }
    Some(value)
}

const fn leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
///
/// Counts in years that begin in March, so that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = month.checked_add(9)?.rem_euclid(12);
    let day_of_year =
        month.checked_mul(153)?.checked_add(2)?.div_euclid(5).checked_add(day)?.checked_sub(1)?;
    let day_of_era = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era.div_euclid(4))?
        .checked_sub(year_of_era.div_euclid(100))?
        .checked_add(day_of_year)?;
    era.checked_mul(146_097)?.checked_add(day_of_era)?.checked_sub(719_468)
}

/// The inverse of [`days`].
fn civil(days: i64) -> Option<(i64, i64, i64)> {
    let days = days.checked_add(719_468)?;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = day_of_era
        .checked_sub(day_of_era.div_euclid(1460))?
        .checked_add(day_of_era.div_euclid(36_524))?
        .checked_sub(day_of_era.div_euclid(146_096))?
        .div_euclid(365);
    let year_start = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era.div_euclid(4))?
        .checked_sub(year_of_era.div_euclid(100))?;
    let day_of_year = day_of_era.checked_sub(year_start)?;
    let shifted = day_of_year.checked_mul(5)?.checked_add(2)?.div_euclid(153);
    let day =
        day_of_year.checked_sub(shifted.checked_mul(153)?.checked_add(2)?.div_euclid(5))?.checked_add(1)?;
    let month = if shifted < 10 { shifted.checked_add(3)? } else { shifted.checked_sub(9)? };
    let year = year_of_era.checked_add(era.checked_mul(400)?)?.checked_add(i64::from(month <= 2))?;
    Some((year, month, day))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn at(text: &str) -> (i64, u32) {
        match parse(text) {
            Some(Rfc3339::At(Timestamp { seconds, nanoseconds })) => (seconds, nanoseconds),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn zones_and_fractions() {
        assert_eq!(at("2023-11-14T22:13:20Z"), (1_700_000_000, 0));
        assert_eq!(at("2023-11-15T07:13:20+09:00"), (1_700_000_000, 0));
        assert_eq!(at("2023-11-14T16:43:20.5-05:30"), (1_700_000_000, 500_000_000));
        assert_eq!(at("2023-11-14T22:13:20.1234567899Z"), (1_700_000_000, 123_456_789));
        assert_eq!(at("1969-12-31T23:59:58.5Z"), (-2, 500_000_000));
        assert_eq!(at("2000-02-29T00:00:00Z"), (951_782_400, 0));
        assert_eq!(parse("0001-01-01T00:00:00Z"), Some(Rfc3339::Zero));
    }

    #[test]
    fn times_are_written_in_utc() {
        let text = |seconds, nanoseconds| Timestamp { seconds, nanoseconds }.to_rfc3339();
        assert_eq!(text(1_700_000_000, 500_000_000).as_deref(), Some("2023-11-14T22:13:20.5Z"));
        assert_eq!(text(-1, 0).as_deref(), Some("1969-12-31T23:59:59Z"));
        assert_eq!((text(i64::MAX, 0), text(i64::MIN, 0)), (None, None));
    }

    #[test]
    fn other_texts() {
        for text in [
            "",
            "2023",
            "2023-11-14",
            "2023-11-14 22:13:20Z",
            "2023-11-14T22:13:20",
            "2023-11-14T22:13:20.Z",
            "2023-13-14T22:13:20Z",
            "2023-02-29T22:13:20Z",
            "2023-11-00T22:13:20Z",
            "2023-11-14T24:13:20Z",
            "2023-11-14T22:60:20Z",
            "2023-11-14T22:13:60Z",
            "2023-11-14T22:13:20+0900",
            "2023-11-14T22:13:20+25:00",
            "2023-11-14T22:13:20Zx",
            "２０23-11-14T22:13:20Z",
            "+023-11-14T22:13:20Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reads_what_it_writes(seconds in -62_135_596_799_i64..253_402_300_799, nanoseconds in 0_u32..1_000_000_000) {
            let time = Timestamp { seconds, nanoseconds };
            let mut text = String::new();
            format(time, &mut text).unwrap();
            assert_eq!(parse(&text), Some(Rfc3339::At(time)), "{text}");
        }
    }
}
