//! What is written to JSON comes back as it was; what could not be parsed cannot come in through JSON either.

mod plans;

use std::fmt::Debug;

use client_registry::client::{
    CallingOff, ClientDeletion, ClientState, ClosingEarly, EndMove, Obstacle, SecretDeletion,
    SecretDisabling, SecretUse,
};
use client_registry::event::{Fact, Handover};
use client_registry::secret::{KeyEncoding, Origin};
use client_registry::store::{Committed, Ending, Index};
use client_registry::value::{
    Actor, AppDomain, FriendlyName, Label, NameKey, OperatorId, RedirectUrl, Revision, Validity,
};
use client_registry::{
    AddIn, AddInId, Availability, ClientDetails, ClientId, Days, Event, Lifetime, Plan, Policy, Purpose,
    SecretId, SellerId, Timestamp,
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
    assert_eq!(round_trip(&Origin::Generated), json!({ "type": "generated" }));
    let imported = Origin::Imported { key_encoding: KeyEncoding::Base64 };
    assert_eq!(round_trip(&imported), json!({ "type": "imported", "key_encoding": "base64" }));
    assert_eq!(round_trip(&Lifetime::OneYear), json!({ "type": "one_year" }));
    let custom = Lifetime::Days(Days::new(u32::MAX));
    assert_eq!(round_trip(&custom), json!({ "type": "custom", "days": u32::MAX }));
    assert_eq!(round_trip(&Revision::new(u64::MAX)), json!(u64::MAX));
    assert_eq!(round_trip(&SecretId::new(u32::MAX).unwrap()), json!(u32::MAX));
    let handover = Handover { before: None, after: SecretId::new(1) };
    assert_eq!(round_trip(&handover), json!({ "before": null, "after": 1 }));
}

#[test]
fn what_a_client_shows_is_the_same_in_json() {
    let now = instant("2028-02-29T23:59:59.999Z");
    let change = register("https://a/?x", Lifetime::ThreeYears, &Policy::default(), now).unwrap();
    let ClientState::Active(client) = change.next() else { panic!("it was just registered") };
    round_trip(client.details());
    assert_eq!(change.events().len(), 2);
    for event in change.events() {
        round_trip(event);
    }
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
        assert!(serde_json::from_value::<Actor>(json!({ "type": "seller", "id": bad })).is_err(), "{bad:?}");
        assert!(
            serde_json::from_value::<Actor>(json!({ "type": "operator", "id": bad })).is_err(),
            "{bad:?}"
        );
        let add_in = json!({ "id": bad, "availability": "worldwide" });
        assert!(serde_json::from_value::<AddIn>(add_in).is_err(), "{bad:?}");
    }
    let fact = json!({ "type": "add_in_moved_in", "add_in": "a", "from": GUID });
    assert!(serde_json::from_value::<Fact>(fact.clone()).is_ok());
    for (member, bad) in
        [("add_in", "a b".to_owned()), ("from", GUID.to_uppercase()), ("type", "x".to_owned())]
    {
        let mut changed = fact.clone();
        changed[member] = json!(bad);
        assert!(serde_json::from_value::<Fact>(changed).is_err(), "{bad}");
    }
}

/// A member that is misspelt must not mean the same as one that was left out.
#[test]
fn members_that_nobody_knows_are_refused() {
    fn refuses<T: DeserializeOwned + Debug>(good: &Value) {
        serde_json::from_value::<T>(good.clone()).unwrap();
        let mut changed = good.clone();
        changed[MARKER] = json!(MARKER);
        let error = serde_json::from_value::<T>(changed).map(|it| panic!("{good}: {it:?}")).unwrap_err();
        assert!(error.to_string().contains("unknown field"), "{error}");
        assert!(!repeats(&format!("{error} {error:?}")), "{error}");
    }
    let (now, end) = ("2026-03-01T09:00:00.000Z", "2027-03-01T09:00:00.000Z");
    refuses::<ClientDetails>(&json!({
        "friendly_name": "calendar app", "app_domain": "app.contoso.com", "redirect_url": "https://a/",
    }));
    refuses::<AddIn>(&json!({ "id": "mail-helper", "availability": "worldwide" }));
    refuses::<Validity>(&json!({ "from": now, "until": end }));
    refuses::<Actor>(&json!({ "type": "seller", "id": "contoso" }));
    refuses::<Actor>(&json!({ "type": "operator", "id": "ann" }));
    for lifetime in ["one_year", "two_years", "three_years", "unlimited"] {
        refuses::<Lifetime>(&json!({ "type": lifetime }));
    }
    refuses::<Lifetime>(&json!({ "type": "custom", "days": 30 }));
    refuses::<Origin>(&json!({ "type": "generated" }));
    refuses::<Origin>(&json!({ "type": "imported", "key_encoding": "utf8" }));
    refuses::<Policy>(&json!({ "max_secrets": 8 }));
    refuses::<Fact>(&json!({ "type": "secret_deleted", "secret": 1 }));
    refuses::<Handover>(&json!({ "before": 1, "after": null }));
    for obstacle in [
        json!({ "type": "last_valid" }),
        json!({ "type": "last_that_signs", "code": "last_that_signs", "message": "words" }),
        json!({ "type": "used_recently", "until": end }),
    ] {
        refuses::<Obstacle>(&obstacle);
    }
    refuses::<SecretDeletion>(
        &json!({ "type": "secret_deletion", "secret": 1, "signs": 1, "signs_next": null, "valid_left": [] }),
    );
    refuses::<SecretDisabling>(&json!({ "type": "secret_disabling", "secret": 1, "valid_left": [] }));
    refuses::<CallingOff>(
        &json!({ "type": "calling_off", "secret": 2, "signs": 2, "signs_next": 1, "valid_left": [1], "restores": [1] }),
    );
    refuses::<ClosingEarly>(&json!({ "type": "closing_early", "secret": 2, "valid_left": [2], "ends": [1] }));
    refuses::<EndMove>(
        &json!({ "type": "end_move", "secret": 2, "valid_left": [2], "until": end, "before": null }),
    );
    refuses::<SecretUse>(&json!({ "secret": 1, "at": now }));
    let client =
        json!({ "type": "client_deletion", "friendly_name": "an app", "add_ins": [], "valid_secrets": [] });
    refuses::<ClientDeletion>(&client);
    refuses::<Plan<ClientDeletion>>(
        &json!({ "client_id": GUID, "revision": 3, "at": now, "consequences": client, "last_uses": [], "obstacles": [] }),
    );
    let change = register("https://a/", Lifetime::OneYear, &Policy::default(), instant(now)).unwrap();
    refuses::<Event>(&serde_json::to_value(&change.events()[0]).unwrap());
}

/// A list of the members in their order is no object: `[]` would be a policy with every default.
#[test]
fn a_list_of_members_is_not_an_object() {
    fn refuses<T: DeserializeOwned + Debug>(good: &Value, list: &Value) {
        serde_json::from_value::<T>(good.clone()).unwrap();
        for read in [
            serde_json::from_value::<T>(list.clone()),
            serde_json::from_str::<T>(&list.to_string()),
            serde_json::from_reader::<_, T>(list.to_string().as_bytes()),
        ] {
            let error = read.map(|it| panic!("{list}: {it:?}")).unwrap_err();
            assert!(error.to_string().starts_with("invalid type: sequence, expected "), "{error}");
        }
    }
    let (from, until) = ("2026-03-01T09:00:00.000Z", "2027-03-01T09:00:00.000Z");
    refuses::<Policy>(&json!({}), &json!([]));
    refuses::<Policy>(&json!({}), &json!([8]));
    refuses::<AddIn>(
        &json!({ "id": "mail-helper", "availability": "worldwide" }),
        &json!(["mail-helper", "worldwide"]),
    );
    refuses::<Validity>(&json!({ "from": from, "until": until }), &json!([from, until]));
    refuses::<Actor>(&json!({ "type": "seller", "id": "contoso" }), &json!(["seller", "contoso"]));
    refuses::<Lifetime>(&json!({ "type": "one_year" }), &json!(["one_year"]));
    refuses::<Origin>(&json!({ "type": "generated" }), &json!(["generated"]));
    refuses::<Obstacle>(&json!({ "type": "last_valid" }), &json!(["last_valid", null, null, null]));
    refuses::<Handover>(&json!({ "before": 1, "after": 2 }), &json!([1, 2]));
    refuses::<Ending>(&json!({ "at": until, "client_id": GUID, "secret": 1 }), &json!([until, GUID, 1]));
    refuses::<SecretDeletion>(
        &json!({ "type": "secret_deletion", "secret": 1, "valid_left": [] }),
        &json!(["secret_deletion", 1, null, null, []]),
    );
    // Within an enum, too.
    let fact = json!({ "type": "secret_deleted", "secret": 1 });
    refuses::<Fact>(&fact, &json!(["secret_deleted", 1]));
    let added = |origin| {
        json!({ "type": "secret_added", "secret": 1, "purpose": "password_only", "origin": origin,
                "validity": { "from": from, "until": until } })
    };
    refuses::<Fact>(&added(json!({ "type": "generated" })), &added(json!(["generated"])));
}

/// What stores keep in JSON may have been written by a newer version, which has more members, and may be of a client that an older
/// one accepted although its ID looks like a client secret.
#[test]
fn what_stores_keep_is_read_whoever_wrote_it() {
    fn reads<T: Serialize + DeserializeOwned>(kept: &Value) {
        let mut newer = kept.clone();
        newer["newer"] = json!(1);
        let read = serde_json::from_value::<T>(newer).unwrap_or_else(|error| panic!("{error}: {kept}"));
        assert_eq!(serde_json::to_value(read).unwrap(), *kept);
    }
    let old = format!("acme_{}", "7".repeat(49));
    assert!(serde_json::from_value::<ClientId>(json!(old)).is_err());
    for id in [GUID, &old] {
        reads::<Ending>(&json!({ "at": "2027-03-01T09:00:00.000Z", "client_id": id, "secret": 1 }));
    }
    reads::<Index>(&json!({ "name": ["contoso", "an app"], "add_ins": [], "ends": [], "key_id": null }));
    reads::<Committed>(&json!({ "commit_id": vec![7; 16], "revision": 1, "events": ["{}"] }));
}

/// What was left out is `null`. Of an end, that could be an accident.
#[test]
fn an_optional_member_that_was_left_out_is_null() {
    let added = json!({
        "type": "secret_added", "secret": 1, "purpose": "password_only", "origin": { "type": "generated" },
        "validity": { "from": "2026-03-01T09:00:00.000Z", "until": null },
    });
    let fact = serde_json::from_value::<Fact>(added.clone()).unwrap();
    assert_eq!(serde_json::to_value(&fact).unwrap()["label"], json!(null));
    let mut endless = added;
    endless["validity"].as_object_mut().unwrap().remove("until");
    assert!(serde_json::from_value::<Fact>(endless).is_err());
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
        prop_assert_eq!(round_trip(&Actor::Seller(seller)), json!({ "type": "seller", "id": account }));
        prop_assert_eq!(round_trip(&Actor::Operator(operator)), json!({ "type": "operator", "id": account }));
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
