//! The text of an event, to the byte: how it is written, and how it is read again (rule 16).
//!
//! This form never changes: the trails of earlier versions are hashed over it. It is written by hand and read into types of its
//! own, so that a change of the public JSON cannot reach it. A new fact gets a new name; an existing fact gets no new member,
//! since an older version would take that for an edit. The golden file has lines added, never changed.

mod json;
mod read;

use serde::Deserialize;

use self::json::Json;
use self::read::{StoredEvent, StoredHandover};
use super::{Event, EventText, Fact, Handover, public};
use crate::secret::{KeyEncoding, Origin, Purpose};
use crate::store_error::{StoreError, StoreErrorKind, tampered};
use crate::value::{Actor, AddInId, Availability, Revision};

/// Returns the text of an event.
pub(super) fn write(event: &public::Event) -> EventText {
    let mut json = Json(String::with_capacity(512));
    json.braced(|json| {
        json.text("client_id", event.client_id.as_str());
        json.number("revision", event.revision.number());
        json.text("at", &event.at.to_string());
        json.object("actor", |json| match &event.actor {
            Actor::Seller(seller) => json.text("seller", seller.as_str()),
            Actor::Operator(operator) => json.text("operator", operator.as_str()),
        });
        json.object("fact", |json| write_fact(json, &event.fact));
        if let Some(Handover { before, after }) = event.signing {
            json.object("signing", |json| {
                json.secret_or_null("before", before);
                json.secret_or_null("after", after);
            });
        }
        json.text("previous", &event.previous.to_string());
    });
    EventText::from_bytes(json.0.into_bytes())
}

/// Reads the event of a text, if the event is written as exactly these bytes.
pub(super) fn read(text: &EventText) -> Result<Event, StoreError> {
    let stored: StoredEvent = match serde_json::from_slice(text.as_bytes()) {
        Ok(stored) => stored,
        Err(_) if tells_something_new(text) => return Err(StoreError::new(StoreErrorKind::NewerFormat)),
        Err(_) => return Err(tampered("the text of an event cannot be read: it is not what was written")),
    };
    let StoredEvent { client_id, revision, at, actor, fact, signing, previous } = stored;
    let signing = signing.map(|StoredHandover { before, after }| Handover { before, after });
    let event = Event::new(client_id, Revision::new(revision), at, actor, fact, signing, previous);
    match event.text == *text {
        true => Ok(event),
        false => Err(tampered("the text of an event was edited: it is not what was written")),
    }
}

/// Returns whether a text reads as an event whose fact has an unknown name: one of a newer version.
fn tells_something_new(text: &EventText) -> bool {
    #[derive(Deserialize)]
    struct Told {
        what: String,
    }
    #[derive(Deserialize)]
    struct NewerEvent {
        fact: Told,
    }
    serde_json::from_slice(text.as_bytes()).is_ok_and(|NewerEvent { fact }| !FACTS.contains(&&*fact.what))
}

fn write_fact(json: &mut Json, fact: &Fact) {
    json.text("what", name_of(fact));
    match fact {
        Fact::ClientRegistered { owner, details, availability }
        | Fact::ClientImported { owner, details, availability } => {
            json.text("owner", owner.as_str());
            json.details("details", details);
            let availability = match availability {
                Availability::Worldwide => "worldwide",
                Availability::ChinaOnly => "china_only",
            };
            json.text("availability", availability);
        }
        Fact::DetailsChanged { details } => json.details("details", details),
        Fact::SecretAdded { secret, label, purpose, validity, origin } => {
            json.secret("secret", *secret);
            match label {
                Some(label) => json.text("label", label.as_str()),
                None => json.null("label"),
            }
            let purpose = match purpose {
                Purpose::SigningAndPassword => "signing_and_password",
                Purpose::PasswordOnly => "password_only",
            };
            json.text("purpose", purpose);
            json.validity("validity", validity);
            match origin {
                Origin::Generated => json.text("origin", "generated"),
                Origin::Imported { key_encoding } => json.object("origin", |json| {
                    json.object("imported", |json| {
                        let encoding = match key_encoding {
                            KeyEncoding::Utf8 => "utf8",
                            KeyEncoding::Base64 => "base64",
                        };
                        json.text("key_encoding", encoding);
                    });
                }),
            }
        }
        Fact::SecretReplaced { secret, by, validity } => {
            json.secret("secret", *secret);
            json.secret("by", *by);
            json.validity("validity", validity);
        }
        Fact::SecretRestored { secret, validity } | Fact::EndMoved { secret, validity } => {
            json.secret("secret", *secret);
            json.validity("validity", validity);
        }
        Fact::SecretDisabled { secret }
        | Fact::SecretEnabled { secret }
        | Fact::SecretDeleted { secret }
        | Fact::SecretCompromised { secret }
        | Fact::SecretForgotten { secret }
        | Fact::SecretPromoted { secret }
        | Fact::RotationCalledOff { secret } => json.secret("secret", *secret),
        Fact::PromotionScheduled { secret, from }
        | Fact::PromotionWithdrawn { secret, from }
        | Fact::PromotionRestored { secret, from } => {
            json.secret("secret", *secret);
            json.text("from", &from.to_string());
        }
        Fact::AddInAssociated { add_in } | Fact::AddInDissociated { add_in } => {
            json.text("add_in", add_in.as_str());
        }
        Fact::AddInMovedIn { add_in, from } => {
            json.text("add_in", add_in.as_str());
            json.text("from", from.as_str());
        }
        Fact::AddInMovedOut { add_in, to } => {
            json.text("add_in", add_in.as_str());
            json.text("to", to.as_str());
        }
        Fact::AttributesChanged { attributes } => json.object("attributes", |json| {
            for (key, value) in attributes.iter() {
                json.text(key, value);
            }
        }),
        Fact::ClientSuspended {} | Fact::ClientResumed {} => {}
        Fact::ClientTransferred { from, to } => {
            json.text("from", from.as_str());
            json.text("to", to.as_str());
        }
        Fact::ClientDeleted { friendly_name, add_ins } => {
            json.text("friendly_name", friendly_name.as_str());
            json.texts("add_ins", add_ins.iter().map(AddInId::as_str));
        }
    }
}

fn name_of(fact: &Fact) -> &'static str {
    match fact {
        Fact::ClientRegistered { .. } => "client_registered",
        Fact::ClientImported { .. } => "client_imported",
        Fact::DetailsChanged { .. } => "details_changed",
        Fact::SecretAdded { .. } => "secret_added",
        Fact::SecretReplaced { .. } => "secret_replaced",
        Fact::RotationCalledOff { .. } => "rotation_called_off",
        Fact::SecretRestored { .. } => "secret_restored",
        Fact::EndMoved { .. } => "end_moved",
        Fact::SecretDisabled { .. } => "secret_disabled",
        Fact::SecretEnabled { .. } => "secret_enabled",
        Fact::SecretDeleted { .. } => "secret_deleted",
        Fact::SecretCompromised { .. } => "secret_compromised",
        Fact::SecretForgotten { .. } => "secret_forgotten",
        Fact::SecretPromoted { .. } => "secret_promoted",
        Fact::PromotionScheduled { .. } => "promotion_scheduled",
        Fact::PromotionWithdrawn { .. } => "promotion_withdrawn",
        Fact::PromotionRestored { .. } => "promotion_restored",
        Fact::AddInAssociated { .. } => "add_in_associated",
        Fact::AddInDissociated { .. } => "add_in_dissociated",
        Fact::AddInMovedIn { .. } => "add_in_moved_in",
        Fact::AddInMovedOut { .. } => "add_in_moved_out",
        Fact::AttributesChanged { .. } => "attributes_changed",
        Fact::ClientSuspended { .. } => "client_suspended",
        Fact::ClientResumed { .. } => "client_resumed",
        Fact::ClientTransferred { .. } => "client_transferred",
        Fact::ClientDeleted { .. } => "client_deleted",
    }
}

/// The names of all facts that this version knows.
const FACTS: [&str; 26] = [
    "client_registered",
    "client_imported",
    "details_changed",
    "secret_added",
    "secret_replaced",
    "rotation_called_off",
    "secret_restored",
    "end_moved",
    "secret_disabled",
    "secret_enabled",
    "secret_deleted",
    "secret_compromised",
    "secret_forgotten",
    "secret_promoted",
    "promotion_scheduled",
    "promotion_withdrawn",
    "promotion_restored",
    "add_in_associated",
    "add_in_dissociated",
    "add_in_moved_in",
    "add_in_moved_out",
    "attributes_changed",
    "client_suspended",
    "client_resumed",
    "client_transferred",
    "client_deleted",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Texts of events of every fact, as they have been written since the fact exists. Lines are added, never changed.
    const GOLDEN: &str = include_str!("golden.jsonl");

    #[test]
    fn events_of_every_fact_are_written_as_they_always_were() {
        let mut told = BTreeSet::new();
        for line in GOLDEN.lines() {
            let text = EventText::from_bytes(line.as_bytes());
            let event = read(&text).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(write(&event.public), text);
            told.insert(name_of(event.fact()));
            // The public JSON is another form of the same event.
            let public = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&public).unwrap(), event, "{public}");
        }
        assert_eq!(told, BTreeSet::from(FACTS), "one of each fact");
    }

    /// A node that is older than the one that wrote the event says so. Anything else that cannot be read was edited.
    #[test]
    fn only_a_fact_without_a_known_name_is_newer() {
        let line = GOLDEN.lines().find(|line| line.contains("\"client_deleted\"")).unwrap();
        let kind = |text: String| read(&EventText::from_bytes(text.into_bytes())).unwrap_err().kind();
        assert_eq!(kind(line.replace("client_deleted", "client_sold")), StoreErrorKind::NewerFormat);
        assert_eq!(kind(line.replace("client_deleted", "secret_added")), StoreErrorKind::Tampered);
        assert_eq!(kind(line.replace("\"revision\":", "\"version\":")), StoreErrorKind::Tampered);
        assert_eq!(kind(line.replace("\"what\":", "\"who\":")), StoreErrorKind::Tampered);
    }
}
