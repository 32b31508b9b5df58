//! What is written to JSON comes back as it was; what could not be parsed cannot come in through JSON either.

use std::fmt::Debug;

use client_registry::client::{ClientState, Promotion, Signing, Timeline};
use client_registry::event::{Fact, Handover};
use client_registry::secret::{KeyEncoding, Origin};
use client_registry::value::{
    Actor, AppDomain, FriendlyName, Label, NameKey, OperatorId, RedirectUrl, Revision,
};
use client_registry::{
    AddIn, AddInId, Availability, ClientDetails, ClientId, Days, Lifetime, Policy, Purpose, SecretId,
    SecretState, SellerId, Timestamp,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{GUID, MARKER, instant, register, repeats};

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Value {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    // Also when the text is not borrowed, as from a reader.
    assert_eq!(&serde_json::from_reader::<_, T>(text.as_bytes()).unwrap(), value, "{text}");
    let json = serde_json::to_value(value).unwrap();
    assert_eq!(&serde_json::from_value::<T>(json.clone()).unwrap(), value, "{text}");
    json
}

#[test]
fn words_are_the_same_in_json() {
    assert_eq!(round_trip(&Availability::Worldwide), json!("worldwide"));
    assert_eq!(round_trip(&Availability::ChinaOnly), json!("china_only"));
    assert_eq!(round_trip(&Purpose::SigningAndPassword), json!("signing_and_password"));
    assert_eq!(round_trip(&Purpose::PasswordOnly), json!("password_only"));
    assert_eq!(round_trip(&KeyEncoding::Utf8), json!("utf8"));
    assert_eq!(round_trip(&KeyEncoding::Base64), json!("base64"));
    assert_eq!(round_trip(&Origin::Generated), json!("generated"));
    let imported = Origin::Imported { key_encoding: KeyEncoding::Base64 };
    assert_eq!(round_trip(&imported), json!({ "imported": { "key_encoding": "base64" } }));
    for state in [SecretState::NotYetStarted, SecretState::Valid, SecretState::Disabled, SecretState::Ended] {
        round_trip(&state);
    }
    assert_eq!(round_trip(&Lifetime::OneYear), json!("one_year"));
    assert_eq!(round_trip(&Lifetime::Days(Days::new(u32::MAX))), json!({ "days": u32::MAX }));
    assert_eq!(round_trip(&Revision::new(u64::MAX)), json!(u64::MAX));
    assert_eq!(round_trip(&SecretId::new(u32::MAX).unwrap()), json!(u32::MAX));
    let handover = Handover { before: None, after: SecretId::new(1) };
    assert_eq!(round_trip(&handover), json!({ "before": null, "after": 1 }));
    assert_eq!(round_trip(&Signing::Nothing), json!({ "why": "nothing" }));
}

#[test]
fn what_a_client_shows_is_the_same_in_json() {
    let now = instant("2028-02-29T23:59:59.999Z");
    let change = register("https://a/?x", Lifetime::ThreeYears, &Policy::default(), now).unwrap();
    let ClientState::Active(client) = change.next() else { panic!("it was just registered") };
    round_trip(client.details());
    let timeline: Timeline = client.timeline();
    assert_eq!(timeline.spans().len(), 2);
    round_trip(&timeline);
    round_trip(&client.signing_at(now));
    assert_eq!(change.events().len(), 2);
    for event in change.events() {
        round_trip(event);
    }
    let promotion: Promotion =
        serde_json::from_value(json!({ "secret": 1, "at": "2026-01-01T00:00:00.000Z", "step": 3 })).unwrap();
    round_trip(&promotion);
}

/// One bad member, and the whole is refused, without showing what was there.
#[test]
fn bad_texts_cannot_come_in_as_a_member() {
    let details = json!({
        "friendly_name": "calendar app", "app_domain": "app.contoso.com", "redirect_url": "https://a/",
    });
    assert!(serde_json::from_value::<ClientDetails>(details.clone()).is_ok());
    for (member, bad) in [
        ("friendly_name", format!("{MARKER}\n")),
        ("friendly_name", format!(" {MARKER}")),
        ("friendly_name", MARKER.repeat(12)),
        ("app_domain", format!("https://{MARKER}")),
        ("app_domain", format!("{MARKER}.1")),
        ("app_domain", format!("xn--{MARKER}")),
        ("redirect_url", format!("https://{MARKER}@a/")),
        ("redirect_url", format!("https:{MARKER}")),
        ("redirect_url", format!("https://a/\\{MARKER}")),
        ("redirect_url", MARKER.repeat(300)),
    ] {
        let mut changed = details.clone();
        changed[member] = json!(bad);
        let error =
            serde_json::from_value::<ClientDetails>(changed).map(|d| panic!("{bad}: {d:?}")).unwrap_err();
        assert!(!repeats(&format!("{error} {error:?}")), "{error}");
        assert!(error.to_string().contains("accepted:"), "{error}");
    }
    for bad in ["", "a b", "a\n", &"a".repeat(129), "é"] {
        assert!(serde_json::from_value::<Actor>(json!({ "seller": bad })).is_err(), "{bad:?}");
        assert!(serde_json::from_value::<Actor>(json!({ "operator": bad })).is_err(), "{bad:?}");
        let add_in = json!({ "id": bad, "availability": "worldwide" });
        assert!(serde_json::from_value::<AddIn>(add_in).is_err(), "{bad:?}");
    }
    let fact = json!({ "what": "add_in_moved_in", "add_in": "a", "from": GUID });
    assert!(serde_json::from_value::<Fact>(fact.clone()).is_ok());
    for (member, bad) in
        [("add_in", "a b".to_owned()), ("from", GUID.to_uppercase()), ("what", "x".to_owned())]
    {
        let mut changed = fact.clone();
        changed[member] = json!(bad);
        assert!(serde_json::from_value::<Fact>(changed).is_err(), "{bad}");
    }
}

#[test]
fn a_text_is_not_a_number_a_list_or_nothing() {
    for bad in [json!(12345678), json!(null), json!(["a"]), json!({ "0": "a" }), json!(true)] {
        assert!(serde_json::from_value::<ClientId>(bad.clone()).is_err(), "{bad}");
        assert!(serde_json::from_value::<SellerId>(bad.clone()).is_err(), "{bad}");
        assert!(serde_json::from_value::<FriendlyName>(bad.clone()).is_err(), "{bad}");
        assert!(serde_json::from_value::<AppDomain>(bad.clone()).is_err(), "{bad}");
        assert!(serde_json::from_value::<RedirectUrl>(bad.clone()).is_err(), "{bad}");
        assert!(serde_json::from_value::<Timestamp>(bad.clone()).is_err(), "{bad}");
    }
}

/// Escapes, quotes and other scripts are in no way of coming back.
#[test]
fn escaped_texts_come_back() {
    let name = serde_json::from_str::<FriendlyName>(r#""caf\u00e9 \"\ud83d\ude42\" \\ \/""#).unwrap();
    assert_eq!(name.as_str(), "café \"🙂\" \\ /");
    round_trip(&name);
    assert!(serde_json::from_str::<FriendlyName>(r#""caf\u0000""#).is_err());
    assert!(serde_json::from_str::<FriendlyName>(r#""caf\u202e""#).is_err());
    assert!(serde_json::from_str::<ClientId>(r#""1234567\u0430""#).is_err());
    assert_eq!(serde_json::from_str::<ClientId>(r#""1234567\u0061""#).unwrap().as_str(), "1234567a");
}

proptest! {
    #[test]
    fn ids_are_the_same_in_json(client in "[A-Za-z._-]{8,31}", account in "[!-~]{1,128}", number in 1u32.., revision: u64) {
        prop_assert_eq!(round_trip(&ClientId::parse(&client).unwrap()), json!(client));
        prop_assert_eq!(round_trip(&SecretId::new(number).unwrap()), json!(number));
        prop_assert_eq!(round_trip(&Revision::new(revision)), json!(revision));
        let seller = SellerId::parse(&account).unwrap();
        let operator = OperatorId::parse(&account).unwrap();
        prop_assert_eq!(round_trip(&seller), json!(account));
        prop_assert_eq!(round_trip(&operator), json!(account));
        prop_assert_eq!(round_trip(&AddInId::parse(&account).unwrap()), json!(account));
        prop_assert_eq!(round_trip(&Actor::Seller(seller)), json!({ "seller": account }));
        prop_assert_eq!(round_trip(&Actor::Operator(operator)), json!({ "operator": account }));
        for availability in [Availability::Worldwide, Availability::ChinaOnly] {
            round_trip(&AddIn::new(&account, availability).unwrap());
        }
    }

    #[test]
    fn details_are_the_same_in_json(
        name in "[\\PC&&[^\\s\\p{Cf}\\p{Cn}\\p{Co}\\p{Mn}]]{1,50}",
        domain in "[a-zA-Z]{1,9}\\.[a-z]{2,5}(:[1-9][0-9]{0,3})?",
        path in "[a-zA-Z0-9._~!$&'()*+,;=:@/?-]{0,40}",
        days: u32,
    ) {
        if let Ok(friendly_name) = FriendlyName::parse(&name) {
            prop_assert_eq!(round_trip(&friendly_name), json!(name));
            let key: NameKey = friendly_name.key();
            prop_assert_eq!(round_trip(&key), json!(key.as_str()));
            prop_assert_eq!(round_trip(&Label::parse(&name).unwrap()), json!(name));
        }
        prop_assert_eq!(round_trip(&AppDomain::parse(&domain).unwrap()), json!(domain.to_lowercase()));
        let url = format!("https://{}/{path}", domain.to_uppercase());
        prop_assert_eq!(round_trip(&RedirectUrl::parse(&url).unwrap()), json!(url));
        round_trip(&ClientDetails::new("a name", &domain, &url).unwrap());
        prop_assert_eq!(round_trip(&Days::new(days)), json!(days));
    }

    /// Whatever text comes in through JSON, parsing and reading agree.
    #[test]
    fn reading_accepts_what_parsing_accepts(text in prop_oneof![
        "\\PC{0,30}", "[ -~]{0,30}", "[a-z.:0-9-]{0,20}", "https?:[!-~]{0,20}",
    ]) {
        fn agrees<T: std::str::FromStr + DeserializeOwned>(text: &str) -> bool {
            text.parse::<T>().is_ok() == serde_json::from_value::<T>(json!(text)).is_ok()
        }
        prop_assert!(agrees::<ClientId>(&text));
        prop_assert!(agrees::<SellerId>(&text));
        prop_assert!(agrees::<OperatorId>(&text));
        prop_assert!(agrees::<AddInId>(&text));
        prop_assert!(agrees::<FriendlyName>(&text));
        prop_assert!(agrees::<Label>(&text));
        prop_assert!(agrees::<AppDomain>(&text));
        prop_assert!(agrees::<RedirectUrl>(&text));
        prop_assert!(agrees::<Timestamp>(&text));
    }
}
