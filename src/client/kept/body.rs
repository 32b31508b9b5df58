//! The readable body of a stored client, formats 1 and 2. Names, order and bytes must not change.
//!
//! Format 2 has more members than format 1. Each of them is left out where there is nothing to tell, which is what a record of
//! format 1 says of it; so one type reads both, and what has none of the new is written as it always was.
//!
//! Every type with several members or variants is spelled out here a second time, so a change of the public JSON cannot reach
//! what is stored. A value that is one text or one number (an ID, a name, an instant, a hash, a hint) has a single form, and is
//! stored in that.

mod details;
mod validity;

use serde::{Deserialize, Serialize};

use crate::client::held::LastReport;
use crate::client::overlap::{End, GivenUp};
use crate::client::{Held, Promotion, Revocation, Suspension};
use crate::event::EventHash;
use crate::secret::{Hint, KeyEncoding, LastEnabled, MacKey, Origin, Purpose, Secret, Verifier};
use crate::value::{
    Actor, AddInId, Attributes, Availability, ClientDetails, Label, OperatorId, SecretId, SellerId,
    Timestamp, Validity,
};

/// The readable part of a stored client.
#[derive(Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Body {
    Active(Box<ActiveBody>),
    Deleted(DeletedBody),
}

impl Body {
    /// Reads a body that was written as JSON. Its first member, the state, tells what the others are. A derived reader would expect
    /// that member anywhere, and so build a tree of all the others first: two thirds of the cost of opening a record.
    pub(crate) fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        if json.starts_with(ACTIVE) {
            serde_json::from_str(json).map(|body| Self::Active(Box::new(body)))
        } else if json.starts_with(DELETED) {
            serde_json::from_str(json).map(Self::Deleted)
        } else {
            Err(serde::de::Error::custom("it does not begin with a known state"))
        }
    }
}

/// How the body of a client begins.
const ACTIVE: &str = r#"{"state":"active","#;
/// How the body of a tombstone begins.
const DELETED: &str = r#"{"state":"deleted","#;

/// The readable part of a tombstone.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeletedBody {
    pub(super) owner: SellerId,
    pub(super) changed_at: Timestamp,
    pub(super) remembered: Vec<RememberedBody>,
    pub(super) last_event: EventHash,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ActiveBody {
    pub(super) owner: SellerId,
    #[serde(with = "details")]
    pub(super) details: ClientDetails,
    #[serde(with = "StoredAvailability")]
    pub(super) availability: Availability,
    pub(super) registered_at: Timestamp,
    pub(super) changed_at: Timestamp,
    pub(super) secrets: Vec<SecretBody>,
    pub(super) promotions: Vec<PromotionBody>,
    pub(super) add_ins: Vec<AddInId>,
    pub(super) remembered: Vec<RememberedBody>,
    pub(super) last_secret: Option<SecretId>,
    pub(super) steps: u64,
    pub(super) last_event: EventHash,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub(super) attributes: Attributes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) suspension: Option<SuspensionBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) transferred_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PromotionBody(#[serde(with = "StoredPromotion")] pub(super) Promotion);

#[derive(Serialize, Deserialize)]
pub(crate) struct RememberedBody {
    pub(super) secret: SecretId,
    #[serde(rename = "fate", with = "StoredRevocation")]
    pub(super) revocation: Revocation,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SuspensionBody(#[serde(with = "StoredSuspension")] pub(super) Suspension);

#[derive(Serialize, Deserialize)]
pub(super) struct SecretBody {
    id: SecretId,
    label: Option<Label>,
    #[serde(with = "StoredPurpose")]
    purpose: Purpose,
    #[serde(with = "validity")]
    validity: Validity,
    #[serde(with = "StoredOrigin")]
    origin: Origin,
    hint: Option<Hint>,
    added_at: Timestamp,
    disabled_since: Option<Timestamp>,
    replaced_by: Option<SecretId>,
    #[serde(rename = "standing", with = "StoredLastEnabled")]
    last_enabled: LastEnabled,
    /// The end that it was issued with, if that is not the end that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued: Option<UntilBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_set_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given_up: Option<GivenUpBody>,
}

/// An end, or none.
#[derive(Serialize, Deserialize)]
struct UntilBody {
    #[serde(deserialize_with = "Option::deserialize")]
    until: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct GivenUpBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<EndBody>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    promotions: Vec<PromotionBody>,
}

#[derive(Serialize, Deserialize)]
struct EndBody {
    #[serde(deserialize_with = "Option::deserialize")]
    until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set_at: Option<Timestamp>,
}

impl SecretBody {
    pub(super) fn of(Held { secret, given_up, .. }: &Held) -> Self {
        let until = secret.validity.until();
        Self {
            id: secret.id,
            label: secret.label.clone(),
            purpose: secret.purpose,
            validity: secret.validity,
            origin: secret.origin,
            hint: secret.hint,
            added_at: secret.added_at,
            disabled_since: secret.disabled_since,
            replaced_by: secret.replaced_by,
            last_enabled: secret.last_enabled,
            issued: (secret.issued_until != until).then_some(UntilBody { until: secret.issued_until }),
            end_set_at: secret.end_set_at,
            given_up: given_up.as_deref().map(|GivenUp { end, promotions }| GivenUpBody {
                end: end.map(|End { validity, set_at }| EndBody { until: validity.until(), set_at }),
                promotions: promotions.iter().copied().map(PromotionBody).collect(),
            }),
        }
    }

    /// Returns the secret that was kept, or `None` if the end that a rotation took from it cannot have been its own.
    pub(super) fn held(self, verifier: Verifier, mac_key: Option<MacKey>) -> Option<Held> {
        let given_up = match self.given_up {
            None => None,
            Some(GivenUpBody { end, promotions }) => {
                let end = match end {
                    None => None,
                    Some(EndBody { until, set_at }) => {
                        Some(End { validity: self.validity.ending_at(until).ok()?, set_at })
                    }
                };
                let promotions = promotions.into_iter().map(|PromotionBody(promotion)| promotion).collect();
                Some(Box::new(GivenUp { end, promotions }))
            }
        };
        let issued_until = self.issued.map_or(self.validity.until(), |UntilBody { until }| until);
        let secret = Secret {
            id: self.id,
            label: self.label,
            purpose: self.purpose,
            validity: self.validity,
            issued_until,
            origin: self.origin,
            hint: self.hint,
            added_at: self.added_at,
            disabled_since: self.disabled_since,
            replaced_by: self.replaced_by,
            last_enabled: self.last_enabled,
            end_set_at: self.end_set_at,
        };
        Some(Held { verifier, secret, mac_key, given_up, reported: LastReport::default() })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Suspension")]
struct StoredSuspension {
    since: Timestamp,
    #[serde(with = "StoredActor")]
    by: Actor,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Actor", rename_all = "snake_case")]
enum StoredActor {
    Seller(SellerId),
    Operator(OperatorId),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "LastEnabled")]
struct StoredLastEnabled {
    at: Timestamp,
    step: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Promotion")]
struct StoredPromotion {
    secret: SecretId,
    at: Timestamp,
    step: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    follows: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Revocation", rename_all = "snake_case")]
enum StoredRevocation {
    Deleted,
    Compromised,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Availability", rename_all = "snake_case")]
enum StoredAvailability {
    Worldwide,
    ChinaOnly,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Purpose", rename_all = "snake_case")]
enum StoredPurpose {
    SigningAndPassword,
    PasswordOnly,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Origin", rename_all = "snake_case")]
enum StoredOrigin {
    Generated,
    Imported {
        #[serde(with = "StoredKeyEncoding")]
        key_encoding: KeyEncoding,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "KeyEncoding", rename_all = "snake_case")]
enum StoredKeyEncoding {
    Utf8,
    Base64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bodies as they have been written since the format exists, with every member and every variant. Lines are added, never
    /// changed.
    const GOLDEN: &str = concat!(include_str!("format_1.jsonl"), include_str!("format_2.jsonl"));

    #[test]
    fn bodies_are_written_as_they_always_were() {
        for line in GOLDEN.lines() {
            let body: Body = Body::from_json(line).unwrap_or_else(|error| panic!("{error} in {line}"));
            assert_eq!(serde_json::to_string(&body).unwrap(), line);
        }
        for (member, value) in [
            ("state", "active"),
            ("state", "deleted"),
            ("availability", "worldwide"),
            ("availability", "china_only"),
            ("purpose", "signing_and_password"),
            ("purpose", "password_only"),
            ("origin", "generated"),
            ("key_encoding", "utf8"),
            ("key_encoding", "base64"),
            ("fate", "deleted"),
            ("fate", "compromised"),
            ("seller", "contoso"),
            ("operator", "ann"),
        ] {
            assert!(GOLDEN.contains(&format!(r#""{member}":"{value}""#)), "{member} {value}");
        }
    }

    /// A record is authenticated, so a body that differs is one of another version, or a fault of this one.
    #[test]
    fn a_body_with_an_impossible_value_is_refused() {
        for (right, wrong) in [
            (r#""until":"2027-03-01T09:00:00.000Z""#, r#""until":"2026-03-01T09:00:00.000Z""#),
            (r#","until":"2027-03-01T09:00:00.000Z""#, ""),
            (r#""origin":"generated""#, r#""origin":"found""#),
            (r#""standing":"#, r#""since":"#),
            (r#""app_domain":"app.contoso.com""#, r#""app_domain":"https://app.contoso.com""#),
            (r#""hint":"lNOe""#, r#""hint":"four!""#),
            (r#""state":"active""#, r#""state":"suspended""#),
            (r#""https://"#, r#""https//"#),
        ] {
            let line = GOLDEN.lines().find(|line| line.contains(right)).unwrap();
            assert!(Body::from_json(&line.replacen(right, wrong, 1)).is_err(), "{wrong}");
        }
    }
}
