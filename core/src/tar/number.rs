//! The numbers in tar headers: octal digits, or base 256 when the first bit is set.

/// Reads one numeric field; `None` when it holds no number, or one beyond 64 bits.
///
/// An empty field is 0: writers leave the fields they have no use for blank.
pub(crate) fn parse(field: &[u8]) -> Option<i64> {
    match field.split_first() {
        Some((first, rest)) if first & 0x80 != 0 => base_256(*first, rest),
        _ => octal(field),
    }
}

/// Reads octal digits, with spaces and NULs before them, up to the next space or NUL.
///
/// What follows that is not looked at: GNU tar does not either, and old writers left garbage there.
pub(crate) fn octal(field: &[u8]) -> Option<i64> {
    let blank = |byte: &u8| matches!(byte, 0 | b' ');
    let digits = field.iter().skip_while(|byte| blank(byte)).take_while(|byte| !blank(byte));
    digits.copied().try_fold(0_i64, |value, digit| {
        let digit = matches!(digit, b'0'..=b'7').then(|| i64::from(digit & 7))?;
        value.checked_mul(8)?.checked_add(digit)
    })
}

/// Whether Go's reader takes the field for the number that [`parse`] does.
///
/// It cuts blanks off both ends, and a NUL ends what is left; all of that must be digits. What is no number is refused,
/// even where something else is said in its place.
pub(crate) fn is_go(field: &[u8]) -> bool {
    let blank = |byte: &u8| matches!(byte, 0 | b' ');
    if parse(field).is_none() {
        return false;
    }
    match field.first() {
        Some(first) if first & 0x80 != 0 => true,
        _ => {
            let end = field.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last.saturating_add(1));
            let field = field.get(..end).unwrap_or_default();
            field
                .iter()
                .skip_while(|byte| blank(byte))
                .take_while(|byte| **byte != 0)
                .all(|byte| *byte != b' ')
        }
    }
}

/// Reads two's complement, most significant byte first; the top bit is the mark, the next one the sign.
fn base_256(first: u8, rest: &[u8]) -> Option<i64> {
    let negative = first & 0x40 != 0;
    let first = if negative { first } else { first & 0x7f };
    let start = i64::from(i8::from_ne_bytes([first]));
    rest.iter().try_fold(start, |value, byte| value.checked_mul(256)?.checked_add(i64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_octal_as_writers_pad_it() {
        for (field, value) in [
            (&b"0000644\0"[..], 0o644),
            (b"000644 \0", 0o644),
            (b"   644 \0", 0o644),
            (b"\x000644 ", 0o644),
            (b"00000644", 0o644),
            (b"644\0garb", 0o644),
            (b"\0\0\0\0\0\0\0\0", 0),
            (b"        ", 0),
            (b"", 0),
            (b"77777777777\0", 0o77_777_777_777),
        ] {
            assert_eq!(parse(field), Some(value), "{field:?}");
        }
    }

    #[test]
    fn reads_base_256_with_its_sign() {
        assert_eq!(parse(b"\x80\0\0\0\0\x20\0\0"), Some(1 << 21));
        assert_eq!(parse(&[0xff; 12]), Some(-1));
        assert_eq!(parse(b"\xff\xff\xff\xff\xff\xff\xff\0"), Some(-256));
        assert_eq!(parse(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"), Some(i64::MAX));
        assert_eq!(parse(b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0"), Some(i64::MIN));
    }

    #[test]
    fn tells_what_go_reads_too() {
        for field in
            [&b"0000644\0"[..], b"000644 \0", b"  644 \0 ", b"", b"\0\0\0", b"644\0garb", b"\x80\0 1"]
        {
            assert!(is_go(field), "{field:?}");
        }
        for field in
            [&b"644 garb"[..], b"00 0644\0", b" 6 4\0", b"zzz\0", b"\xbf\xff\xff\xff\xff\xff\xff\xff\xff"]
        {
            assert!(!is_go(field), "{field:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_number_or_too_large() {
        for field in [
            &b"0000648\0"[..],
            b"-000644\0",
            b"abcdefgh",
            b"7777777777777777777777777",
            b"\x80\0\0\0\x80\0\0\0\0\0\0\0",
            b"\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(parse(field), None, "{field:?}");
        }
    }
}
