//! The text form of a generated client secret.
//!
//! ```text
//! crs_9fWk2…  =  prefix (1 to 5 characters)  _  43 characters of base62 (256 bits)  6 characters of checksum
//! ```
//!
//! It has only `[A-Za-z0-9_]`, so it survives HTTP Basic, shells and double clicks, and secret scanners find it with
//! `crs_[0-9A-Za-z]{49}`. It has at most 55 characters, the most that one block of SHA-256 has room for. The checksum tells
//! *mistyped* from *wrong* in a log; it never decides whether a secret is accepted. The form is in the hands of users: it must
//! not change. Everything here runs in buffers of fixed size that are wiped (rule 8).

mod slip;

pub(crate) use self::slip::{could_be_secret, has_slip, refuse_secret, shown, slip};

use zeroize::{Zeroize, Zeroizing};

use crate::value::SecretId;
use crate::value::bytes::all;

/// The look of a presented text that matched no verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looks {
    /// A generated client secret with a slip: a wrong character, a missing part, quotes or white space around it.
    Mistyped,
    /// The number of a secret.
    LikeSecretId,
    /// Anything else.
    Other,
}

/// Writes `bits` as a client secret, into a buffer that never grows.
pub(crate) fn write(prefix: &str, bits: &[u8; 32]) -> Box<str> {
    let mut text = Zeroizing::new(String::with_capacity(prefix.len() + 1 + BODY + CHECK));
    text.push_str(prefix);
    text.push('_');
    push_base62(&mut text, bits);
    let check = checksum(text.as_bytes());
    text.extend(check_digits(check));
    Box::from(text.as_str())
}

/// Returns the hint: the first four characters after the prefix, which may be shown (rule 8).
pub(crate) fn hint(text: &str) -> Option<[u8; 4]> {
    let (_, body) = text.split_once('_')?;
    body.as_bytes().first_chunk().copied()
}

/// Returns what a text that matched no verifier looks like, given the prefix of generated secrets.
pub(crate) fn looks(text: &str, prefix: &str) -> Looks {
    let text = cut(text);
    if has_slip(text, prefix) {
        return Looks::Mistyped;
    }
    // The first character shows of most texts that they are no number, with or without white space around it.
    match text.as_bytes().first() {
        Some(b'!'..=b'/' | b':'..=b'~') => Looks::Other,
        _ if text.trim().parse::<SecretId>().is_ok() => Looks::LikeSecretId,
        _ => Looks::Other,
    }
}

/// Returns the text, cut to the length of the longest client secret, so that a longer text costs no more to look at.
pub(crate) fn cut(text: &str) -> &str {
    match text.len() {
        ..=MAX_LEN => text,
        _ => (0..4).find_map(|less| text.get(..MAX_LEN - less)).unwrap_or_default(),
    }
}

/// Returns whether the text is a prefix, an underscore, 43 characters of base62 and their checksum.
pub(crate) fn is_well_formed(text: &[u8]) -> bool {
    let Some(([prefix @ .., b'_'], _)) = text.split_last_chunk::<{ BODY + CHECK }>() else {
        return false;
    };
    is_prefix(prefix) && ends_in_checksum(text)
}

/// Returns whether the text ends in 43 characters of base62 and the checksum of everything before it.
#[inline]
fn ends_in_checksum(text: &[u8]) -> bool {
    let Some(rest) = text.last_chunk::<{ BODY + CHECK }>() else {
        return false;
    };
    let Some((checked, check)) = text.split_last_chunk::<CHECK>() else {
        return false;
    };
    is_alphanumeric(rest) && check_digits(checksum(checked)).eq(check.iter().copied().map(char::from))
}

fn is_prefix(text: &[u8]) -> bool {
    (1..=MAX_PREFIX).contains(&text.len()) && is_alphanumeric(text)
}

#[inline]
fn is_alphanumeric(text: &[u8]) -> bool {
    all(text, |b| b.is_ascii_alphanumeric())
}

fn checksum(text: &[u8]) -> u32 {
    crc32fast::hash(text)
}

/// Appends 256 bits as 43 digits, the most significant first.
#[expect(
    clippy::expect_used,
    reason = "unreachable: what is divided by 62 is below 62 times 2 to the power of 32"
)]
fn push_base62(text: &mut String, bits: &[u8; 32]) {
    let mut limbs = [0u32; 8];
    for (limb, bytes) in limbs.iter_mut().zip(bits.as_chunks().0) {
        *limb = u32::from_be_bytes(*bytes);
    }
    let mut digits = ['0'; BODY];
    for digit in digits.iter_mut().rev() {
        // One step of long division by 62.
        let mut rest = 0u64;
        for limb in &mut limbs {
            let dividend = (rest << 32) | u64::from(*limb);
            *limb = u32::try_from(dividend / 62).expect("a remainder below 62 leaves 32 bits");
            rest = dividend % 62;
        }
        *digit = base62_digit(rest);
    }
    text.extend(digits);
    limbs.zeroize();
    digits.zeroize();
}

/// Returns the six digits of a checksum.
fn check_digits(checksum: u32) -> impl Iterator<Item = char> {
    const PLACES: [u32; CHECK] = [62u32.pow(5), 62u32.pow(4), 62u32.pow(3), 62u32.pow(2), 62, 1];
    PLACES.into_iter().map(move |place| base62_digit(u64::from(checksum / place % 62)))
}

/// Returns the digit for the remainder of a value by 62: `0-9A-Za-z`. It is computed, since a table look-up would leave a trace in
/// the cache.
fn base62_digit(value: u64) -> char {
    let [value, ..] = (value % 62).to_le_bytes();
    let offset = match value {
        0..10 => b'0',
        10..36 => b'A' - 10,
        _ => b'a' - 36,
    };
    char::from(value + offset)
}

/// The length of an imported client secret in bytes, and so of any text worth comparing with a verifier.
pub(crate) const MIN_LEN: usize = 24;
pub(crate) const MAX_LEN: usize = 512;
/// The prefix of generated client secrets, unless the policy names another one.
pub(crate) const DEFAULT_PREFIX: &str = "crs";
/// The longest prefix that a policy can name.
pub(crate) const MAX_PREFIX: usize = 5;
/// 62^43 is just over 2^256.
const BODY: usize = 43;
/// 62^6 is just over 2^32.
const CHECK: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads the digits back, by another road than writing: multiply and add in decimal-like arithmetic on bytes.
    fn read_base62(digits: &str) -> Vec<u8> {
        let mut number = vec![0u32; 33];
        for c in digits.chars() {
            let value = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".find(c).unwrap();
            let mut carry = u32::try_from(value).unwrap();
            for byte in number.iter_mut().rev() {
                let next = *byte * 62 + carry;
                *byte = next & 0xff;
                carry = next >> 8;
            }
            assert_eq!(carry, 0);
        }
        number.into_iter().map(|byte| u8::try_from(byte).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn every_bit_is_in_the_text(bits: [u8; 32], prefix in "[A-Za-z0-9]{1,5}") {
            let text = write(&prefix, &bits);
            let body = &text[prefix.len() + 1..];
            prop_assert_eq!(body.len(), 49);
            prop_assert!(text.len() <= 55);
            prop_assert!(body.bytes().all(|b| b.is_ascii_alphanumeric()));
            let read = read_base62(&body[..43]);
            prop_assert_eq!(read[0], 0);
            prop_assert_eq!(&read[1..], &bits[..]);
            prop_assert_eq!(looks(&text, &prefix), Looks::Other);
        }

        #[test]
        fn one_wrong_character_is_a_slip(bits: [u8; 32], at in 0usize..49, other in "[0-9A-Za-z]") {
            let text = write("crs", &bits);
            let mut slip = text.to_string();
            slip.replace_range(4 + at..5 + at, &other);
            prop_assume!(*slip != *text);
            prop_assert_eq!(looks(&slip, "crs"), Looks::Mistyped);
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(&write("crs", &[0; 32])[..47], format!("crs_{}", "0".repeat(43)));
        let most = write("crs", &[0xff; 32]);
        assert_eq!(read_base62(&most[4..47])[1..], [0xff; 32]);
    }

    #[test]
    fn no_more_is_looked_at_than_a_client_secret_may_have() {
        for character in ["_", " ", "\u{e9}", "\u{20ac}", "\u{1f511}"] {
            for shift in 0..4 {
                let long = "a".repeat(shift) + &character.repeat(1 << 16);
                let cut = cut(&long);
                assert!((MAX_LEN - 3..=MAX_LEN).contains(&cut.len()) && long.starts_with(cut));
            }
        }
        let longest = "a".repeat(MAX_LEN);
        assert_eq!((cut(&longest), cut("short"), cut("")), (longest.as_str(), "short", ""));
    }

    #[test]
    fn texts_that_match_nothing_are_told_apart() {
        let text = write("crs", &[7; 32]);
        assert_eq!(looks(&format!(" {text}\n"), "crs"), Looks::Mistyped);
        assert_eq!(looks(&text[..50], "crs"), Looks::Mistyped);
        assert_eq!(looks("17", "crs"), Looks::LikeSecretId);
        assert_eq!(looks("", "crs"), Looks::Other);
        assert_eq!(looks("0", "crs"), Looks::Other);
        assert_eq!(looks(&text, "abc"), Looks::Other);
    }
}
