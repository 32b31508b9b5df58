//! Slips: generated client secrets that were pasted badly, or into a field that is not for secrets.
//!
//! A slip is reported only if the text looks generated: it has the default prefix or the policy's, or its checksum is right. A client
//! secret that was made elsewhere is accepted as it is. No message repeats a character of the text (rule 8).

use crate::value::bytes::all;
use crate::value::secret_text::{
    BODY, CHECK, DEFAULT_PREFIX, MAX_LEN, MAX_PREFIX, ends_in_checksum, is_alphanumeric, is_prefix,
    is_well_formed,
};
use crate::value::{Field, InvalidValue, Problem};

/// A slip: what is wrong with a text that looks like a generated client secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slip {
    ByteOrderMark,
    WhiteSpace,
    Quotes,
    Bearer,
    /// A complete client secret with other text before or after it.
    Surrounded,
    CutShort,
    /// Long enough, but the checksum does not match.
    Mistyped,
}

impl Slip {
    /// Returns the problem to report to the caller. It repeats no character of the text.
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::ByteOrderMark => Problem::Form("begins with a byte order mark: remove it"),
            Self::WhiteSpace => Problem::SpaceAtEnds,
            Self::Quotes => Problem::Form("is in quotes: remove them"),
            Self::Bearer => Problem::Form("begins with `Bearer`: remove it"),
            Self::Surrounded => {
                Problem::Form("has other text before or after it: remove all but the client secret")
            }
            Self::CutShort => Problem::Form("was cut short: copy all of it"),
            Self::Mistyped => Problem::Form("is mistyped (its checksum does not match): copy it again"),
        }
    }
}

/// Returns the slip in a text that looks generated, given the prefix of the policy. Returns `None` for a generated client secret
/// without a slip, and for a text that was made elsewhere.
pub(crate) fn slip(text: &str, prefix: &str) -> Option<Slip> {
    if text.len() > MAX_LEN || is_well_formed(text.as_bytes()) {
        return None;
    }
    let (mut core, mut around) = (text, None);
    while let Some((slip, rest)) = take_off(core) {
        around = around.or(Some(slip));
        core = rest;
    }
    if is_well_formed(core.as_bytes()) {
        return around;
    }
    let inside = match body_after(core, [prefix, DEFAULT_PREFIX]) {
        _ if holds_secret(core) => Slip::Surrounded,
        None => return None,
        Some(body) if body.len() < BODY + CHECK => Slip::CutShort,
        Some(_) => Slip::Mistyped,
    };
    around.or(Some(inside))
}

/// Returns whether [`slip`] finds a slip, in little time: every wrong client secret is looked at.
pub(crate) fn has_slip(text: &str, prefix: &str) -> bool {
    if text.len() > MAX_LEN {
        return false;
    }
    match body_after(text, [prefix, DEFAULT_PREFIX]) {
        Some(body) => body.len() != BODY + CHECK || !ends_in_checksum(text.as_bytes()),
        // Every text with a slip has the underscore that follows the prefix.
        None => has_underscore(text) && slip(text, prefix).is_some(),
    }
}

/// Returns whether a text for a public field, such as a client ID, is likely a generated client secret: one with any prefix, or one
/// with a slip that leaves most of it. A text that this refuses is not looked up, logged or stored.
pub(crate) fn could_be_secret(text: &str, prefix: &str) -> bool {
    if !has_underscore(text) {
        return false;
    }
    let is_most = |body: &str| body.len() >= MOST && others(body) <= 1;
    body_after(text, [prefix, DEFAULT_PREFIX]).is_some_and(is_most)
        || text
            .split_once('_')
            .is_some_and(|(prefix, body)| is_prefix(prefix.as_bytes()) && could_be_body(body))
        || holds_secret(text)
}

/// Returns whether a text contains a client secret with any prefix. The checksum decides: one in four thousand million other texts
/// is mistaken for one.
fn holds_secret(text: &str) -> bool {
    let text = text.as_bytes();
    text.windows(1 + BODY + CHECK).enumerate().any(|(at, window)| {
        // Stops at the first character that cannot belong to a secret: each is looked at once, however many underscores there are.
        let [b'_', rest @ ..] = window else { return false };
        rest.iter().all(u8::is_ascii_alphanumeric)
            && (1..=MAX_PREFIX.min(at))
                .any(|len| text.get(at - len..at + window.len()).is_some_and(is_well_formed))
    })
}

/// Returns the text of a public value as `Debug` shows it. A client secret that was pasted there is left out.
pub(crate) fn shown(text: &str) -> &str {
    if holds_secret(text) { "holds a client secret" } else { text }
}

/// Refuses a text for a public field that contains a client secret.
///
/// # Errors
/// [`Problem::ClientSecret`] for the field.
pub(crate) fn refuse_secret(field: Field, text: &str) -> Result<(), InvalidValue> {
    match holds_secret(text) {
        true => Err(InvalidValue::new(field, Problem::ClientSecret)),
        false => Ok(()),
    }
}

fn has_underscore(text: &str) -> bool {
    !all(text.as_bytes(), |b| b != b'_')
}

/// Returns the rest of the text after the first of these prefixes that it begins with, and an underscore.
fn body_after<'a>(text: &'a str, prefixes: [&str; 2]) -> Option<&'a str> {
    prefixes.into_iter().find_map(|prefix| text.strip_prefix(prefix)?.strip_prefix('_'))
}

/// Returns whether a text could be the body of a client secret, up to one wrong character. A name or a hexadecimal number of that
/// length does not have all three kinds of characters.
fn could_be_body(body: &str) -> bool {
    const LEN: usize = BODY + CHECK;
    match body.len() {
        LEN if is_alphanumeric(body.as_bytes()) => true,
        // One character is missing, wrong or additional.
        48..=50 => {
            others(body) <= 1
                && body.bytes().any(|b| b.is_ascii_uppercase())
                && body.bytes().any(|b| b.is_ascii_lowercase())
                && body.bytes().any(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

/// Returns how many characters cannot stand in the body of a client secret.
fn others(body: &str) -> usize {
    body.chars().filter(|c| !c.is_ascii_alphanumeric()).count()
}

/// Removes one layer of what was copied together with a client secret.
fn take_off(text: &str) -> Option<(Slip, &str)> {
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        return Some((Slip::ByteOrderMark, rest));
    }
    // White space and quotes are removed together: an attacker can send hundreds of them in turns.
    let bare = text.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(&c));
    if bare.len() < text.len() {
        let slip = if text.trim().len() < text.len() { Slip::WhiteSpace } else { Slip::Quotes };
        return Some((slip, bare));
    }
    let (scheme, rest) = text.split_at_checked(BEARER.len())?;
    let rest = rest.strip_prefix([' ', ':']).filter(|_| scheme.eq_ignore_ascii_case(BEARER))?;
    Some((Slip::Bearer, rest))
}

const BEARER: &str = "bearer";
const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];
/// With fewer characters than this, a text gives an attacker nothing of a client secret.
const MOST: usize = 20;

#[cfg(test)]
mod tests {
    use super::super::write;
    use super::*;
    use proptest::prelude::*;

    /// Of the length of a body, but with characters that no body has.
    #[test]
    fn a_text_of_the_same_length_is_no_secret() {
        let body = format!("{}Ab", "7".repeat(BODY + CHECK - 4));
        assert!(could_be_secret(&format!("acme_{body}ab"), "crs"));
        assert!(could_be_secret(&format!("acme_{body}a-"), "crs"));
        assert!(!could_be_secret(&format!("acme_{body}--"), "crs"));
    }

    proptest! {
        #[test]
        fn a_client_secret_has_no_slip_and_could_be_one(bits: [u8; 32], prefix in "[A-Za-z0-9]{1,5}") {
            let text = write(&prefix, &bits);
            for policy in ["crs", &prefix] {
                prop_assert_eq!(slip(&text, policy), None);
                prop_assert!(!has_slip(&text, policy));
                prop_assert!(could_be_secret(&text, policy));
            }
            prop_assert!(holds_secret(&text));
        }

        #[test]
        fn what_surrounds_a_client_secret_is_named(bits: [u8; 32], prefix in "[A-Za-z0-9]{1,5}") {
            let text = write(&prefix, &bits);
            for (before, after, named) in [
                ("\"", "\"", Slip::Quotes), ("'", "", Slip::Quotes), ("", "`", Slip::Quotes), ("“", "”", Slip::Quotes),
                (" ", "", Slip::WhiteSpace), ("", " ", Slip::WhiteSpace), ("", "\r\n", Slip::WhiteSpace),
                ("\t", "\u{a0}", Slip::WhiteSpace), ("Bearer ", "", Slip::Bearer), ("bearer: ", "", Slip::Bearer),
                ("\u{feff}", "", Slip::ByteOrderMark), ("\u{feff}\"", "\" ", Slip::ByteOrderMark),
                ("client_secret=", "", Slip::Surrounded), ("", "&grant_type=x", Slip::Surrounded),
                ("\u{200b}", "", Slip::Surrounded), ("", ",", Slip::Surrounded), ("x__", "", Slip::Surrounded),
                ("\"a: ", "\"", Slip::Quotes),
            ] {
                let pasted = format!("{before}{text}{after}");
                prop_assert_eq!(slip(&pasted, "crs"), Some(named), "{:?} and {:?}", before, after);
                prop_assert!(has_slip(&pasted, "crs"), "{:?} and {:?}", before, after);
                prop_assert!(holds_secret(&pasted));
            }
        }

        #[test]
        fn a_slip_is_named_and_could_be_a_secret(
            bits: [u8; 32], at in 0usize..49, other in "[0-9A-Za-z._-]", policy in "[A-Za-z0-9]{1,5}",
        ) {
            for prefix in [DEFAULT_PREFIX, &policy] {
                let (text, body) = (write(prefix, &bits), prefix.len() + 1);
                let (mut wrong, mut short, mut long) = (text.to_string(), text.to_string(), text.to_string());
                wrong.replace_range(body + at..=body + at, &other);
                short.remove(body + at);
                long.insert_str(body + at, &other);
                prop_assume!(wrong != *text);
                prop_assert_eq!(slip(&wrong, &policy), Some(Slip::Mistyped));
                prop_assert_eq!(slip(&short, &policy), Some(Slip::CutShort));
                let longer = slip(&long, &policy);
                prop_assert!(matches!(longer, Some(Slip::Mistyped | Slip::Surrounded)), "{:?}", longer);
                prop_assert_eq!(slip(&text[..body + at], &policy), Some(Slip::CutShort));
                for slipped in [&wrong, &short, &long] {
                    prop_assert!(has_slip(slipped, &policy));
                    prop_assert!(could_be_secret(slipped, &policy));
                }
                prop_assert_eq!(could_be_secret(&text[..body + at], &policy), at >= MOST);
            }
        }

        /// Out of the pieces that matter, in whatever order: what is found fast is what is found by looking everywhere.
        #[test]
        fn nothing_is_overlooked_for_speed(
            bits: [u8; 32], whole in 0usize..6,
            pieces in prop::collection::vec("[\"' _a]|\u{feff}|Bearer |crs_|acme_|[0-9A-Za-z]{1,6}_|[0-9A-Za-z]{40,60}", 0..6),
        ) {
            let mut pieces: Vec<Box<str>> = pieces.into_iter().map(Box::from).collect();
            if whole <= pieces.len() {
                pieces.insert(whole, write("acme", &bits));
            }
            let text = pieces.concat();
            prop_assert_eq!(has_slip(&text, "acme"), slip(&text, "acme").is_some());
            let parts = (0..text.len()).flat_map(|at| (51..=55).filter_map(move |len| Some((at, at.checked_add(len)?))));
            let holds = parts.into_iter().any(|(at, end)| text.as_bytes().get(at..end).is_some_and(is_well_formed));
            prop_assert_eq!(holds_secret(&text), holds);
        }

        #[test]
        fn what_is_not_ours_is_left_alone(text in "[A-DF-Za-bd-z0-9. -]{0,60}|[a-z]{1,5}_[0-9a-f]{48}|[ -^a-z]{0,520}") {
            prop_assert_eq!(slip(&text, "crs"), None);
            prop_assert!(!holds_secret(&text));
            prop_assert!(!could_be_secret(&text, "crs"));
        }
    }

    #[test]
    fn a_slip_without_a_known_prefix_could_be_a_secret() {
        let text = write("acme", &[0x5a; 32]);
        assert!(could_be_secret(&text[..text.len() - 1], "crs"));
        assert!(could_be_secret(&format!("{text}x"), "crs"));
        assert!(could_be_secret(&text.replacen("acme_", "acme_-", 1), "crs"));
        assert!(!could_be_secret(&text[..text.len() - 2], "crs"), "nobody can tell");
        assert!(could_be_secret(&text[..text.len() - 2], "acme"));
        assert!(
            could_be_secret(&format!("abcde_{}", "a".repeat(49)), "crs"),
            "one in 2^32 has this checksum"
        );
        assert!(!could_be_secret(&format!("abcde_{}", "a".repeat(48)), "crs"));
        assert!(!could_be_secret(&format!("abcdef_{}", "a".repeat(49)), "crs"));
    }

    #[test]
    fn texts_that_are_too_long_for_a_client_secret_are_not_looked_at() {
        let text = write("crs", &[7; 32]);
        let longest = format!("{}{text}", " ".repeat(MAX_LEN - text.len()));
        assert_eq!(slip(&longest, "crs"), Some(Slip::WhiteSpace));
        assert_eq!(slip(&format!(" {longest}"), "crs"), None);
    }
}
