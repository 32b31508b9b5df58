//! Every parsed value, tried with bad input: what is accepted at and refused past each limit, what a refusal says,
//! and that it never repeats what was typed.
//!
//! Tables say what is expected; property tests look for what the tables forgot. Where another parser can judge a
//! text (`url`), it is asked for a second opinion.

mod characters;
mod domain;
mod ids;
mod json;
mod policy;
mod redirect;
pub(crate) mod repeating;
mod secret;
mod signature;
mod time;
mod titles;

use std::fmt::{Debug, Display};
use std::str::FromStr;

use client_registry::client::{Change, Client, CommandContext, Decision};
use client_registry::entropy::{Entropy, EntropyError};
use client_registry::value::{
    Actor, AppDomain, Field, FriendlyName, Label, OperatorId, Problem, RedirectUrl,
};
use client_registry::{
    AddInId, Availability, ClientDetails, ClientId, ClientSecret, InvalidValue, Lifetime, NewSecret, Policy,
    Refusal, SecretId, SellerId, Signature, Timestamp,
};
use serde::de::DeserializeOwned;

/// Stands for a client secret that a user pasted into the wrong field.
const MARKER: &str = "sw0rdfish";

const GUID: &str = "0b54f1a6-3c5e-4b0f-9c3e-6f0d6a1f2e3b";
const SIGNATURE: &str =
    "v1:0b54f1a6-3c5e-4b0f-9c3e-6f0d6a1f2e3b:7:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A kind of text that is parsed, with one that is accepted.
struct Kind {
    field: Field,
    good: &'static str,
    parse: fn(&str) -> Result<String, InvalidValue>,
    /// Parses a JSON string that holds the text; the error as text.
    from_json: Option<FromJson>,
    /// The greatest length in characters, and a text of `n` characters that is fine but for its length.
    max: usize,
    of_length: fn(usize) -> String,
}

type FromJson = fn(&str) -> Result<String, String>;

fn parsed<T: FromStr<Err = InvalidValue> + Display>(text: &str) -> Result<String, InvalidValue> {
    text.parse::<T>().map(|value| value.to_string())
}

fn from_json<T: DeserializeOwned + Display>(text: &str) -> Result<String, String> {
    let json = serde_json::to_string(text).unwrap();
    match serde_json::from_str::<T>(&json) {
        Ok(value) => Ok(value.to_string()),
        Err(error) => Err(format!("{error} {error:?}")),
    }
}

fn kind<T>(field: Field, good: &'static str, max: usize, of_length: fn(usize) -> String) -> Kind
where
    T: FromStr<Err = InvalidValue> + Display + DeserializeOwned,
{
    Kind { field, good, parse: parsed::<T>, from_json: Some(from_json::<T>), max, of_length }
}

fn kinds() -> Vec<Kind> {
    let letters = |n| "a".repeat(n);
    vec![
        kind::<ClientId>(Field::ClientId, GUID, 64, letters),
        kind::<SellerId>(Field::SellerId, "contoso", 128, letters),
        kind::<OperatorId>(Field::OperatorId, "ann@contoso", 128, letters),
        kind::<AddInId>(Field::AddInId, "WA104381411", 128, letters),
        kind::<FriendlyName>(Field::FriendlyName, "calendar app", 100, letters),
        kind::<Label>(Field::Label, "deploy of March", 100, letters),
        kind::<AppDomain>(Field::AppDomain, "app.contoso.com:3333", 253, domain::of_length),
        kind::<RedirectUrl>(
            Field::RedirectUrl,
            "https://app.contoso.com/done?a=b",
            2048,
            redirect::of_length,
        ),
        Kind {
            field: Field::SecretId,
            good: "1234567",
            parse: parsed::<SecretId>,
            from_json: None, // a number in JSON
            max: 10,
            of_length: |n| "1".repeat(n),
        },
        Kind {
            field: Field::ClientSecret,
            good: "An old client secret, 2019",
            parse: |text| ClientSecret::parse(text).map(|secret| secret.expose().to_owned()),
            from_json: None, // never
            max: 512,
            of_length: letters,
        },
        kind::<Signature>(Field::Signature, SIGNATURE, 122, |n| {
            format!("v1:{}:4294967295:{}", "a".repeat(n - 58), "A".repeat(43))
        }),
    ]
}

/// Checks what every refusal promises: it names the field, the rule and what would be accepted, and it does not
/// repeat the input.
fn check_refusal(error: &InvalidValue, field: Field) {
    let said = error.to_string();
    assert_eq!(error.field(), field, "{said}");
    assert!(said.contains(&field.to_string()), "no field: {said}");
    assert!(said.contains(&error.problem().to_string()), "no rule: {said}");
    assert!(said.contains(field.accepted()) && !field.accepted().is_empty(), "nothing to do instead: {said}");
    assert!(!repeats(&said) && !repeats(&format!("{error:?}")), "repeats the input: {said}");
}

fn repeats(said: &str) -> bool {
    said.to_lowercase().contains(MARKER)
}

/// Parses what has to be refused, and says which rule it broke.
fn refused<T>(text: &str, field: Field) -> Problem
where
    T: FromStr<Err = InvalidValue> + Debug,
{
    match text.parse::<T>() {
        Ok(value) => panic!("accepted {text:?} as {value:?}"),
        Err(error) => {
            check_refusal(&error, field);
            error.problem()
        }
    }
}

#[test]
fn what_is_good_is_accepted_as_it_is_written() {
    for Kind { field, good, parse, from_json, .. } in kinds() {
        assert_eq!(parse(good).as_deref(), Ok(good), "{field}");
        if let Some(from_json) = from_json {
            assert_eq!(from_json(good).as_deref(), Ok(good), "{field}");
        }
    }
}

#[test]
fn nothing_is_not_a_value() {
    for Kind { field, parse, .. } in kinds() {
        let error = parse("").unwrap_err();
        check_refusal(&error, field);
        if field != Field::Signature {
            assert_eq!(error.problem(), Problem::Empty, "{field}");
        }
    }
}

#[test]
fn each_greatest_length_is_accepted_and_one_more_is_refused() {
    for Kind { field, parse, max, of_length, .. } in kinds() {
        let longest = of_length(max);
        assert_eq!(longest.chars().count(), max, "{field}");
        assert_eq!(parse(&longest), Ok(longest), "{field}");
        let error = parse(&of_length(max + 1)).unwrap_err();
        check_refusal(&error, field);
        assert_eq!(error.problem(), Problem::TooLong { max }, "{field}");
    }
}

/// A megabyte is refused for its length, whatever else is wrong with it: nobody reads it to the end.
#[test]
fn lengths_are_checked_first() {
    const MIB: usize = 1 << 20;
    for Kind { field, good, parse, max, from_json, .. } in kinds() {
        for filling in ["a", "1", "\0", " ", "а", "\u{200b}", "://", "@", "%"] {
            let mut text = filling.repeat(MIB / filling.len());
            let error = parse(&text).unwrap_err();
            assert_eq!(error.problem(), Problem::TooLong { max }, "{field}: {filling:?}");
            text.insert_str(0, good);
            let error = parse(&text).unwrap_err();
            assert_eq!(error.problem(), Problem::TooLong { max }, "{field}: {filling:?}");
            check_refusal(&error, field);
        }
        let long = MARKER.repeat(MIB / MARKER.len());
        assert!(
            from_json.is_none_or(|from_json| from_json(&long).is_err_and(|said| !repeats(&said))),
            "{field}"
        );
    }
}

/// Somebody pastes a client secret where it does not belong: whatever is wrong with it, no error shows it.
#[test]
fn no_refusal_repeats_the_input() {
    let mut refusals = 0;
    for Kind { field, good, parse, from_json, .. } in kinds() {
        let texts = [
            format!("{MARKER}\n"),
            format!("\0{MARKER}"),
            format!(" {MARKER} "),
            format!("{MARKER}\u{202e}"),
            format!("{MARKER}.é"),
            format!("://{MARKER}@{MARKER}:{MARKER}/#{MARKER}"),
            format!("https://{MARKER}@{MARKER}/"),
            format!("https:{MARKER}"),
            format!("https://{MARKER}:{MARKER}/"),
            format!("https://a/#{MARKER}"),
            format!("https://a/%{MARKER}"),
            format!("-{MARKER}"),
            format!("{MARKER}..{MARKER}"),
            format!("{MARKER}:{MARKER}"),
            format!("xn--{MARKER}"),
            format!("v1:{MARKER}"),
            format!("v1:{MARKER}:{MARKER}:{MARKER}"),
            format!("v1:{MARKER}:{MARKER}:{}", "A".repeat(43)),
            format!("v1:{MARKER}:0:{}", "A".repeat(43)),
            format!("v1:{MARKER}!:1:{}", "A".repeat(43)),
            format!("{good}\u{7f}{MARKER}"),
            MARKER.repeat(1000),
        ];
        for text in texts {
            if let Err(error) = parse(&text) {
                let said = error.to_string() + &format!("{error:?}");
                assert!(!repeats(&said), "{field}: {said}");
                refusals += 1;
            }
            if let Some(Err(said)) = from_json.map(|from_json| from_json(&text)) {
                assert!(!repeats(&said), "{field}: {said}");
                refusals += 1;
            }
        }
    }
    assert!(refusals > 250, "only {refusals} texts were refused");
}

/// The same bytes, always.
#[derive(Debug)]
struct SameBytes(u8);

impl Entropy for SameBytes {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        buffer.fill(self.0);
        Ok(())
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Registers a client ID, to see what the policy says.
fn register(url: &str, lifetime: Lifetime, policy: &Policy, now: Timestamp) -> Result<Change, Refusal> {
    let seller = SellerId::parse("contoso").unwrap();
    let actor = Actor::Seller(seller.clone());
    let transition = Client::register(
        ClientId::parse(GUID).unwrap(),
        seller,
        ClientDetails::new("calendar app", "app.contoso.com", url).unwrap(),
        Availability::Worldwide,
        &NewSecret::lasting(lifetime).labelled(Label::parse("the first").unwrap()),
        &ClientSecret::generate(&Policy::default(), &SameBytes(0xa5)).unwrap(),
        &CommandContext { actor: &actor, policy, now },
    )?;
    match transition {
        Decision::Changed(change) => Ok(*change),
        Decision::Unchanged => panic!("registering changes something"),
    }
}
