//! Client secrets that are too easy to guess to be imported (rule 18).
//!
//! Nobody can tell how a text was made, so only texts are refused that no random text looks like: of ten million random texts
//! of 24 decimal digits at most a few, and of other random texts none in practice. Rather let a weak one pass than refuse a
//! random one.

use zeroize::Zeroizing;

/// Returns why a client secret is easy to guess, if it is: few distinct characters, a repeated shorter text, or runs and
/// sequences.
pub(super) fn weakness(text: &[u8]) -> Option<&'static str> {
    let folded = Zeroizing::new(text.to_ascii_lowercase());
    if distinct(text) < MIN_DISTINCT {
        Some("has fewer than 8 distinct characters")
    } else if (1..text.len()).any(|period| repeats(&folded, period)) {
        Some("is a shorter text repeated")
    } else if (1..=MAX_STRIDE).any(|stride| is_steady(&folded, stride)) {
        Some("is made of runs and sequences of characters")
    } else {
        None
    }
}

fn distinct(text: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in text {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

/// Returns whether most of a text is a shorter text of `period` characters, repeated about twice or more often: cut at its end,
/// or with other characters before, between or after.
fn repeats(text: &[u8], period: usize) -> bool {
    let (mut stretch, mut longest) = (0, 0);
    for (one, other) in text.iter().zip(text.iter().skip(period)) {
        stretch = if one == other { stretch + 1 } else { 0 };
        longest = longest.max(stretch);
    }
    is_most(longest, period) && is_most(longest + period, text.len())
}

/// Returns whether most characters follow the one `stride` places before them: `aaab`, `1234`, `fedc`, `qwerty`; with a stride
/// of two `a1b2c3`.
fn is_steady(text: &[u8], stride: usize) -> bool {
    let pairs = text.iter().zip(text.iter().skip(stride));
    let steady = pairs.filter(|(one, other)| follows(**one, **other)).count();
    is_most(steady + stride, text.len())
}

fn follows(one: u8, other: u8) -> bool {
    let is_near = |row: &[u8]| {
        let at = |key| row.iter().position(|it| *it == key);
        matches!((at(one), at(other)), (Some(one), Some(other)) if one.abs_diff(other) == 1)
    };
    one.abs_diff(other) <= 1 || KEYBOARD.iter().any(|row| is_near(row))
}

/// Returns whether a part is at least three quarters of the whole.
fn is_most(part: usize, whole: usize) -> bool {
    part * 4 >= whole * 3
}

const MIN_DISTINCT: usize = 8;
const MAX_STRIDE: usize = 3;
/// Neighbours on a keyboard that are not neighbours in ASCII.
const KEYBOARD: [&[u8]; 4] = [b"1234567890", b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];

#[cfg(test)]
mod tests {
    use super::weakness;
    use proptest::prelude::*;

    const FEW: Option<&str> = Some("has fewer than 8 distinct characters");
    const REPEATED: Option<&str> = Some("is a shorter text repeated");
    const STEADY: Option<&str> = Some("is made of runs and sequences of characters");

    proptest! {
        #[test]
        fn rule_18_a_shorter_text_repeated_is_weak(text in "[a-p]{8,40}", times in 2usize..5) {
            prop_assert!(weakness(text.repeat(times).as_bytes()).is_some());
        }

        /// Cut at its end, in another case, or with something around it.
        #[test]
        fn rule_18_most_of_a_text_repeated_is_weak(
            text in "[A-Za-z0-9]{8,40}", times in 2usize..6, cut in 0usize..40, before in 0usize..5, after in 0usize..5,
        ) {
            let mut repeated = text.repeat(times) + &text[..cut.min(text.len())].to_uppercase();
            let around = repeated.len() / 3;
            repeated.insert_str(0, &"x!9"[..before.min(around).min(3)]);
            repeated.push_str(&"2026"[..after.min(around - before.min(around).min(3)).min(4)]);
            prop_assert!(weakness(repeated.as_bytes()).is_some(), "{}", repeated);
        }

        #[test]
        fn rule_18_few_characters_are_weak(text in "[a-g]{24,60}") {
            prop_assert_eq!(weakness(text.as_bytes()), FEW);
        }

        /// As random as it gets with few characters: decimal digits, hexadecimal ones, letters.
        #[test]
        fn rule_18_what_is_random_is_not_weak(text in "[a-z]{24,60}|[0-9]{24,60}|[0-9a-f]{24,64}|[ -~]{24,512}") {
            let distinct = text.bytes().collect::<std::collections::BTreeSet<_>>().len();
            prop_assert_eq!(weakness(text.as_bytes()).is_some(), distinct < 8);
        }
    }

    #[test]
    fn rule_18_weak_texts_by_name() {
        for (text, why) in [
            ("123456789012345678901234", REPEATED),
            ("passwordpasswordpassword1", REPEATED),
            ("passwordpasswordpassword2026!", REPEATED),
            ("Passwordpasswordpassword", REPEATED),
            ("correct horse correct horse", REPEATED),
            ("abcdefghabcdefghabcdefgh", REPEATED),
            ("abcdefghijklmnopqrstuvwxyz", STEADY),
            ("zyxwvutsrqponmlkjihgfedcba", STEADY),
            ("aaabbbcccdddeeefffggghhhiii", STEADY),
            ("abcdefghijklmnopqrstuvwxyz0123456789", STEADY),
            ("abcdefghijklmnopqrst!?#$", STEADY),
            ("a1b2c3d4e5f6g7h8i9j0k1l2", STEADY),
            ("qwertyuiopasdfghjklzxcvbnm", STEADY),
            ("QwErTyUiOpAsDfGhJkLzXcVbNm", STEADY),
            ("0987654321poiuytrewqlkjhgfdsa", STEADY),
            ("aaaaaaaaaaaabbbbbbbbcdefg", FEW),
        ] {
            assert_eq!(weakness(text.as_bytes()), why, "{text}");
        }
    }

    #[test]
    fn rule_18_exactly_eight_distinct_characters_are_not_few() {
        assert_eq!(weakness(b"agcehbdfgacfebhdgfachbed"), None);
        assert_eq!(weakness(b"agcegbdfgacfebcdgfacdbed"), FEW);
    }

    /// On the edge: three quarters are most, one character less is not.
    #[test]
    fn rule_18_what_is_most_of_a_text() {
        assert_eq!(weakness(b"hubr7mzq0hubr7mzq0ix2kw9"), REPEATED, "18 of 24");
        assert_eq!(weakness(b"hubr7mzqhubr7mzqix2kw9ty"), None, "16 of 24");
        assert_eq!(weakness(b"abcdefghijklmnopqr7k2zx5"), STEADY, "18 of 24");
        assert_eq!(weakness(b"abcdefghijklmnopq9k2wzd5"), None, "17 of 24");
    }
}
