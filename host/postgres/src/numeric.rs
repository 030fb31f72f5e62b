//! `numeric` between its binary format and plain notation, scale kept: `12.50` stays `12.50`.
//!
//! The format is that of `numeric_send` (`src/backend/utils/adt/numeric.c`): four 16-bit words (number of digits, weight
//! of the first digit, sign, digits after the point for display), then the digits in base 10,000.

/// Decimal digits in one digit of the format.
const GROUP: usize = 4;
const NEGATIVE: u16 = 0x4000;
/// `numeric` itself: "up to 131072 digits before the decimal point; up to 16383 digits after" (table 8.2).
const MAX_BEFORE: usize = 131_072;
const MAX_AFTER: usize = 16_383;

/// Why a number could not be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NumericError {
    /// `NaN`, `Infinity`, `-Infinity`.
    NotFinite,
    /// Not plain notation, or not the binary format.
    Malformed,
    /// More digits than `numeric` has.
    TooLong,
}

/// At most how many bytes `decode` makes of these.
pub(crate) fn decoded_len(bytes: &[u8]) -> usize {
    match *bytes {
        [_, _, weight_high, weight_low, _, _, scale_high, scale_low, ..] => {
            let weight = i16::from_be_bytes([weight_high, weight_low]);
            let before = usize::try_from(weight).map_or(0, |weight| (weight + 1) * GROUP);
            3 + before + usize::from(u16::from_be_bytes([scale_high, scale_low]))
        }
        _ => 0,
    }
}

/// From the binary format to plain notation.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, NumericError> {
    let mut words = bytes.chunks_exact(2).map(|pair| match *pair {
        [high, low] => u16::from_be_bytes([high, low]),
        _ => 0,
    });
    let mut header = || words.next().ok_or(NumericError::Malformed);
    let (count, weight, sign, scale) = (header()?, header()?.cast_signed(), header()?, usize::from(header()?));
    if sign != 0 && sign != NEGATIVE {
        return Err(NumericError::NotFinite);
    }
    if words.len() != usize::from(count) || scale > MAX_AFTER {
        return Err(NumericError::Malformed);
    }
    let weight = isize::from(weight);
    let before = usize::try_from(weight + 1).unwrap_or(0);
    let mut text = String::with_capacity(3 + before * GROUP + scale);
    if sign == NEGATIVE {
        text.push('-');
    }
    let start = text.len();
    for _ in 0..before {
        push_group(&mut text, words.next().unwrap_or(0), GROUP)?;
    }
    strip_zeros(&mut text, start);
    if scale > 0 {
        text.push('.');
        // A weight under -1 says that whole groups after the point are zero.
        let mut skipped = usize::try_from(-1 - weight).unwrap_or(0);
        let mut left = scale;
        while left > 0 {
            let digit = if skipped > 0 { 0 } else { words.next().unwrap_or(0) };
            skipped = skipped.saturating_sub(1);
            push_group(&mut text, digit, left.min(GROUP))?;
            left = left.saturating_sub(GROUP);
        }
    }
    Ok(text)
}

/// The first `take` of the four decimal digits of one digit of the format.
fn push_group(text: &mut String, digit: u16, take: usize) -> Result<(), NumericError> {
    if digit > 9_999 {
        return Err(NumericError::Malformed);
    }
    for divisor in [1_000, 100, 10, 1].into_iter().take(take) {
        // At most 9, so it is one ASCII digit.
        text.push(char::from(b'0' + u8::try_from(digit / divisor % 10).unwrap_or(0)));
    }
    Ok(())
}

/// `0012` after `start` becomes `12`, `0000` and nothing become `0`.
fn strip_zeros(text: &mut String, start: usize) {
    let digits = text.get(start..).unwrap_or_default();
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    if zeros == digits.len() {
        text.truncate(start);
        text.push('0');
    } else {
        text.replace_range(start..start + zeros, "");
    }
}

/// From plain notation (`-12.50`: a sign, digits, and digits after a point) to the binary format, appended to `out`.
pub(crate) fn encode(text: &str, out: &mut Vec<u8>) -> Result<(), NumericError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (before, after) = match digits.split_once('.') {
        Some((before, after)) if !after.is_empty() => (before, after),
        Some(_) => return Err(NumericError::Malformed),
        None => (digits, ""),
    };
    if before.is_empty() || !before.bytes().chain(after.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(NumericError::Malformed);
    }
    let before = before.trim_start_matches('0');
    if before.len() > MAX_BEFORE || after.len() > MAX_AFTER {
        return Err(NumericError::TooLong);
    }
    let groups = groups(before.as_bytes(), after.as_bytes());
    let leading = groups.iter().take_while(|digit| **digit == 0).count();
    let trailing = groups.iter().rev().take_while(|digit| **digit == 0).count();
    let significant = groups.get(leading..groups.len() - trailing).unwrap_or_default();
    // Bounded by the two limits above: 32,768 groups before the point, 4,096 after it.
    let weight = isize::try_from(before.len().div_ceil(GROUP)).unwrap_or(0) - 1 - isize::try_from(leading).unwrap_or(0);
    let (weight, negative) = if significant.is_empty() { (0, false) } else { (weight, negative) };
    let word = |value: usize| u16::try_from(value).map_err(|_| NumericError::TooLong);
    let weight = i16::try_from(weight).map_err(|_| NumericError::TooLong)?;
    let sign = if negative { NEGATIVE } else { 0 };
    for word in [word(significant.len())?, weight.cast_unsigned(), sign, word(after.len())?] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    for digit in significant {
        out.extend_from_slice(&digit.to_be_bytes());
    }
    Ok(())
}

/// Decimal digits as digits in base 10,000, aligned at the point.
fn groups(before: &[u8], after: &[u8]) -> Vec<u16> {
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, byte| sum * 10 + u16::from(byte - b'0'));
    let mut groups: Vec<u16> = before.rchunks(GROUP).map(number).collect();
    groups.reverse();
    groups.extend(after.chunks(GROUP).map(|digits| {
        let padding = GROUP - digits.len();
        number(digits) * [1, 10, 100, 1_000].get(padding).copied().unwrap_or(1)
    }));
    groups
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn there_and_back(text: &str) -> String {
        let mut bytes = Vec::new();
        encode(text, &mut bytes).unwrap();
        decode(&bytes).unwrap()
    }

    #[test]
    fn plain_notation_keeps_its_scale() {
        for text in ["0", "0.00", "12.50", "-0.0001", "10000", "100000000.00000001", "0.00000000000012", "9999"] {
            assert_eq!(there_and_back(text), text);
        }
        assert_eq!(there_and_back("+0012.5"), "12.5");
        assert_eq!(there_and_back("-0.0"), "0.0");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "-", ".5", "5.", "1e5", "NaN", "Infinity", "1 ", "1,5", "--1", "1.2.3", "٣"] {
            assert_eq!(encode(text, &mut Vec::new()), Err(NumericError::Malformed), "{text}");
        }
        assert_eq!(encode(&"9".repeat(MAX_BEFORE + 1), &mut Vec::new()), Err(NumericError::TooLong));
        assert_eq!(encode(&format!("0.{}", "9".repeat(MAX_AFTER + 1)), &mut Vec::new()), Err(NumericError::TooLong));
        assert_eq!(decode(&[0; 7]), Err(NumericError::Malformed));
        assert_eq!(decode(&[0, 0, 0, 0, 0xc0, 0, 0, 0]), Err(NumericError::NotFinite));
    }

    proptest! {
        #[test]
        fn every_number_survives(text in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?") {
            let zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
            let expected = if zero { text.trim_start_matches('-') } else { &text };
            let mut bytes = Vec::new();
            encode(&text, &mut bytes).unwrap();
            prop_assert!(decoded_len(&bytes) >= expected.len());
            prop_assert_eq!(decode(&bytes).unwrap(), expected);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = decode(&bytes);
        }
    }
}
