//! The readable body of a stored client, format 1. Names, order and bytes must not change.
//!
//! Every type with several members or variants is spelled out here a second time, so a change of the public JSON cannot reach
//! what is stored. A value that is one text or one number (an ID, a name, an instant, a hash, a hint) has a single form, and is
//! stored in that.

use serde::{Deserialize, Serialize};

use crate::client::{Promotion, Revocation};
use crate::event::EventHash;
use crate::secret::{Hint, KeyEncoding, LastEnabled, Origin, Purpose, Secret};
use crate::value::{AddInId, Availability, ClientDetails, Label, SecretId, SellerId, Timestamp, Validity};

/// The readable part of a stored client.
#[derive(Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Body {
    Active(Box<ActiveBody>),
    Deleted { owner: SellerId, changed_at: Timestamp, remembered: Vec<RememberedBody>, last_event: EventHash },
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
}

#[derive(Serialize, Deserialize)]
pub(super) struct SecretBody(#[serde(with = "StoredSecret")] pub(super) Secret);

#[derive(Serialize, Deserialize)]
pub(super) struct PromotionBody(#[serde(with = "StoredPromotion")] pub(super) Promotion);

#[derive(Serialize, Deserialize)]
pub(crate) struct RememberedBody {
    pub(super) secret: SecretId,
    #[serde(rename = "fate", with = "StoredRevocation")]
    pub(super) revocation: Revocation,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Secret")]
struct StoredSecret {
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

mod details {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::value::{AppDomain, ClientDetails, FriendlyName, RedirectUrl};

    #[derive(Serialize, Deserialize)]
    struct Stored<N, D, U> {
        friendly_name: N,
        app_domain: D,
        redirect_url: U,
    }

    pub(super) fn serialize<S: Serializer>(details: &ClientDetails, to: S) -> Result<S::Ok, S::Error> {
        let stored = Stored {
            friendly_name: details.friendly_name(),
            app_domain: details.app_domain(),
            redirect_url: details.redirect_url(),
        };
        stored.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ClientDetails, D::Error> {
        let stored = Stored::<FriendlyName, AppDomain, RedirectUrl>::deserialize(from)?;
        Ok(ClientDetails::of(stored.friendly_name, stored.app_domain, stored.redirect_url))
    }
}

mod validity {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::value::{Timestamp, Validity};

    #[derive(Serialize, Deserialize)]
    struct Stored {
        from: Timestamp,
        #[serde(deserialize_with = "Option::deserialize")]
        until: Option<Timestamp>,
    }

    pub(super) fn serialize<S: Serializer>(validity: &Validity, to: S) -> Result<S::Ok, S::Error> {
        Stored { from: validity.from(), until: validity.until() }.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Validity, D::Error> {
        let Stored { from, until } = Stored::deserialize(from)?;
        Validity::new(from, until).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bodies as they have been written since the format exists, with every member and every variant. Lines are added, never
    /// changed.
    const GOLDEN: &str = include_str!("format_1.jsonl");

    #[test]
    fn bodies_are_written_as_they_always_were() {
        for line in GOLDEN.lines() {
            let body: Body = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
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
        ] {
            let line = GOLDEN.lines().find(|line| line.contains(right)).unwrap();
            assert!(serde_json::from_str::<Body>(&line.replacen(right, wrong, 1)).is_err(), "{wrong}");
        }
    }
}
