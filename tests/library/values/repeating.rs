//! No error of reading JSON repeats what stood in the wrong place (rule 8): every public type that can be read, with a client
//! secret in every position, as a value and as a key.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use client_registry::client::{
    CallingOff, ClientDeletion, ClosingEarly, EndMove, Obstacle, SecretDeletion, SecretDisabling, SecretUse,
};
use client_registry::event::{EventHash, Fact, Handover};
use client_registry::secret::{Hint, KeyEncoding, Origin};
use client_registry::store::{CommitId, Committed, Cursor, Ending, EventText, Index};
use client_registry::value::{
    Actor, AppDomain, Attributes, FriendlyName, KeyId, Label, NameKey, OperatorId, RedirectUrl, Revision,
    Validity,
};
use client_registry::{
    AddIn, AddInId, Availability, ClientDetails, ClientId, ClientSecret, Days, Event, Lifetime, Plan, Policy,
    Purpose, SecretId, SellerId, Signature, Timestamp,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{GUID, SIGNATURE, SameBytes, instant, register};

/// Reads samples of types with client secrets in them, and notes the types.
#[derive(Default)]
struct Reader {
    /// What stands in the wrong place, and what of it no error may say.
    secrets: Vec<(Value, String)>,
    seen: BTreeSet<String>,
    refused: usize,
}

impl Reader {
    /// The sample is read; whatever is wrong with it afterwards, no error says what.
    fn read<T: DeserializeOwned>(&mut self, sample: Value) {
        let path = std::any::type_name::<T>();
        for name in path.split(['<', '>', ',']) {
            self.seen.insert(name.rsplit("::").next().unwrap().trim().to_owned());
        }
        serde_json::from_value::<T>(sample.clone())
            .map(drop)
            .unwrap_or_else(|e| panic!("{path}: {e} in {sample}"));
        for (secret, hidden) in self.secrets.clone() {
            for bad in with_secret(&sample, &secret) {
                let text = bad.to_string();
                let errors = [
                    serde_json::from_str::<T>(&text).map(drop),
                    serde_json::from_reader::<_, T>(text.as_bytes()).map(drop),
                    serde_json::from_value::<T>(bad).map(drop),
                ];
                for error in errors.into_iter().filter_map(Result::err) {
                    self.refused += 1;
                    let said = format!("{error} {error:?} {error:#?}");
                    assert!(!has_piece(&said, &hidden), "{path}: {error} from {text}");
                }
            }
        }
    }
}

/// The sample with the secret in each place: instead of what is there, beside it, and as a key.
fn with_secret(sample: &Value, secret: &Value) -> Vec<Value> {
    let key = match secret {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut all = vec![secret.clone(), json!([secret]), json!({ &key: secret }), json!({ &key: null })];
    match sample {
        Value::Object(members) => {
            for (name, member) in members {
                for bad in with_secret(member, secret) {
                    let mut members = members.clone();
                    members.insert(name.clone(), bad);
                    all.push(members.into());
                }
                let mut renamed = members.clone();
                renamed.remove(name);
                renamed.insert(key.clone(), member.clone());
                all.push(renamed.into());
            }
            let mut more = members.clone();
            more.insert(key, secret.clone());
            all.push(more.into());
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                for bad in with_secret(item, secret) {
                    let mut items = items.clone();
                    items[at] = bad;
                    all.push(items.into());
                }
            }
            let more = items.iter().chain([secret]).cloned();
            all.push(more.collect());
        }
        Value::String(text) => all.push(json!(format!("{text}{key}"))),
        _ => {}
    }
    all
}

fn has_piece(said: &str, hidden: &str) -> bool {
    hidden.as_bytes().windows(8).any(|piece| said.as_bytes().windows(8).any(|said| said == piece))
}

fn secrets() -> Vec<(Value, String)> {
    let made = ClientSecret::generate(&Policy::default(), &SameBytes(0x5a)).unwrap();
    let made = made.expose();
    let quoted = format!("`, expected \"{made}\", expected `{made}`, there are no {made}");
    let numbers = [json!(18_446_744_073_709_551_557_u64), json!(-9_123_456_789_012_345_678_i64)];
    let texts = [json!(made), json!(quoted)].map(|text| (text, made[4..].to_owned()));
    texts.into_iter().chain(numbers.map(|number| (number.clone(), number.to_string()))).collect()
}

fn everything() -> Reader {
    let mut reader = Reader { secrets: secrets(), ..Reader::default() };
    let now = "2026-03-01T09:00:00.000Z";
    let end = "2027-03-01T09:00:00.000Z";
    for text in ["calendar-app", GUID] {
        reader.read::<ClientId>(json!(text));
    }
    reader.read::<SecretId>(json!(7));
    reader.read::<SellerId>(json!("contoso"));
    reader.read::<OperatorId>(json!("ann"));
    reader.read::<AddInId>(json!("mail-helper"));
    reader.read::<KeyId>(json!("2026"));
    reader.read::<AddIn>(json!({ "id": "mail-helper", "availability": "worldwide" }));
    reader.read::<Actor>(json!({ "type": "seller", "id": "contoso" }));
    reader.read::<Actor>(json!({ "type": "operator", "id": "ann" }));
    reader.read::<FriendlyName>(json!("calendar app"));
    reader.read::<Label>(json!("first"));
    reader.read::<NameKey>(json!("calendar app"));
    reader.read::<AppDomain>(json!("app.contoso.com"));
    reader.read::<RedirectUrl>(json!("https://app.contoso.com/done"));
    let details = json!({
        "friendly_name": "calendar app", "app_domain": "app.contoso.com", "redirect_url": "https://app.contoso.com/",
    });
    reader.read::<ClientDetails>(details.clone());
    reader.read::<Availability>(json!("china_only"));
    reader.read::<Attributes>(json!({ "environment": "test" }));
    reader.read::<Timestamp>(json!(now));
    reader.read::<Days>(json!(30));
    reader.read::<Lifetime>(json!({ "type": "one_year" }));
    reader.read::<Lifetime>(json!({ "type": "custom", "days": 30 }));
    let validity = json!({ "from": now, "until": end });
    reader.read::<Validity>(validity.clone());
    reader.read::<Policy>(json!({}));
    let mut policy = serde_json::to_value(Policy::default()).unwrap();
    policy["redirect_schemes"] = json!(["ms-app"]);
    reader.read::<Policy>(policy);
    reader.read::<KeyEncoding>(json!("base64"));
    reader.read::<Purpose>(json!("password_only"));
    reader.read::<Origin>(json!({ "type": "generated" }));
    reader.read::<Origin>(json!({ "type": "imported", "key_encoding": "utf8" }));
    reader.read::<Hint>(json!("9fWk"));
    reader.read::<Signature>(json!(SIGNATURE));
    reader.read::<Revision>(json!(3));
    reader.read::<EventHash>(json!("0".repeat(64)));
    reader.read::<Handover>(json!({ "before": null, "after": 1 }));
    for fact in [
        json!({ "type": "client_registered", "owner": "contoso", "details": details, "availability": "worldwide" }),
        json!({ "type": "secret_added", "secret": 1, "label": "first", "purpose": "password_only", "validity": validity,
                "origin": { "type": "generated" } }),
        json!({ "type": "end_moved", "secret": 1, "validity": validity }),
        json!({ "type": "attributes_changed", "attributes": { "environment": "test" } }),
        json!({ "type": "client_suspended" }),
        json!({ "type": "client_transferred", "from": "contoso", "to": "fabrikam" }),
        json!({ "type": "promotion_scheduled", "secret": 1, "from": now }),
        json!({ "type": "add_in_moved_in", "add_in": "mail-helper", "from": GUID }),
        json!({ "type": "client_deleted", "friendly_name": "calendar app", "add_ins": ["mail-helper"] }),
    ] {
        reader.read::<Fact>(fact);
    }
    let change = register("https://a/", Lifetime::OneYear, &Policy::default(), instant(now)).unwrap();
    let of = |value: &dyn erased::Json| value.json();
    let event = of(&change.events()[0]);
    reader.read::<Event>(event.clone());
    reader.read::<EventText>(of(change.events()[0].text()));
    reader
        .read::<Committed>(json!({ "commit_id": vec![7; 16], "revision": 1, "events": [event.to_string()] }));
    let removal =
        |of| json!({ "type": of, "secret": 1, "signs": 1, "signs_next": null, "valid_left": [2, 3] });
    let obstacle =
        json!({ "type": "used_recently", "until": end, "code": "used_recently", "message": "it was used" });
    let plan = |consequences: Value| {
        json!({ "client_id": GUID, "revision": 3, "at": now, "consequences": consequences, "last_used": now,
                "use_ahead": end, "last_uses": [{ "secret": 1, "at": now }], "obstacles": [obstacle, { "type": "last_valid" }] })
    };
    let (deletes, disables) = (removal("secret_deletion"), removal("secret_disabling"));
    let client = json!({ "type": "client_deletion", "friendly_name": "calendar app", "add_ins": ["mail-helper"], "valid_secrets": [1] });
    reader.read::<SecretDeletion>(deletes.clone());
    reader.read::<Plan<SecretDeletion>>(plan(deletes));
    reader.read::<SecretDisabling>(disables.clone());
    reader.read::<Plan<SecretDisabling>>(plan(disables));
    reader.read::<ClientDeletion>(client.clone());
    reader.read::<Plan<ClientDeletion>>(plan(client));
    let calls_off = with(removal("calling_off"), &[("restores", json!([1]))]);
    let closes = with(removal("closing_early"), &[("ends", json!([1]))]);
    let moves = with(removal("end_move"), &[("until", json!(end)), ("before", json!(now))]);
    reader.read::<CallingOff>(calls_off.clone());
    reader.read::<Plan<CallingOff>>(plan(calls_off));
    reader.read::<ClosingEarly>(closes.clone());
    reader.read::<Plan<ClosingEarly>>(plan(closes));
    reader.read::<EndMove>(moves.clone());
    reader.read::<Plan<EndMove>>(plan(moves));
    reader.read::<SecretUse>(json!({ "secret": 1, "at": now }));
    reader.read::<Obstacle>(json!({ "type": "last_valid" }));
    reader.read::<Obstacle>(obstacle.clone());
    reader.read::<Ending>(json!({ "at": end, "client_id": GUID, "secret": 1 }));
    reader.read::<Cursor>(json!("a cursor"));
    reader.read::<CommitId>(of(&CommitId::from_bytes([7; 16])));
    reader.read::<Index>(json!({ "name": ["contoso", "calendar app"], "add_ins": ["a"], "ends": [[1, end]], "key_id": "2026" }));
    reader
}

/// The object with more members.
fn with(mut object: Value, members: &[(&str, Value)]) -> Value {
    for (name, member) in members {
        object[name] = member.clone();
    }
    object
}

mod erased {
    pub(super) trait Json {
        fn json(&self) -> serde_json::Value;
    }

    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap()
        }
    }
}

#[test]
fn rule_08_no_error_of_reading_repeats_a_client_secret() {
    let reader = everything();
    assert!(reader.refused > 5_000, "or nothing was wrong: {}", reader.refused);
}

/// Everything public that can be read was read above, and none of it by a bare derive.
#[test]
fn rule_08_no_type_that_can_be_read_was_left_out() {
    let seen = everything().seen;
    let mut readable = BTreeSet::new();
    let mut bare = Vec::<String>::new();
    for (file, source) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let source = source.split("#[cfg(test)]").next().unwrap();
        let named = |rest: &str| -> String { rest.chars().take_while(|c| c.is_alphanumeric()).collect() };
        for declaration in ["pub struct ", "pub enum "] {
            for (at, _) in source.match_indices(declaration) {
                let name = named(&source[at + declaration.len()..]);
                let attributes: Vec<_> = source[..at]
                    .lines()
                    .rev()
                    .skip(usize::from(!source[..at].ends_with('\n')))
                    .take_while(|line| line.trim_start().starts_with(['#', '/']))
                    .collect();
                if attributes.iter().any(|line| line.contains("derive(") && line.contains("Deserialize")) {
                    bare.push(format!("{name} in {file}"));
                }
                let before: String = source[..at].lines().rev().take(attributes.len() + 2).collect();
                if before.contains("redacted! {") {
                    readable.insert(name);
                }
            }
        }
        for (begins, ends) in [("Deserialize<'de> for ", ""), ("\ntext_value!(", ");"), ("\ntext_id! {", "}")]
        {
            for (at, _) in source.match_indices(begins) {
                let rest = &source[at + begins.len()..];
                let declared = rest.split(ends).next().unwrap_or(rest);
                let declared = declared.lines().rfind(|line| !line.trim().is_empty());
                let text = if ends.is_empty() { rest } else { declared.unwrap_or_default().trim_start() };
                readable.insert(named(text));
            }
        }
    }
    readable.remove("");
    assert!(bare.is_empty(), "declare them with `redacted!`: {bare:?}");
    assert!(readable.len() > 30, "or the names were not read: {readable:?}");
    let missing: Vec<_> = readable.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "read these as well: {missing:?}");
}

pub(crate) fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut all = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("redacted.rs") {
            all.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    all
}
