//! Values that are no more than filler, and numbers that people count by.

/// One character over and over, or characters in their order.
pub(in crate::detect) fn is_filler(value: &[u8]) -> bool {
    if value.len() < 4 {
        return true;
    }
    let mut counts = [0_usize; 256];
    value.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let most = counts.iter().max().copied().unwrap_or(0);
    if most * 10 >= value.len() * 6 {
        return true;
    }
    let different = counts.iter().filter(|count| **count > 0).count();
    let is_repeated = value.len() >= 8 && (different <= 2 || is_periodic(value) || counts_in_hex(value));
    is_repeated || in_order(value) * 10 >= value.len() * 7
}

/// Bytes in hex that go up by the same step (`000102030405…`, `00112233…`).
fn counts_in_hex(value: &[u8]) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| Some(digit(pair[0])? * 16 + digit(pair[1])?);
    if value.len() < 16 {
        return false;
    }
    let step = |at: usize| {
        let next = value.get(at + 2..at + 4)?;
        byte(next)?.checked_sub(byte(&value[at..at + 2])?)
    };
    let first = step(0);
    let steps = value.len() / 2 - 1;
    first.is_some() && (0..steps).filter(|nth| step(nth * 2) == first).count() * 10 >= steps * 7
}

/// A short stretch over and over (`abababab`, `123123123`).
fn is_periodic(value: &[u8]) -> bool {
    (2..=value.len() / 3).any(|period| value.iter().zip(&value[period..]).all(|(one, other)| one == other))
}

/// How many bytes stand in runs of at least four that count up or down (`1234`, `dcba`), or go along a row of keys.
fn in_order(value: &[u8]) -> usize {
    const LEAST: usize = 4;
    const ROWS: [&[u8]; 4] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm", b"1234567890"];
    let step = |pair: &[u8]| {
        let (one, other) = (pair[0].to_ascii_lowercase(), pair[1].to_ascii_lowercase());
        let by_value = i16::from(other) - i16::from(one);
        let on_row = |row: &&[u8]| row.windows(2).any(|keys| keys == [one, other]);
        if by_value.abs() == 1 {
            by_value
        } else if ROWS.iter().any(on_row) {
            2
        } else {
            0
        }
    };
    let (mut total, mut run, mut last) = (0, 1, 0);
    for pair in value.windows(2) {
        let this = step(pair);
        if this != 0 && (run == 1 || this == last) {
            run += 1;
        } else {
            total += if run >= LEAST { run } else { 0 };
            run = if this != 0 { 2 } else { 1 };
        }
        last = this;
    }
    total + if run >= LEAST { run } else { 0 }
}

/// Whether each number in it is one that people count by: up to three digits in order or equal, a year, or one or two digits.
pub(super) fn counts_up(value: &[u8]) -> bool {
    value.split(|byte| !byte.is_ascii_digit()).filter(|number| !number.is_empty()).all(|number| {
        let up = |pair: &[u8]| pair[1] == pair[0] + 1 || pair == b"90";
        let is_counted = number.windows(2).all(up) || number.windows(2).all(|pair| pair[0] == pair[1]);
        let is_year = number.len() == 4 && (number.starts_with(b"19") || number.starts_with(b"20"));
        number.len() <= 2 || is_counted || is_year
    })
}
